/* resize.c - resizing along one dimension: each element of the result is a weighted sum of a few of
   the input. All ways of interpolating are this, one dimension after the other; they differ in the
   table of places and weights. */
#include "ops/layers/resize.h"

#include <math.h>
#include <string.h>

typedef struct {
    char *x, *y; /* (outer, size, inner); (outer, out, inner) */
    int64_t size, out, inner;
    int64_t taps; /* how many places each output has in the table */
    int64_t *place;
    double *weight;
} Resize;

#define T float
#define NAME(x) x##_f32
#include "ops/layers/resize.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/layers/resize.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/layers/resize.inc"

/* ---- tables -------------------------------------------------------------------------------- */

static int64_t clipped(int64_t i, int64_t size)
{
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

static void set(Resize *r, int64_t i, int64_t tap, int64_t place, double weight)
{
    r->place[i * r->taps + tap] = clipped(place, r->size);
    r->weight[i * r->taps + tap] = weight;
}

/* Input steps per output step. */
static double step_of(const Resize *r, const cn_resize_params *p)
{
    if (p->align_corners) return r->out > 1 ? (double)(r->size - 1) / (double)(r->out - 1) : 0;
    return p->scale > 0 ? 1 / p->scale : (double)r->size / (double)r->out;
}

/* In float, as PyTorch does: a step that is not exact decides which neighbour it is. */
static void nearest_table(Resize *r, const cn_resize_params *p)
{
    float step = p->scale > 0 ? (float)(1 / p->scale) : (float)r->size / (float)r->out;
    float offset = strcmp(p->mode, "nearest") == 0 ? 0.0f : 0.5f;
    for (int64_t i = 0; i < r->out; i++)
        set(r, i, 0, (int64_t)floorf(((float)i + offset) * step), 1);
}

/* Where output i lies in the input. */
static double position(const cn_resize_params *p, double step, int64_t i)
{
    return p->align_corners ? step * (double)i : step * ((double)i + 0.5) - 0.5;
}

static void linear_table(Resize *r, const cn_resize_params *p)
{
    double step = step_of(r, p);
    for (int64_t i = 0; i < r->out; i++) {
        double x = r->out == r->size ? (double)i : fmax(position(p, step, i), 0);
        int64_t left = clipped((int64_t)x, r->size);
        double part = fmin(x - (double)left, 1);
        set(r, i, 0, left, 1 - part);
        set(r, i, 1, left + 1, part);
    }
}

/* Keys' cubic convolution (1981) with parameter a, at a distance of x. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static void cubic_table(Resize *r, const cn_resize_params *p)
{
    double step = step_of(r, p);
    for (int64_t i = 0; i < r->out; i++) {
        double x = position(p, step, i), left = floor(x);
        for (int64_t k = -1; k < 3; k++)
            set(r, i, k + 1, (int64_t)left + k, cubic(x - left - (double)k, -0.75));
    }
}

/* The window of adaptive pooling. */
static void area_table(Resize *r)
{
    for (int64_t i = 0; i < r->out; i++) {
        int64_t first = i * r->size / r->out, end = ((i + 1) * r->size + r->out - 1) / r->out;
        for (int64_t k = 0; k < r->taps; k++)
            set(r, i, k, first + k, first + k < end ? 1 / (double)(end - first) : 0);
    }
}

/* How far the filter reaches to either side, in input steps. */
static double reach(const cn_resize_params *p, double step)
{
    return (strcmp(p->mode, "linear") == 0 ? 1 : 2) * fmax(step, 1);
}

/* Antialiasing as in Pillow: the filter is widened by the step and its weights sum to 1. */
static void smooth_table(Resize *r, const cn_resize_params *p)
{
    double step = step_of(r, p), wide = reach(p, step), narrow = 1 / fmax(step, 1);
    bool is_linear = strcmp(p->mode, "linear") == 0;
    for (int64_t i = 0; i < r->out; i++) {
        double centre = step * ((double)i + 0.5), total = 0;
        int64_t first = (int64_t)fmax(centre - wide + 0.5, 0);
        int64_t end = (int64_t)fmin(centre + wide + 0.5, (double)r->size);
        for (int64_t k = 0; k < r->taps; k++) {
            double x = ((double)(first + k) - centre + 0.5) * narrow;
            double w = is_linear ? fmax(1 - fabs(x), 0) : cubic(x, -0.5);
            if (first + k >= end) w = 0;
            set(r, i, k, first + k, w);
            total += w;
        }
        for (int64_t k = 0; k < r->taps; k++) r->weight[i * r->taps + k] /= total;
    }
}

static int64_t taps_of(const Resize *r, const cn_resize_params *p)
{
    if (p->smooth) return 2 * (int64_t)ceil(reach(p, step_of(r, p))) + 1;
    if (strcmp(p->mode, "linear") == 0) return 2;
    if (strcmp(p->mode, "cubic") == 0) return 4;
    return strcmp(p->mode, "area") == 0 ? (r->size + r->out - 1) / r->out + 1 : 1;
}

static void fill_table(Resize *r, const cn_resize_params *p)
{
    if (p->smooth) smooth_table(r, p);
    else if (strcmp(p->mode, "linear") == 0) linear_table(r, p);
    else if (strcmp(p->mode, "cubic") == 0) cubic_table(r, p);
    else if (strcmp(p->mode, "area") == 0) area_table(r);
    else nearest_table(r, p);
}

/* The table in two tensors of the scope. A filter never has more taps than the input elements
   that it reaches, but windows past the end are kept for simplicity and weigh nothing. */
static bool make_table(Resize *r, const cn_resize_params *p)
{
    r->taps = taps_of(r, p);
    if (r->taps > 2 * r->size + 5) r->taps = 2 * r->size + 5;
    cn_tensor *place = cn_tensor_new(&CN_SHAPE(r->out, r->taps), CN_I64),
              *weight = cn_tensor_new(&CN_SHAPE(r->out, r->taps), CN_F64);
    if (!place || !weight) return false;
    r->place = (int64_t *)(void *)place->v.data, r->weight = (double *)(void *)weight->v.data;
    fill_table(r, p);
    return true;
}

/* ---- ops ----------------------------------------------------------------------------------- */

static bool params_fit(const cn_call *c, const cn_resize_params *p, int64_t size)
{
    static const char *const modes[] = { "nearest", "nearest-exact", "linear", "cubic", "area" };
    size_t known = 0;
    while (known < CN_COUNT(modes) && (!p->mode || strcmp(modes[known], p->mode) != 0)) known++;
    if (known == CN_COUNT(modes))
        return cn_fail(CN_EINVALID, "%s: there is no mode '%s'", c->op->name,
                       p->mode ? p->mode : "None");
    if (p->size < 1 || size < 1 || p->size > INT32_MAX || size > INT32_MAX)
        return cn_fail(CN_EINVALID, "%s: sizes must be positive, got %lld to %lld", c->op->name,
                       (long long)size, (long long)p->size);
    if (cn_dtype_is_float(c->in[0]->v.dtype) ||
        (known < 2 && cn_dtype_category(c->in[0]->v.dtype) == CN_CAT_INT))
        return true;
    return cn_fail(CN_EINVALID, "%s: mode '%s' is not for %s", c->op->name, p->mode,
                   cn_dtype_name(c->in[0]->v.dtype));
}

/* x has the size of the input along dim, y that of the result. */
static bool run(const cn_call *c, const cn_resize_params *p, const cn_view *x, const cn_view *y,
                void (*const jobs[3])(int64_t, int64_t, void *))
{
    size_t mark = cn_mark();
    cn_lines lines = cn_lines_of(&x->shape, cn_wrap_dim(p->dim, x->shape.ndim, c->op->name));
    Resize r = {
        .x = x->data, .y = y->data, .size = lines.size, .out = p->size, .inner = lines.inner
    };
    bool ok = make_table(&r, p);
    if (ok)
        cn_parallel(lines.outer, (r.out * r.taps + r.size + r.out) * r.inner,
                    jobs[x->dtype == CN_F32   ? 0
                         : x->dtype == CN_F64 ? 1
                                              : 2],
                    &r);
    cn_release(mark);
    return ok;
}

static bool resize_infer(const cn_call *c, cn_spec out[])
{
    const cn_resize_params *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(p->dim, s->ndim, c->op->name);
    if (dim < 0 || !cn_want_dims(c, 0, 1, CN_MAX_DIMS) || !params_fit(c, p, s->dim[dim]))
        return false;
    *out = (cn_spec){ c->in[0]->v.dtype, *s };
    out->shape.dim[dim] = p->size;
    return true;
}

static bool resize_kernel(const cn_call *c)
{
    static void (*const jobs[])(int64_t, int64_t, void *) = { blend_f32, blend_f64, blend_i64 };
    return run(c, c->params, cn_in(c, 0), cn_out(c, 0), jobs);
}

typedef struct {
    int64_t input_size;
    cn_resize_params p;
} Backward;

static void resize_gradient(cn_grads *g)
{
    const cn_resize_params *p = cn_grad_params(g);
    const cn_shape *s = cn_in_shape(g, 0);
    Backward back = { s->dim[cn_wrap_dim(p->dim, s->ndim, "resize")], *p };
    cn_give(g, 0, CN_CALL(resize_backward, &back, cn_gout(g, 0)));
}

#define PARAMS                                                                                     \
    "int dim, int size, str mode='nearest', float scale=0.0, bool align_corners=False, "           \
    "bool smooth=False) -> Tensor"

const cn_op cn_op_resize_along = {
    CN_OP_HEAD(resize_along, "resize_along", "(Tensor input, " PARAMS),
    .doc = "Dimension dim resized by interpolation; mode is nearest, nearest-exact, linear, cubic "
           "or area. smooth widens the filter when shrinking.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_resize_params),
    .infer = resize_infer,
    .kernel = resize_kernel,
    .backward = resize_gradient,
    .samples = "[2,3] 1 5 | [3,2] 0 2 linear | [5,2] 0 7 cubic align_corners=True | [2,5] -1 2 "
               "area | [1,7] 1 3 cubic smooth=True | [2,3] 1 4 linear 1.5 | [0,3] 1 2",
};

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const Backward *b = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    int dim = cn_wrap_dim(b->p.dim, s->ndim, c->op->name);
    if (dim < 0 || !cn_want_dims(c, 0, 1, CN_MAX_DIMS) || !params_fit(c, &b->p, b->input_size))
        return false;
    if (s->dim[dim] != b->p.size)
        return cn_fail(CN_EINVALID,
                       "resize_backward: grad_output has size %lld along dim, not %lld",
                       (long long)s->dim[dim], (long long)b->p.size);
    *out = (cn_spec){ c->in[0]->v.dtype, *s };
    out->shape.dim[dim] = b->input_size;
    return true;
}

static bool backward_kernel(const cn_call *c)
{
    static void (*const jobs[])(int64_t, int64_t, void *) = { spread_f32, spread_f64, spread_i64 };
    return run(c, &((const Backward *)c->params)->p, cn_out(c, 0), cn_in(c, 0), jobs);
}

static void backward_gradient(cn_grads *g)
{
    const Backward *b = cn_grad_params(g);
    cn_give(g, 0, cn_resize_along(cn_gout(g, 0), &b->p));
}

const cn_op cn_op_resize_backward = {
    CN_OP_HEAD(resize_backward, "resize_backward", "(Tensor grad_output, int input_size, " PARAMS),
    .doc = "The gradient of resize_along: each element handed back to where it came from.",
    .flags = CN_ROWS,
    .params_size = sizeof(Backward),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .backward = backward_gradient,
    .samples = "[2,5] 3 1 5 | [2,2] 3 0 2 linear | [2,2] 5 1 2 area",
};

cn_tensor *cn_resize_along(cn_tensor *input, const cn_resize_params *p)
{
    return CN_CALL(resize_along, p, input);
}
