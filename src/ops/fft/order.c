/* order.c - the order of frequencies: which they are, and the middle one moved to the centre. */
#include "ops/compose.h"

typedef struct {
    cn_ints shifts, dims;
} Roll;

/* Rolls by half of each size; back: so that an odd size comes back, too. */
static bool shift(cn_call *c, bool back)
{
    const cn_ints *dim = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    Roll roll = { .dims.n = dim->n >= 0 ? dim->n : s->ndim };
    roll.shifts.n = roll.dims.n;
    if (roll.dims.n == 0) return cn_set_out(c, 0, c->in[0]);
    for (int i = 0; i < roll.dims.n; i++) {
        int d = cn_wrap_dim(dim->n >= 0 ? dim->v[i] : i, s->ndim, c->op->name);
        if (d < 0) return false;
        int64_t n = s->ndim ? s->dim[d] : 1;
        roll.dims.v[i] = d;
        roll.shifts.v[i] = back ? (n + 1) / 2 : n / 2;
    }
    return cn_set_out(c, 0, CN_CALL(roll, &roll, c->in[0]));
}

static bool fftshift_compose(cn_call *c)
{
    return shift(c, false);
}

static bool ifftshift_compose(cn_call *c)
{
    return shift(c, true);
}

#define SHIFT_OP(ident, text)                                                                      \
    const cn_op cn_op_fft_##ident = {                                                              \
        CN_OP_HEAD(fft_##ident, "fft." #ident, "(Tensor input, int[]? dim=None) -> Tensor"),       \
        .doc = text,                                                                               \
        .params_size = sizeof(cn_ints),                                                            \
        .compose = ident##_compose,                                                                \
        .samples = "[5] | [2,3] | c[4,3] (0,) | [3,2,5] (0,-1) | [0,2]",                           \
    }

SHIFT_OP(fftshift, "Frequency 0, which the transforms put first, moved to the middle along dim.");
SHIFT_OP(ifftshift, "The inverse of fft.fftshift.");

/* ---- fftfreq, rfftfreq --------------------------------------------------------------------- */

typedef struct {
    int64_t n;
    double d;
    int32_t dtype;
} Frequencies;

/* 0, 1, .. and, unless only that half is wanted, the negative ones; over n d. */
static bool frequencies(cn_call *c, bool half)
{
    const Frequencies *p = c->params;
    cn_dtype dtype = p->dtype == CN_NO_DTYPE ? CN_F32 : (cn_dtype)p->dtype;
    if (p->n < 1 || !cn_dtype_is_float(dtype))
        return cn_fail(CN_EINVALID, "%s: a positive n and a float dtype are wanted", c->op->name);
    int64_t count = half ? p->n / 2 + 1 : p->n;
    cn_tensor *t = cn_empty(CN_SHAPE(count), dtype);
    for (int64_t k = 0; t && k < count; k++) {
        int64_t cycles = half || k < (p->n + 1) / 2 ? k : k - p->n;
        cn_store_f64(t->v.data + k * (int64_t)cn_dtype_size(dtype), dtype,
                     (double)cycles * (1 / ((double)p->n * p->d)));
    }
    return cn_set_out(c, 0, t);
}

static bool fftfreq_compose(cn_call *c)
{
    return frequencies(c, false);
}

static bool rfftfreq_compose(cn_call *c)
{
    return frequencies(c, true);
}

#define FREQUENCY_OP(ident, text)                                                                  \
    const cn_op cn_op_fft_##ident = {                                                              \
        CN_OP_HEAD(fft_##ident, "fft." #ident,                                                     \
                   "(int n, float d=1.0, *, dtype? dtype=None) -> Tensor"),                        \
        .doc = text,                                                                               \
        .params_size = sizeof(Frequencies),                                                        \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "4 | 5 0.5 | 1 dtype=float64",                                                  \
    }

FREQUENCY_OP(fftfreq, "The frequencies of what fft.fft returns, for samples d apart.");
FREQUENCY_OP(rfftfreq, "The frequencies of what fft.rfft returns, for samples d apart.");
