/* gradients.c - derivatives of functions: the Hessian of Rosenbrock's valley and Newton's steps
   through it, then a function with a gradient of its own, checked by finite differences. */
#include <cenote/cenote.h>

#include <stdio.h>

/* (1 - x)^2 + 100 (y - x^2)^2, whose only minimum is at (1, 1) */
static cn_tensor *valley(cn_tensor *const *in, void *context)
{
    (void)context;
    cn_tensor *x = cn_select(in[0], 0, 0), *y = cn_select(in[0], 0, 1);
    cn_tensor *side = cn_square(cn_sub(y, cn_square(x)));
    return cn_add(cn_square(cn_sub(x, cn_num(1))), cn_mul(side, cn_num(100)));
}

/* A point minus its Newton step: H step = gradient, for the 2 x 2 of this example by Cramer's rule. */
static cn_tensor *newton(cn_tensor *p)
{
    cn_tensor *g, *h;
    double a[2], b[4];
    if (!cn_vjp(valley, &p, 1, NULL, NULL, NULL, &g, NULL)) return NULL;
    if (!cn_hessian(valley, &p, 1, NULL, &h, NULL)) return NULL;
    if (!cn_read(g, CN_F64, a, 2) || !cn_read(h, CN_F64, b, 4)) return NULL;
    double det = b[0] * b[3] - b[1] * b[2];
    double step[] = { (a[0] * b[3] - a[1] * b[1]) / det, (a[1] * b[0] - a[0] * b[2]) / det };
    return cn_sub(p, cn_from(step, CN_SHAPE(2), CN_F64));
}

/* ---- log(1 + exp(x)) that does not overflow, neither forward nor backward -------------------- */

static bool softplus_forward(cn_custom_call *call, cn_tensor *const *in, cn_tensor **out,
                             void *context)
{
    (void)context;
    cn_tensor *tail = cn_log(cn_add(cn_exp(cn_neg(cn_abs(in[0]))), cn_num(1)));
    out[0] = cn_add(cn_relu(in[0]), tail);
    return cn_save_for_backward(call, in[0]);
}

static bool softplus_backward(cn_custom_call *call, cn_tensor *const *grad_out, cn_tensor **grad_in,
                              void *context)
{
    (void)context;
    grad_in[0] = cn_mul(grad_out[0], cn_sigmoid(cn_saved(call, 0)));
    return cn_ok();
}

static cn_tensor *softplus(cn_tensor *const *in, void *context)
{
    static const cn_custom f = { "softplus", softplus_forward, softplus_backward, NULL };
    cn_tensor *y;
    return cn_custom_function(&f, in, 1, &y, 1, context) ? y : NULL;
}

/* The derivative along v, and what differences of values say. */
static bool check(cn_tensor *x, cn_tensor *v)
{
    const double h = 1e-5;
    cn_tensor *up = cn_add(x, cn_mul(v, cn_num(h))), *down = cn_sub(x, cn_mul(v, cn_num(h)));
    cn_tensor *jvp, *rise = cn_sub(softplus(&up, NULL), softplus(&down, NULL));
    if (!cn_jvp(softplus, &x, 1, NULL, &v, NULL, &jvp, NULL)) return false;
    for (int64_t i = 0; i < cn_size(x, 0); i++)
        printf("softplus at %5.1f: slope %.6f, differences %.6f\n", cn_at(x, CN_SHAPE(i)),
               cn_at(jvp, CN_SHAPE(i)), cn_at(rise, CN_SHAPE(i)) / (2 * h));
    return cn_ok();
}

int main(void)
{
    cn_tensor *p = cn_from((double[]){ -1, 2 }, CN_SHAPE(2), CN_F64);
    for (int step = 0; p && step <= 6; step++, p = newton(p))
        printf("step %d: f(%.4f, %.4f) = %.6f\n", step, cn_at(p, CN_SHAPE(0)),
               cn_at(p, CN_SHAPE(1)), cn_item(valley(&p, NULL)));
    cn_tensor *x = cn_from((double[]){ -800, -1, 0.5, 800 }, CN_SHAPE(4), CN_F64);
    check(x, cn_ones(CN_SHAPE(4), CN_F64));
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    return !cn_ok();
}
