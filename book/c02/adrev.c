/* adrev.c - reverse mode on a recorded graph (D2L 2.5.1). */
#include "book/book.h"

static cn_tensor *tangle(cn_tensor *const *in, void *unused)
{
    (void)unused;
    cn_tensor *x = in[0], *s = cn_sigmoid(cn_mul(x, cn_flip(x, CN_SHAPE(0))));
    return cn_log(cn_sum(cn_add(cn_exp(cn_sin(x)), cn_mul(s, cn_square(cn_cumsum(x, 0))))));
}

static cn_tensor *central(cn_tensor *at)
{
    const double h = 1e-5;
    cn_tensor *grad = cn_empty(CN_SHAPE(cn_numel(at)), CN_F64);
    double *out = cn_data_mut(grad);
    for (int64_t i = 0; out && i < cn_numel(at); i++) {
        cn_tensor *step = cn_mul(cn_select(cn_eye(cn_numel(at), CN_F64), 0, i), cn_num(h));
        cn_tensor *up = cn_add(at, step), *down = cn_sub(at, step);
        out[i] = (cn_item(tangle(&up, NULL)) - cn_item(tangle(&down, NULL))) / (2 * h);
    }
    return grad;
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_requires_grad(cn_arange(0, 4, 1, CN_F32), true);
    lab_true(lab, "x has no gradient before", cn_grad(x) == NULL);
    cn_tensor *y = cn_mul(cn_num(2), cn_dot(x, x));
    lab_number(lab, "y = 2 x^T x", cn_item(y), 28, 0);
    cn_backward(y);
    lab_values(lab, "its gradient", cn_grad(x), 0, 0, 4, 8, 12);
    lab_same(lab, "is 4 x", cn_grad(x), cn_mul(cn_num(4), x), 0);

    /* Another function of x: old gradients are cleared first. */
    cn_set_grad(x, NULL);
    cn_backward(cn_sum(x));
    lab_values(lab, "the gradient of x.sum()", cn_grad(x), 0, 1, 1, 1, 1);

    /* Differences in the middle know nothing of the graph. */
    cn_tensor *at = cn_randn(CN_SHAPE(5), CN_F64), *grad = NULL;
    cn_vjp(tangle, &at, 1, NULL, NULL, NULL, &grad, NULL);
    lab_same(lab, "of a longer function, and central differences", grad, central(at), 1e-8);
}

const Experiment experiment_c02_adrev = {
    .id = "C02-AD-REV",
    .title = "Automatic differentiation",
    .title_zh = "自动微分",
    .section = "2.5.1",
    .published = "y = 28, x.grad = [0, 4, 8, 12]",
    .run = run,
};
