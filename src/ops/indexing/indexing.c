/* indexing.c - gather and scatter, and the ops that index one dimension, which are made of them. */
#include "ops/indexing/along.h"

#include <string.h>

/* ---- the walk: lines along dim, each on its own, so that equal indices meet in order ------- */

typedef struct {
    int64_t n, index, other, data; /* length and steps in bytes, along dim */
} Line;

typedef struct {
    cn_view index, other, data;
    const cn_view *view[3];
    Line line;
} Views;

#define WAY take
#define MOVE *o = *d
#include "ops/along.inc"

#define WAY put
#define MOVE *d = *o
#include "ops/along.inc"

#define WAY put_sum
#define MOVE *d = (T)(*d + *o)
#include "ops/along.inc"

#define WAY put_product
#define MOVE *d = (T)(*d * *o)
#include "ops/along.inc"

#define WAY put_largest
#define MOVE                                                                                       \
    if (*o > *d || CN_IS_NAN(*o)) *d = *o
#include "ops/along.inc"

#define WAY put_smallest
#define MOVE                                                                                       \
    if (*o < *d || CN_IS_NAN(*o)) *d = *o
#include "ops/along.inc"

static int64_t step_along(const cn_view *v, int dim)
{
    return v->strides[dim] * (int64_t)cn_dtype_size(v->dtype);
}

/* A number counts as a vector of one. */
static cn_view with_dims(const cn_view *v)
{
    cn_view r = *v;
    if (r.shape.ndim == 0) r.shape = CN_SHAPE(1), r.strides[0] = 1;
    return r;
}

/* All three get the index's shape, with size 1 along dim. */
static void view_lines(Views *v, const cn_view *index, const cn_view *other, const cn_view *data,
                       int dim)
{
    v->index = with_dims(index), v->other = with_dims(other), v->data = with_dims(data);
    v->line = (Line){ v->index.shape.dim[dim], step_along(&v->index, dim),
                      step_along(&v->other, dim), step_along(&v->data, dim) };
    v->index.shape.dim[dim] = 1;
    cn_view_refresh(&v->index);
    v->other.shape = v->data.shape = v->index.shape;
    v->view[0] = &v->index, v->view[1] = &v->other, v->view[2] = &v->data;
}

/* Repeated elements are looked at once. */
static bool indices_inside(const cn_view *index, int64_t size, const char *what)
{
    size_t mark = cn_mark();
    cn_view v = *index;
    for (int i = 0; i < v.shape.ndim; i++)
        if (v.strides[i] == 0 && v.shape.dim[i] > 1) v.shape.dim[i] = 1;
    cn_view_refresh(&v);
    cn_tensor *rows = cn_tensor_new(&v.shape, CN_I64);
    if (rows) cn_copy_view(&rows->v, &v);
    const int64_t *p = rows ? (const int64_t *)(const void *)rows->v.data : NULL;
    bool ok = rows != NULL;
    for (int64_t i = 0; ok && i < v.numel; i++)
        if (p[i] < 0 || p[i] >= size)
            ok = cn_fail(CN_EINVALID, "%s: index %lld is outside 0 .. %lld", what, (long long)p[i],
                         (long long)size - 1);
    cn_release(mark);
    return ok;
}

/* Is every size of the index at most that of `of`, dimension `except` apart? */
static bool fits(const cn_call *c, const cn_shape *index, const cn_shape *of, int except)
{
    char a[128], b[128];
    bool ok = index->ndim == of->ndim;
    if (!ok && index->ndim <= 1 && of->ndim <= 1) /* a number counts as a vector of one */
        return except == 0 || index->ndim == 0 || index->dim[0] <= 1 ||
               cn_fail(CN_EINVALID, "%s: %lld indices do not fit a number", c->op->name,
                       (long long)index->dim[0]);
    for (int i = 0; ok && i < index->ndim; i++) ok = i == except || index->dim[i] <= of->dim[i];
    return ok || cn_fail(CN_EINVALID, "%s: an index of shape %s does not fit %s", c->op->name,
                         cn_shape_text(index, a), cn_shape_text(of, b));
}

static int64_t size_along(const cn_shape *s, int dim)
{
    return s->ndim ? s->dim[dim] : 1;
}

static bool index_usable(const cn_call *c, const cn_tensor *index)
{
    return cn_dtype_category(index->v.dtype) == CN_CAT_INT ||
           cn_fail(CN_EINVALID, "%s: the index must hold integers, not %s", c->op->name,
                   cn_dtype_name(index->v.dtype));
}

/* ---- gather -------------------------------------------------------------------------------- */

static bool gather_infer(const cn_call *c, cn_spec out[])
{
    const cn_shape *s = &c->in[0]->v.shape, *index = &c->in[1]->v.shape;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, s->ndim, "gather");
    if (dim < 0 || !index_usable(c, c->in[1])) return false;
    if (c->in[1]->v.numel && !fits(c, index, s, dim)) return false;
    *out = (cn_spec){ c->in[0]->v.dtype, *index };
    return true;
}

static bool gather_kernel(const cn_call *c)
{
    const cn_view *data = cn_in(c, 0), *index = cn_in(c, 1);
    if (index->numel == 0) return true;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, data->shape.ndim, "gather");
    if (!indices_inside(index, size_along(&data->shape, dim), "gather")) return false;
    Views v;
    view_lines(&v, index, cn_out(c, 0), data, dim);
    take(&v, data->dtype);
    return true;
}

static void gather_backward(cn_grads *g)
{
    int dim = (int)*(const int64_t *)cn_grad_params(g);
    cn_give(g, 0, cn_scatter_add(cn_zeros_of_in(g, 0), dim, cn_saved_in(g, 1), cn_gout(g, 0)));
}

const cn_op cn_op_gather = {
    CN_OP_HEAD(gather, "gather", "(Tensor input, int dim, Tensor index) -> Tensor"),
    .doc = "Picks along dim: with dim 1, out[i][j] = input[i][index[i][j]].",
    .params_size = sizeof(int64_t),
    .infer = gather_infer,
    .kernel = gather_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = gather_backward,
    .samples = "[3,4] 1 i64<4[3,2] | [3,4] 0 i64<3[2,4] | [3,2,2] -1 i64<2[2,2,5] | [] 0 i64<1[] | "
               "[3,2] 0 i64<3[0,2]",
};

cn_tensor *cn_gather(cn_tensor *input, int dim, cn_tensor *index)
{
    return CN_CALL(gather, &(int64_t){ dim }, input, index);
}

/* ---- put: scatter and its reductions ------------------------------------------------------- */

typedef struct {
    int64_t dim, how; /* a cn_put_how */
} Put;

static bool put_infer(const cn_call *c, cn_spec out[])
{
    const Put *p = c->params;
    const cn_view *data = cn_in(c, 0), *index = cn_in(c, 1), *src = cn_in(c, 2);
    int dim = cn_wrap_dim(p->dim, data->shape.ndim, c->op->name);
    if (dim < 0 || !index_usable(c, c->in[1])) return false;
    if (index->numel &&
        (!fits(c, &index->shape, &data->shape, dim) || !fits(c, &index->shape, &src->shape, -1)))
        return false;
    if (src->dtype != data->dtype)
        return cn_fail(CN_EINVALID, "%s: input is %s, src %s: both must have the same dtype",
                       c->op->name, cn_dtype_name(data->dtype), cn_dtype_name(src->dtype));
    return cn_infer_same(c, out);
}

static bool put_kernel(const cn_call *c)
{
    const Put *p = c->params;
    const cn_view *y = cn_out(c, 0), *index = cn_in(c, 1);
    cn_copy_view(y, cn_in(c, 0));
    if (index->numel == 0) return true;
    int dim = cn_wrap_dim(p->dim, y->shape.ndim, c->op->name);
    if (!indices_inside(index, size_along(&y->shape, dim), c->op->name)) return false;
    Views v;
    view_lines(&v, index, cn_in(c, 2), y, dim);
    switch ((cn_put_how)p->how) {
    case CN_PUT_REPLACE: put(&v, y->dtype); break;
    case CN_PUT_SUM: put_sum(&v, y->dtype); break;
    case CN_PUT_PRODUCT: put_product(&v, y->dtype); break;
    case CN_PUT_LARGEST: put_largest(&v, y->dtype); break;
    case CN_PUT_SMALLEST: put_smallest(&v, y->dtype); break;
    }
    return true;
}

/* The gradient of src, which may reach beyond the index. */
static cn_tensor *widened(cn_tensor *picked, const cn_shape *whole)
{
    for (int i = 0; picked && i < whole->ndim; i++) {
        cn_shape wide = picked->v.shape;
        int64_t size = wide.dim[i];
        wide.dim[i] = whole->dim[i];
        if (size < wide.dim[i])
            picked = cn_slice_scatter(cn_zeros(wide, picked->v.dtype), picked, i, 0, size);
    }
    return picked;
}

/* What was overwritten has no part in the result. */
static void put_backward(cn_grads *g)
{
    const Put *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0), *index = cn_saved_in(g, 1), *zero = cn_number_i64(0);
    if (cn_wants(g, 0))
        cn_give(g, 0, p->how == CN_PUT_SUM ? gy : cn_scatter(gy, (int)p->dim, index, zero));
    if (cn_wants(g, 2))
        cn_give(g, 2, widened(cn_gather(gy, (int)p->dim, index), cn_in_shape(g, 2)));
}

const cn_op cn_op_put_along = {
    CN_OP_HEAD(put_along, "put_along",
               "(Tensor input, int dim, Tensor index, Tensor src, int how=0) -> Tensor"),
    .doc = "input with src put in, or added, where index says along dim: what scatter is made of.",
    .params_size = sizeof(Put),
    .infer = put_infer,
    .kernel = put_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = put_backward,
    .samples = "[3,4] 1 i64<4[3,1] [3,1] | [3,4] 0 i64<3[2,4] [2,4] 1 | [4] 0 i64<4[6] [6] 1 | "
               "[] 0 i64<1[] [] | [3,2] 0 i64<3[0,2] [0,2] | [3,3] 0 i64<3[2,2] [3,4] 1",
};

/* src as the kernel takes it: of the input's type; a number is repeated. */
static cn_tensor *fit_source(cn_tensor *src, const cn_tensor *like, const cn_shape *shape)
{
    if (src && src->is_number) src = cn_to(src, like->v.dtype);
    return src && src->v.shape.ndim == 0 ? cn_expand(src, *shape) : src;
}

cn_tensor *cn_fit_index(cn_tensor *src, const cn_tensor *index)
{
    if (!src || src->v.shape.ndim != index->v.shape.ndim) return src;
    for (int i = 0; src && i < index->v.shape.ndim; i++)
        if (src->v.shape.dim[i] > index->v.shape.dim[i])
            src = cn_narrow(src, i, 0, index->v.shape.dim[i]);
    return src;
}

cn_tensor *cn_put_along(cn_tensor *input, int64_t dim, cn_tensor *index, cn_tensor *src,
                        cn_put_how how)
{
    if (!input || !index) return NULL;
    Put p = { dim, how };
    src = fit_source(src, input, &index->v.shape);
    if (how == CN_PUT_SUM &&
        input->v.dtype == CN_BOOL) { /* a sum of truths: is any of them true? */
        p.how = how = CN_PUT_LARGEST;
        src = cn_fit_index(src, index);
    }
    if (how <= CN_PUT_SUM) return CN_CALL(put_along, &p, input, index, src);
    return CN_CALL(reduce_along, &p, input, index, src);
}

/* ---- put with a product or an extreme ------------------------------------------------------ */

/* The product of what meets src[i] at its place, src[i] apart: by division, unless src[i] is 0. */
static cn_tensor *others_product(cn_grads *g, const Put *p)
{
    cn_tensor *x = cn_saved_in(g, 0), *index = cn_saved_in(g, 1), *src = cn_saved_in(g, 2);
    int dim = (int)p->dim;
    cn_tensor *zero = cn_eq(src, cn_number_i64(0)), *none = cn_number_i64(0);
    cn_tensor *rest = cn_where(zero, cn_number_i64(1), src);
    cn_tensor *product = cn_gather(cn_put_along(x, dim, index, rest, CN_PUT_PRODUCT), dim, index);
    cn_tensor *flags = src ? cn_to(zero, src->v.dtype) : NULL;
    cn_tensor *zeros = cn_scatter_add(cn_zeros_of_in(g, 0), dim, index, flags);
    cn_tensor *others = cn_sub(cn_gather(zeros, dim, index), flags); /* zeros beside this one */
    return cn_where(cn_eq(others, none), cn_div(product, rest), none);
}

/* What is extreme shares the gradient with its equals. */
static void extreme_backward(cn_grads *g, const Put *p)
{
    cn_tensor *index = cn_saved_in(g, 1), *gy = cn_gout(g, 0), *y = cn_saved_out(g, 0);
    int dim = (int)p->dim;
    cn_tensor *mine = cn_eq(cn_saved_in(g, 0), y);
    cn_tensor *theirs = cn_eq(cn_saved_in(g, 2), cn_gather(y, dim, index));
    if (!mine || !theirs) return;
    mine = cn_to(mine, gy->v.dtype), theirs = cn_to(theirs, gy->v.dtype);
    cn_tensor *share = cn_div(gy, cn_scatter_add(mine, dim, index, theirs));
    if (cn_wants(g, 0)) cn_give(g, 0, cn_mul(share, mine));
    if (cn_wants(g, 2)) cn_give(g, 2, cn_mul(cn_gather(share, dim, index), theirs));
}

static void reduce_backward(cn_grads *g)
{
    const Put *p = cn_grad_params(g);
    cn_tensor *gy = cn_gout(g, 0), *index = cn_saved_in(g, 1), *src = cn_saved_in(g, 2);
    if (p->how != CN_PUT_PRODUCT) {
        extreme_backward(g, p);
        return;
    }
    if (cn_wants(g, 0)) {
        cn_tensor *ones = cn_ones(*cn_in_shape(g, 0), cn_in_dtype(g, 0));
        cn_give(g, 0, cn_mul(gy, cn_put_along(ones, p->dim, index, src, CN_PUT_PRODUCT)));
    }
    if (cn_wants(g, 2))
        cn_give(g, 2, cn_mul(cn_gather(gy, (int)p->dim, index), others_product(g, p)));
}

const cn_op cn_op_reduce_along = {
    CN_OP_HEAD(reduce_along, "reduce_along",
               "(Tensor input, int dim, Tensor index, Tensor src, int how) -> Tensor"),
    .doc = "input with src multiplied in (how 2), or the larger (3) or smaller (4) of both, where "
           "index says along dim; src has the index's shape.",
    .params_size = sizeof(Put),
    .infer = put_infer,
    .kernel = put_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2) | CN_SAVE_OUT(0),
    .backward = reduce_backward,
    .samples = "[3,4] 1 i64<4[3,6] [3,6] 2 | [3,4] 0 i64<3[5,4] [5,4] 3 | [4] 0 i64<4[6] [6] 4 | "
               "[] 0 i64<1[] [] 2 | [3,2] 0 i64<3[0,2] [0,2] 3",
};

/* ---- scatter ------------------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    const char *reduce;
} Scatter;

static bool scatter_compose(cn_call *c)
{
    const Scatter *p = c->params;
    cn_tensor *src = c->in[2] ? c->in[2] : c->in[3];
    cn_put_how how = CN_PUT_REPLACE;
    if (!src) return cn_fail(CN_EINVALID, "scatter: neither src nor value is given");
    if (p->reduce && strcmp(p->reduce, "add") == 0) how = CN_PUT_SUM;
    else if (p->reduce && strcmp(p->reduce, "multiply") == 0) how = CN_PUT_PRODUCT;
    else if (p->reduce)
        return cn_fail(CN_EINVALID, "scatter: reduce must be 'add' or 'multiply', not '%s'",
                       p->reduce);
    if (how == CN_PUT_PRODUCT) src = cn_fit_index(src, c->in[1]);
    return cn_set_out(c, 0, cn_put_along(c->in[0], p->dim, c->in[1], src, how));
}

const cn_op cn_op_scatter = {
    CN_OP_HEAD(
        scatter, "scatter",
        "(Tensor input, int dim, Tensor index, Tensor|Scalar? src=None, Tensor|Scalar? value=None, *, "
        "str? reduce=None) -> Tensor"),
    .doc = "input with src (or one value) put where index says along dim: the inverse of gather.",
    .params_size = sizeof(Scatter),
    .optional = CN_SAVE_IN(2) | CN_SAVE_IN(3),
    .compose = scatter_compose,
    .samples = "[3,4] 1 i64<4[3,1] [3,1] | [3,4] 0 i64<3[1,4] value=2 | [3,4] 0 i64<3[5,4] 1.5 | "
               "[3] 0 i64<3[5] [5] reduce=add | bool[3] 0 i64<3[2] bool[5] reduce=add",
};

static bool scatter_add_compose(cn_call *c)
{
    return cn_set_out(
        c, 0, cn_put_along(c->in[0], *(const int64_t *)c->params, c->in[1], c->in[2], CN_PUT_SUM));
}

const cn_op cn_op_scatter_add = {
    CN_OP_HEAD(scatter_add, "scatter_add",
               "(Tensor input, int dim, Tensor index, Tensor src) -> Tensor"),
    .doc = "input with src added where index says along dim: the gradient of gather.",
    .params_size = sizeof(int64_t),
    .compose = scatter_add_compose,
    .samples = "[3,4] 1 i64<4[3,6] [3,6] | [3,4] 0 i64<3[5,4] [5,4] | [] 0 i64<1[] []",
};

cn_tensor *cn_scatter(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src)
{
    return cn_put_along(input, dim, index, src, CN_PUT_REPLACE);
}

cn_tensor *cn_scatter_add(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src)
{
    return cn_put_along(input, dim, index, src, CN_PUT_SUM);
}

/* ---- whole slices: the index, a vector, is repeated over the other dimensions -------------- */

cn_tensor *cn_repeated_index(cn_tensor **input, int64_t given, cn_tensor *index, int *dim,
                             const char *what)
{
    if (!*input || !index) return NULL;
    cn_tensor *t = (*input)->v.shape.ndim ? *input : cn_reshape(*input, CN_SHAPE(1));
    *dim = t ? cn_wrap_dim(given, t->v.shape.ndim, what) : -1;
    if (*dim < 0) return NULL;
    if (index->v.shape.ndim > 1) {
        cn_fail(CN_EINVALID, "%s: the index must be a vector, not %d-dimensional", what,
                index->v.shape.ndim);
        return NULL;
    }
    cn_shape full = t->v.shape, line = cn_shape_along(full.ndim, *dim, index->v.numel);
    full.dim[*dim] = index->v.numel;
    *input = t;
    return cn_expand(cn_reshape(index, line), full);
}

cn_tensor *cn_index_select(cn_tensor *input, int dim, cn_tensor *index)
{
    cn_tensor *t = input;
    cn_tensor *all = cn_repeated_index(&t, dim, index, &dim, "index_select");
    cn_tensor *y = all ? cn_gather(t, dim, all) : NULL;
    if (y && input->v.shape.ndim == 0 && y->v.numel == 1) y = cn_reshape(y, cn_scalar_shape());
    return y;
}

static bool index_select_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_index_select(c->in[0], (int)*(const int64_t *)c->params, c->in[1]));
}

const cn_op cn_op_index_select = {
    CN_OP_HEAD(index_select, "index_select", "(Tensor input, int dim, Tensor index) -> Tensor"),
    .doc = "The slices along dim that index, a vector, names.",
    .params_size = sizeof(int64_t),
    .compose = index_select_compose,
    .samples =
        "[4,3] 0 i64<4[6] | [2,4,3] 1 i64<4[2] | [3] -1 i64<3[0] | [] 0 i64<1[1] | [2,3] 1 i32<3[2]",
};

bool cn_slices_fit(cn_tensor *src, const cn_tensor *index, const char *what)
{
    char a[128], b[128];
    if (!src || !index) return false;
    if (cn_shape_equal(&src->v.shape, &index->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: slices of shape %s are wanted, not %s", what,
                   cn_shape_text(&index->v.shape, a), cn_shape_text(&src->v.shape, b));
}

/* Puts (or adds) slices; src has them along dim. */
static cn_tensor *put_slices(cn_tensor *input, int64_t dim, cn_tensor *index, cn_tensor *src,
                             cn_put_how how, const char *what)
{
    cn_tensor *t = input, *all;
    int d;
    if (!src || !(all = cn_repeated_index(&t, dim, index, &d, what))) return NULL;
    if (src->v.shape.ndim == 0) src = cn_reshape(src, CN_SHAPE(1));
    if (!cn_slices_fit(src, all, what)) return NULL;
    cn_tensor *y = cn_put_along(t, d, all, src, how);
    return y ? cn_reshape(y, input->v.shape) : NULL;
}

typedef struct {
    int64_t dim;
    cn_number_arg alpha;
} IndexAdd;

static bool index_add_compose(cn_call *c)
{
    const IndexAdd *p = c->params;
    cn_tensor *src = cn_scaled_in_type(c->in[2], &p->alpha);
    return cn_set_out(c, 0, put_slices(c->in[0], p->dim, c->in[1], src, CN_PUT_SUM, "index_add"));
}

const cn_op cn_op_index_add = {
    CN_OP_HEAD(index_add, "index_add",
               "(Tensor input, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor"),
    .doc = "input with alpha times the slices of source added to those index names.",
    .params_size = sizeof(IndexAdd),
    .compose = index_add_compose,
    .samples = "[4,3] 0 i64<4[6] [6,3] | [2,4] 1 i64<4[2] [2,2] alpha=-2.5 | [] 0 i64<1[1] [1] | "
               "i64<9[4] 0 i64<4[6] i64<9[6] alpha=-2 | bool[4] 0 i64<4[2] bool[2] alpha=True",
};

static bool index_copy_compose(cn_call *c)
{
    int64_t dim = *(const int64_t *)c->params;
    return cn_set_out(c, 0,
                      put_slices(c->in[0], dim, c->in[1], c->in[2], CN_PUT_REPLACE, c->op->name));
}

const cn_op cn_op_index_copy = {
    CN_OP_HEAD(index_copy, "index_copy",
               "(Tensor input, int dim, Tensor index, Tensor source) -> Tensor"),
    .doc = "input with the slices that index names replaced by those of source.",
    .params_size = sizeof(int64_t),
    .compose = index_copy_compose,
    .samples = "[4,3] 0 i64<4[1] [1,3] | [2,4] -1 i64<4[1] [2,1]",
};

/* By a mask: a place that is named twice takes the value once, and so does the gradient. */
static bool index_fill_compose(cn_call *c)
{
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, s->ndim, "index_fill");
    if (dim < 0) return false;
    if (!index_usable(c, c->in[1]) || !cn_want_dims(c, 1, 0, 1)) return false;
    cn_tensor *mask = cn_zeros(CN_SHAPE(size_along(s, dim)), CN_BOOL);
    cn_tensor *at = cn_wrapped_index(c->in[1], size_along(s, dim));
    mask = cn_scatter(mask, 0, at, cn_number_bool(true));
    return cn_set_out(
        c, 0,
        cn_masked_fill(c->in[0], cn_reshape(mask, cn_shape_along(s->ndim, dim, size_along(s, dim))),
                       c->in[2]));
}

const cn_op cn_op_index_fill = {
    CN_OP_HEAD(index_fill, "index_fill",
               "(Tensor input, int dim, Tensor index, Tensor|Scalar value) -> Tensor"),
    .doc = "input with the slices that index names set to one value.",
    .params_size = sizeof(int64_t),
    .compose = index_fill_compose,
    .samples = "[4,3] 0 i64<4[2] 1.5 | [2,4] 1 i64<4[3] [] | [] 0 i64<1[1] 2",
};

cn_tensor *cn_index_add(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *source)
{
    return put_slices(input, dim, index, source, CN_PUT_SUM, "index_add");
}

cn_tensor *cn_index_copy(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *source)
{
    return put_slices(input, dim, index, source, CN_PUT_REPLACE, "index_copy");
}

/* ---- take_along_dim ------------------------------------------------------------------------ */

static bool take_along_dim_compose(cn_call *c)
{
    const cn_opt_int *dim = c->params;
    cn_tensor *t = c->in[0], *at = c->in[1];
    if (!dim->given)
        return cn_set_out(c, 0,
                          cn_gather(cn_reshape(t, CN_SHAPE(t->v.numel)), 0,
                                    cn_reshape(at, CN_SHAPE(at->v.numel))));
    int d = cn_wrap_dim(dim->value, t->v.shape.ndim, "take_along_dim");
    if (d < 0) return false;
    if (at->v.shape.ndim != t->v.shape.ndim)
        return cn_fail(CN_EINVALID,
                       "take_along_dim: input and indices must have as many dimensions");
    cn_shape a = t->v.shape, b = at->v.shape, both;
    if (a.ndim) a.dim[d] = b.dim[d] = 1;
    if (!cn_shape_broadcast(&a, &b, &both, "take_along_dim")) return false;
    a = b = both;
    if (a.ndim) a.dim[d] = t->v.shape.dim[d], b.dim[d] = at->v.shape.dim[d];
    return cn_set_out(c, 0, cn_gather(cn_expand(t, a), d, cn_expand(at, b)));
}

const cn_op cn_op_take_along_dim = {
    CN_OP_HEAD(take_along_dim, "take_along_dim",
               "(Tensor input, Tensor indices, int? dim=None) -> Tensor"),
    .doc = "gather whose operands broadcast; without dim both are flattened.",
    .params_size = sizeof(cn_opt_int),
    .compose = take_along_dim_compose,
    .samples = "[3,4] i64<4[1,2] 1 | [3,4] i64<12[5] | [1,4] i64<4[3,2] dim=-1",
};
