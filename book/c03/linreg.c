/* linreg.c - linear regression: a convex loss, whose minimum has a formula (D2L 3.1). */
#include "book/book.h"

#include <math.h>

enum { N = 1000, CHORDS = 100 };

/* l(w) = 1/2 mean (X w - y)^2; the last column of X is 1 for the bias. */
static double loss(cn_tensor *x, cn_tensor *y, cn_tensor *w)
{
    return cn_item(cn_mean(cn_square(cn_sub(cn_matmul(x, w), y)))) / 2;
}

/* The chord between two points lies above the loss by t (1 - t) 1/2 mean (X (v - w))^2. */
static void is_convex(Lab *lab, cn_tensor *x, cn_tensor *y)
{
    double above = HUGE_VAL, wrong = 0;
    for (int i = 0; i < CHORDS; i++) CN_SCOPE
        {
            cn_tensor *v = cn_randn(CN_SHAPE(3, 1), CN_F64), *w = cn_randn(CN_SHAPE(3, 1), CN_F64);
            double t = cn_item(cn_rand(CN_SHAPE(1), CN_F64));
            cn_tensor *between = cn_lerp(v, w, cn_num(t));
            double gap = (1 - t) * loss(x, y, v) + t * loss(x, y, w) - loss(x, y, between);
            above = fmin(above, gap);
            wrong = fmax(wrong, fabs(gap - t * (1 - t) * loss(x, cn_matmul(x, v), w)));
        }
    lab_at_least(lab, "the chord above the loss, the least of 100", above, 0);
    lab_at_most(lab, "that gap and its formula differ by", wrong, 1e-10);
}

static cn_tensor *descended(cn_tensor *x, cn_tensor *y)
{
    cn_tensor *w = cn_requires_grad(cn_zeros(CN_SHAPE(3, 1), CN_F64), true);
    for (int i = 0; i < 500; i++) CN_SCOPE
        {
            cn_tensor *l = cn_mean(cn_square(cn_sub(cn_matmul(x, w), y)));
            if (cn_backward(l)) lab_sgd(&w, 1, 0.05);
        }
    return w;
}

static void run(Lab *lab)
{
    cn_tensor *true_w = cn_from((const double[]){ 2, -3.4 }, CN_SHAPE(2, 1), CN_F64);
    LabData d = lab_linear_data(true_w, 4.2, 0.01, N);
    cn_tensor *x =
        cn_cat((cn_tensor *[]){ d.x, cn_ones(CN_SHAPE(N, 1), CN_F64) }, 2, 1); /* bias into w */
    is_convex(lab, x, d.y);

    /* w* = (X^T X)^-1 X^T y */
    cn_tensor *xt = cn_t(x);
    cn_tensor *best = cn_matmul(cn_linalg_inv(cn_matmul(xt, x)), cn_matmul(xt, d.y));
    lab_values(lab, "w and b by the formula", best, 1e-3, 2, -3.4, 4.2);
    lab_same(lab, "the formula and gradient descent", best, cn_detach(descended(x, d.y)), 1e-9);
    lab_same(lab, "the formula and least squares of the library", best, cn_linalg_lstsq(x, d.y),
             1e-10);
    cn_tensor *gradient = cn_matmul(xt, cn_sub(cn_matmul(x, best), d.y));
    lab_at_most(lab, "the largest element of X^T (X w* - y)", cn_item(cn_amax(cn_abs(gradient))),
                1e-8);

    /* The same as a network of one layer. */
    cn_module *net = cn_linear_layer(1, .in = 2);
    cn_copy_(cn_detach(cn_module_slot(net, "weight")), cn_t(true_w));
    cn_copy_(cn_detach(cn_module_slot(net, "bias")), cn_num(4.2));
    cn_tensor *by_hand = cn_add(cn_matmul(d.x, true_w), cn_num(4.2));
    lab_same(lab, "a network of one layer and X w + b",
             cn_detach(cn_forward(net, cn_to(d.x, CN_F32))), cn_to(by_hand, CN_F32), 1e-5);
    cn_module_free(net);
}

const Experiment experiment_c03_linreg = {
    .id = "C03-LINREG C03-ANALYTIC",
    .title = "Linear regression and its closed form",
    .title_zh = "线性回归及其解析解",
    .section = "3.1.1",
    .settings = "1000 examples, w = [2, -3.4], b = 4.2, noise 0.01",
    .run = run,
};
