/* adnonsc.c - a vector has a gradient for given weights (D2L 2.5.2). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_requires_grad(cn_arange(0, 4, 1, CN_F32), true);
    cn_tensor *y = cn_mul(x, x), *ones = cn_ones(CN_SHAPE(4), CN_F32);
    cn_backward_of(&y, &ones, 1, NULL);
    lab_values(lab, "y = x * x, backward with ones", cn_grad(x), 0, 0, 2, 4, 6);

    cn_set_grad(x, NULL);
    cn_backward(cn_sum(cn_mul(x, x)));
    lab_values(lab, "backward of y.sum()", cn_grad(x), 0, 0, 2, 4, 6);

    cn_set_grad(x, NULL);
    y = cn_mul(x, x);
    cn_tensor *weights = cn_from((const float[]){ 1, 0, -1, 10 }, CN_SHAPE(4), CN_F32);
    cn_backward_of(&y, &weights, 1, NULL);
    lab_values(lab, "other weights", cn_grad(x), 0, 0, 0, -4, 60);

    cn_backward(cn_mul(x, x));
    lab_refused(lab, "backward of a vector without weights", "needs a cotangent");
}

const Experiment experiment_c02_adnonsc = {
    .id = "C02-AD-NONSC",
    .title = "Backward of what is no number",
    .title_zh = "非标量变量的反向传播",
    .section = "2.5.2",
    .published = "[0, 2, 4, 6]",
    .run = run,
};
