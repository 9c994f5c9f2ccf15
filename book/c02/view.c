/* view.c - when memory is shared, and when it is copied (D2L 2.1.1). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 6, 1, CN_F32), CN_SHAPE(2, 3));
    cn_tensor *view = cn_view_as(x, CN_SHAPE(3, 2)), *t = cn_t(x);
    lab_true(lab, "view is a view", cn_is_view(view) && cn_shares_memory(view, x));
    lab_true(lab, "so is the transpose", cn_is_view(t) && cn_shares_memory(t, x));
    lab_true(lab, "which is not contiguous", cn_is_contiguous(x) && !cn_is_contiguous(t));

    cn_view_as(t, CN_SHAPE(6));
    lab_refused(lab, "view of the transpose", "view");
    cn_tensor *flat = cn_reshape(t, CN_SHAPE(6));
    lab_values(lab, "reshape of the transpose", flat, 0, 0, 3, 1, 4, 2, 5);
    lab_true(lab, "is a copy", !cn_shares_memory(flat, x));

    cn_tensor *rows = cn_contiguous(t);
    lab_true(lab, "contiguous() copies, too", !cn_is_view(rows) && !cn_shares_memory(rows, x));
    cn_tensor *again = cn_view_as(rows, CN_SHAPE(6));
    lab_same(lab, "and can be viewed", again, flat, 0);
    lab_true(lab, "without a copy", cn_shares_memory(again, rows));
    lab_true(lab, "contiguous() of what is gives the same memory",
             cn_shares_memory(cn_contiguous(x), x));

    cn_copy_(cn_select(view, 0, 0), cn_num(9));
    lab_values(lab, "writing to a view writes to its base", x, 0, 9, 9, 2, 3, 4, 5);
}

const Experiment experiment_c02_view = {
    .id = "C02-VIEW",
    .title = "reshape, view and contiguous",
    .title_zh = "reshape与view",
    .section = "2.1.1",
    .run = run,
};
