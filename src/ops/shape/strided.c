/* strided.c - views with strides of the caller's choice: as_strided, unfold; resize_. Parts of a tensor. */
#include "autograd/part.h"
#include "ops/compose.h"

#include <string.h>

/* ---- positions in a storage ---------------------------------------------------------------- */

static int64_t storage_size(const cn_tensor *t)
{
    return (int64_t)(t->storage->bytes / cn_dtype_size(t->v.dtype));
}

static int64_t storage_offset(const cn_tensor *t)
{
    return (t->v.data - t->storage->data) / (int64_t)cn_dtype_size(t->v.dtype);
}

/* Where each element lies, counted from the storage's first, as a vector. */
static cn_tensor *positions(const cn_shape *s, const int64_t strides[], int64_t offset)
{
    int64_t n;
    if (!cn_shape_numel(s, &n, "as_strided")) return NULL;
    cn_tensor *y = cn_empty(CN_SHAPE(n), CN_I64);
    for (int64_t i = 0; y && i < n; i++) {
        int64_t at = offset, rest = i;
        for (int d = s->ndim - 1; d >= 0; d--) {
            at += rest % s->dim[d] * strides[d];
            rest /= s->dim[d];
        }
        ((int64_t *)(void *)y->v.data)[i] = at;
    }
    return y;
}

static cn_tensor *own_positions(const cn_tensor *t)
{
    return positions(&t->v.shape, t->v.strides, storage_offset(t));
}

static cn_tensor *flat(cn_tensor *t)
{
    return t ? cn_reshape(t, CN_SHAPE(t->v.numel)) : NULL;
}

/* ---- as_strided ---------------------------------------------------------------------------- */

static int64_t offset_of(const cn_part *p, const cn_tensor *t)
{
    return p->offset.given ? p->offset.value : storage_offset(t);
}

/* Is the last element that the strides reach inside the storage? Products are distrusted. */
static bool reaches(const cn_part *p, int64_t offset, int64_t elements, const char *what)
{
    int64_t last = offset, reach;
    bool empty = false, ok = last >= 0 && p->size.n == p->stride.n;
    for (int i = 0; ok && i < p->size.n; i++) {
        ok = p->size.v[i] >= 0 && p->stride.v[i] >= 0;
        empty |= p->size.v[i] == 0;
    }
    for (int i = 0; ok && !empty && i < p->size.n; i++)
        ok = !__builtin_mul_overflow(p->size.v[i] - 1, p->stride.v[i], &reach) &&
             !__builtin_add_overflow(last, reach, &last);
    if (ok && (empty || last < elements)) return true;
    return cn_fail(CN_EINVALID,
                   "%s: these sizes, strides and offset do not stay in a storage of %lld elements",
                   what, (long long)elements);
}

static bool reach_inside(const cn_part *p, const cn_tensor *t, const char *what)
{
    return reaches(p, offset_of(p, t), storage_size(t), what);
}

static bool as_strided_view(const cn_call *c, cn_view *v)
{
    const cn_part *p = c->params;
    cn_tensor *t = c->in[0];
    if (!reach_inside(p, t, "as_strided")) return false;
    v->shape = cn_shape_from((int)p->size.n, p->size.v);
    for (int i = 0; i < v->shape.ndim; i++) v->strides[i] = p->stride.v[i];
    if (!cn_shape_numel(&v->shape, &v->numel, "as_strided")) return false;
    if (v->numel) v->data = t->storage->data + offset_of(p, t) * (int64_t)cn_dtype_size(v->dtype);
    return true;
}

/* Gradients meet in the storage: those of the result are added where its elements lie, and each
   element of the input takes what came to its place, shared among all that lie there. */
static void as_strided_backward(cn_grads *g)
{
    const cn_part *p = cn_grad_params(g);
    cn_tensor *x = cn_saved_in(g, 0), *gy = cn_gout(g, 0);
    if (!x) return;
    int64_t n = storage_size(x);
    cn_tensor *at = positions(&gy->v.shape, p->stride.v, offset_of(p, x));
    cn_tensor *own = own_positions(x);
    cn_tensor *met = cn_index_add(cn_zeros(CN_SHAPE(n), gy->v.dtype), 0, at, flat(gy));
    met = cn_index_select(met, 0, own);
    if (own && !x->v.contiguous) {
        cn_tensor *ones = cn_ones(CN_SHAPE(x->v.numel), gy->v.dtype);
        cn_tensor *count = cn_index_add(cn_zeros(CN_SHAPE(n), gy->v.dtype), 0, own, ones);
        met = cn_div(met, cn_index_select(count, 0, own));
    }
    cn_give(g, 0, cn_reshape(met, x->v.shape));
}

const cn_op cn_op_as_strided = {
    CN_OP_HEAD(as_strided, "as_strided",
               "(Tensor input, int[] size, int[] stride, int? storage_offset=None) -> Tensor"),
    .doc = "The input's storage seen with these sizes and strides; elements may appear twice.",
    .params_size = sizeof(cn_part),
    .flags = CN_ANY_DTYPE | CN_ON_STRIDES,
    .saves = CN_SAVE_IN(0),
    .view = as_strided_view,
    .backward = as_strided_backward,
    .samples =
        "[2,3] (3,2) (1,3) | [5] (3,3) (1,1) | [2,3] (2,2) (2,1) 1 | [4] () () 2 | [3] (0,) (1,)",
};

/* The whole storage as a vector, where elements that the input does not see have gradients too. */
static bool as_strided_scatter_compose(cn_call *c)
{
    const cn_part *p = c->params;
    cn_tensor *t = c->in[0], *src = c->in[1];
    const cn_shape size = cn_shape_from((int)p->size.n, p->size.v);
    char a[128], b[128];
    if (!reach_inside(p, t, "as_strided_scatter")) return false;
    if (!cn_shape_equal(&size, &src->v.shape))
        return cn_fail(CN_EINVALID, "as_strided_scatter: the view has shape %s, src %s",
                       cn_shape_text(&size, a), cn_shape_text(&src->v.shape, b));
    cn_part all = { { 1, { storage_size(t) } }, { 1, { 1 } }, { true, 0 } };
    cn_tensor *at = positions(&size, p->stride.v, offset_of(p, t));
    cn_tensor *whole =
        cn_index_copy(CN_CALL(as_strided, &all, t), 0, at, flat(cn_to(src, t->v.dtype)));
    return cn_set_out(c, 0, cn_reshape(cn_index_select(whole, 0, own_positions(t)), t->v.shape));
}

const cn_op cn_op_as_strided_scatter = {
    CN_OP_HEAD(
        as_strided_scatter, "as_strided_scatter",
        "(Tensor input, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor"),
    .doc = "A copy of input with src where as_strided looks.",
    .params_size = sizeof(cn_part),
    .flags = CN_ON_STRIDES,
    .compose = as_strided_scatter_compose,
    .samples = "[2,3] [2,2] (2,2) (3,1) | [5] [3] (3,) (2,) | [2,3] [2] (2,) (1,) 1",
};

/* ---- parts -----------------------------------------------------------------------------------
   What views show of a row-major tensor, and a row-major tensor in which that is replaced. */

static bool part_inside(const cn_call *c, cn_shape *size)
{
    const cn_part *p = c->params;
    *size = cn_shape_from((int)p->size.n, p->size.v);
    return size->ndim >= 0 && reaches(p, p->offset.value, c->in[0]->v.numel, c->op->name);
}

static cn_view part_view(const cn_call *c, const cn_view *of)
{
    const cn_part *p = c->params;
    cn_view v = *of;
    v.shape = cn_shape_from((int)p->size.n, p->size.v);
    for (int i = 0; i < v.shape.ndim; i++) v.strides[i] = p->stride.v[i];
    v.data += p->offset.value * (int64_t)cn_dtype_size(v.dtype);
    cn_view_refresh(&v);
    return v;
}

static cn_tensor *part_positions(cn_grads *g)
{
    const cn_part *p = cn_grad_params(g);
    cn_shape size = cn_shape_from((int)p->size.n, p->size.v);
    return positions(&size, p->stride.v, p->offset.value);
}

static bool part_at_infer(const cn_call *c, cn_spec out[])
{
    out->dtype = c->in[0]->v.dtype;
    return part_inside(c, &out->shape);
}

static bool part_at_kernel(const cn_call *c)
{
    cn_view part = part_view(c, cn_in(c, 0));
    if (part.numel) cn_copy_view(cn_out(c, 0), &part);
    return true;
}

/* Added, as the view may show an element twice. */
static void part_at_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    const cn_shape *s = cn_in_shape(g, 0);
    cn_tensor *zeros = gy ? flat(cn_zeros(*s, gy->v.dtype)) : NULL;
    cn_give(g, 0, cn_reshape(cn_index_add(zeros, 0, part_positions(g), flat(gy)), *s));
}

const cn_op cn_op_part_at = {
    CN_OP_HEAD(part_at, "part_at",
               "(Tensor input, int[] size, int[] stride, int? offset=0) -> Tensor"),
    .doc = "A copy of what size, stride and offset show of the input's elements in their order.",
    .params_size = sizeof(cn_part),
    .flags = CN_ANY_DTYPE | CN_ROWS,
    .infer = part_at_infer,
    .kernel = part_at_kernel,
    .backward = part_at_backward,
    .samples =
        "[2,3] (2,) (3,) 1 | [5] (3,3) (1,1) | [2,3] (3,2) (1,3) | [4] () () 2 | [0] (0,) (1,)",
};

static bool part_set_infer(const cn_call *c, cn_spec out[])
{
    cn_shape size;
    char a[128], b[128];
    *out = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    if (!part_inside(c, &size)) return false;
    if (cn_shape_equal(&size, &c->in[1]->v.shape) && c->in[1]->v.dtype == out->dtype) return true;
    return cn_fail(CN_EINVALID, "part_set: the part is %s of shape %s, src %s of shape %s",
                   cn_dtype_name(out->dtype), cn_shape_text(&size, a),
                   cn_dtype_name(c->in[1]->v.dtype), cn_shape_text(&c->in[1]->v.shape, b));
}

static bool part_set_kernel(const cn_call *c)
{
    cn_view part = part_view(c, cn_out(c, 0));
    cn_copy_view(cn_out(c, 0), cn_in(c, 0));
    if (part.numel) cn_copy_view(&part, cn_in(c, 1));
    return true;
}

static void part_set_backward(cn_grads *g)
{
    const cn_part *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0);
    if (!gy) return;
    cn_tensor *none = cn_zeros(cn_shape_from((int)p->size.n, p->size.v), gy->v.dtype);
    if (cn_wants(g, 0)) cn_give(g, 0, CN_CALL(part_set, p, gy, none));
    if (cn_wants(g, 1)) cn_give(g, 1, CN_CALL(part_at, p, gy));
}

const cn_op cn_op_part_set = {
    CN_OP_HEAD(part_set, "part_set",
               "(Tensor input, Tensor src, int[] size, int[] stride, int? offset=0) -> Tensor"),
    .doc = "A copy of input with src where size, stride and offset show its elements; they must "
           "show none twice.",
    .params_size = sizeof(cn_part),
    .flags = CN_ANY_DTYPE | CN_ROWS,
    .infer = part_set_infer,
    .kernel = part_set_kernel,
    .backward = part_set_backward,
    .samples = "[2,3] [2] (2,) (3,) 1 | [2,3] [3,2] (3,2) (1,3) | [4] [] () () 2",
};

/* ---- unfold -------------------------------------------------------------------------------- */

typedef struct {
    int64_t dimension, size, step;
} Unfold;

static bool unfold_view(const cn_call *c, cn_view *v)
{
    const Unfold *p = c->params;
    int nd = v->shape.ndim, dim = cn_wrap_dim(p->dimension, nd, "unfold");
    if (dim < 0) return false;
    int64_t n = nd ? v->shape.dim[dim] : 1, stride = nd ? v->strides[dim] : 1;
    if (p->size < 0 || p->size > n || p->step < 1)
        return cn_fail(CN_EINVALID, "unfold: windows of %lld every %lld in a dimension of %lld",
                       (long long)p->size, (long long)p->step, (long long)n);
    if (nd == CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "unfold: the tensor has %d dimensions already", nd);
    if (nd) v->shape.dim[dim] = (n - p->size) / p->step + 1;
    if (nd && v->shape.dim[dim] > 1) v->strides[dim] = stride * p->step;
    v->shape.dim[nd] = p->size, v->strides[nd] = stride;
    v->shape.ndim = nd + 1;
    return cn_shape_numel(&v->shape, &v->numel, "unfold");
}

/* An element gets the gradients of all windows it is in. */
static void unfold_backward(cn_grads *g)
{
    const Unfold *p = cn_grad_params(g);
    const cn_shape *s = cn_in_shape(g, 0);
    cn_tensor *gy = cn_gout(g, 0);
    if (s->ndim == 0) {
        cn_give(g, 0, cn_sum(gy));
        return;
    }
    int dim = cn_wrap_dim(p->dimension, s->ndim, "unfold");
    int64_t count = gy->v.shape.dim[dim];
    cn_tensor *index = cn_empty(CN_SHAPE(count * p->size), CN_I64);
    for (int64_t i = 0; index && i < count * p->size; i++)
        ((int64_t *)(void *)index->v.data)[i] = i / p->size * p->step + i % p->size;
    cn_shape order = { .ndim = s->ndim + 1 }, merged = *s;
    for (int i = 0; i < order.ndim; i++)
        order.dim[i] = i <= dim ? i : i == dim + 1 ? s->ndim : i - 1;
    merged.dim[dim] = count * p->size;
    cn_tensor *parts = cn_reshape(cn_permute(gy, order), merged);
    cn_give(g, 0, cn_index_add(cn_zeros_of_in(g, 0), dim, index, parts));
}

const cn_op cn_op_unfold = {
    CN_OP_HEAD(unfold, "unfold", "(Tensor input, int dimension, int size, int step) -> Tensor"),
    .doc =
        "The windows of `size` elements, every `step`, along a dimension; the window comes last. "
        "Shares memory.",
    .params_size = sizeof(Unfold),
    .flags = CN_ANY_DTYPE,
    .view = unfold_view,
    .backward = unfold_backward,
    .samples = "[5] 0 2 1 | [2,6,2] 1 3 2 | [4,3] -1 3 1 | [] 0 1 1",
};

/* ---- resize_ ------------------------------------------------------------------------------- */

/* The tensor moves to a larger storage; those that shared the old one keep it. */
static bool enlarge(cn_tensor *t, const cn_shape *shape)
{
    cn_tensor *larger = cn_zeros(*shape, t->v.dtype);
    if (!larger) return false;
    size_t there = (size_t)(storage_size(t) - storage_offset(t)) * cn_dtype_size(t->v.dtype);
    if (there) memcpy(larger->v.data, t->v.data, there);
    cn_storage *old = t->storage;
    t->storage = larger->storage, larger->storage = old;
    t->v.data = larger->v.data;
    return true;
}

/* The first elements of the storage, from the tensor's own first on, in another shape. */
static bool resize_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    cn_tensor *t = c->in[0];
    cn_shape shape = cn_shape_from((int)size->n, size->v);
    cn_view rows = t->v;
    if (t->requires_grad)
        return cn_fail(CN_EINVALID, "resize_: a tensor that requires gradients keeps its size");
    if (!cn_view_rows(&rows, &shape, "resize_")) return false;
    if (rows.numel > storage_size(t) - storage_offset(t) && !enlarge(t, &shape)) return false;
    rows.data = t->v.data;
    t->v = rows;
    return cn_set_out(c, 0, t);
}

const cn_op cn_op_resize = {
    CN_OP_HEAD(resize, "resize_", "(Tensor input, int[] size) -> Tensor"),
    .doc = "Changes the size in place; elements that come new are 0.",
    .params_size = sizeof(cn_ints),
    .flags = CN_NO_GRAD_OP | CN_ON_STRIDES,
    .compose = resize_compose,
    .samples = "[2,3] (3,2) | [2,3] (2,) | [4] () | [3] (0,2)",
};
