/* gradient.c - torch.gradient: slopes of a function from its values on a grid, by differences of the
   second order inside and of a chosen order at the ends. */
#include "ops/compose.h"

typedef struct {
    cn_ints dim;
    int64_t edge_order;
} Gradient;

/* The values before, at and after each inner point, and the gaps between them. */
typedef struct {
    cn_tensor *f;
    int dim;
    cn_tensor *gaps; /* n - 1 along dim, ones elsewhere */
} Line;

static cn_tensor *values(const Line *l, int64_t from, int64_t count)
{
    return cn_narrow(l->f, l->dim, from, count);
}

static cn_tensor *gaps(const Line *l, int64_t from, int64_t count)
{
    return cn_narrow(l->gaps, l->dim, from, count);
}

/* The slope between neighbours. */
static cn_tensor *chord(const Line *l, int64_t from, int64_t count)
{
    return cn_div(cn_sub(values(l, from + 1, count), values(l, from, count)), gaps(l, from, count));
}

/* The parabola through three points has at the middle one the mean of the chords, each weighted by
   the other's gap. */
static cn_tensor *inner_slopes(const Line *l, int64_t n)
{
    cn_tensor *left = gaps(l, 0, n - 2), *right = gaps(l, 1, n - 2);
    cn_tensor *both = cn_add(cn_mul(chord(l, 0, n - 2), right), cn_mul(chord(l, 1, n - 2), left));
    return cn_div(both, cn_add(left, right));
}

/* At an end: the nearest chord, or (order 2) the parabola's slope there. `inward`: the next chord. */
static cn_tensor *end_slope(const Line *l, int64_t nearest, int64_t inward, int64_t order)
{
    cn_tensor *slope = chord(l, nearest, 1);
    if (order == 1) return slope;
    cn_tensor *h = gaps(l, nearest, 1), *bend = cn_sub(slope, chord(l, inward, 1));
    return cn_add(slope, cn_mul(bend, cn_div(h, cn_add(h, gaps(l, inward, 1)))));
}

static cn_tensor *slopes(const Line *l, int64_t order)
{
    const int64_t n = l->f->v.shape.dim[l->dim];
    cn_tensor *parts[3] = { end_slope(l, 0, 1, order), NULL, end_slope(l, n - 2, n - 3, order) };
    if (n == 2) return cn_cat((cn_tensor *[]){ parts[0], parts[2] }, 2, l->dim);
    parts[1] = inner_slopes(l, n);
    return cn_cat(parts, 3, l->dim);
}

/* The gaps along dim from a number or from coordinates; none given: 1. */
static cn_tensor *gaps_of(const cn_tensor *f, int dim, cn_tensor *spacing)
{
    const int64_t n = f->v.shape.dim[dim];
    if (!spacing || spacing->v.shape.ndim == 0) {
        cn_shape s = cn_shape_along(f->v.shape.ndim, dim, n - 1);
        cn_tensor *one = cn_ones(s, f->v.dtype);
        return spacing ? cn_mul(one, cn_to(spacing, f->v.dtype)) : one;
    }
    if (spacing->v.shape.ndim != 1 || spacing->v.numel != n) {
        cn_fail(CN_EINVALID, "gradient: coordinates of dimension %d must be a vector of %lld", dim,
                (long long)n);
        return NULL;
    }
    cn_tensor *steps = cn_sub(cn_narrow(spacing, 0, 1, n - 1), cn_narrow(spacing, 0, 0, n - 1));
    return cn_reshape(steps, cn_shape_along(f->v.shape.ndim, dim, n - 1));
}

static cn_tensor *along(cn_call *c, cn_tensor *f, int64_t dim, cn_tensor *spacing)
{
    const int64_t order = ((const Gradient *)c->params)->edge_order;
    Line l = { f, cn_wrap_dim(dim, f->v.shape.ndim, "gradient"), NULL };
    if (l.dim < 0) return NULL;
    if (f->v.shape.dim[l.dim] <= order) {
        cn_fail(CN_EINVALID, "gradient: dimension %d has %lld points, but %lld are needed", l.dim,
                (long long)f->v.shape.dim[l.dim], (long long)order + 1);
        return NULL;
    }
    l.gaps = gaps_of(f, l.dim, spacing);
    return l.gaps ? slopes(&l, order) : NULL;
}

static bool gradient_compose(cn_call *c)
{
    const Gradient *p = c->params;
    cn_tensor *f = c->in[0];
    const int64_t n = p->dim.n < 0 ? f->v.shape.ndim : p->dim.n, given = c->n_in - 1;
    unsigned mask;
    if (p->edge_order != 1 && p->edge_order != 2)
        return cn_fail(CN_EINVALID, "gradient: edge_order is %lld, but must be 1 or 2",
                       (long long)p->edge_order);
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS) ||
        !cn_dims_mask(&p->dim, f->v.shape.ndim, "gradient", &mask))
        return false;
    if (given > 1 && given != n)
        return cn_fail(CN_EINVALID, "gradient: %lld spacings for %lld dimensions", (long long)given,
                       (long long)n);
    if (!cn_dtype_is_float(f->v.dtype)) f = cn_to(f, CN_F32);
    for (int64_t i = 0; i < n; i++) {
        cn_tensor *spacing = given > 1 ? c->in[1 + i] : given == 1 ? c->in[1] : NULL;
        cn_tensor *y = f ? along(c, f, p->dim.n < 0 ? i : p->dim.v[i], spacing) : NULL;
        if (!cn_set_out(c, (int)i, y)) return false;
    }
    return true;
}

const cn_op cn_op_gradient = {
    CN_OP_HEAD(gradient, "gradient",
               "(Tensor input, *, Tensor|Scalar[] spacing=1, int[]? dim=None, int edge_order=1) -> "
               "Tensor[]"),
    .doc = "The slopes of input along each dim, whose points are spacing apart, or at coordinates.",
    .params_size = sizeof(Gradient),
    .compose = gradient_compose,
    .samples = "[5] | [3,4] | [3,4] dim=1 edge_order=2 | [4,3] spacing=(0.5,2.0) | "
               "[4] spacing={f64[4]} | [2,3] dim=(1,)",
};
