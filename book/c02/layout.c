/* layout.c - how the derivatives of a vector are laid out (D2L 2.5). */
#include "book/book.h"

#include <math.h>

static cn_tensor *f(cn_tensor *const *in, void *unused)
{
    (void)unused;
    cn_tensor *x0 = cn_select(in[0], 0, 0), *x1 = cn_select(in[0], 0, 1),
              *x2 = cn_select(in[0], 0, 2);
    cn_tensor *y[] = { cn_mul(x0, x1), cn_sin(x2) };
    return cn_stack(y, 2, 0);
}

static cn_tensor *g(cn_tensor *const *in, void *unused)
{
    (void)unused;
    cn_tensor *y[] = { cn_exp(cn_select(in[0], 0, 0)), cn_sum(cn_square(in[0])) };
    return cn_stack(y, 2, 0);
}

static cn_tensor *g_of_f(cn_tensor *const *in, void *unused)
{
    cn_tensor *y = f(in, unused);
    return g(&y, unused);
}

static cn_tensor *length(cn_tensor *const *in, void *unused)
{
    (void)unused;
    return cn_norm(in[0]);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(3), CN_F64), *jacobian = NULL;
    cn_jacobian(f, &x, 1, NULL, &jacobian, NULL);
    lab_shape(lab, "f maps 3 numbers to 2; its Jacobian is (outputs, inputs)", jacobian,
              CN_SHAPE(2, 3));

    /* f(x) = (x0 x1, sin x2), by hand, a row for each output. */
    double v[3] = { 0 };
    if (!cn_read(x, CN_F64, v, 3)) return;
    lab_values(lab, "numerator layout: dy_i/dx_j in row i", jacobian, 1e-12, v[1], v[0], 0, 0, 0,
               cos(v[2]));
    lab_values(lab, "denominator layout: its transpose", cn_t(jacobian), 1e-12, v[1], 0, v[0], 0, 0,
               cos(v[2]));

    /* In numerator layout the chain rule reads from the outside in. */
    cn_tensor *y = f(&x, NULL), *outer = NULL, *whole = NULL;
    cn_jacobian(g, &y, 1, NULL, &outer, NULL);
    cn_jacobian(g_of_f, &x, 1, NULL, &whole, NULL);
    lab_same(lab, "d g(f(x))/dx = dg/df df/dx", whole, cn_matmul(outer, jacobian), 1e-12);

    cn_tensor *grad = NULL;
    cn_vjp(length, &x, 1, NULL, NULL, NULL, &grad, NULL);
    lab_shape(lab, "a gradient has the shape of x", grad, CN_SHAPE(3));
}

const Experiment experiment_c02_layout = {
    .id = "C02-LAYOUT",
    .title = "Numerator and denominator layout",
    .title_zh = "分子布局与分母布局",
    .section = "2.5",
    .run = run,
};
