/* slicing.c - one part of a tensor along one dimension, as a view, and written. */
#include "ops/compose.h"
#include "ops/params.h"

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

typedef cn_narrow_params Narrow;

/* The dimension and the first place, both counted from 0. */
static bool narrow_of(const Narrow *p, const cn_shape *s, int *dim, int64_t *first)
{
    *dim = cn_wrap_dim(p->dim, s->ndim, "narrow");
    if (*dim < 0) return false;
    int64_t size = s->ndim ? s->dim[*dim] : 0;
    *first = p->start < 0 ? p->start + size : p->start;
    if (*first >= 0 && p->length >= 0 && *first <= size && p->length <= size - *first) return true;
    return cn_fail(CN_EINVALID,
                   "narrow: %lld elements from %lld on are not in dimension %d of size %lld",
                   (long long)p->length, (long long)p->start, *dim, (long long)size);
}

cn_tensor *cn_narrow(cn_tensor *input, int dim, int64_t start, int64_t length)
{
    Narrow p = { dim, start, length };
    int d;
    int64_t first;
    if (!input || !narrow_of(&p, &input->v.shape, &d, &first)) return NULL;
    return cn_slice(input, d, first, first + length, 1);
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

/* input with one slice along dim replaced by src, which lacks that dimension. */
static bool select_scatter_compose(cn_call *c)
{
    const Select *p = c->params;
    cn_tensor *one = cn_select(c->in[0], (int)p->dim, p->index), *src = c->in[1];
    char a[128], b[128];
    if (!one) return false;
    if (!cn_shape_equal(&one->v.shape, &src->v.shape))
        return cn_fail(CN_EINVALID, "select_scatter: the slice has shape %s, src %s",
                       cn_shape_text(&one->v.shape, a), cn_shape_text(&src->v.shape, b));
    int dim = cn_wrap_dim(p->dim, c->in[0]->v.shape.ndim, "select_scatter");
    int64_t at = p->index < 0 ? p->index + c->in[0]->v.shape.dim[dim] : p->index;
    return cn_set_out(c, 0, cn_slice_scatter(c->in[0], cn_unsqueeze(src, dim), dim, at, at + 1));
}

const cn_op cn_op_select_scatter = {
    CN_OP_HEAD(select_scatter, "select_scatter",
               "(Tensor input, Tensor src, int dim, int index) -> Tensor"),
    .doc = "A copy of input whose slice at index along dim is src.",
    .params_size = sizeof(Select),
    .compose = select_scatter_compose,
    .samples = "[4,3] [3] 0 1 | [4,3] [4] -1 -1 | [3] [] 0 2",
};

/* ---- narrow_copy: the way back from cat ----------------------------------------------------- */

static bool narrow_copy_infer(const cn_call *c, cn_spec out[])
{
    const Narrow *p = c->params;
    int dim;
    int64_t first;
    *out = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    if (!narrow_of(p, &out->shape, &dim, &first)) return false;
    if (out->shape.ndim == 0) return cn_fail(CN_EINVALID, "narrow_copy: a 0-d tensor has no parts");
    out->shape.dim[dim] = p->length;
    return true;
}

static bool narrow_copy_kernel(const cn_call *c)
{
    cn_view part = *cn_in(c, 0);
    int dim;
    int64_t first;
    if (!narrow_of(c->params, &part.shape, &dim, &first)) return false;
    if (cn_out(c, 0)->numel)
        part.data += first * part.strides[dim] * (int64_t)cn_dtype_size(part.dtype);
    part.shape.dim[dim] = cn_out(c, 0)->shape.dim[dim];
    cn_view_refresh(&part);
    cn_copy_view(cn_out(c, 0), &part);
    return true;
}

static void narrow_copy_backward(cn_grads *g)
{
    const Narrow *p = cn_grad_params(g);
    int dim;
    int64_t first;
    if (!narrow_of(p, cn_in_shape(g, 0), &dim, &first)) return;
    cn_give(g, 0,
            cn_slice_scatter(cn_zeros_of_in(g, 0), cn_gout(g, 0), dim, first, first + p->length));
}

const cn_op cn_op_narrow_copy = {
    CN_OP_HEAD(narrow_copy, "narrow_copy",
               "(Tensor input, int dim, int start, int length) -> Tensor"),
    .doc = "narrow in memory of its own.",
    .params_size = sizeof(Narrow),
    .flags = CN_ANY_DTYPE | CN_ANY_LAYOUT,
    .infer = narrow_copy_infer,
    .kernel = narrow_copy_kernel,
    .backward = narrow_copy_backward,
    .samples = "[4,3] 0 1 2 | [4,3] -1 -2 1 | [3] 0 3 0",
};

cn_tensor *cn_narrow_copy(cn_tensor *input, int dim, int64_t start, int64_t length)
{
    return CN_CALL(narrow_copy, &((Narrow){ dim, start, length }), input);
}
