/* reduce.c - reduction, and sums that keep the axis (D2L 2.3.6). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *a = cn_reshape(cn_arange(0, 20, 1, CN_F32), CN_SHAPE(5, 4));
    lab_number(lab, "A.sum()", cn_item(cn_sum(a)), 190, 0);
    lab_values(lab, "A.sum(axis=0)", cn_sum(a, .dim = CN_SHAPE(0)), 0, 40, 45, 50, 55);
    lab_values(lab, "A.sum(axis=1)", cn_sum(a, .dim = CN_SHAPE(1)), 0, 6, 22, 38, 54, 70);
    lab_number(lab, "A.sum(axis=[0, 1])", cn_item(cn_sum(a, .dim = CN_SHAPE(0, 1))), 190, 0);
    lab_number(lab, "A.mean()", cn_item(cn_mean(a)), 9.5, 0);
    lab_values(lab, "A.mean(axis=0)", cn_mean(a, .dim = CN_SHAPE(0)), 0, 8, 9, 10, 11);

    cn_tensor *rows = cn_sum(a, .dim = CN_SHAPE(1), .keepdim = true);
    lab_shape(lab, "A.sum(axis=1, keepdims=True)", rows, CN_SHAPE(5, 1));
    cn_tensor *shares = cn_div(a, rows);
    lab_values(lab, "rows of A / sum_A sum to", cn_sum(shares, .dim = CN_SHAPE(1)), 1e-6, 1, 1, 1,
               1, 1);
    lab_values(lab, "the second row, as printed", cn_select(shares, 0, 1), 5.1e-5, 0.1818, 0.2273,
               0.2727, 0.3182);

    cn_tensor *running = cn_cumsum(a, 0);
    lab_values(lab, "A.cumsum(axis=0), last row", cn_select(running, 0, -1), 0, 40, 45, 50, 55);
    lab_values(lab, "its second row", cn_select(running, 0, 1), 0, 4, 6, 8, 10);
}

const Experiment experiment_c02_reduce = {
    .id = "C02-REDUCE",
    .title = "Sums and means along axes",
    .title_zh = "降维",
    .section = "2.3.6",
    .published = "190; [40, 45, 50, 55]; [6, 22, 38, 54, 70]; 9.5",
    .run = run,
};
