/* views.c - ops whose result looks at the memory of their input. */
#include "ops/internal.h"

#include <string.h>

static cn_ints shape_as_ints(const cn_shape *s)
{
    cn_ints size = { .n = s->ndim };
    memcpy(size.v, s->dim, sizeof size.v);
    return size;
}

/* ---- reshape: a view where strides allow it, a copy otherwise ------------------------------ */

/* Replaces the one -1 of `size` by what makes the element counts agree. */
static bool resolve_shape(const cn_ints *size, int64_t numel, const char *what, cn_shape *out)
{
    int64_t known = 1;
    int open = -1;
    *out = cn_shape_from((int)size->n, size->v);
    for (int i = 0; i < out->ndim; i++) {
        if (out->dim[i] == -1 && open >= 0)
            return cn_fail(CN_EINVALID, "%s: two dimensions are -1", what);
        if (out->dim[i] == -1) open = i;
        else if (__builtin_mul_overflow(known, out->dim[i], &known)) known = -1;
    }
    if (open >= 0 && known > 0 && numel % known == 0) out->dim[open] = numel / known, known = numel;
    char text[128];
    if (known == numel) return true;
    return cn_fail(CN_EINVALID, "%s: %lld elements do not fit shape %s", what, (long long)numel,
                   cn_shape_text(out, text));
}

/* Consecutive old dimensions whose strides agree form a run; the new dimensions must cut each run
   into
   whole pieces. Walks both from the inside. False: only a copy will do. */
static bool view_strides(const cn_view *v, cn_view *out)
{
    int o = out->shape.ndim - 1;
    for (int i = v->shape.ndim - 1; i >= 0;) {
        int64_t stride = v->strides[i], run = v->shape.dim[i--];
        while (i >= 0 && (v->shape.dim[i] == 1 || v->strides[i] == stride * run || run == 1)) {
            if (run == 1) stride = v->strides[i];
            run *= v->shape.dim[i--];
        }
        int64_t taken = 1;
        while (o >= 0 && taken < run) {
            out->strides[o] = stride * taken;
            taken *= out->shape.dim[o--];
        }
        if (taken != run) return false;
    }
    for (; o >= 0; o--) out->strides[o] = 1;
    return true;
}

static bool reshape_compose(cn_call *c)
{
    cn_tensor *t = c->in[0];
    cn_shape shape;
    if (!resolve_shape(c->params, t->v.numel, c->op->name, &shape)) return false;
    cn_view v = t->v;
    v.shape = shape;
    cn_ints size = shape_as_ints(&shape);
    if (!v.contiguous && !view_strides(&t->v, &v)) t = cn_contiguous(t);
    if (t) c->out[0] = cn_apply1(&cn_op_view, &t, 1, &size);
    return c->out[0] != NULL;
}

const cn_op cn_op_reshape = {
    CN_OP_HEAD(reshape, "reshape", "(Tensor input, int[] shape) -> Tensor"),
    .doc = "The same elements in another shape; one size may be -1. Shares memory where it can.",
    .params_size = sizeof(cn_ints),
    .compose = reshape_compose,
    .samples = "[2,6] shape=(3,4) | [2,3] shape=(-1,) | [1] shape=() | [0,2] shape=(2,0)",
};

cn_tensor *cn_reshape(cn_tensor *input, cn_shape shape)
{
    cn_ints size = shape_as_ints(&shape);
    return CN_CALL(reshape, &size, input);
}

static bool view_view(const cn_call *c, cn_view *v)
{
    cn_view old = *v;
    if (!resolve_shape(c->params, old.numel, "view", &v->shape)) return false;
    if (old.contiguous) return cn_view_rows(v, &v->shape, "view");
    return view_strides(&old, v) ||
           cn_fail(CN_EINVALID, "view: these strides allow no view of that shape; use reshape");
}

static void view_backward(cn_grads *g)
{
    cn_give(g, 0, cn_reshape(cn_gout(g, 0), *cn_in_shape(g, 0)));
}

const cn_op cn_op_view = {
    CN_OP_HEAD(view, "view", "(Tensor input, int[] size) -> Tensor"),
    .doc = "reshape that never copies: refused where strides do not allow it.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE | CN_ON_STRIDES,
    .view = view_view,
    .backward = view_backward,
    .samples = "[2,6] size=(3,4) | [2,3] size=(-1,)",
};

cn_tensor *cn_view_as(cn_tensor *input, cn_shape shape)
{
    cn_ints size = shape_as_ints(&shape);
    return CN_CALL(view, &size, input);
}

/* ---- flatten ------------------------------------------------------------------------------- */

typedef struct {
    int64_t start_dim, end_dim;
} Flatten;

static bool flatten_compose(cn_call *c)
{
    const Flatten *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    int first = cn_wrap_dim(p->start_dim, s->ndim, "flatten");
    int last = cn_wrap_dim(p->end_dim, s->ndim, "flatten");
    if (first < 0 || last < 0) return false;
    if (first > last)
        return cn_fail(CN_EINVALID, "flatten: start_dim %d comes after end_dim %d", first, last);
    cn_shape r = { .ndim = s->ndim ? s->ndim - (last - first) : 1 };
    for (int i = 0; i < r.ndim; i++) r.dim[i] = i <= first ? s->dim[i] : s->dim[i + last - first];
    r.dim[first] = 1;
    for (int i = first; i <= last && s->ndim; i++) r.dim[first] *= s->dim[i];
    c->out[0] = cn_reshape(c->in[0], r);
    return c->out[0] != NULL;
}

const cn_op cn_op_flatten = {
    CN_OP_HEAD(flatten, "flatten", "(Tensor input, int start_dim=0, int end_dim=-1) -> Tensor"),
    .doc = "Merges dimensions start_dim to end_dim into one.",
    .params_size = sizeof(Flatten),
    .compose = flatten_compose,
    .samples = "[2,3,4] start_dim=1 | [2,3,4] | [] | [2,0,3] start_dim=1",
};

cn_tensor *cn_flatten(cn_tensor *input, int start_dim)
{
    return CN_CALL(flatten, (&(Flatten){ start_dim, -1 }), input);
}

/* ---- permute, transpose -------------------------------------------------------------------- */

static bool permute_view(const cn_call *c, cn_view *v)
{
    const cn_ints *dims = c->params;
    const cn_view *from = &c->in[0]->v;
    unsigned seen = 0;
    if (dims->n != from->shape.ndim)
        return cn_fail(CN_EINVALID, "permute: %lld dims given for a tensor of %d",
                       (long long)dims->n, from->shape.ndim);
    for (int i = 0; i < dims->n; i++) {
        int d = cn_wrap_dim(dims->v[i], from->shape.ndim, "permute");
        if (d < 0) return false;
        if (seen & (1u << d)) return cn_fail(CN_EINVALID, "permute: dim %d appears twice", d);
        seen |= 1u << d;
        v->shape.dim[i] = from->shape.dim[d];
        v->strides[i] = from->strides[d];
    }
    return true;
}

static void permute_backward(cn_grads *g)
{
    const cn_ints *dims = cn_grad_params(g);
    cn_ints inverse = { .n = dims->n };
    for (int i = 0; i < dims->n; i++) {
        int64_t d = dims->v[i];
        inverse.v[d < 0 ? d + dims->n : d] = i;
    }
    cn_give(g, 0, CN_CALL(permute, &inverse, cn_gout(g, 0)));
}

const cn_op cn_op_permute = {
    CN_OP_HEAD(permute, "permute", "(Tensor input, int[] dims) -> Tensor"),
    .doc = "The dimensions in another order; shares memory.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE,
    .view = permute_view,
    .backward = permute_backward,
    .samples = "[2,3,4] dims=(2,0,1) | [2,3] dims=(-1,0) | [0,2] dims=(1,0)",
};

cn_tensor *cn_permute(cn_tensor *input, cn_shape dims)
{
    cn_ints order = shape_as_ints(&dims);
    return CN_CALL(permute, &order, input);
}

typedef struct {
    int64_t dim0, dim1;
} Transpose;

static bool transpose_view(const cn_call *c, cn_view *v)
{
    const Transpose *p = c->params;
    int a = cn_wrap_dim(p->dim0, v->shape.ndim, "transpose");
    int b = cn_wrap_dim(p->dim1, v->shape.ndim, "transpose");
    if (a < 0 || b < 0) return false;
    if (v->shape.ndim == 0) return true;
    v->shape.dim[a] = c->in[0]->v.shape.dim[b], v->shape.dim[b] = c->in[0]->v.shape.dim[a];
    v->strides[a] = c->in[0]->v.strides[b], v->strides[b] = c->in[0]->v.strides[a];
    return true;
}

static void transpose_backward(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(transpose, cn_grad_params(g), cn_gout(g, 0)));
}

const cn_op cn_op_transpose = {
    CN_OP_HEAD(transpose, "transpose", "(Tensor input, int dim0, int dim1) -> Tensor"),
    .aliases = "swapaxes swapdims",
    .doc = "Swaps two dimensions; shares memory.",
    .params_size = sizeof(Transpose),
    .flags = CN_ANY_DTYPE,
    .view = transpose_view,
    .backward = transpose_backward,
    .samples = "[2,3] 0 1 | [2,3,4] -1 0 | [] 0 0",
};

cn_tensor *cn_transpose(cn_tensor *input, int dim0, int dim1)
{
    return CN_CALL(transpose, (&(Transpose){ dim0, dim1 }), input);
}

/* ---- expand, and its gradient sum_to_size -------------------------------------------------- */

static bool expand_view(const cn_call *c, cn_view *v)
{
    const cn_ints *size = c->params;
    const cn_view *from = &c->in[0]->v;
    int lead = (int)size->n - from->shape.ndim;
    if (lead < 0)
        return cn_fail(CN_EINVALID, "expand: fewer sizes (%d) than dimensions (%d)", (int)size->n,
                       from->shape.ndim);
    v->shape.ndim = (int)size->n;
    for (int i = 0; i < v->shape.ndim; i++) {
        int64_t old = i < lead ? 1 : from->shape.dim[i - lead];
        int64_t now = size->v[i] == -1 && i >= lead ? old : size->v[i];
        if (now < 0 || (old != 1 && old != now))
            return cn_fail(CN_EINVALID, "expand: size %lld in dimension %d cannot become %lld",
                           (long long)old, i, (long long)now);
        v->shape.dim[i] = now;
        v->strides[i] = i < lead || old == 1 ? 0 : from->strides[i - lead];
    }
    return cn_shape_numel(&v->shape, &v->numel, "expand");
}

static void expand_backward(cn_grads *g)
{
    cn_give(g, 0, cn_gout(g, 0)); /* cn_give sums to the input's shape */
}

const cn_op cn_op_expand = {
    CN_OP_HEAD(expand, "expand", "(Tensor input, int[] size) -> Tensor"),
    .aliases = "broadcast_to",
    .doc = "Repeats dimensions of size 1 without copying; -1 keeps a size.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE,
    .view = expand_view,
    .backward = expand_backward,
    .samples = "[3,1] size=(2,3,4) | [1] size=(3,) | [] size=(2,2) | [2,1] size=(-1,3)",
};

cn_tensor *cn_expand(cn_tensor *input, cn_shape shape)
{
    cn_ints size = shape_as_ints(&shape);
    return CN_CALL(expand, &size, input);
}

static bool sum_to_size_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    cn_tensor *t = c->in[0];
    cn_shape want = cn_shape_from((int)size->n, size->v);
    int lead = t->v.shape.ndim - want.ndim;
    cn_ints dims = { 0 };
    bool ok = lead >= 0;
    for (int i = 0; ok && i < t->v.shape.ndim; i++) {
        bool same = i >= lead && want.dim[i - lead] == t->v.shape.dim[i];
        ok = same || i < lead || want.dim[i - lead] == 1;
        if (!same) dims.v[dims.n++] = i;
    }
    char a[128], b[128];
    if (!ok)
        return cn_fail(CN_EINVALID, "sum_to_size: %s does not come from broadcasting %s",
                       cn_shape_text(&t->v.shape, a), cn_shape_text(&want, b));
    if (dims.n) t = cn_sum(t, .dim = cn_shape_from((int)dims.n, dims.v), .keepdim = true);
    c->out[0] = dims.n ? cn_reshape(t, want) : t;
    return c->out[0] != NULL;
}

const cn_op cn_op_sum_to_size = {
    CN_OP_HEAD(sum_to_size, "sum_to_size", "(Tensor input, int[] size) -> Tensor"),
    .doc = "Sums over what broadcasting to the input's shape would repeat.",
    .params_size = sizeof(cn_ints),
    .compose = sum_to_size_compose,
    .samples = "[2,3,4] size=(3,1) | [2,3] size=() | [2,3] size=(2,3)",
};

/* ---- detach -------------------------------------------------------------------------------- */

static bool same_view(const cn_call *c, cn_view *v)
{
    (void)c, (void)v;
    return true;
}

const cn_op cn_op_detach = {
    CN_OP_HEAD(detach, "detach", "(Tensor input) -> Tensor"),
    .doc = "The same values in the same memory, which nothing is recorded of.",
    .flags = CN_ANY_DTYPE | CN_NO_GRAD_OP,
    .view = same_view,
    .samples = "[2,3] | i64<3[2] | [0]",
};
