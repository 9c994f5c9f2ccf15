/* fractional.c - maxima over windows whose distances are drawn, so that a plane can shrink by any
   factor: Graham 2014. */
#include "ops/layers/spatial.h"

typedef struct {
    cn_ints kernel, output_size;
    cn_floats output_ratio;
    bool return_indices;
} Fractional;

typedef struct {
    int64_t planes, in[CN_SPATIAL], out[CN_SPATIAL], kernel[CN_SPATIAL], in_size, out_size;
    int dims;
    int64_t *start[CN_SPATIAL]; /* of the windows along each dimension, anew for each plane */
} Plan;

/* ---- what the parameters ask for ------------------------------------------------------------- */

static bool output_sizes(const cn_call *c, const cn_shape *s, int dims, int64_t out[CN_SPATIAL])
{
    const Fractional *p = c->params;
    if (p->output_size.n < 0 && p->output_ratio.n < 0)
        return cn_fail(CN_EINVALID, "%s: output_size or output_ratio must be given", c->op->name);
    for (int i = 0; i < dims; i++) {
        int64_t in = s->dim[s->ndim - dims + i], kernel = p->kernel.v[i];
        double by_ratio = p->output_size.n < 0 ? (double)in * p->output_ratio.v[i] : 0;
        if (!(by_ratio >= 0 && by_ratio <= (double)in)) by_ratio = -1; /* refused below */
        out[i] = p->output_size.n < 0 ? (int64_t)by_ratio : p->output_size.v[i];
        int64_t most = dims == CN_SPATIAL ? in - kernel : in - kernel + 1; /* PyTorch's rules */
        if (kernel < 1 || out[i] < 0 || kernel > in || out[i] > most)
            return cn_fail(CN_EINVALID, "%s: %lld windows of size %lld do not fit into size %lld",
                           c->op->name, (long long)out[i], (long long)kernel, (long long)in);
    }
    return true;
}

/* Sizes as of a volume: a picture is one deep. */
static bool make_plan(const cn_call *c, int dims, Plan *plan)
{
    const Fractional *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    int64_t out[CN_SPATIAL];
    *plan = (Plan){ .in_size = 1, .out_size = 1, .dims = dims };
    if (!cn_want_dims(c, 0, dims + 1, dims + 2) || !output_sizes(c, s, dims, out)) return false;
    if (!cn_dtype_is_float(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "%s: not defined for %s", c->op->name,
                       cn_dtype_name(c->in[0]->v.dtype));
    for (int d = 0; d < CN_SPATIAL; d++) {
        int i = d - CN_SPATIAL + dims;
        plan->in[d] = i < 0 ? 1 : s->dim[s->ndim - dims + i];
        plan->kernel[d] = i < 0 ? 1 : p->kernel.v[i];
        plan->out[d] = i < 0 ? 1 : out[i];
        plan->in_size *= plan->in[d], plan->out_size *= plan->out[d];
    }
    plan->planes = c->in[0]->v.numel / plan->in_size;
    return true;
}

/* (N, C, dims) numbers in [0, 1): those given, or drawn. As float64. */
static cn_tensor *samples_of(const cn_call *c, int dims)
{
    const cn_shape *s = &c->in[0]->v.shape;
    int64_t channels = s->dim[s->ndim - dims - 1], batch = s->ndim == dims + 2 ? s->dim[0] : 1;
    cn_tensor *given = c->n_in > 1 ? c->in[1] : NULL;
    cn_shape wanted = CN_SHAPE(batch, channels, dims);
    char text[128];
    if (!given) return cn_rand(wanted, CN_F64);
    if (cn_shape_equal(&given->v.shape, &wanted) && given->v.dtype == c->in[0]->v.dtype)
        return cn_rows(cn_cast_raw(given, CN_F64));
    cn_fail(CN_EINVALID, "%s: _random_samples must have shape %s and the dtype of the input",
            c->op->name, cn_shape_text(&wanted, text));
    return NULL;
}

/* ---- where the maxima are -------------------------------------------------------------------- */

/* Starts alpha apart on average, rounded down from a random phase; the last window touches the end.
   With float32 inputs PyTorch computes them in float32. */
static void draw_starts(int64_t *start, int64_t in, int64_t out, int64_t kernel, double sample,
                        bool narrow)
{
    double alpha = out > 1 ? (double)(in - kernel) / (double)(out - 1) : 0;
    const float a = (float)alpha, s = (float)sample;
    for (int64_t i = 0; i < out; i++) {
        start[i] = narrow ? (int64_t)(((float)i + s) * a) - (int64_t)(s * a)
                          : (int64_t)(((double)i + sample) * alpha) - (int64_t)(sample * alpha);
        if (start[i] > in - kernel || i == out - 1) start[i] = in - kernel;
    }
}

static int64_t place_of_largest(const Plan *p, const char *x, cn_dtype dtype,
                                const int64_t from[CN_SPATIAL])
{
    size_t bytes = cn_dtype_size(dtype);
    int64_t best = (from[0] * p->in[1] + from[1]) * p->in[2] + from[2];
    double largest = cn_load_f64(x + (size_t)best * bytes, dtype);
    for (int64_t d = from[0]; d < from[0] + p->kernel[0]; d++)
        for (int64_t r = from[1]; r < from[1] + p->kernel[1]; r++)
            for (int64_t k = from[2]; k < from[2] + p->kernel[2]; k++) {
                int64_t at = (d * p->in[1] + r) * p->in[2] + k;
                double v = cn_load_f64(x + (size_t)at * bytes, dtype);
                if (!(v <= largest) && !CN_IS_NAN(largest)) best = at, largest = v;
            }
    return best;
}

static void find_in_plane(const Plan *p, const char *x, cn_dtype dtype, int64_t *places)
{
    for (int64_t i = 0; i < p->out_size; i++) {
        int64_t row = i / p->out[2], plane = row / p->out[1];
        const int64_t from[CN_SPATIAL] = { p->start[0][plane], p->start[1][row % p->out[1]],
                                           p->start[2][i % p->out[2]] };
        places[i] = place_of_largest(p, x, dtype, from);
    }
}

/* The places of all maxima, planes after one another. */
static bool find_maxima(Plan *p, const cn_tensor *x, const double *samples, int64_t *places)
{
    int64_t *start = cn_alloc((size_t)(p->out[0] + p->out[1] + p->out[2]) * sizeof *start);
    cn_dtype dtype = x->v.dtype;
    if (!start) return false;
    p->start[0] = start, p->start[1] = start + p->out[0], p->start[2] = p->start[1] + p->out[1];
    for (int64_t plane = 0; plane < p->planes; plane++) {
        for (int d = 0; d < CN_SPATIAL; d++) {
            /* Samples of a picture are for the width, then the height; those of a volume in order. */
            int which = p->dims == CN_SPATIAL ? d : CN_SPATIAL - 1 - d;
            double sample = which < p->dims ? samples[plane * p->dims + which] : 0;
            draw_starts(p->start[d], p->in[d], p->out[d], p->kernel[d], sample, dtype == CN_F32);
        }
        const char *from = x->v.data + (size_t)(plane * p->in_size) * cn_dtype_size(dtype);
        find_in_plane(p, from, dtype, places + plane * p->out_size);
    }
    cn_free(start);
    return true;
}

/* ---- the ops ------------------------------------------------------------------------------- */

static bool samples_inside(const cn_call *c, const cn_tensor *samples)
{
    const double *s = (const double *)(const void *)samples->v.data;
    for (int64_t i = 0; i < samples->v.numel; i++)
        if (!(s[i] >= 0 && s[i] <= 1))
            return cn_fail(CN_EINVALID, "%s: _random_samples must be in [0, 1), not %g",
                           c->op->name, s[i]);
    return true;
}

static bool fractional(cn_call *c, int dims)
{
    Plan plan;
    if (!make_plan(c, dims, &plan)) return false;
    cn_tensor *x = c->in[0], *rows = cn_rows(x), *samples = samples_of(c, dims);
    cn_shape s = x->v.shape;
    int first = s.ndim - dims;
    for (int d = 0; d < dims; d++) s.dim[first + d] = plan.out[CN_SPATIAL - dims + d];
    cn_tensor *places = rows && samples ? cn_empty(s, CN_I64) : NULL;
    if (!places || !samples_inside(c, samples)) return false;
    const double *drawn = (const double *)(const void *)samples->v.data;
    if (!find_maxima(&plan, rows, drawn, (int64_t *)(void *)places->v.data)) return false;
    cn_tensor *y = cn_gather(cn_flatten(x, first), -1, cn_flatten(places, first));
    if (!cn_set_out(c, 0, y ? cn_reshape(y, s) : NULL)) return false;
    return !((const Fractional *)c->params)->return_indices || cn_set_out(c, 1, places);
}

static bool fractional_max_pool2d_compose(cn_call *c)
{
    return fractional(c, 2);
}

static bool fractional_max_pool3d_compose(cn_call *c)
{
    return fractional(c, 3);
}

#define ARGUMENTS(n)                                                                               \
    "(Tensor input, int[" n "] kernel_size, int[" n "]? output_size=None, float[" n                \
    "]? output_ratio=None, bool return_indices=False, Tensor? _random_samples=None) -> "           \
    "(Tensor, Tensor)"

const cn_op cn_op_fractional_max_pool2d = {
    CN_OP_HEAD(fractional_max_pool2d, "nn.functional.fractional_max_pool2d", ARGUMENTS("2")),
    .doc = "Maxima over windows at random distances that give output_size, or output_ratio of the "
           "input's.",
    .params_size = sizeof(Fractional),
    .optional = CN_SAVE_IN(1),
    .compose = fractional_max_pool2d_compose,
    .samples = "[2,2,6,7] 2 output_size=(3,4) _random_samples=+[2,2,2] | "
               "[2,5,5] (2,3) output_ratio=(0.5,0.6) return_indices=True _random_samples=+[1,2,2]",
};

const cn_op cn_op_fractional_max_pool3d = {
    CN_OP_HEAD(fractional_max_pool3d, "nn.functional.fractional_max_pool3d", ARGUMENTS("3")),
    .doc = "Maxima over windows of a volume at random distances that give output_size, or "
           "output_ratio of the input's.",
    .params_size = sizeof(Fractional),
    .optional = CN_SAVE_IN(1),
    .compose = fractional_max_pool3d_compose,
    .samples = "[1,2,4,5,4] 2 output_size=(2,3,2) return_indices=True _random_samples=+[1,2,3]",
};
