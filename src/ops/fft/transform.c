/* transform.c - the Fourier transform of complex tensors along some of their dimensions. */
#include "ops/fft/transform.h"

#include "ops/fft/fft.h"

#include <math.h>

static bool c2c_infer(const cn_call *c, cn_spec out[])
{
    const cn_fft_params *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    unsigned mask;
    if (!cn_dtype_is_complex(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "%s: complex numbers are wanted, not %s", c->op->name,
                       cn_dtype_name(c->in[0]->v.dtype));
    if (p->scale < CN_FFT_UNSCALED || p->scale > CN_FFT_BY_N)
        return cn_fail(CN_EINVALID, "%s: normalization is 0, 1 or 2, not %lld", c->op->name,
                       (long long)p->scale);
    if (p->dim.n && !cn_dims_mask(&p->dim, s->ndim, c->op->name, &mask)) return false;
    for (int i = 0; i < p->dim.n; i++)
        if (s->ndim == 0 || s->dim[cn_wrap_dim(p->dim.v[i], s->ndim, c->op->name)] < 1)
            return cn_fail(CN_EINVALID, "%s: the transform of no numbers is not defined",
                           c->op->name);
    return cn_infer_same(c, out);
}

/* One dimension of a contiguous tensor. */
typedef struct {
    const cn_view *y;
    cn_dtype part;
    int64_t inner; /* numbers from one of a line to the next */
    int64_t size;
    double scale;
    bool forward;
} Lines;

/* The inverse is the same with real and imaginary parts exchanged. */
static void load(const Lines *l, const char *at, cn_fft_number *x)
{
    size_t width = cn_dtype_size(l->part);
    for (int64_t i = 0; i < l->size; i++, at += 2 * width * (size_t)l->inner) {
        double re = cn_load_f64(at, l->part), im = cn_load_f64(at + width, l->part);
        x[i] = l->forward ? (cn_fft_number){ re, im } : (cn_fft_number){ im, re };
    }
}

static void store(const Lines *l, char *at, const cn_fft_number *y)
{
    size_t width = cn_dtype_size(l->part);
    for (int64_t i = 0; i < l->size; i++, at += 2 * width * (size_t)l->inner) {
        cn_store_f64(at, l->part, l->scale * (l->forward ? y[i].re : y[i].im));
        cn_store_f64(at + width, l->part, l->scale * (l->forward ? y[i].im : y[i].re));
    }
}

static bool transform_lines(const Lines *l)
{
    int64_t count = l->y->numel / l->size, width = (int64_t)cn_dtype_size(l->y->dtype);
    cn_fft_number *x = cn_alloc(2 * (size_t)l->size * sizeof *x);
    cn_fft_plan *plan = x ? cn_fft_plan_new(l->size) : NULL;
    for (int64_t i = 0; plan && i < count; i++) {
        char *at = l->y->data + (i / l->inner * l->inner * l->size + i % l->inner) * width;
        load(l, at, x);
        cn_fft_run(plan, x, x + l->size);
        store(l, at, x + l->size);
    }
    bool ok = plan != NULL;
    cn_fft_plan_free(plan);
    cn_free(x);
    return ok;
}

static double scale_of(int64_t how, int64_t n)
{
    return how == CN_FFT_UNSCALED ? 1 : how == CN_FFT_BY_ROOT ? 1 / sqrt((double)n) : 1 / (double)n;
}

static bool c2c_kernel(const cn_call *c)
{
    const cn_fft_params *p = c->params;
    const cn_view *y = cn_out(c, 0);
    bool ok = true;
    cn_copy_view(y, cn_in(c, 0));
    for (int i = 0; ok && y->numel && i < p->dim.n; i++) {
        int dim = cn_wrap_dim(p->dim.v[i], y->shape.ndim, c->op->name);
        int64_t n = y->shape.dim[dim];
        Lines l = { y, cn_dtype_real_of(y->dtype), y->strides[dim],
                    n, scale_of(p->scale, n),      p->forward };
        ok = transform_lines(&l);
    }
    return ok;
}

/* The adjoint: the other direction, scaled alike. */
static void c2c_backward(cn_grads *g)
{
    cn_fft_params p = *(const cn_fft_params *)cn_grad_params(g);
    p.forward = !p.forward;
    cn_give(g, 0, CN_CALL(fft_c2c, &p, cn_gout(g, 0)));
}

const cn_op cn_op_fft_c2c = {
    CN_OP_HEAD(fft_c2c, "_fft_c2c",
               "(Tensor input, int[] dim, int normalization, bool forward) -> Tensor"),
    .doc =
        "The discrete Fourier transform along dim, multiplied by 1 (normalization 0), 1 / sqrt(n) "
        "(1) or 1 / n (2): what the ops of torch.fft are made of.",
    .params_size = sizeof(cn_fft_params),
    .flags = CN_ANY_DTYPE,
    .infer = c2c_infer,
    .kernel = c2c_kernel,
    .backward = c2c_backward,
    .samples =
        "c[4] (0,) 0 True | c[2,3] (1,) 2 False | c[3,2,5] (0,2) 1 True | c[6] (0,) 0 False | "
        "c[2,74] (1,) 0 True | c[0,3] (1,) 0 True | c[1,7] (1,) 2 True",
};
