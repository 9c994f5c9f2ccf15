/* clip.c - gradients cut to size (D2L 9.5). */
#include "optim/optim.h"

#include <math.h>

enum { LANES = 8 }; /* sums side by side, which a compiler can turn into vectors */

static double squares_f32(const float *x, int64_t n)
{
    double lane[LANES] = { 0 }, total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * (double)x[i + l];
    for (; i < n; i++) total += (double)x[i] * (double)x[i];
    for (int l = 0; l < LANES; l++) total += lane[l];
    return total;
}

static double sum_of_squares(const cn_tensor *grad)
{
    double total = 0;
    size_t size = cn_dtype_size(grad->v.dtype);
    if (grad->v.dtype == CN_F32)
        return squares_f32((const float *)(const void *)grad->v.data, grad->v.numel);
    for (int64_t i = 0; i < grad->v.numel; i++) {
        double x = cn_load_f64(grad->v.data + (size_t)i * size, grad->v.dtype);
        total += x * x;
    }
    return total;
}

static void scale_view(const cn_view *v, double factor)
{
    size_t size = cn_dtype_size(v->dtype);
    float *x = v->dtype == CN_F32 ? (float *)(void *)v->data : NULL;
    for (int64_t i = 0; x && i < v->numel; i++) x[i] = (float)((double)x[i] * factor);
    for (int64_t i = 0; !x && i < v->numel; i++) {
        char *at = v->data + (size_t)i * size;
        cn_store_f64(at, v->dtype, cn_load_f64(at, v->dtype) * factor);
    }
}

/* The gradient, contiguous; NULL: there is none, or no memory for it. */
static cn_tensor *straight_gradient(cn_tensor *param)
{
    cn_tensor *grad = param ? param->grad : NULL;
    if (grad && !grad->v.contiguous) cn_set_grad(param, grad = cn_rows(grad));
    return grad;
}

static double squares_of(cn_tensor *param)
{
    cn_tensor *grad = straight_gradient(param);
    return grad ? sum_of_squares(grad) : 0;
}

static void scale_gradient(cn_tensor *param, double factor)
{
    if (param && param->grad) scale_view(&param->grad->v, factor);
}

double cn_clip_grad_norm(cn_tensor *const *params, int n, double max_norm)
{
    double total = 0;
    for (int i = 0; i < n && cn_ok(); i++) total += squares_of(params[i]);
    if (!cn_ok()) return (double)NAN;
    double norm = sqrt(total), factor = max_norm / (norm + 1e-6);
    for (int i = 0; i < n && factor < 1; i++) scale_gradient(params[i], factor);
    return norm;
}

double cn_clip_grad_norm_of(cn_optim *o, double max_norm)
{
    double total = 0;
    for (int g = 0; o && g < o->n_groups; g++)
        for (int i = 0; i < o->groups[g].n && cn_ok(); i++)
            total += squares_of(o->groups[g].params[i].tensor);
    if (!cn_ok()) return (double)NAN;
    double norm = sqrt(total), factor = max_norm / (norm + 1e-6);
    for (int g = 0; o && g < o->n_groups && factor < 1; g++)
        for (int i = 0; i < o->groups[g].n; i++)
            scale_gradient(o->groups[g].params[i].tensor, factor);
    return norm;
}

bool cn_clip_grad_value(cn_tensor *const *params, int n, double limit)
{
    if (!(limit >= 0)) return cn_fail(CN_EINVALID, "clip_grad_value: the limit is %g", limit);
    for (int k = 0; k < n && cn_ok(); k++) {
        cn_tensor *grad = straight_gradient(params[k]);
        size_t size = grad ? cn_dtype_size(grad->v.dtype) : 0;
        for (int64_t i = 0; grad && i < grad->v.numel; i++) {
            char *at = grad->v.data + (size_t)i * size;
            double x = cn_load_f64(at, grad->v.dtype);
            if (x > limit || x < -limit) cn_store_f64(at, grad->v.dtype, x > 0 ? limit : -limit);
        }
    }
    return cn_ok();
}
