/* masking.c - choosing by a condition: where, masked_fill, masked_select, masked_scatter, nonzero. */
#include "ops/compose.h"

/* ---- where --------------------------------------------------------------------------------- */

static bool choose_infer(const cn_call *c, cn_spec out[])
{
    out->shape = c->in[0]->v.shape;
    if (c->in[0]->v.dtype != CN_BOOL && c->in[0]->v.dtype != CN_U8)
        return cn_fail(CN_EINVALID, "where: the condition must be bool, not %s",
                       cn_dtype_name(c->in[0]->v.dtype));
    for (int i = 1; i < 3; i++)
        if (!cn_shape_broadcast(&out->shape, &c->in[i]->v.shape, &out->shape, "where"))
            return false;
    out->dtype = cn_result_type(c->in + 1, 2);
    return true;
}

#define T uint8_t
#define ROW where_row_8
#include "ops/elementwise/where_row.inc"
#define T uint16_t
#define ROW where_row_16
#include "ops/elementwise/where_row.inc"
#define T uint32_t
#define ROW where_row_32
#include "ops/elementwise/where_row.inc"
#define T uint64_t
#define ROW where_row_64
#include "ops/elementwise/where_row.inc"

static bool choose_kernel(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0);
    size_t mark = cn_mark();
    cn_tensor *condition = cn_cast_raw(c->in[0], CN_BOOL);
    cn_tensor *a = cn_cast_raw(c->in[1], y->dtype), *b = cn_cast_raw(c->in[2], y->dtype);
    bool ok = condition && a && b;
    size_t size = cn_dtype_size(y->dtype);
    if (ok)
        cn_loop(4, (const cn_view *const[]){ y, &condition->v, &a->v, &b->v },
                size == 1   ? where_row_8
                : size == 2 ? where_row_16
                : size == 4 ? where_row_32
                            : where_row_64,
                NULL);
    cn_release(mark);
    return ok;
}

static void choose_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0), *condition = cn_saved_in(g, 0);
    cn_tensor *zero = cn_zeros(cn_scalar_shape(), gy->v.dtype);
    if (cn_wants(g, 1)) cn_give(g, 1, cn_where(condition, gy, zero));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_where(condition, zero, gy));
}

const cn_op cn_op_choose = {
    CN_OP_HEAD(choose, "choose",
               "(Tensor condition, Tensor|Scalar input, Tensor|Scalar other) -> Tensor"),
    .doc = "input where the condition holds, other elsewhere: where with all its arguments.",
    .flags = CN_ANY_DTYPE,
    .infer = choose_infer,
    .kernel = choose_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = choose_backward,
    .samples = "bool[2,3] [2,3] [2,3] | bool[3] [2,1] [] | bool[2,2] [2] 0.5 | bool[0] [1] [1] | "
               "bool[4] i64<9[4] i64<9[4]",
};

cn_tensor *cn_where(cn_tensor *condition, cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(choose, NULL, condition, input, other);
}

/* ---- masked_fill --------------------------------------------------------------------------- */

cn_tensor *cn_masked_fill(cn_tensor *input, cn_tensor *mask, cn_tensor *value)
{
    if (!input || !mask || !value) return NULL;
    if (value->v.shape.ndim) {
        cn_fail(CN_EINVALID, "masked_fill: the value must be a number or 0-d, not %d-dimensional",
                value->v.shape.ndim);
        return NULL;
    }
    if (cn_dtype_is_complex(value->v.dtype) && !cn_dtype_is_complex(input->v.dtype)) {
        cn_fail(CN_EINVALID, "masked_fill: a complex value does not fit into %s",
                cn_dtype_name(input->v.dtype));
        return NULL;
    }
    return cn_where(mask, cn_to(value, input->v.dtype), input);
}

static bool masked_fill_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_masked_fill(c->in[0], c->in[1], c->in[2]));
}

const cn_op cn_op_masked_fill = {
    CN_OP_HEAD(masked_fill, "masked_fill",
               "(Tensor input, Tensor mask, Tensor|Scalar value) -> Tensor"),
    .doc = "input with value where the mask, which broadcasts, is true.",
    .compose = masked_fill_compose,
    .samples = "[2,3] bool[2,3] 0.5 | [2,3] bool[3] -1 | [2,2] bool[2,1] [] | [0] bool[1] 1",
};

/* ---- nonzero, where ------------------------------------------------------------------------ */

/* The flat positions of what is not zero, in order. */
static cn_tensor *positions(cn_tensor *t)
{
    cn_tensor *flags = cn_rows(cn_cast_raw(t, CN_BOOL));
    if (!flags) return NULL;
    const uint8_t *f = (const uint8_t *)flags->v.data;
    int64_t count = 0, n = 0;
    for (int64_t i = 0; i < t->v.numel; i++) count += f[i];
    cn_tensor *at = cn_empty(CN_SHAPE(count), CN_I64);
    if (!at) return NULL;
    for (int64_t i = 0; i < t->v.numel; i++)
        if (f[i]) ((int64_t *)(void *)at->v.data)[n++] = i;
    return at;
}

cn_tensor *cn_nonzero(cn_tensor *input)
{
    if (!input) return NULL;
    const cn_shape *s = &input->v.shape;
    cn_tensor *at = positions(input);
    cn_tensor *y = at ? cn_empty(CN_SHAPE(at->v.numel, s->ndim), CN_I64) : NULL;
    for (int64_t i = 0; y && i < at->v.numel; i++) {
        int64_t rest = ((const int64_t *)(const void *)at->v.data)[i];
        int64_t *row = (int64_t *)(void *)y->v.data + i * s->ndim;
        for (int d = s->ndim - 1; d >= 0; d--) row[d] = rest % s->dim[d], rest /= s->dim[d];
    }
    return y;
}

/* One vector per dimension; a number counts as a vector. */
static bool set_places(cn_call *c, cn_tensor *t)
{
    if (t->v.shape.ndim == 0) t = cn_reshape(t, CN_SHAPE(1));
    cn_tensor *y = cn_nonzero(t);
    bool ok = y != NULL;
    for (int i = 0; ok && i < t->v.shape.ndim; i++) ok = cn_set_out(c, i, cn_select(y, 1, i));
    return ok;
}

static bool nonzero_compose(cn_call *c)
{
    bool as_tuple = *(const bool *)c->params;
    return as_tuple ? set_places(c, c->in[0]) : cn_set_out(c, 0, cn_nonzero(c->in[0]));
}

const cn_op cn_op_nonzero = {
    CN_OP_HEAD(nonzero, "nonzero", "(Tensor input, *, bool as_tuple=False) -> Tensor[]"),
    .aliases = "argwhere",
    .doc =
        "The index of every element that is not zero, one per row; as_tuple: one tensor per dimension.",
    .params_size = sizeof(bool),
    .flags = CN_NO_GRAD_OP,
    .compose = nonzero_compose,
    .samples = "bool[3,4] | i64<2[5] as_tuple=True | [] | [0,2] | bool[2,2,3] as_tuple=True",
};

/* The condition alone asks where it holds. */
static bool where_compose(cn_call *c)
{
    bool both = c->n_in > 2 && c->in[1] && c->in[2];
    if (both) return cn_set_out(c, 0, cn_where(c->in[0], c->in[1], c->in[2]));
    if (c->n_in == 1 || (!c->in[1] && !c->in[2])) return set_places(c, c->in[0]);
    return cn_fail(CN_EINVALID, "where: input and other are given together or not at all");
}

const cn_op cn_op_where = {
    CN_OP_HEAD(
        where, "where",
        "(Tensor condition, Tensor|Scalar? input=None, Tensor|Scalar? other=None) -> Tensor[]"),
    .doc = "input where the condition holds, other elsewhere; of a condition alone the places, one "
           "tensor per dimension.",
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .compose = where_compose,
    .samples = "bool[2,3] [2,3] [2,3] | bool[3] [2,1] [] | bool[2,2] [2] 0.5 | bool[0] [1] [1] | "
               "bool[4] i64<9[4] i64<9[4] | bool[3,4] | bool[]",
};

/* ---- masked_select, masked_scatter --------------------------------------------------------- */

cn_tensor *cn_masked_select(cn_tensor *input, cn_tensor *mask)
{
    cn_shape s;
    if (!input || !mask) return NULL;
    if (mask->v.dtype != CN_BOOL) {
        cn_fail(CN_EINVALID, "masked_select: the mask must be bool, not %s",
                cn_dtype_name(mask->v.dtype));
        return NULL;
    }
    if (!cn_shape_broadcast(&input->v.shape, &mask->v.shape, &s, "masked_select")) return NULL;
    cn_tensor *all = cn_expand(input, s), *at = positions(cn_expand(mask, s));
    return all && at ? cn_gather(cn_reshape(all, CN_SHAPE(all->v.numel)), 0, at) : NULL;
}

static bool masked_select_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_masked_select(c->in[0], c->in[1]));
}

const cn_op cn_op_masked_select = {
    CN_OP_HEAD(masked_select, "masked_select", "(Tensor input, Tensor mask) -> Tensor"),
    .doc = "The elements where the mask is true, as a vector.",
    .compose = masked_select_compose,
    .samples = "[2,3] bool[2,3] | [2,3] bool[3] | [3] bool[2,1] | [] bool[] | [0] bool[0]",
};

/* The first elements of source go, in order, to where the mask is true. */
static bool masked_scatter_compose(cn_call *c)
{
    cn_tensor *t = c->in[0], *mask = c->in[1], *source = c->in[2];
    cn_shape s;
    if (mask->v.dtype != CN_BOOL || source->v.dtype != t->v.dtype)
        return cn_fail(CN_EINVALID,
                       "masked_scatter: the mask is %s, input %s, source %s: a bool "
                       "mask and two of one dtype are wanted",
                       cn_dtype_name(mask->v.dtype), cn_dtype_name(t->v.dtype),
                       cn_dtype_name(source->v.dtype));
    if (!cn_shape_broadcast(&t->v.shape, &mask->v.shape, &s, "masked_scatter")) return false;
    cn_tensor *all = cn_expand(t, s), *spread = cn_expand(mask, s);
    cn_tensor *at = spread ? positions(spread) : NULL;
    if (!all || !at) return false;
    if (at->v.numel > source->v.numel)
        return cn_fail(CN_EINVALID, "masked_scatter: %lld places, but source has %lld elements",
                       (long long)at->v.numel, (long long)source->v.numel);
    source = cn_narrow(cn_reshape(source, CN_SHAPE(source->v.numel)), 0, 0, at->v.numel);
    cn_tensor *flat = cn_index_copy(cn_reshape(all, CN_SHAPE(all->v.numel)), 0, at, source);
    return cn_set_out(c, 0, cn_reshape(flat, s));
}

const cn_op cn_op_masked_scatter = {
    CN_OP_HEAD(masked_scatter, "masked_scatter",
               "(Tensor input, Tensor mask, Tensor source) -> Tensor"),
    .doc =
        "input with the elements of source, in order, where the mask, which broadcasts, is true.",
    .compose = masked_scatter_compose,
    .samples = "[2,3] bool[2,3] [2,3] | [2,3] bool[3] [7] | [3] bool[2,1] [6] | [0] bool[0] [0]",
};
