/* gradrules.c - closed forms, and what autograd says (D2L 2.4.3). */
#include "book/book.h"

enum { N = 6 };

static cn_tensor *linear(cn_tensor *const *x, void *a)
{
    return cn_dot(a, x[0]);
}

static cn_tensor *square(cn_tensor *const *x, void *unused)
{
    (void)unused;
    return cn_sum(cn_square(x[0]));
}

static cn_tensor *form(cn_tensor *const *x, void *a)
{
    return cn_dot(x[0], cn_mv(a, x[0]));
}

static cn_tensor *product(cn_tensor *const *x, void *a)
{
    return cn_mv(a, x[0]);
}

static cn_tensor *gradient(cn_function *f, cn_tensor *x, void *context)
{
    cn_tensor *grad = NULL;
    cn_vjp(f, &x, 1, context, NULL, NULL, &grad, NULL);
    return grad;
}

static void run(Lab *lab)
{
    cn_tensor *a = cn_randn(CN_SHAPE(N), CN_F32), *x = cn_randn(CN_SHAPE(N), CN_F32);
    cn_tensor *m = cn_randn(CN_SHAPE(N, N), CN_F32), *wide = cn_randn(CN_SHAPE(3, N), CN_F32);

    lab_same(lab, "d a^T x / dx = a", gradient(linear, x, a), a, 1e-5);
    lab_same(lab, "d x^T x / dx = 2 x", gradient(square, x, NULL), cn_mul(cn_num(2), x), 1e-5);
    lab_same(lab, "d x^T A x / dx = (A + A^T) x", gradient(form, x, m),
             cn_mv(cn_add(m, cn_t(m)), x), 1e-5);

    cn_tensor *jacobian = NULL;
    cn_jacobian(product, &x, 1, wide, &jacobian, NULL);
    lab_same(lab, "d A x / dx = A", jacobian, wide, 1e-5);

    /* And a matrix: the gradient of the squared Frobenius norm. */
    lab_same(lab, "d |X|^2 / dX = 2 X", gradient(square, m, NULL), cn_mul(cn_num(2), m), 1e-5);
}

const Experiment experiment_c02_gradrules = {
    .id = "C02-GRADRULES",
    .title = "Gradients of functions of vectors",
    .title_zh = "梯度",
    .section = "2.4.3",
    .run = run,
};
