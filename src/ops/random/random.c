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

static cn_dtype or_default(int32_t given, cn_dtype otherwise)
{
    return given == CN_NO_DTYPE ? otherwise : (cn_dtype)given;
}

static bool rand_compose(cn_call *c)
{
    const Sized *p = c->params;
    return cn_set_out(c, 0,
                      random_floats(cn_shape_from((int)p->size.n, p->size.v),
                                    or_default(p->dtype, CN_F32), c->op == &cn_op_randn));
}

static bool rand_like_compose(cn_call *c)
{
    cn_dtype dtype = or_default(*(const int32_t *)c->params, c->in[0]->v.dtype);
    return cn_set_out(c, 0, random_floats(c->in[0]->v.shape, dtype, c->op == &cn_op_randn_like));
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
        .compose = rand_like_compose,                                                              \
        .samples = "[2,3] | [] | [0] | i64<2[3] dtype=float32",                                    \
    }

RANDOM_OPS(rand, "Uniform in [0, 1).");
RANDOM_OPS(randn, "Normal, with mean 0 and variance 1.");

typedef struct {
    int64_t low;
    cn_opt_int high;
    cn_ints size;
    int32_t dtype;
} RandInt;

typedef struct {
    int64_t low;
    cn_opt_int high;
    int32_t dtype;
} RandIntLike;

/* One bound alone is the upper one. */
static cn_tensor *integers(int64_t low, cn_opt_int high, cn_shape shape, cn_dtype dtype)
{
    return cn_to(cn_randint(high.given ? low : 0, high.given ? high.value : low, shape), dtype);
}

static bool randint_compose(cn_call *c)
{
    const RandInt *p = c->params;
    return cn_set_out(c, 0,
                      integers(p->low, p->high, cn_shape_from((int)p->size.n, p->size.v),
                               or_default(p->dtype, CN_I64)));
}

static bool randint_like_compose(cn_call *c)
{
    const RandIntLike *p = c->params;
    cn_dtype dtype = or_default(p->dtype, c->in[0]->v.dtype);
    return cn_set_out(c, 0, integers(p->low, p->high, c->in[0]->v.shape, dtype));
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
    .compose = randint_like_compose,
    .samples = "[2,3] 0 9 | i64<2[4] 5",
};

typedef struct {
    int64_t n;
    int32_t dtype;
} Permutation;

static bool randperm_compose(cn_call *c)
{
    const Permutation *p = c->params;
    return cn_set_out(c, 0, cn_to(cn_randperm(p->n), or_default(p->dtype, CN_I64)));
}

const cn_op cn_op_randperm = {
    CN_OP_HEAD(randperm, "randperm", "(int n, *, dtype? dtype=None) -> Tensor"),
    .doc = "0 .. n-1 in random order.",
    .params_size = sizeof(Permutation),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = randperm_compose,
    .samples = "5 | 0 | 3 dtype=int32",
};

/* ---- with parameters ----------------------------------------------------------------------- */

/* 1 with the probability the input names, 0 otherwise. */
static bool bernoulli_compose(cn_call *c)
{
    const cn_opt_float *p = c->params;
    cn_tensor *x = c->in[0], *chance = p->given ? cn_number(p->value) : x;
    if (!p->given && !cn_dtype_is_float(x->v.dtype))
        return cn_fail(CN_EINVALID, "bernoulli: probabilities are floats, not %s",
                       cn_dtype_name(x->v.dtype));
    cn_dtype drawn = x->v.dtype == CN_F64 ? CN_F64 : CN_F32;
    return cn_set_out(c, 0, cn_to(cn_lt(cn_rand(x->v.shape, drawn), chance), x->v.dtype));
}

const cn_op cn_op_bernoulli = {
    CN_OP_HEAD(bernoulli, "bernoulli", "(Tensor input, float? p=None) -> Tensor"),
    .doc = "1 with probability input (or p, for all), else 0.",
    .params_size = sizeof(cn_opt_float),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = bernoulli_compose,
    .samples = "+[2,3] | [4] 0.5 | [0]",
};

/* Sizes from the tensors among mean and std, or from size when both are numbers. */
static bool normal_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    cn_tensor *mean = c->in[0], *std = c->in[1];
    cn_shape s;
    if (!cn_shape_broadcast(&mean->v.shape, &std->v.shape, &s, "normal")) return false;
    if (size->n >= 0) s = cn_shape_from((int)size->n, size->v);
    cn_dtype dtype = cn_result_type(c->in, 2);
    cn_tensor *z = cn_randn(s, cn_dtype_is_float(dtype) ? dtype : CN_F32);
    return cn_set_out(c, 0, cn_add(mean, cn_mul(std, z)));
}

const cn_op cn_op_normal = {
    CN_OP_HEAD(normal, "normal", "(Tensor mean, Tensor std=1.0, int[]? size=None) -> Tensor"),
    .doc = "Normal, with these means and standard deviations; size when both are numbers.",
    .params_size = sizeof(cn_ints),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = normal_compose,
    .samples = "[2,3] +[3] | [4] 2.0 | 0.5 2.0 size=(2,3) | [3]",
};

typedef struct {
    double from, to;
} Interval;

static bool uniform_compose(cn_call *c)
{
    const Interval *p = c->params;
    cn_tensor *u = cn_rand(c->in[0]->v.shape, c->in[0]->v.dtype);
    return cn_set_out(c, 0, cn_add(cn_mul(u, cn_number(p->to - p->from)), cn_number(p->from)));
}

const cn_op cn_op_uniform = {
    CN_OP_HEAD(uniform, "uniform", "(Tensor input, float from=0.0, float to=1.0) -> Tensor"),
    .doc = "Uniform between from and to, in the input's shape and type.",
    .params_size = sizeof(Interval),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = uniform_compose,
    .samples = "[2,3] | [4] -1 2.5 | [0]",
};

typedef struct {
    double mean, std;
} Normal;

static bool normal_like_compose(cn_call *c)
{
    const Normal *p = c->params;
    if (!(p->std >= 0))
        return cn_fail(CN_EINVALID, "normal_: std must not be negative, but is %g", p->std);
    cn_tensor *z = cn_randn(c->in[0]->v.shape, c->in[0]->v.dtype);
    return cn_set_out(c, 0, cn_add(cn_mul(z, cn_number(p->std)), cn_number(p->mean)));
}

/* The form in place has other arguments than normal. */
const cn_op cn_op_normal_like = {
    CN_OP_HEAD(normal_like, "normal_", "(Tensor input, float mean=0.0, float std=1.0) -> Tensor"),
    .doc = "Normal, with this mean and standard deviation, in the input's shape and type.",
    .params_size = sizeof(Normal),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = normal_like_compose,
    .samples = "[2,3] | [4] -1 2.5 | [0]",
};

/* ---- multinomial --------------------------------------------------------------------------- */

typedef struct {
    int64_t num_samples;
    bool replacement;
} Multinomial;

static bool weights_usable(const double *w, int64_t n, const Multinomial *p)
{
    int64_t possible = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(w[i] >= 0) || isinf(w[i]))
            return cn_fail(CN_EINVALID, "multinomial: %g is no weight", w[i]);
        possible += w[i] > 0;
    }
    if (possible >= (p->replacement ? 1 : p->num_samples) && p->num_samples > 0) return true;
    return cn_fail(CN_EINVALID, "multinomial: %lld samples from %lld weights above 0",
                   (long long)p->num_samples, (long long)possible);
}

/* The first place whose running sum exceeds a point drawn below the total; what is taken is not
   put back. */
static void draw_row(double *w, int64_t n, const Multinomial *p, int64_t *out)
{
    for (int64_t k = 0; k < p->num_samples; k++) {
        double total = 0, sum = 0;
        for (int64_t i = 0; i < n; i++) total += w[i];
        double point = cn_rng_uniform(cn_default_rng()) * total;
        int64_t chosen = -1;
        for (int64_t i = 0; i < n && sum <= point; i++)
            if (w[i] > 0) sum += w[i], chosen = i;
        out[k] = chosen;
        if (!p->replacement) w[chosen] = 0;
    }
}

static bool multinomial_compose(cn_call *c)
{
    const Multinomial *p = c->params;
    if (!cn_want_dims(c, 0, 1, 2)) return false;
    cn_shape s = c->in[0]->v.shape;
    int64_t n = s.dim[s.ndim - 1], rows = s.ndim == 2 ? s.dim[0] : 1;
    s.dim[s.ndim - 1] = p->num_samples;
    cn_tensor *w = cn_empty(c->in[0]->v.shape, CN_F64), *y = w ? cn_empty(s, CN_I64) : NULL;
    if (!y) return false;
    cn_copy_view(&w->v, &c->in[0]->v);
    for (int64_t r = 0; r < rows; r++) {
        double *row = (double *)(void *)w->v.data + r * n;
        if (!weights_usable(row, n, p)) return false;
        draw_row(row, n, p, (int64_t *)(void *)y->v.data + r * p->num_samples);
    }
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_multinomial = {
    CN_OP_HEAD(multinomial, "multinomial",
               "(Tensor input, int num_samples, bool replacement=False) -> Tensor"),
    .doc = "Places drawn with probability proportional to the weights, row by row.",
    .params_size = sizeof(Multinomial),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = multinomial_compose,
    .samples = "+[5] 3 | +[2,4] 6 True | +[1] 1",
};
