/* inplace.c - which operations keep the address (D2L 2.1.5). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 12, 1, CN_F32), CN_SHAPE(3, 4));
    cn_tensor *y = cn_ones(CN_SHAPE(3, 4), CN_F32), *z = cn_zeros(CN_SHAPE(3, 4), CN_F32);

    const void *before = cn_data(y);
    y = cn_add(y, x);
    lab_true(lab, "Y = Y + X takes new memory", cn_data(y) != before);
    before = cn_data(z);
    cn_copy_(z, cn_add(x, y));
    lab_true(lab, "Z[:] = X + Y stays where it was", cn_data(z) == before);
    lab_same(lab, "and has the values", z, cn_add(x, y), 0);
    before = cn_data(x);
    cn_add_(x, y);
    lab_true(lab, "X += Y stays where it was", cn_data(x) == before);
    lab_same(lab, "and has the values of Z", x, z, 0);

    /* The gradient of the square needs the x that was there: overwriting it is noticed. */
    cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(2), CN_F32), true);
    cn_tensor *h = cn_mul(w, cn_num(3)), *loss = cn_sum(cn_square(h));
    cn_add_(h, cn_num(1));
    cn_backward(loss);
    lab_refused(lab, "backward through an overwritten tensor", "in place");
}

const Experiment experiment_c02_inplace = {
    .id = "C02-INPLACE",
    .title = "Saving memory: operations in place",
    .title_zh = "节省内存",
    .section = "2.1.5",
    .published = "False; the same id; True",
    .run = run,
};
