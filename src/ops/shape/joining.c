/* joining.c - several tensors into one, and one repeated. */
#include "ops/compose.h"

#include <string.h>

/* ---- cat ----------------------------------------------------------------------------------- */

/* As ever, a vector without elements joins anything. */
static bool skipped(const cn_tensor *t)
{
    return t->v.shape.ndim == 1 && t->v.numel == 0;
}

static const cn_tensor *first_joined(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (!skipped(c->in[i])) return c->in[i];
    return c->in[0];
}

static bool joins(const cn_shape *a, const cn_shape *b, int dim)
{
    bool ok = a->ndim == b->ndim;
    for (int i = 0; ok && i < a->ndim; i++) ok = i == dim || a->dim[i] == b->dim[i];
    char ta[128], tb[128];
    return ok || cn_fail(CN_EINVALID, "cat: shapes %s and %s differ outside dimension %d",
                         cn_shape_text(a, ta), cn_shape_text(b, tb), dim);
}

static bool cat_infer(const cn_call *c, cn_spec out[])
{
    if (c->n_in == 0) return cn_fail(CN_EINVALID, "cat: no tensors");
    out->shape = first_joined(c)->v.shape;
    out->dtype = cn_result_type(c->in, c->n_in);
    if (out->shape.ndim == 0)
        return cn_fail(CN_EINVALID, "cat: 0-d tensors cannot be joined; use stack");
    int dim = cn_wrap_dim(*(const int64_t *)c->params, out->shape.ndim, "cat");
    if (dim < 0) return false;
    int64_t total = 0;
    for (int i = 0; i < c->n_in; i++) {
        if (skipped(c->in[i])) continue;
        if (!joins(&out->shape, &c->in[i]->v.shape, dim)) return false;
        total += c->in[i]->v.shape.dim[dim];
    }
    out->shape.dim[dim] = total;
    return true;
}

static bool cat_kernel(const cn_call *c)
{
    cn_view part = *cn_out(c, 0);
    int dim = cn_wrap_dim(*(const int64_t *)c->params, part.shape.ndim, "cat");
    int64_t step = part.strides[dim] * (int64_t)cn_dtype_size(part.dtype);
    for (int i = 0; i < c->n_in; i++) {
        if (skipped(c->in[i])) continue;
        part.shape.dim[dim] = cn_in(c, i)->shape.dim[dim];
        cn_view_refresh(&part);
        cn_copy_view(&part, cn_in(c, i));
        part.data += part.shape.dim[dim] * step;
    }
    return true;
}

/* A view where that is free; of a gradient in blocks, which has no views, a copy in blocks. */
static cn_tensor *part_of(cn_tensor *gy, int dim, int64_t first, int64_t n)
{
    return gy->v.block ? cn_narrow_copy(gy, dim, first, n) : cn_narrow(gy, dim, first, n);
}

static void cat_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    int64_t first = 0;
    if (!gy) return;
    int dim = cn_wrap_dim(*(const int64_t *)cn_grad_params(g), gy->v.shape.ndim, "cat");
    for (int i = 0; i < cn_grad_inputs(g); i++) {
        const cn_shape *s = cn_in_shape(g, i);
        bool empty = s->ndim == 1 && s->dim[0] == 0;
        int64_t n = empty ? 0 : s->dim[dim];
        if (cn_wants(g, i))
            cn_give(g, i, empty ? cn_zeros_of_in(g, i) : part_of(gy, dim, first, n));
        first += n;
    }
}

const cn_op cn_op_cat = {
    CN_OP_HEAD(cat, "cat", "(Tensor[] tensors, int dim=0) -> Tensor"),
    .aliases = "concat concatenate",
    .doc = "The tensors one after the other along dim, which alone may differ in size.",
    .params_size = sizeof(int64_t),
    .flags = CN_ANY_DTYPE | CN_ANY_LAYOUT,
    .infer = cat_infer,
    .kernel = cat_kernel,
    .backward = cat_backward,
    .samples =
        "{[2,3] [1,3]} | {[2,3] [2,2] [2,1]} 1 | {[2,3] [0]} -1 | {[3] f64[2]} | {[0] [0]} | {[0,2] [1,2]}",
};

cn_tensor *cn_cat(cn_tensor *const *tensors, int n, int dim)
{
    for (int i = 0; i < n; i++)
        if (!tensors[i]) return NULL;
    return cn_apply1(&cn_op_cat, tensors, n, &(int64_t){ dim });
}

/* ---- stack and its kin: every tensor prepared, then cat ------------------------------------ */

typedef cn_tensor *Prepare(cn_tensor *t, int64_t how);

static cn_tensor *prepared_cat(cn_tensor *const *in, int n, Prepare *prepare, int64_t how, int dim)
{
    cn_tensor *few[16], **list = n <= 16 ? few : cn_alloc((size_t)n * sizeof(cn_tensor *));
    if (!list) return NULL;
    bool ok = true;
    for (int i = 0; i < n && ok; i++) ok = (list[i] = prepare(in[i], how)) != NULL;
    cn_tensor *y = ok ? cn_cat(list, n, dim) : NULL;
    if (list != few) cn_free(list);
    return y;
}

static cn_tensor *with_dim(cn_tensor *t, int64_t dim)
{
    return cn_unsqueeze(t, (int)dim);
}

cn_tensor *cn_stack(cn_tensor *const *tensors, int n, int dim)
{
    int d = n > 0 && tensors[0] ? cn_wrap_dim(dim, tensors[0]->v.shape.ndim + 1, "stack") : -1;
    if (n < 1) cn_fail(CN_EINVALID, "stack: no tensors");
    for (int i = 1; i < n && d >= 0; i++) {
        char a[128], b[128];
        if (!tensors[i]) return NULL;
        if (cn_shape_equal(&tensors[0]->v.shape, &tensors[i]->v.shape)) continue;
        cn_fail(CN_EINVALID, "stack: shapes %s and %s differ",
                cn_shape_text(&tensors[0]->v.shape, a), cn_shape_text(&tensors[i]->v.shape, b));
        return NULL;
    }
    return d < 0 ? NULL : prepared_cat(tensors, n, with_dim, d, d);
}

static bool stack_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_stack(c->in, c->n_in, (int)*(const int64_t *)c->params));
}

const cn_op cn_op_stack = {
    CN_OP_HEAD(stack, "stack", "(Tensor[] tensors, int dim=0) -> Tensor"),
    .doc = "The tensors, of equal shape, side by side along a new dimension.",
    .params_size = sizeof(int64_t),
    .compose = stack_compose,
    .samples = "{[2,3] [2,3]} | {[2,3] [2,3]} -1 | {[] []} | {[0] [0]} 1",
};

static cn_tensor *at_least(cn_tensor *t, int64_t dims)
{
    int nd = t->v.shape.ndim;
    if (nd >= dims) return t;
    if (dims == 3 && nd == 2) return cn_unsqueeze(t, 2);
    int64_t n = t->v.numel;
    return cn_reshape(t, dims == 1 ? CN_SHAPE(1) : dims == 2 ? CN_SHAPE(1, n) : CN_SHAPE(1, n, 1));
}

/* Numbers and vectors as columns. */
static cn_tensor *as_column(cn_tensor *t, int64_t dims)
{
    return t->v.shape.ndim >= dims ? t : cn_reshape(t, CN_SHAPE(t->v.numel, 1));
}

static bool hstack_compose(cn_call *c)
{
    int dim = c->n_in && c->in[0]->v.shape.ndim > 1;
    return cn_set_out(c, 0, prepared_cat(c->in, c->n_in, at_least, 1, dim));
}

static bool vstack_compose(cn_call *c)
{
    return cn_set_out(c, 0, prepared_cat(c->in, c->n_in, at_least, 2, 0));
}

static bool dstack_compose(cn_call *c)
{
    return cn_set_out(c, 0, prepared_cat(c->in, c->n_in, at_least, 3, 2));
}

static bool column_stack_compose(cn_call *c)
{
    return cn_set_out(c, 0, prepared_cat(c->in, c->n_in, as_column, 2, 1));
}

const cn_op cn_op_dstack = {
    CN_OP_HEAD(dstack, "dstack", "(Tensor[] tensors) -> Tensor"),
    .doc = "The tensors behind each other: joined along dimension 2, which they get if need be.",
    .compose = dstack_compose,
    .samples = "{[2,3] [2,3]} | {[2] [2]} | {[] []} | {[2,1,2] [2,1]}",
};

const cn_op cn_op_column_stack = {
    CN_OP_HEAD(column_stack, "column_stack", "(Tensor[] tensors) -> Tensor"),
    .doc = "The tensors beside each other, vectors as columns.",
    .compose = column_stack_compose,
    .samples = "{[2] [2,3]} | {[] []} | {[2,1,2] [2,3,2]}",
};

const cn_op cn_op_hstack = {
    CN_OP_HEAD(hstack, "hstack", "(Tensor[] tensors) -> Tensor"),
    .doc = "The tensors beside each other: joined along dimension 1, vectors along 0.",
    .compose = hstack_compose,
    .samples = "{[2,3] [2,1]} | {[2] [3]} | {[] []}",
};

const cn_op cn_op_vstack = {
    CN_OP_HEAD(vstack, "vstack", "(Tensor[] tensors) -> Tensor"),
    .aliases = "row_stack",
    .doc = "The tensors below each other: joined along dimension 0, vectors as rows.",
    .compose = vstack_compose,
    .samples = "{[2,3] [1,3]} | {[2] [2]} | {[] []}",
};

/* ---- repeat -------------------------------------------------------------------------------- */

/* count copies one after the other along dim. */
static cn_tensor *repeat_dim(cn_tensor *t, int dim, int64_t count)
{
    if (!t || count == 1) return t;
    cn_shape s = t->v.shape, wide = { .ndim = s.ndim + 1 };
    for (int i = 0; i <= s.ndim; i++) wide.dim[i] = i == dim ? count : s.dim[i < dim ? i : i - 1];
    s.dim[dim] *= count;
    if (s.ndim < CN_MAX_DIMS) return cn_reshape(cn_expand(cn_unsqueeze(t, dim), wide), s);
    cn_fail(CN_EUNSUPPORTED, "repeat: a tensor of %d dimensions", CN_MAX_DIMS);
    return NULL;
}

static cn_tensor *repeat(cn_tensor *t, const cn_ints *repeats)
{
    cn_shape s = { .ndim = (int)repeats->n };
    int lead = s.ndim - t->v.shape.ndim;
    if (lead < 0) {
        cn_fail(CN_EINVALID, "repeat: %lld counts for a tensor of %d dimensions",
                (long long)repeats->n, t->v.shape.ndim);
        return NULL;
    }
    for (int i = 0; i < s.ndim; i++) s.dim[i] = i < lead ? 1 : t->v.shape.dim[i - lead];
    for (int i = 0; i < s.ndim; i++) {
        if (repeats->v[i] >= 0) continue;
        cn_fail(CN_EINVALID, "repeat: %lld copies along dimension %d", (long long)repeats->v[i], i);
        return NULL;
    }
    t = cn_reshape(t, s);
    for (int i = 0; i < s.ndim; i++) t = repeat_dim(t, i, repeats->v[i]);
    return t;
}

static bool repeat_compose(cn_call *c)
{
    const cn_ints *p = c->params;
    bool plain = true;
    for (int i = 0; i < p->n; i++) plain &= p->v[i] == 1;
    cn_tensor *y = repeat(c->in[0], p);
    return cn_set_out(c, 0, y && plain ? cn_clone(y) : y);
}

const cn_op cn_op_repeat = {
    CN_OP_HEAD(repeat, "repeat", "(Tensor input, int[] repeats) -> Tensor"),
    .doc = "Copies beside each other, repeats[i] of them along dimension i.",
    .params_size = sizeof(cn_ints),
    .compose = repeat_compose,
    .samples = "[2,3] (2,2) | [3] (2,1,2) | [] (3,) | [2] (0,) | [2] (1,)",
};

static bool tile_compose(cn_call *c)
{
    const cn_ints *p = c->params;
    cn_ints full = { .n = c->in[0]->v.shape.ndim > p->n ? c->in[0]->v.shape.ndim : p->n };
    for (int64_t i = 0; i < full.n; i++)
        full.v[i] = i < full.n - p->n ? 1 : p->v[i - (full.n - p->n)];
    return cn_set_out(c, 0, repeat(c->in[0], &full));
}

const cn_op cn_op_tile = {
    CN_OP_HEAD(tile, "tile", "(Tensor input, int[] dims) -> Tensor"),
    .doc = "repeat that takes fewer counts than dimensions: ones are put before them.",
    .params_size = sizeof(cn_ints),
    .compose = tile_compose,
    .samples = "[2,3] (2,) | [3] (2,2)",
};

cn_tensor *cn_repeat(cn_tensor *input, cn_shape repeats)
{
    cn_ints p = cn_ints_of(&repeats);
    return CN_CALL(repeat, &p, input);
}

/* ---- repeat_interleave: an index with each place as often as it is wanted ------------------ */

static cn_tensor *interleaved(const cn_tensor *repeats, int64_t n)
{
    cn_tensor *counts = cn_empty(CN_SHAPE(repeats->v.numel), CN_I64);
    if (!counts) return NULL;
    cn_view flat = repeats->v;
    if (flat.shape.ndim == 0) flat.shape = CN_SHAPE(1), flat.strides[0] = 1;
    cn_copy_view(&counts->v, &flat);
    const int64_t *count = (const int64_t *)(const void *)counts->v.data;
    int64_t total = 0, step = counts->v.numel > 1, filled = 0;
    for (int64_t i = 0; i < n; i++) {
        if (count[i * step] < 0 || __builtin_add_overflow(total, count[i * step], &total)) {
            cn_fail(CN_EINVALID, "repeat_interleave: %lld repeats", (long long)count[i * step]);
            return NULL;
        }
    }
    cn_tensor *index = cn_empty(CN_SHAPE(total), CN_I64);
    int64_t *at = index ? (int64_t *)(void *)index->v.data : NULL;
    for (int64_t i = 0; at && i < n; i++)
        for (int64_t k = 0; k < count[i * step]; k++) at[filled++] = i;
    return index;
}

static bool repeat_interleave_compose(cn_call *c)
{
    const cn_opt_int *p = c->params;
    cn_tensor *t = c->in[0], *repeats = c->in[1];
    if (!p->given) t = cn_reshape(t, CN_SHAPE(t->v.numel));
    int dim = t ? cn_wrap_dim(p->given ? p->value : 0, t->v.shape.ndim, "repeat_interleave") : -1;
    if (dim < 0) return false;
    if (t->v.shape.ndim == 0)
        return cn_fail(CN_EINVALID, "repeat_interleave: a 0-d tensor has no dim %d", dim);
    int64_t n = t->v.shape.dim[dim];
    if (repeats->v.shape.ndim > 1 || (repeats->v.numel != 1 && repeats->v.numel != n) ||
        cn_dtype_is_float(repeats->v.dtype))
        return cn_fail(CN_EINVALID, "repeat_interleave: repeats must be an int or a vector of %lld",
                       (long long)n);
    cn_tensor *index = interleaved(repeats, n);
    return cn_set_out(c, 0, cn_index_select(t, dim, index));
}

const cn_op cn_op_repeat_interleave = {
    CN_OP_HEAD(repeat_interleave, "repeat_interleave",
               "(Tensor input, Tensor|Scalar repeats, int? dim=None) -> Tensor"),
    .doc = "Each element (slice along dim) as often as repeats says; without dim: flattened.",
    .params_size = sizeof(cn_opt_int),
    .compose = repeat_interleave_compose,
    .samples = "[2,3] 2 | [2,3] i64<3[3] 1 | [3] 0 | [] 3 | [0,2] 2 dim=0",
};
