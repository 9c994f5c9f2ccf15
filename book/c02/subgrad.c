/* subgrad.c - which of the subgradients the library takes (D2L 2.4). */
#include "book/book.h"

#include <math.h>

static cn_tensor *slope(cn_tensor *(*f)(cn_tensor *), cn_tensor *at)
{
    cn_tensor *x = cn_requires_grad(cn_clone(at), true);
    cn_backward(cn_sum(f(x)));
    return cn_grad(x);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_from((const float[]){ -2, 0, 3 }, CN_SHAPE(3), CN_F32);
    lab_values(lab, "d|x|/dx at -2, 0, 3: 0 is taken of [-1, 1]", slope(cn_abs, x), 0, -1, 0, 1);
    lab_values(lab, "d relu(x)/dx: 0 is taken of [0, 1]", slope(cn_relu, x), 0, 0, 0, 1);

    /* max(x, y): half to each where both are greatest, as for the maximum of a vector. */
    cn_tensor *a = cn_requires_grad(cn_from((const float[]){ 1, 2, 5 }, CN_SHAPE(3), CN_F32), true);
    cn_tensor *b = cn_requires_grad(cn_from((const float[]){ 3, 2, 4 }, CN_SHAPE(3), CN_F32), true);
    cn_backward(cn_sum(cn_maximum(a, b)));
    lab_values(lab, "d max(a, b)/da at (1, 3), (2, 2), (5, 4)", cn_grad(a), 0, 0, 0.5, 1);
    lab_values(lab, "d max(a, b)/db", cn_grad(b), 0, 1, 0.5, 0);
    cn_tensor *v = cn_requires_grad(cn_from((const float[]){ 4, 1, 4 }, CN_SHAPE(3), CN_F32), true);
    cn_backward(cn_amax(v));
    lab_values(lab, "d max_i x_i/dx at (4, 1, 4)", cn_grad(v), 0, 0.5, 0, 0.5);

    /* What makes g a subgradient at 0: |z| >= g z for all z. */
    double worst = 0;
    for (int i = -10; i <= 10; i++)
        worst = fmin(worst, fabs(0.3 * i) - cn_at(slope(cn_abs, x), CN_SHAPE(1)) * 0.3 * i);
    lab_at_least(lab, "|z| - g z, the least", worst, 0);
}

const Experiment experiment_c02_subgrad = {
    .id = "C02-SUBGRAD",
    .title = "Subgradients where there is no derivative",
    .title_zh = "亚导数",
    .section = "2.4",
    .run = run,
};
