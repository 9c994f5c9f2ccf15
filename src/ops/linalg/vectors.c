/* vectors.c - products of vectors, and matrices built of smaller ones. */
#include "ops/linalg/linalg.h"

/* ---- cross --------------------------------------------------------------------------------- */

static cn_tensor *shifted(cn_tensor *t, int64_t by, int64_t dim)
{
    struct {
        cn_ints shifts, dims;
    } p = { { 1, { by } }, { 1, { dim } } };
    return CN_CALL(roll, &p, t);
}

/* y_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1), places modulo 3. */
static bool cross_along(cn_call *c, int64_t given)
{
    cn_shape both;
    cn_tensor *a = c->in[0], *b = c->in[1];
    if (a->v.shape.ndim != b->v.shape.ndim)
        return cn_fail(CN_EINVALID, "%s: inputs of %d and of %d dimensions", c->op->name,
                       a->v.shape.ndim, b->v.shape.ndim);
    int dim = cn_wrap_dim(given, a->v.shape.ndim, c->op->name);
    if (dim < 0 || !cn_shape_broadcast(&a->v.shape, &b->v.shape, &both, c->op->name)) return false;
    if (a->v.shape.ndim == 0 || a->v.shape.dim[dim] != 3 || b->v.shape.dim[dim] != 3)
        return cn_fail(CN_EINVALID, "%s: dimension %d must have size 3 in both", c->op->name, dim);
    a = cn_expand(a, both), b = cn_expand(b, both);
    return cn_set_out(c, 0,
                      cn_sub(cn_mul(shifted(a, -1, dim), shifted(b, -2, dim)),
                             cn_mul(shifted(a, -2, dim), shifted(b, -1, dim))));
}

static bool linalg_cross_compose(cn_call *c)
{
    return cross_along(c, *(const int64_t *)c->params);
}

/* Without dim: the first of size 3. */
static bool cross_compose(cn_call *c)
{
    const cn_opt_int *dim = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (dim->given) return cross_along(c, dim->value);
    for (int i = 0; i < s->ndim; i++)
        if (s->dim[i] == 3) return cross_along(c, i);
    return cn_fail(CN_EINVALID, "cross: no dimension has size 3");
}

const cn_op cn_op_linalg_cross = {
    CN_OP_HEAD(linalg_cross, "linalg.cross",
               "(Tensor input, Tensor other, *, int dim=-1) -> Tensor"),
    .doc = "The vector product of vectors along dim, whose size is 3.",
    .params_size = sizeof(int64_t),
    .compose = linalg_cross_compose,
    .samples = "[3] [3] | [2,3] [1,3] | [3,2] [3,2] dim=0 | [0,3] [0,3] | i64<9[3] i64<9[3]",
};

const cn_op cn_op_cross = {
    CN_OP_HEAD(cross, "cross", "(Tensor input, Tensor other, int? dim=None) -> Tensor"),
    .doc = "The vector product along dim, or along the first dimension of size 3.",
    .params_size = sizeof(cn_opt_int),
    .compose = cross_compose,
    .samples = "[3] [3] | [3,2] [3,2] | [2,3,3] [2,3,3] 2",
};

/* ---- vecdot, inner ------------------------------------------------------------------------- */

static bool vecdot_compose(cn_call *c)
{
    cn_shape dim = CN_SHAPE(*(const int64_t *)c->params);
    if (c->in[0]->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID, "linalg.vecdot: %s and %s: both must have the same dtype",
                       cn_dtype_name(c->in[0]->v.dtype), cn_dtype_name(c->in[1]->v.dtype));
    cn_tensor *products = cn_mul(c->in[0], c->in[1]);
    return cn_set_out(c, 0, cn_sum(products, .dim = dim));
}

const cn_op cn_op_vecdot = {
    CN_OP_HEAD(vecdot, "linalg.vecdot", "(Tensor x, Tensor y, *, int dim=-1) -> Tensor"),
    .doc = "The inner products of vectors along dim, with broadcasting.",
    .params_size = sizeof(int64_t),
    .compose = vecdot_compose,
    .samples = "[3] [3] | [2,3] [3] | [2,3] [2,1] dim=0 | [0,3] [3] | [2,0] [2,0]",
};

static bool inner_compose(cn_call *c)
{
    struct {
        cn_ints a, b;
    } last = { { 1, { -1 } }, { 1, { -1 } } };
    cn_tensor *a = c->in[0], *b = c->in[1];
    if (cn_ndim(a) == 0 || cn_ndim(b) == 0) return cn_set_out(c, 0, cn_mul(a, b));
    if (cn_size(a, -1) != cn_size(b, -1))
        return cn_fail(CN_EINVALID, "inner: the last sizes, %lld and %lld, must be equal",
                       (long long)cn_size(a, -1), (long long)cn_size(b, -1));
    return cn_set_out(c, 0, CN_CALL(tensordot, &last, a, b));
}

const cn_op cn_op_inner = {
    CN_OP_HEAD(inner, "inner", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "Sums of products over the last dimensions of both; with a 0-d tensor: their product.",
    .compose = inner_compose,
    .samples = "[3] [3] | [2,3] [4,3] | [2,2,3] [3] | [] [2,3] | [2,0] [3,0]",
};

/* ---- kron, block_diag ---------------------------------------------------------------------- */

/* Each dimension of a gets one of b behind it, which it is merged with in the end. */
static bool kron_compose(cn_call *c)
{
    const cn_shape *a = &c->in[0]->v.shape, *b = &c->in[1]->v.shape;
    int nd = a->ndim > b->ndim ? a->ndim : b->ndim;
    if (2 * nd > CN_MAX_DIMS)
        return cn_fail(CN_EUNSUPPORTED, "kron: inputs of more than %d dimensions", CN_MAX_DIMS / 2);
    cn_shape wide_a = { .ndim = 2 * nd }, wide_b = { .ndim = 2 * nd }, y = { .ndim = nd };
    for (int i = 0; i < nd; i++) {
        int at_a = i - nd + a->ndim, at_b = i - nd + b->ndim;
        wide_a.dim[2 * i] = at_a < 0 ? 1 : a->dim[at_a], wide_a.dim[2 * i + 1] = 1;
        wide_b.dim[2 * i + 1] = at_b < 0 ? 1 : b->dim[at_b], wide_b.dim[2 * i] = 1;
        y.dim[i] = wide_a.dim[2 * i] * wide_b.dim[2 * i + 1];
    }
    cn_tensor *products = cn_mul(cn_reshape(c->in[0], wide_a), cn_reshape(c->in[1], wide_b));
    return cn_set_out(c, 0, cn_reshape(products, y));
}

const cn_op cn_op_kron = {
    CN_OP_HEAD(kron, "kron", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "The Kronecker product: every element of input times the whole of other.",
    .compose = kron_compose,
    .samples = "[2,3] [2,2] | [2] [3,2] | [2,1,2] [2,2] | [] [3] | [0,2] [2,2]",
};

/* t as rows of the result, between zeros: `left` columns of them before it, `right` after. */
static cn_tensor *padded_rows(cn_tensor *t, int64_t left, int64_t right, cn_dtype dtype)
{
    int64_t rows = cn_size(t, 0);
    cn_tensor *parts[] = { cn_zeros(CN_SHAPE(rows, left), dtype), cn_to(t, dtype),
                           cn_zeros(CN_SHAPE(rows, right), dtype) };
    return cn_cat(parts, 3, 1);
}

static bool fill_blocks(cn_call *c, cn_tensor *blocks[])
{
    int64_t cols = 0, left = 0;
    cn_dtype dtype = cn_result_type(c->in, c->n_in);
    for (int i = 0; i < c->n_in; i++) {
        cn_tensor *t = c->in[i];
        if (!cn_want_dims(c, i, 0, 2)) return false;
        if (t->v.shape.ndim < 2) t = cn_reshape(t, CN_SHAPE(1, t->v.numel));
        if (!(blocks[i] = t)) return false;
        cols += t->v.shape.dim[1];
    }
    for (int i = 0; i < c->n_in; i++) {
        int64_t own = blocks[i]->v.shape.dim[1];
        blocks[i] = padded_rows(blocks[i], left, cols - left - own, dtype);
        if (!blocks[i]) return false;
        left += own;
    }
    return true;
}

static bool block_diag_compose(cn_call *c)
{
    if (c->n_in == 0) return cn_fail(CN_EINVALID, "block_diag: no tensors");
    cn_tensor **blocks = cn_alloc((size_t)c->n_in * sizeof *blocks);
    bool ok = blocks && fill_blocks(c, blocks) && cn_set_out(c, 0, cn_cat(blocks, c->n_in, 0));
    cn_free(blocks);
    return ok;
}

const cn_op cn_op_block_diag = {
    CN_OP_HEAD(block_diag, "block_diag", "(Tensor[] tensors) -> Tensor"),
    .doc = "A matrix with these on its diagonal, one after another, and zeros elsewhere.",
    .compose = block_diag_compose,
    .samples = "{[2,3] [2,2]} | {[2] [] [1,3]} | {[2,2] i64<9[2,1]} | {[0,2] [2,1]}",
};
