/* slicing.c - parts of a tensor along one dimension, as views; flip and roll. */
#include "ops/compose.h"

/* ---- slice --------------------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    cn_opt_int start, end;
    int64_t step;
} Slice;

static int64_t limited(int64_t at, int64_t size)
{
    if (at < 0) at += size;
    return at < 0 ? 0 : at > size ? size : at;
}

/* Python's rule: bounds count from the end when negative, and are cut to the size. */
static bool slice_of(const Slice *p, cn_view *v, const char *what)
{
    if (v->shape.ndim == 0) return cn_fail(CN_EINVALID, "%s: a 0-d tensor has no parts", what);
    int dim = cn_wrap_dim(p->dim, v->shape.ndim, what);
    if (dim < 0) return false;
    if (p->step < 1)
        return cn_fail(CN_EINVALID, "%s: step %lld is not positive", what, (long long)p->step);
    int64_t size = v->shape.dim[dim];
    int64_t first = p->start.given ? limited(p->start.value, size) : 0;
    int64_t last = p->end.given ? limited(p->end.value, size) : size;
    int64_t n = last > first ? (last - first - 1) / p->step + 1 : 0;
    if (n) v->data += first * v->strides[dim] * (int64_t)cn_dtype_size(v->dtype);
    v->shape.dim[dim] = n;
    if (n > 1) v->strides[dim] *= p->step;
    cn_view_refresh(v);
    return true;
}

static bool slice_view(const cn_call *c, cn_view *v)
{
    return slice_of(c->params, v, "slice");
}

static void slice_backward(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(slice_scatter, cn_grad_params(g), cn_zeros_of_in(g, 0), cn_gout(g, 0)));
}

const cn_op cn_op_slice = {
    CN_OP_HEAD(slice, "slice",
               "(Tensor input, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor"),
    .doc = "input[start:end:step] along dim; shares memory.",
    .params_size = sizeof(Slice),
    .flags = CN_ANY_DTYPE,
    .view = slice_view,
    .backward = slice_backward,
    .samples = "[4,3] | [5,3] 0 1 -1 2 | [2,6] 1 start=-3 | [3] 0 2 1 | [0,2] | [4,3] -1 0 100",
};

static bool slice_scatter_infer(const cn_call *c, cn_spec out[])
{
    cn_view part = c->in[0]->v;
    char a[128], b[128];
    if (!slice_of(c->params, &part, "slice_scatter")) return false;
    if (!cn_shape_equal(&part.shape, &c->in[1]->v.shape))
        return cn_fail(CN_EINVALID, "slice_scatter: the slice has shape %s, src %s",
                       cn_shape_text(&part.shape, a), cn_shape_text(&c->in[1]->v.shape, b));
    return cn_infer_same(c, out);
}

static bool slice_scatter_kernel(const cn_call *c)
{
    cn_view part = *cn_out(c, 0);
    cn_copy_view(&part, cn_in(c, 0));
    if (!slice_of(c->params, &part, "slice_scatter")) return false;
    cn_copy_view(&part, cn_in(c, 1));
    return true;
}

static void slice_scatter_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0))
        cn_give(g, 0, CN_CALL(slice_scatter, cn_grad_params(g), gy, cn_zeros_of_in(g, 1)));
    if (cn_wants(g, 1)) cn_give(g, 1, CN_CALL(slice, cn_grad_params(g), gy));
}

const cn_op cn_op_slice_scatter = {
    CN_OP_HEAD(slice_scatter, "slice_scatter",
               "(Tensor input, Tensor src, int dim=0, int? start=None, "
               "int? end=None, int step=1) -> Tensor"),
    .doc = "A copy of input whose slice is src: the gradient of slice.",
    .params_size = sizeof(Slice),
    .flags = CN_ANY_DTYPE,
    .infer = slice_scatter_infer,
    .kernel = slice_scatter_kernel,
    .backward = slice_scatter_backward,
    .samples = "[4,3] [4,3] | [5,3] [2,3] 0 1 -1 2 | [2,6] [2,3] 1 start=-3 | [0,2] [0,2]",
};

cn_tensor *cn_slice(cn_tensor *input, int dim, int64_t start, int64_t end, int64_t step)
{
    Slice p = { dim, { true, start }, { true, end }, step };
    return CN_CALL(slice, &p, input);
}

cn_tensor *cn_slice_scatter(cn_tensor *input, cn_tensor *src, int dim, int64_t start, int64_t end)
{
    Slice p = { dim, { true, start }, { true, end }, 1 };
    return CN_CALL(slice_scatter, &p, input, src);
}

/* ---- narrow, select ------------------------------------------------------------------------ */

typedef struct {
    int64_t dim, start, length;
} Narrow;

cn_tensor *cn_narrow(cn_tensor *input, int dim, int64_t start, int64_t length)
{
    if (!input) return NULL;
    int d = cn_wrap_dim(dim, input->v.shape.ndim, "narrow");
    if (d < 0) return NULL;
    int64_t size = input->v.shape.ndim ? input->v.shape.dim[d] : 0,
            first = start < 0 ? start + size : start;
    if (first >= 0 && length >= 0 && first <= size && length <= size - first)
        return cn_slice(input, d, first, first + length, 1);
    cn_fail(CN_EINVALID, "narrow: %lld elements from %lld on are not in dimension %d of size %lld",
            (long long)length, (long long)start, d, (long long)size);
    return NULL;
}

static bool narrow_compose(cn_call *c)
{
    const Narrow *p = c->params;
    return cn_set_out(c, 0, cn_narrow(c->in[0], (int)p->dim, p->start, p->length));
}

const cn_op cn_op_narrow = {
    CN_OP_HEAD(narrow, "narrow", "(Tensor input, int dim, int start, int length) -> Tensor"),
    .doc = "length elements along dim from start on; shares memory.",
    .params_size = sizeof(Narrow),
    .compose = narrow_compose,
    .samples = "[4,3] 0 1 2 | [4,3] -1 -2 1 | [3] 0 3 0",
};

typedef struct {
    int64_t dim, index;
} Select;

cn_tensor *cn_select(cn_tensor *input, int dim, int64_t index)
{
    if (!input) return NULL;
    int d = input->v.shape.ndim ? cn_wrap_dim(dim, input->v.shape.ndim, "select") : -1;
    if (input->v.shape.ndim == 0)
        cn_fail(CN_EINVALID, "select: a 0-d tensor has no dimension to select in");
    if (d < 0) return NULL;
    int64_t size = input->v.shape.dim[d], at = index < 0 ? index + size : index;
    if (at >= 0 && at < size) return cn_squeeze(cn_slice(input, d, at, at + 1, 1), CN_SHAPE(d));
    cn_fail(CN_EINVALID, "select: index %lld is outside dimension %d of size %lld",
            (long long)index, d, (long long)size);
    return NULL;
}

static bool select_compose(cn_call *c)
{
    const Select *p = c->params;
    return cn_set_out(c, 0, cn_select(c->in[0], (int)p->dim, p->index));
}

const cn_op cn_op_select = {
    CN_OP_HEAD(select, "select", "(Tensor input, int dim, int index) -> Tensor"),
    .doc = "One slice along dim, without that dimension; shares memory.",
    .params_size = sizeof(Select),
    .compose = select_compose,
    .samples = "[4,3] 0 1 | [4,3] -1 -1 | [3] 0 2",
};

/* ---- lists of parts ------------------------------------------------------------------------ */

static bool unbind_compose(cn_call *c)
{
    const cn_shape *s = &c->in[0]->v.shape;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, s->ndim, "unbind");
    bool ok = dim >= 0 && cn_room_for(c, s->dim[dim]);
    for (int64_t i = 0; ok && i < s->dim[dim]; i++)
        ok = cn_set_out(c, (int)i, cn_select(c->in[0], dim, i));
    return ok;
}

const cn_op cn_op_unbind = {
    CN_OP_HEAD(unbind, "unbind", "(Tensor input, int dim=0) -> Tensor[]"),
    .doc = "The slices along dim, without that dimension.",
    .params_size = sizeof(int64_t),
    .compose = unbind_compose,
    .samples = "[4,3] | [4,3] dim=-1 | [0,2] 1",
};

static bool parts_of_size(cn_call *c, int64_t size, int64_t dim)
{
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    const cn_shape *s = &c->in[0]->v.shape;
    int d = cn_wrap_dim(dim, s->ndim, c->op->name);
    if (d < 0) return false;
    int64_t n = s->dim[d], count = n && size > 0 ? (n - 1) / size + 1 : 1;
    if (size < 0 || (size == 0 && n))
        return cn_fail(CN_EINVALID, "%s: parts of size %lld", c->op->name, (long long)size);
    bool ok = cn_room_for(c, count);
    for (int64_t i = 0; ok && i < count; i++) {
        int64_t first = i * size, length = n - first < size ? n - first : size;
        ok = cn_set_out(c, (int)i, cn_narrow(c->in[0], d, first, length));
    }
    return ok;
}

typedef struct {
    cn_ints sizes;
    int64_t dim;
} Split;

static bool parts_of_sizes(cn_call *c, const Split *p)
{
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(p->dim, s->ndim, c->op->name);
    int64_t first = 0;
    if (dim < 0) return false;
    for (int i = 0; i < p->sizes.n; first += p->sizes.v[i++])
        if (!cn_set_out(c, i, cn_narrow(c->in[0], dim, first, p->sizes.v[i]))) return false;
    if (first == s->dim[dim]) return true;
    return cn_fail(CN_EINVALID, "%s: the parts have %lld elements together, dimension %d has %lld",
                   c->op->name, (long long)first, dim, (long long)s->dim[dim]);
}

static bool split_compose(cn_call *c)
{
    const Split *p = c->params;
    return p->sizes.n == 1 ? parts_of_size(c, p->sizes.v[0], p->dim) : parts_of_sizes(c, p);
}

const cn_op cn_op_split = {
    CN_OP_HEAD(split, "split",
               "(Tensor input, int[] split_size_or_sections, int dim=0) -> Tensor[]"),
    .doc = "Parts along dim, of one size (the last may be smaller) or of the sizes listed.",
    .params_size = sizeof(Split),
    .compose = split_compose,
    .samples = "[5,3] 2 | [4,3] (1,3) | [2,4] 4 dim=-1 | [0,2] 2",
};

static bool split_with_sizes_compose(cn_call *c)
{
    return parts_of_sizes(c, c->params);
}

const cn_op cn_op_split_with_sizes = {
    CN_OP_HEAD(split_with_sizes, "split_with_sizes",
               "(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]"),
    .doc = "Parts of the sizes listed along dim.",
    .params_size = sizeof(Split),
    .compose = split_with_sizes_compose,
    .samples = "[4,3] (1,3) | [2,4] (4,) dim=-1",
};

typedef struct {
    int64_t chunks, dim;
} Chunk;

static bool chunk_compose(cn_call *c)
{
    const Chunk *p = c->params;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(p->dim, s->ndim, "chunk");
    if (dim < 0) return false;
    if (p->chunks < 1) return cn_fail(CN_EINVALID, "chunk: %lld chunks", (long long)p->chunks);
    return parts_of_size(c, (s->dim[dim] + p->chunks - 1) / p->chunks, dim);
}

const cn_op cn_op_chunk = {
    CN_OP_HEAD(chunk, "chunk", "(Tensor input, int chunks, int dim=0) -> Tensor[]"),
    .doc =
        "At most `chunks` parts of equal size along dim, the last one smaller where it does not divide.",
    .params_size = sizeof(Chunk),
    .compose = chunk_compose,
    .samples = "[5,3] 2 | [2,6] 3 dim=-1 | [2] 4",
};

int cn_split(cn_tensor *input, int64_t size, int dim, cn_tensor *parts[], int room)
{
    int d = input && input->v.shape.ndim ? cn_wrap_dim(dim, input->v.shape.ndim, "split") : -1;
    if (d < 0 || size < 1) {
        if (input)
            cn_fail(CN_EINVALID, "split: parts of size %lld along dim %d", (long long)size, dim);
        return -1;
    }
    int64_t n = input->v.shape.dim[d], count = n ? (n - 1) / size + 1 : 1;
    if (count > room) {
        cn_fail(CN_EINVALID, "split: %lld parts, but there is room for %d", (long long)count, room);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        int64_t first = i * size;
        parts[i] = cn_narrow(input, d, first, n - first < size ? n - first : size);
        if (!parts[i]) return -1;
    }
    return (int)count;
}

/* ---- flip, roll ---------------------------------------------------------------------------- */

static bool flip_infer(const cn_call *c, cn_spec out[])
{
    unsigned mask;
    const cn_ints *dims = c->params;
    if (dims->n > 0 && !cn_dims_mask(dims, c->in[0]->v.shape.ndim, "flip", &mask)) return false;
    return cn_infer_same(c, out);
}

/* Read from the last element on, with negative strides. */
static bool flip_kernel(const cn_call *c)
{
    cn_view v = *cn_in(c, 0);
    const cn_ints *dims = c->params;
    for (int i = 0; i < dims->n && v.shape.ndim && v.numel; i++) {
        int d = cn_wrap_dim(dims->v[i], v.shape.ndim, "flip");
        v.data += (v.shape.dim[d] - 1) * v.strides[d] * (int64_t)cn_dtype_size(v.dtype);
        v.strides[d] = -v.strides[d];
    }
    cn_view_refresh(&v);
    cn_copy_view(cn_out(c, 0), &v);
    return true;
}

static void flip_backward(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(flip, cn_grad_params(g), cn_gout(g, 0)));
}

const cn_op cn_op_flip = {
    CN_OP_HEAD(flip, "flip", "(Tensor input, int[] dims) -> Tensor"),
    .doc = "The elements in reverse order along dims; a copy.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE,
    .infer = flip_infer,
    .kernel = flip_kernel,
    .backward = flip_backward,
    .samples = "[2,3] (0,1) | [2,3,4] (-2,) | [] (0,) | [0,2] (0,) | [3] () | bool[3] 0",
};

cn_tensor *cn_flip(cn_tensor *input, cn_shape dims)
{
    cn_ints p = cn_ints_of(&dims);
    return CN_CALL(flip, &p, input);
}

typedef struct {
    cn_ints shifts, dims;
} Roll;

/* The last `shift` elements come first. */
static cn_tensor *roll_one(cn_tensor *t, int64_t shift, int dim)
{
    int64_t n = t && t->v.shape.ndim ? t->v.shape.dim[dim] : 0;
    if (n == 0) return t;
    int64_t k = (shift % n + n) % n;
    cn_tensor *parts[] = { cn_narrow(t, dim, n - k, k), cn_narrow(t, dim, 0, n - k) };
    return cn_cat(parts, 2, dim);
}

static bool roll_compose(cn_call *c)
{
    const Roll *p = c->params;
    cn_tensor *t = c->in[0];
    const cn_shape s = t->v.shape;
    if (p->dims.n == 0 && p->shifts.n == 1)
        return cn_set_out(
            c, 0, cn_reshape(roll_one(cn_reshape(t, CN_SHAPE(t->v.numel)), p->shifts.v[0], 0), s));
    if (p->dims.n != p->shifts.n)
        return cn_fail(CN_EINVALID, "roll: %lld shifts for %lld dims", (long long)p->shifts.n,
                       (long long)p->dims.n);
    for (int i = 0; i < p->dims.n && t; i++) {
        int dim = cn_wrap_dim(p->dims.v[i], s.ndim, "roll");
        t = dim < 0 ? NULL : roll_one(t, p->shifts.v[i], dim);
    }
    return cn_set_out(c, 0, t);
}

const cn_op cn_op_roll = {
    CN_OP_HEAD(roll, "roll", "(Tensor input, int[] shifts, int[] dims=()) -> Tensor"),
    .doc =
        "Shifts along dims; what leaves at one end enters at the other. Without dims: flattened.",
    .params_size = sizeof(Roll),
    .compose = roll_compose,
    .samples = "[2,3] (1,) | [2,3] (1,2) (0,1) | [2,3] -5 dims=-2 | [0,2] (1,) 0",
};
