/* creation.c - tensors from nothing but numbers: constants, counts, grids. */
#include "ops/compose.h"

#include <math.h>

static cn_dtype or_default(int32_t given, cn_dtype otherwise)
{
    return given == CN_NO_DTYPE ? otherwise : (cn_dtype)given;
}

static double as_double(const cn_number_arg *n)
{
    return n->kind == CN_NUM_FLOAT ? n->u.f : (double)n->u.i;
}

static cn_dtype own_dtype(const cn_number_arg *n)
{
    return n->kind == CN_NUM_FLOAT ? CN_F32 : n->kind == CN_NUM_BOOL ? CN_BOOL : CN_I64;
}

/* ---- zeros, ones, empty, full; by size, after another tensor, or both ---------------------- */

typedef struct {
    cn_ints size;
    int32_t dtype;
} Sized;

typedef struct {
    cn_ints size;
    cn_number_arg value;
    int32_t dtype;
} Full;

typedef struct {
    cn_number_arg value;
    int32_t dtype;
} FullLike;

static bool sized_compose(cn_call *c, double value)
{
    const Sized *p = c->params;
    cn_dtype dtype = or_default(p->dtype, c->n_in ? c->in[0]->v.dtype : CN_F32);
    return cn_set_out(c, 0, cn_full(cn_shape_from((int)p->size.n, p->size.v), value, dtype));
}

static bool like_compose(cn_call *c, double value)
{
    cn_dtype dtype = or_default(*(const int32_t *)c->params, c->in[0]->v.dtype);
    return cn_set_out(c, 0, cn_full(c->in[0]->v.shape, value, dtype));
}

#define CONSTANT_OPS(ident, value, text, like_aliases)                                             \
    static bool ident##_compose(cn_call *c)                                                        \
    {                                                                                              \
        return sized_compose(c, value);                                                            \
    }                                                                                              \
    static bool ident##_like_compose(cn_call *c)                                                   \
    {                                                                                              \
        return like_compose(c, value);                                                             \
    }                                                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(int[] size, *, dtype? dtype=None) -> Tensor"),                 \
        .doc = "A tensor of this size " text,                                                      \
        .params_size = sizeof(Sized),                                                              \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "(2,3) | () | (0,2) dtype=int64 | (2,) dtype=bool",                             \
    };                                                                                             \
    const cn_op cn_op_new_##ident = {                                                              \
        CN_OP_HEAD(new_##ident, "new_" #ident,                                                     \
                   "(Tensor input, int[] size, *, dtype? dtype=None) -> Tensor"),                  \
        .doc = "A tensor of this size and of the input's type " text,                              \
        .params_size = sizeof(Sized),                                                              \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_compose,                                                                \
        .samples = "[2] (2,3) | i64<3[2] () | [2] (0,) dtype=float16",                             \
    };                                                                                             \
    const cn_op cn_op_##ident##_like = {                                                           \
        CN_OP_HEAD(ident##_like, #ident "_like",                                                   \
                   "(Tensor input, *, dtype? dtype=None) -> Tensor"),                              \
        .aliases = like_aliases,                                                                   \
        .doc = "A tensor of the input's size " text,                                               \
        .params_size = sizeof(int32_t),                                                            \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = ident##_like_compose,                                                           \
        .samples = "[2,3] | [] dtype=int64 | i64<3[0]",                                            \
    }

CONSTANT_OPS(zeros, 0, "filled with 0.", "zero_");
CONSTANT_OPS(ones, 1, "filled with 1.", NULL);
CONSTANT_OPS(empty, 0, "whose values nobody relies on; they are 0.", NULL);

/* The value in its own type first: large integers stay exact. */
static cn_tensor *filled(cn_shape shape, const cn_number_arg *value, cn_dtype dtype)
{
    cn_tensor *number =
        value->kind == CN_NUM_FLOAT ? cn_number(value->u.f) : cn_number_i64(value->u.i);
    cn_tensor *y = number ? cn_empty(shape, dtype) : NULL;
    cn_tensor *spread = y ? cn_expand(number, shape) : NULL;
    if (!spread) return NULL;
    cn_copy_view(&y->v, &spread->v);
    return y;
}

static bool full_compose(cn_call *c)
{
    const Full *p = c->params;
    cn_dtype dtype = or_default(p->dtype, c->n_in ? c->in[0]->v.dtype : own_dtype(&p->value));
    return cn_set_out(c, 0, filled(cn_shape_from((int)p->size.n, p->size.v), &p->value, dtype));
}

static bool full_like_compose(cn_call *c)
{
    const FullLike *p = c->params;
    return cn_set_out(
        c, 0, filled(c->in[0]->v.shape, &p->value, or_default(p->dtype, c->in[0]->v.dtype)));
}

const cn_op cn_op_full = {
    CN_OP_HEAD(full, "full", "(int[] size, Scalar fill_value, *, dtype? dtype=None) -> Tensor"),
    .doc = "A tensor of this size filled with one value, whose type it has unless told.",
    .params_size = sizeof(Full),
    .flags = CN_NO_GRAD_OP,
    .compose = full_compose,
    .samples = "(2,3) 1.5 | () 3 | (2,) True | (0,) 1 dtype=float64",
};

const cn_op cn_op_new_full = {
    CN_OP_HEAD(new_full, "new_full",
               "(Tensor input, int[] size, Scalar fill_value, *, dtype? dtype=None) -> Tensor"),
    .doc = "A tensor of this size and of the input's type filled with one value.",
    .params_size = sizeof(Full),
    .flags = CN_NO_GRAD_OP,
    .compose = full_compose,
    .samples = "[2] (2,3) 1.5 | i64<3[2] () 3",
};

const cn_op cn_op_full_like = {
    CN_OP_HEAD(full_like, "full_like",
               "(Tensor input, Scalar fill_value, *, dtype? dtype=None) -> Tensor"),
    .doc = "A tensor of the input's size filled with one value.",
    .params_size = sizeof(FullLike),
    .flags = CN_NO_GRAD_OP,
    .compose = full_like_compose,
    .samples = "[2,3] 1.5 | i64<3[] 3 | [0] 1 dtype=int64",
};

static bool fill_compose(cn_call *c)
{
    if (!cn_want_dims(c, 1, 0, 0)) return false;
    return cn_set_out(c, 0, cn_masked_fill(c->in[0], cn_number_bool(true), c->in[1]));
}

const cn_op cn_op_fill = {
    CN_OP_HEAD(fill, "fill", "(Tensor input, Tensor|Scalar value) -> Tensor"),
    .doc = "A tensor of the input's size and type filled with a value, a number or 0-d.",
    .compose = fill_compose,
    .samples = "[2,3] [] | [] [] | [0] [] | [2] True",
};

/* ---- eye, arange, linspace ----------------------------------------------------------------- */

typedef struct {
    int64_t n;
    cn_opt_int m;
    int32_t dtype;
} Eye;

static cn_tensor *identity(int64_t n, int64_t m, cn_dtype dtype)
{
    cn_tensor *y = cn_zeros(CN_SHAPE(n, m), dtype);
    for (int64_t i = 0; y && i < n && i < m; i++)
        cn_store_f64(y->v.data + (i * m + i) * (int64_t)cn_dtype_size(dtype), dtype, 1);
    return y;
}

static bool eye_compose(cn_call *c)
{
    const Eye *p = c->params;
    int64_t m = p->m.given ? p->m.value : p->n;
    return cn_set_out(c, 0, identity(p->n, m, or_default(p->dtype, CN_F32)));
}

const cn_op cn_op_eye = {
    CN_OP_HEAD(eye, "eye", "(int n, int? m=None, *, dtype? dtype=None) -> Tensor"),
    .doc = "An n x m matrix, m = n unless told, with ones on the diagonal.",
    .params_size = sizeof(Eye),
    .flags = CN_NO_GRAD_OP,
    .compose = eye_compose,
    .samples = "3 | 2 4 | 0 | 2 dtype=int64",
};

static cn_tensor *progression(double start, double step, int64_t n, cn_dtype dtype)
{
    cn_tensor *y = cn_empty(CN_SHAPE(n), dtype);
    for (int64_t i = 0; y && i < n; i++)
        cn_store_f64(y->v.data + i * (int64_t)cn_dtype_size(dtype), dtype,
                     start + (double)i * step);
    return y;
}

cn_tensor *cn_arange(double start, double end, double step, cn_dtype dtype)
{
    double n = ceil((end - start) / step);
    if (n >= 0 && n < 0x1p53) return progression(start, step, (int64_t)n, dtype);
    cn_fail(CN_EINVALID, "arange: from %g in steps of %g one does not come to %g", start, step,
            end);
    return NULL;
}

typedef struct {
    cn_number_arg start, end, step;
    int32_t dtype;
} Arange;

/* The same, exact, for integers. */
static cn_tensor *whole_numbers(int64_t start, int64_t end, int64_t step, cn_dtype dtype)
{
    int64_t gap;
    bool ok = step != 0 && !__builtin_sub_overflow(end, start, &gap) &&
              (gap == 0 || (gap > 0) == (step > 0));
    if (!ok) {
        cn_fail(CN_EINVALID, "arange: from %lld in steps of %lld one does not come to %lld",
                (long long)start, (long long)step, (long long)end);
        return NULL;
    }
    int64_t n = gap == 0 ? 0 : (gap - (step > 0 ? 1 : -1)) / step + 1;
    cn_tensor *y = cn_empty(CN_SHAPE(n), CN_I64);
    for (int64_t i = 0; y && i < n; i++) ((int64_t *)(void *)y->v.data)[i] = start + i * step;
    return cn_to(y, dtype);
}

static bool is_whole(const cn_number_arg *n)
{
    return n->kind != CN_NUM_FLOAT;
}

/* An end as a tensor of this type has it: integers are cut. */
static cn_number_arg end_of_type(cn_number_arg n, cn_dtype dtype)
{
    bool cut = n.kind == CN_NUM_FLOAT && !cn_dtype_is_float(dtype) && fabs(n.u.f) < 0x1p63;
    return cut ? (cn_number_arg){ .kind = CN_NUM_INT, .u.i = (int64_t)n.u.f } : n;
}

/* One number alone is the end. */
static bool arange_compose(cn_call *c)
{
    Arange p = *(const Arange *)c->params;
    if (p.end.kind == CN_NUM_NONE) p.end = p.start, p.start.kind = CN_NUM_NONE;
    if (p.start.kind == CN_NUM_NONE) p.start = (cn_number_arg){ .kind = CN_NUM_INT };
    if (p.end.kind == CN_NUM_NONE) return cn_fail(CN_EINVALID, "arange: the end is missing");
    bool whole = is_whole(&p.start) && is_whole(&p.end) && is_whole(&p.step);
    cn_dtype dtype = or_default(p.dtype, whole ? CN_I64 : CN_F32);
    p.start = end_of_type(p.start, dtype), p.end = end_of_type(p.end, dtype);
    p.step = end_of_type(p.step, dtype);
    whole = is_whole(&p.start) && is_whole(&p.end) && is_whole(&p.step);
    cn_tensor *y =
        whole ? whole_numbers(p.start.u.i, p.end.u.i, p.step.u.i, dtype)
              : cn_arange(as_double(&p.start), as_double(&p.end), as_double(&p.step), dtype);
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_arange = {
    CN_OP_HEAD(
        arange, "arange",
        "(Scalar? start=None, Scalar? end=None, Scalar step=1, *, dtype? dtype=None) -> Tensor"),
    .doc = "start, start + step, .. below end; one number alone is the end, then start is 0.",
    .params_size = sizeof(Arange),
    .flags = CN_NO_GRAD_OP,
    .compose = arange_compose,
    .samples = "5 | 1 6 2 | 0.5 2 0.25 | 3 0 -1 | 0 | end=4 dtype=float32 | -0.9 2.1 dtype=int64",
};

/* From both ends towards the middle, so that the last one is exact. */
cn_tensor *cn_linspace(double start, double end, int64_t steps, cn_dtype dtype)
{
    cn_tensor *y = cn_empty(CN_SHAPE(steps), dtype);
    double step = steps > 1 ? (end - start) / (double)(steps - 1) : 0;
    for (int64_t i = 0; y && i < steps; i++) {
        double v =
            i < (steps + 1) / 2 ? start + step * (double)i : end - step * (double)(steps - 1 - i);
        cn_store_f64(y->v.data + i * (int64_t)cn_dtype_size(dtype), dtype, v);
    }
    return y;
}

typedef struct {
    cn_number_arg start, end;
    int64_t steps;
    int32_t dtype;
} Linspace;

static bool linspace_compose(cn_call *c)
{
    const Linspace *p = c->params;
    cn_dtype dtype = or_default(p->dtype, CN_F32);
    cn_number_arg start = end_of_type(p->start, dtype), end = end_of_type(p->end, dtype);
    return cn_set_out(c, 0, cn_linspace(as_double(&start), as_double(&end), p->steps, dtype));
}

const cn_op cn_op_linspace = {
    CN_OP_HEAD(linspace, "linspace",
               "(Scalar start, Scalar end, int steps, *, dtype? dtype=None) -> Tensor"),
    .doc = "`steps` numbers from start to end, both included, at equal distances.",
    .params_size = sizeof(Linspace),
    .flags = CN_NO_GRAD_OP,
    .compose = linspace_compose,
    .samples = "0 1 5 | -1.5 2 4 dtype=float64 | 0 1 1 | 0 1 0 | 4.5 -2.9 3 dtype=int64",
};

typedef struct {
    cn_number_arg start, end;
    int64_t steps;
    double base;
    int32_t dtype;
} Logspace;

/* The exponents as linspace has them, in double; integers are cut. */
static bool logspace_compose(cn_call *c)
{
    const Logspace *p = c->params;
    cn_dtype dtype = or_default(p->dtype, CN_F32);
    cn_number_arg start = end_of_type(p->start, dtype), end = end_of_type(p->end, dtype);
    cn_tensor *y = cn_linspace(as_double(&start), as_double(&end), p->steps, CN_F64);
    for (int64_t i = 0; y && i < p->steps; i++) {
        double *x = (double *)(void *)y->v.data + i;
        *x = pow(p->base, *x);
    }
    return cn_set_out(c, 0, cn_to(y, dtype));
}

const cn_op cn_op_logspace = {
    CN_OP_HEAD(logspace, "logspace",
               "(Scalar start, Scalar end, int steps, float base=10.0, *, dtype? dtype=None) -> "
               "Tensor"),
    .doc = "base^start to base^end in `steps` numbers, each the same multiple of the one before.",
    .params_size = sizeof(Logspace),
    .flags = CN_NO_GRAD_OP,
    .compose = logspace_compose,
    .samples = "0 2 5 | -1.5 2 4 2.0 dtype=float64 | 1 3 1 | 0 1 0 | 2 0.5 3 dtype=int64",
};

cn_tensor *cn_eye(int64_t n, cn_dtype dtype)
{
    return identity(n, n, dtype);
}
