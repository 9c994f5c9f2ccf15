/* bcast.c - operands of different shapes (D2L 2.1.4). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *a = cn_requires_grad(cn_reshape(cn_arange(0, 3, 1, CN_F32), CN_SHAPE(3, 1)), true);
    cn_tensor *b = cn_requires_grad(cn_reshape(cn_arange(0, 2, 1, CN_F32), CN_SHAPE(1, 2)), true);
    cn_tensor *sum = cn_add(a, b);
    lab_values(lab, "a + b", sum, 0, 0, 1, 1, 2, 2, 3);
    lab_shape(lab, "its shape", sum, CN_SHAPE(3, 2));

    cn_add(cn_zeros(CN_SHAPE(3, 2), CN_F32), cn_zeros(CN_SHAPE(2, 3), CN_F32));
    lab_refused(lab, "(3, 2) + (2, 3)", "(3, 2)");

    /* d/da of sum(a * b) adds up what the copies of a's rows get: sum(b) for each; and the other way. */
    cn_backward(cn_sum(cn_mul(a, b)));
    lab_shape(lab, "the gradient of a keeps its shape", cn_grad(a), CN_SHAPE(3, 1));
    lab_values(lab, "the gradient of a", cn_grad(a), 0, 1, 1, 1);
    lab_values(lab, "the gradient of b", cn_grad(b), 0, 3, 3);
}

const Experiment experiment_c02_bcast = {
    .id = "C02-BCAST",
    .title = "Broadcasting",
    .title_zh = "广播机制",
    .section = "2.1.4",
    .published = "[[0, 1], [1, 2], [2, 3]]",
    .run = run,
};
