/* indexed.c - index and index_put: tensors as indices of several dimensions at once; take and put.

   The indexed dimensions are brought together and merged; the indices, broadcast, become
   positions in
   the merged dimension; then one dimension is selected from. */
#include "ops/indexing/along.h"

typedef struct {
    cn_tensor *base;      /* the input, its indexed dimensions merged and first: (P, rest) */
    cn_tensor *at;        /* flat positions in P */
    cn_shape order;       /* what permuted the input: indexed dimensions first */
    cn_shape index, rest; /* shapes of the indices and of what is not indexed */
    int place;            /* where the index's shape stands in the result */
} Plan;

typedef struct {
    cn_tensor *of[CN_MAX_DIMS]; /* of each dimension; NULL: all of it */
    int n;
} Indices;

/* A bool index is worth one index per dimension of it: the places where it is true. */
static bool add_mask(Indices *x, cn_tensor *mask, const cn_shape *s)
{
    cn_tensor *rows = cn_nonzero(mask);
    for (int i = 0; rows && i < mask->v.shape.ndim; i++) {
        if (x->n == s->ndim || mask->v.shape.dim[i] != s->dim[x->n])
            return cn_fail(
                CN_EINVALID,
                "index: a mask does not have the shape of what it masks, at dimension %d", x->n);
        x->of[x->n++] = cn_select(rows, 1, i);
    }
    return rows != NULL;
}

static bool collect(const cn_call *c, int first, int last, Indices *x)
{
    const cn_shape *s = &c->in[0]->v.shape;
    *x = (Indices){ .n = 0 };
    for (int i = first; i < last; i++) {
        cn_tensor *t = c->in[i];
        if (t && cn_is_mask(t) && t->v.shape.ndim) {
            if (!add_mask(x, t, s)) return false;
            continue;
        }
        if (t && cn_dtype_category(t->v.dtype) != CN_CAT_INT)
            return cn_fail(CN_EINVALID, "%s: an index must hold integers or bools, not %s",
                           c->op->name, cn_dtype_name(t->v.dtype));
        if (x->n == s->ndim)
            return cn_fail(CN_EINVALID, "%s: more indices than the %d dimensions", c->op->name,
                           s->ndim);
        x->of[x->n++] = t;
    }
    return true;
}

cn_tensor *cn_wrapped_index(cn_tensor *index, int64_t size)
{
    cn_tensor *t = cn_rows(cn_cast_raw(index, CN_I64));
    cn_tensor *y = t ? cn_empty(t->v.shape, CN_I64) : NULL;
    for (int64_t i = 0; y && i < t->v.numel; i++) {
        int64_t at = ((const int64_t *)(const void *)t->v.data)[i];
        if (at < -size || at >= size) {
            cn_fail(CN_EINVALID, "index: %lld is outside a dimension of size %lld", (long long)at,
                    (long long)size);
            return NULL;
        }
        ((int64_t *)(void *)y->v.data)[i] = at < 0 ? at + size : at;
    }
    return y;
}

/* Dimensions with an index first; where neighbours, the result keeps their place, else it comes
   first. */
static bool make_plan(cn_tensor *t, Indices *x, Plan *p)
{
    const cn_shape *s = &t->v.shape;
    int64_t merged = 1, rest = 1;
    int count = 0, first = -1, last = -1;
    *p = (Plan){ .order.ndim = s->ndim };
    cn_tensor *at = cn_zeros(cn_scalar_shape(), CN_I64);
    for (int d = 0; d < x->n; d++) {
        if (!x->of[d]) continue;
        if (first < 0) first = d;
        last = d;
        p->order.dim[count++] = d;
        merged *= s->dim[d];
        at = cn_add(cn_mul(at, cn_number_i64(s->dim[d])), cn_wrapped_index(x->of[d], s->dim[d]));
    }
    if (!at) return false;
    for (int d = 0; d < s->ndim; d++) {
        if (d < x->n && x->of[d]) continue;
        p->order.dim[count++] = d;
        p->rest.dim[p->rest.ndim++] = s->dim[d];
        rest *= s->dim[d];
    }
    p->place = last - first + 1 == s->ndim - p->rest.ndim && first > 0 ? first : 0;
    p->index = at->v.shape;
    if (p->index.ndim + p->rest.ndim > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "index: the result has %d dimensions",
                       p->index.ndim + p->rest.ndim);
    p->at = cn_reshape(at, CN_SHAPE(at->v.numel));
    p->base = cn_reshape(cn_permute(t, p->order), CN_SHAPE(merged, rest));
    return p->at && p->base;
}

/* The shape (index, rest), and the order of its dimensions that puts the index at its place. */
static cn_shape result_order(const Plan *p, cn_shape *s)
{
    cn_shape order = { .ndim = p->index.ndim + p->rest.ndim };
    *s = p->index;
    for (int i = 0; i < p->rest.ndim; i++) s->dim[s->ndim++] = p->rest.dim[i];
    for (int i = 0; i < order.ndim; i++)
        order.dim[i] = i < p->place                   ? p->index.ndim + i
                       : i < p->place + p->index.ndim ? i - p->place
                                                      : i;
    return order;
}

static cn_shape inverse(const cn_shape *order)
{
    cn_shape r = { .ndim = order->ndim };
    for (int i = 0; i < order->ndim; i++) r.dim[order->dim[i]] = i;
    return r;
}

static bool index_compose(cn_call *c)
{
    Indices x;
    Plan p;
    cn_shape s;
    if (!collect(c, 1, c->n_in, &x) || !make_plan(c->in[0], &x, &p)) return false;
    cn_shape order = result_order(&p, &s);
    return cn_set_out(c, 0, cn_permute(cn_reshape(cn_index_select(p.base, 0, p.at), s), order));
}

const cn_op cn_op_index = {
    CN_OP_HEAD(index, "index", "(Tensor input, Tensor?[] indices) -> Tensor"),
    .doc =
        "input[indices]: tensors of integers, which broadcast, or bool masks; None takes a whole dimension.",
    .optional = ~1u,
    .compose = index_compose,
    .samples =
        "[4,3] {i64<4[2]} | [4,3] {None i64<3[2,2]} | [4,3,2] {i64<4[2] i64<3[2,1]} | "
        "[2,3,4] {i64<2[2] None i64<4[2]} | [4,3] {bool[4]} | [2,3] {bool[2,3]} | [3] {i64<3[]}",
};

/* The values in the form (P', rest) that the base has. */
static cn_tensor *values_as_rows(cn_tensor *values, const Plan *p, cn_dtype dtype)
{
    cn_shape s, order = result_order(p, &s), back = inverse(&order), shown = { .ndim = order.ndim };
    for (int i = 0; i < order.ndim; i++) shown.dim[i] = s.dim[order.dim[i]];
    values = values->is_number ? cn_to(values, dtype) : values;
    values = cn_permute(cn_expand(values, shown), back);
    return cn_reshape(values, CN_SHAPE(p->at->v.numel, p->base->v.shape.dim[1]));
}

/* The call's inputs are input, the indices, and the values last. */
static bool index_put_compose(cn_call *c)
{
    bool accumulate = *(const bool *)c->params;
    Indices x;
    Plan p;
    if (!collect(c, 1, c->n_in - 1, &x) || !make_plan(c->in[0], &x, &p)) return false;
    cn_tensor *rows = values_as_rows(c->in[c->n_in - 1], &p, c->in[0]->v.dtype);
    cn_tensor *(*put)(cn_tensor *, int, cn_tensor *, cn_tensor *) =
        accumulate ? cn_index_add : cn_index_copy;
    cn_tensor *y = put(p.base, 0, p.at, rows);
    cn_shape s = c->in[0]->v.shape;
    for (int i = 0; i < s.ndim; i++) s.dim[i] = c->in[0]->v.shape.dim[p.order.dim[i]];
    return cn_set_out(c, 0, cn_permute(cn_reshape(y, s), inverse(&p.order)));
}

const cn_op cn_op_index_put = {
    CN_OP_HEAD(index_put, "index_put",
               "(Tensor input, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor"),
    .doc =
        "input with values at indices, or added there; values broadcast to the shape index gives.",
    .params_size = sizeof(bool),
    .optional = ~1u,
    .compose = index_put_compose,
    .samples =
        "[4,3] {i64<4[1]} [3] | [4,3] {None i64<3[2]} [4,2] True | [4,3] {i64<4[2] i64<3[2]} [2] True | "
        "[2,3] {bool[2,3]} [1] | [2,3,4] {i64<2[3] None i64<4[3]} [3,3] True",
};

/* ---- take, put: one index into all elements ------------------------------------------------ */

/* The index as a vector of places; NULL, with an error, when it is no index of t. */
static cn_tensor *flat_places(const cn_call *c, const cn_tensor *t, cn_tensor *index)
{
    if (cn_dtype_category(index->v.dtype) == CN_CAT_INT)
        return cn_reshape(cn_wrapped_index(index, t->v.numel), CN_SHAPE(index->v.numel));
    cn_fail(CN_EINVALID, "%s: the index must hold integers, not %s", c->op->name,
            cn_dtype_name(index->v.dtype));
    return NULL;
}

static bool take_compose(cn_call *c)
{
    cn_tensor *t = c->in[0], *at = flat_places(c, t, c->in[1]);
    cn_tensor *y = cn_gather(cn_reshape(t, CN_SHAPE(t->v.numel)), 0, at);
    return cn_set_out(c, 0, cn_reshape(y, c->in[1]->v.shape));
}

const cn_op cn_op_take = {
    CN_OP_HEAD(take, "take", "(Tensor input, Tensor index) -> Tensor"),
    .doc = "The elements at these places of the flattened input, in the index's shape.",
    .compose = take_compose,
    .samples = "[3,4] i64<12[2,2] | [4] i64<4[] | [] i64<1[3] | [3] i64<3[0]",
};

static bool put_compose(cn_call *c)
{
    bool accumulate = *(const bool *)c->params;
    cn_tensor *t = c->in[0], *index = c->in[1], *source = c->in[2];
    if (source->v.dtype != t->v.dtype || source->v.numel != index->v.numel)
        return cn_fail(CN_EINVALID,
                       "put: %lld elements of %s for %lld places of %s: as many of one dtype are "
                       "wanted",
                       (long long)source->v.numel, cn_dtype_name(source->v.dtype),
                       (long long)index->v.numel, cn_dtype_name(t->v.dtype));
    cn_tensor *flat = cn_reshape(t, CN_SHAPE(t->v.numel)), *at = flat_places(c, t, index);
    source = cn_reshape(source, CN_SHAPE(source->v.numel));
    flat = (accumulate ? cn_index_add : cn_index_copy)(flat, 0, at, source);
    return cn_set_out(c, 0, cn_reshape(flat, t->v.shape));
}

const cn_op cn_op_put = {
    CN_OP_HEAD(put, "put",
               "(Tensor input, Tensor index, Tensor source, bool accumulate=False) -> Tensor"),
    .doc = "input with source at these places of the flattened input, or added there.",
    .params_size = sizeof(bool),
    .compose = put_compose,
    .samples =
        "[3,4] i64<12[1] [1] | [3,4] i64<12[2,3] [2,3] True | [] i64<1[1] [1] | [3] i64<3[0] [0]",
};
