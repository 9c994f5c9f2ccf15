/* histograms.c - counts or weights in bins of one or several dimensions. */
#include "ops/compose.h"

#include <math.h>

typedef struct {
    cn_floats range;
    bool density;
} Histogram;

/* One dimension: its bins lie between neighbours of ascending edges. */
typedef struct {
    cn_tensor *given; /* the edges in the input's type */
    const double *edges;
    int64_t bins;
} Axis;

/* ---- edges ------------------------------------------------------------------------------------ */

/* From the least to the greatest of column d of x (rows, n); never an empty span. */
static bool span_of(const cn_call *c, const cn_tensor *x, int64_t d, double *low, double *high)
{
    const double *v = (const double *)(const void *)x->v.data;
    const int64_t rows = cn_size(x, 0), n = cn_size(x, 1);
    const cn_floats *range = &((const Histogram *)c->params)->range;
    *low = 0, *high = rows ? 0 : 1;
    for (int64_t i = 0; i < rows; i++) {
        double y = v[i * n + d];
        if (i == 0 || y < *low || isnan(y)) *low = y;
        if (i == 0 || y > *high || isnan(y)) *high = y;
    }
    if (range->n >= 0) *low = range->v[2 * d], *high = range->v[2 * d + 1];
    if (!isfinite(*low) || !isfinite(*high) || *low > *high)
        return cn_fail(CN_EINVALID, "%s: no bins from %g to %g", c->op->name, *low, *high);
    if (*low == *high) *low -= 0.5, *high += 0.5;
    return true;
}

static cn_tensor *even_edges(const cn_call *c, const cn_tensor *x, int64_t d, int64_t bins)
{
    double low, high;
    if (bins < 1)
        return cn_fail(CN_EINVALID, "%s: bins must be positive, not %lld", c->op->name,
                       (long long)bins),
               NULL;
    if (!span_of(c, x, d, &low, &high)) return NULL;
    return cn_linspace(low, high, bins + 1, c->in[0]->v.dtype);
}

static bool find_axis(const cn_call *c, const cn_tensor *x, int64_t d, cn_tensor *bins, Axis *axis)
{
    if (!bins) return cn_fail(CN_EINVALID, "%s: bins are missing", c->op->name);
    bool count = bins->is_number;
    if (!count &&
        (bins->v.shape.ndim != 1 || bins->v.numel < 2 || bins->v.dtype != c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID,
                       "%s: bins are a number, or a vector of edges of the input's type",
                       c->op->name);
    if (!count && c->op == &cn_op_histogram && ((const Histogram *)c->params)->range.n >= 0)
        return cn_fail(CN_EINVALID, "%s: edges and a range exclude each other", c->op->name);
    axis->given = count ? even_edges(c, x, d, (int64_t)cn_item(bins)) : cn_clone(bins);
    cn_tensor *wide = axis->given ? cn_rows(cn_cast_raw(axis->given, CN_F64)) : NULL;
    if (!wide) return false;
    axis->edges = (const double *)(const void *)wide->v.data;
    axis->bins = wide->v.numel - 1;
    return true;
}

/* ---- counting ----------------------------------------------------------------------------------- */

/* The last bin holds its upper edge, too; -1: outside, or NaN. */
static int64_t bin_of(const Axis *a, double x)
{
    int64_t low = 0, high = a->bins; /* edges[low] <= x < edges[high], once it is inside */
    if (a->bins < 1 || !(x >= a->edges[0] && x <= a->edges[a->bins])) return -1;
    if (x == a->edges[a->bins]) return a->bins - 1;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (x < a->edges[middle]) high = middle;
        else low = middle;
    }
    return low;
}

static void count(const cn_tensor *x, const cn_tensor *weight, const Axis *axes, double *hist)
{
    const double *v = (const double *)(const void *)x->v.data,
                 *w = weight ? (const double *)(const void *)weight->v.data : NULL;
    const int64_t rows = cn_size(x, 0), n = cn_size(x, 1);
    for (int64_t i = 0; i < rows; i++) {
        int64_t place = 0;
        for (int64_t d = 0; d < n && place >= 0; d++) {
            int64_t k = bin_of(&axes[d], v[i * n + d]);
            place = k < 0 ? -1 : place * axes[d].bins + k;
        }
        if (place >= 0) hist[place] += w ? w[i] : 1;
    }
}

/* Divided by the total and by the volume of each bin. */
static cn_tensor *density_of(cn_tensor *hist, const Axis *axes, int n)
{
    cn_tensor *y = cn_div(hist, cn_sum(hist));
    for (int d = 0; y && d < n; d++) {
        cn_tensor *edges = axes[d].given;
        cn_tensor *widths =
            cn_sub(cn_narrow(edges, 0, 1, axes[d].bins), cn_narrow(edges, 0, 0, axes[d].bins));
        y = cn_div(y, cn_reshape(widths, cn_shape_along(n, d, axes[d].bins)));
    }
    return y;
}

/* Contiguous and in float64; the weight has one element per row of x. */
static cn_tensor *plain(cn_tensor *t, cn_shape shape)
{
    cn_tensor *y = t ? cn_reshape(t, shape) : NULL;
    return y ? cn_rows(cn_cast_raw(y, CN_F64)) : NULL;
}

static cn_tensor *histogram_of(const cn_call *c, const cn_tensor *x, cn_tensor *weight,
                               const Axis *axes)
{
    const int n = (int)cn_size(x, 1);
    cn_shape s = { .ndim = n };
    for (int d = 0; d < n; d++) s.dim[d] = axes[d].bins;
    if (weight && weight->v.numel != cn_size(x, 0))
        return cn_fail(CN_EINVALID, "%s: %lld weights for %lld points", c->op->name,
                       (long long)weight->v.numel, (long long)cn_size(x, 0)),
               NULL;
    cn_tensor *w = plain(weight, CN_SHAPE(-1)), *hist = cn_zeros(s, CN_F64);
    if (!hist || (weight && !w)) return NULL;
    count(x, w, axes, (double *)(void *)hist->v.data);
    hist = cn_to(hist, c->in[0]->v.dtype);
    return ((const Histogram *)c->params)->density ? density_of(hist, axes, n) : hist;
}

static bool range_fits(const cn_call *c, int64_t n)
{
    const cn_floats *range = &((const Histogram *)c->params)->range;
    return range->n < 0 || range->n == 2 * n ||
           cn_fail(CN_EINVALID, "%s: a range has two numbers per dimension, not %lld for %lld",
                   c->op->name, (long long)range->n, (long long)n);
}

/* ---- the ops -------------------------------------------------------------------------------------- */

static bool histogram_compose(cn_call *c)
{
    Axis axis;
    cn_tensor *x = c->in[0], *weight = c->in[2];
    if (!cn_want_float("histogram", x) || !range_fits(c, 1)) return false;
    if (weight && !cn_shape_equal(&weight->v.shape, &x->v.shape))
        return cn_fail(CN_EINVALID, "histogram: the weight must have the input's shape");
    x = plain(x, CN_SHAPE(x->v.numel, 1));
    return x && find_axis(c, x, 0, c->in[1], &axis) &&
           cn_set_out(c, 0, histogram_of(c, x, weight, &axis)) && cn_set_out(c, 1, axis.given);
}

const cn_op cn_op_histogram = {
    CN_OP_HEAD(
        histogram, "histogram",
        "(Tensor input, Tensor|Scalar bins, *, float[]? range=None, Tensor? weight=None, bool "
        "density=False) -> (Tensor, Tensor)"),
    .doc =
        "How many elements, or which weight, lie in each bin, and the edges of the bins; bins: how "
        "many (over range, or the input's), or the edges themselves.",
    .flags = CN_NO_GRAD_OP,
    .params_size = sizeof(Histogram),
    .optional = CN_SAVE_IN(2),
    .compose = histogram_compose,
    .samples =
        "[9] 4 | [2,3] 5 range=(-1,1) | [9] 3 weight=+[9] density=True | [4] 2 density=True | "
        "[] 2 | [0] 3",
};

static bool histogramdd_compose(cn_call *c)
{
    Axis axes[CN_MAX_DIMS] = { { .bins = 0 } };
    cn_tensor *x = c->in[0], *weight = c->in[c->n_in - 1];
    if (!cn_want_float("histogramdd", x) || !cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    const int64_t n = cn_size(x, -1), listed = c->n_in - 2;
    if (n < 1 || n > CN_MAX_DIMS || (listed != n && listed != 1) || !range_fits(c, n))
        return n >= 1 && n <= CN_MAX_DIMS && listed != n
                   ? cn_fail(CN_EINVALID, "histogramdd: %lld bins for %lld dimensions",
                             (long long)listed, (long long)n)
                   : cn_fail(CN_EINVALID, "histogramdd: 1 to %d dimensions, not %lld", CN_MAX_DIMS,
                             (long long)n);
    x = plain(x, CN_SHAPE(x->v.numel / n, n));
    for (int64_t d = 0; d < n; d++)
        if (!x || !find_axis(c, x, d, c->in[listed == 1 ? 1 : 1 + d], &axes[d])) return false;
    if (!cn_set_out(c, 0, histogram_of(c, x, weight, axes))) return false;
    for (int d = 0; d < n; d++)
        if (!cn_set_out(c, 1 + d, axes[d].given)) return false;
    return true;
}

const cn_op cn_op_histogramdd = {
    CN_OP_HEAD(
        histogramdd, "histogramdd",
        "(Tensor input, Tensor|Scalar[] bins, float[]? range=None, Tensor? weight=None, bool "
        "density=False) -> Tensor[]"),
    .doc = "histogram of the points in the rows of input; the edges follow for each dimension.",
    .flags = CN_NO_GRAD_OP,
    .params_size = sizeof(Histogram),
    .optional = 0xFFFCu, /* the weight, which comes after any number of bins */
    .compose = histogramdd_compose,
    .samples =
        "[9,2] (3,2) | [2,3,2] (2,2) range=(-1,1,-0.5,0.5) density=True | [5,1] (4,) weight=+[5]",
};
