/* random.c - random tensors from this thread's default generator.

   Philox is a function of a position, so elements are drawn in any order by any number of threads:
   float32 element i takes word i % 4 of block i / 4, 64-bit element i half i % 2 of block i / 2. */
#include "ops/compose.h"

#include <cenote/rng.h>

#include <math.h>

typedef struct {
    cn_rng rng; /* where the draw starts */
    char *out;
    int64_t n, low;
    uint64_t range;
    bool normal;
} Draw;

static const double PI = 3.14159265358979323846;

/* Two independent normals from two uniforms, by Box and Muller; u is in (0, 1]. */
static void normal_pair(double u, double v, double out[2])
{
    double radius = sqrt(-2 * log(u)), angle = 2 * PI * v;
    out[0] = radius * cos(angle), out[1] = radius * sin(angle);
}

static void draw_f32(int64_t first, int64_t last, void *context)
{
    const Draw *d = context;
    float *y = (float *)(void *)d->out;
    for (int64_t b = first; b < last; b++) {
        uint32_t w[4];
        double z[4];
        cn_philox(d->rng.seed, d->rng.stream, d->rng.position + (uint64_t)b, w);
        for (int k = 0; k < 4; k += 2)
            if (d->normal)
                normal_pair(((double)w[k] + 1) * 0x1p-32, (double)w[k + 1] * 0x1p-32, z + k);
            else z[k] = (double)(w[k] >> 8) * 0x1p-24, z[k + 1] = (double)(w[k + 1] >> 8) * 0x1p-24;
        for (int64_t k = 0; k < 4 && 4 * b + k < d->n; k++) y[4 * b + k] = (float)z[k];
    }
}

static uint64_t word64(const uint32_t w[4], int half)
{
    return (uint64_t)w[2 * half + 1] << 32 | w[2 * half];
}

static void draw_f64(int64_t first, int64_t last, void *context)
{
    const Draw *d = context;
    double *y = (double *)(void *)d->out;
    for (int64_t b = first; b < last; b++) {
        uint32_t w[4];
        cn_philox(d->rng.seed, d->rng.stream, d->rng.position + (uint64_t)b, w);
        double z[2] = { (double)(word64(w, 0) >> 11) * 0x1p-53,
                        (double)(word64(w, 1) >> 11) * 0x1p-53 };
        if (d->normal) normal_pair(1 - z[0], z[1], z);
        for (int64_t k = 0; k < 2 && 2 * b + k < d->n; k++) y[2 * b + k] = z[k];
    }
}

/* floor(word range / 2^64): the bias is below range / 2^64. */
static uint64_t scaled(uint64_t word, uint64_t range)
{
    uint64_t wl = word & UINT32_MAX, wh = word >> 32, rl = range & UINT32_MAX, rh = range >> 32;
    uint64_t middle = wh * rl + ((wl * rl) >> 32), other = wl * rh + (middle & UINT32_MAX);
    return wh * rh + (middle >> 32) + (other >> 32);
}

static void draw_i64(int64_t first, int64_t last, void *context)
{
    const Draw *d = context;
    int64_t *y = (int64_t *)(void *)d->out;
    for (int64_t b = first; b < last; b++) {
        uint32_t w[4];
        cn_philox(d->rng.seed, d->rng.stream, d->rng.position + (uint64_t)b, w);
        for (int k = 0; k < 2 && 2 * b + k < d->n; k++)
            y[2 * b + k] = (int64_t)((uint64_t)d->low + scaled(word64(w, k), d->range));
    }
}

/* f32, f64 or i64, contiguous. */
static void draw(cn_tensor *t, Draw d)
{
    int64_t per_block = t->v.dtype == CN_F32 ? 4 : 2,
            blocks = (t->v.numel + per_block - 1) / per_block;
    cn_rng *rng = cn_default_rng();
    d.rng = *rng, d.out = t->v.data, d.n = t->v.numel;
    rng->position += (uint64_t)blocks;
    cn_parallel(blocks, 16 * per_block,
                t->v.dtype == CN_F32   ? draw_f32
                : t->v.dtype == CN_F64 ? draw_f64
                                       : draw_i64,
                &d);
}

static cn_tensor *random_floats(cn_shape shape, cn_dtype dtype, bool normal)
{
    if (!cn_dtype_is_float(dtype)) {
        cn_fail(CN_EINVALID, "%s: floats are wanted, not %s", normal ? "randn" : "rand",
                cn_dtype_name(dtype));
        return NULL;
    }
    cn_tensor *t = cn_empty(shape, cn_compute_dtype(dtype));
    if (t) draw(t, (Draw){ .normal = normal });
    return t ? cn_cast_raw(t, dtype) : NULL;
}

cn_tensor *cn_rand(cn_shape shape, cn_dtype dtype)
{
    return random_floats(shape, dtype, false);
}

cn_tensor *cn_randn(cn_shape shape, cn_dtype dtype)
{
    return random_floats(shape, dtype, true);
}

cn_tensor *cn_randint(int64_t low, int64_t high, cn_shape shape)
{
    if (low >= high) {
        cn_fail(CN_EINVALID, "randint: no integer is at least %lld and below %lld", (long long)low,
                (long long)high);
        return NULL;
    }
    cn_tensor *t = cn_empty(shape, CN_I64);
    if (t) draw(t, (Draw){ .low = low, .range = (uint64_t)high - (uint64_t)low });
    return t;
}

cn_tensor *cn_randperm(int64_t n)
{
    cn_tensor *t = cn_empty(CN_SHAPE(n), CN_I64);
    if (t) cn_rng_permutation(cn_default_rng(), n, (int64_t *)(void *)t->v.data);
    return t;
}

/* ---- by size, or after another tensor ------------------------------------------------------ */

typedef struct {
    cn_ints size;
    int32_t dtype;
} Sized;

/* What is wanted: `like` is NULL for ops that are given a size. */
static cn_spec wanted(const cn_tensor *like, const cn_ints *size, int32_t dtype, cn_dtype otherwise)
{
    cn_spec s = { .dtype = otherwise };
    if (like) s.dtype = like->v.dtype, s.shape = like->v.shape;
    else s.shape = cn_shape_from((int)size->n, size->v);
    if (dtype != CN_NO_DTYPE) s.dtype = (cn_dtype)dtype;
    return s;
}

static bool rand_compose(cn_call *c)
{
    const cn_tensor *like = c->n_in ? c->in[0] : NULL;
    const Sized *p = c->params;
    const int32_t *dtype = like ? c->params : (const void *)&p->dtype;
    cn_spec s = wanted(like, &p->size, *dtype, CN_F32);
    bool normal = c->op == &cn_op_randn || c->op == &cn_op_randn_like;
    return cn_set_out(c, 0, random_floats(s.shape, s.dtype, normal));
}

#define RANDOM_OPS(ident, text)                                                                    \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(int[] size, *, dtype? dtype=None) -> Tensor"),                 \
        .doc = text,                                                                               \
        .params_size = sizeof(Sized),                                                              \
        .flags = CN_RANDOM | CN_NO_GRAD_OP,                                                        \
        .compose = rand_compose,                                                                   \
        .samples = "(2,3) | () dtype=float64 | (0,2) | (5,) dtype=float16",                        \
    };                                                                                             \
    const cn_op cn_op_##ident##_like = {                                                           \
        CN_OP_HEAD(ident##_like, #ident "_like",                                                   \
                   "(Tensor input, *, dtype? dtype=None) -> Tensor"),                              \
        .doc = text,                                                                               \
        .params_size = sizeof(int32_t),                                                            \
        .flags = CN_RANDOM | CN_NO_GRAD_OP,                                                        \
        .compose = rand_compose,                                                                   \
        .samples = "[2,3] | [] | [0] | i64<2[3] dtype=float32",                                    \
    }

RANDOM_OPS(rand, "Uniform in [0, 1).");
RANDOM_OPS(randn, "Normal, with mean 0 and variance 1.");

typedef struct {
    int64_t low;
    cn_opt_int high;
} Range;

typedef struct {
    Range range;
    cn_ints size;
    int32_t dtype;
} RandInt;

typedef struct {
    Range range;
    int32_t dtype;
} RandIntLike;

/* One bound alone is the upper one. */
static bool randint_compose(cn_call *c)
{
    const cn_tensor *like = c->n_in ? c->in[0] : NULL;
    const RandInt *sized = c->params;
    const RandIntLike *after = c->params;
    const Range *r = &sized->range;
    cn_spec s = wanted(like, &sized->size, like ? after->dtype : sized->dtype, CN_I64);
    int64_t low = r->high.given ? r->low : 0, high = r->high.given ? r->high.value : r->low;
    return cn_set_out(c, 0, cn_to(cn_randint(low, high, s.shape), s.dtype));
}

const cn_op cn_op_randint = {
    CN_OP_HEAD(randint, "randint",
               "(int low, int? high=None, int[] size=(), *, dtype? dtype=None) -> Tensor"),
    .doc = "Integers from low to high - 1, all equally likely; one bound alone is high.",
    .params_size = sizeof(RandInt),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = randint_compose,
    .samples = "0 9 size=(2,3) | -3 3 size=(4,) dtype=int32 | 5 size=(2,)",
};

const cn_op cn_op_randint_like = {
    CN_OP_HEAD(randint_like, "randint_like",
               "(Tensor input, int low, int? high=None, *, dtype? dtype=None) -> Tensor"),
    .doc = "Integers from low to high - 1 in the input's shape and type.",
    .params_size = sizeof(RandIntLike),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = randint_compose,
    .samples = "[2,3] 0 9 | i64<2[4] 5",
};

typedef struct {
    int64_t n;
    int32_t dtype;
} Permutation;

static bool randperm_compose(cn_call *c)
{
    const Permutation *p = c->params;
    return cn_set_out(
        c, 0, cn_to(cn_randperm(p->n), p->dtype == CN_NO_DTYPE ? CN_I64 : (cn_dtype)p->dtype));
}

const cn_op cn_op_randperm = {
    CN_OP_HEAD(randperm, "randperm", "(int n, *, dtype? dtype=None) -> Tensor"),
    .doc = "0 .. n-1 in random order.",
    .params_size = sizeof(Permutation),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = randperm_compose,
    .samples = "5 | 0 | 3 dtype=int32",
};
