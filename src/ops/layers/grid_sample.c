/* grid_sample.c - a picture read at places of a grid, and grids from affine maps (Jaderberg and
   others, 2015). Each reading is a weighted sum of neighbours: along each dimension a few taps, and
   over all dimensions their products. */
#include "ops/compose.h"

#include <string.h>

enum { MAX_TAPS = 4, MAX_SPATIAL = 3 };

typedef struct {
    const char *mode, *padding_mode;
    cn_opt_bool align_corners;
} GridSample;

typedef struct {
    bool corners, border, reflects, cubic, nearest;
    int spatial, taps;
} Plan;

/* A neighbour along one dimension, for all places: (N, 1, P). */
typedef struct {
    cn_tensor *index, *inside, *weight; /* int64; bool; NULL: 1 */
} Tap;

/* ---- coordinates --------------------------------------------------------------------------- */

/* From -1 .. 1 to 0 .. size - 1: those are the middles of the outermost elements, or their edges. */
static cn_tensor *unnormalised(cn_tensor *x, int64_t size, bool corners)
{
    double n = (double)size;
    cn_tensor *from_0 = cn_add(x, cn_number(1));
    if (corners) return cn_mul(from_0, cn_number((n - 1) / 2));
    return cn_mul(cn_sub(cn_mul(from_0, cn_number(n)), cn_number(1)), cn_number(0.5));
}

/* Without a gradient at the bounds, which is why this is not clamp. NaN becomes 0. */
static cn_tensor *kept_inside(cn_tensor *x, int64_t size)
{
    cn_tensor *zero = cn_number(0), *most = cn_number((double)size - 1);
    return cn_where(cn_gt(x, zero), cn_where(cn_lt(x, most), x, most), zero);
}

static cn_tensor *reflected(cn_tensor *x, int64_t size, bool corners)
{
    double low = corners ? 0 : -0.5, span = (double)(corners ? size - 1 : size);
    if (span == 0) return cn_mul(x, cn_number(0));
    cn_tensor *far = cn_abs(cn_sub(x, cn_number(low))), *width = cn_number(span);
    cn_tensor *rest = cn_fmod(far, width), *turns = cn_floor(cn_div(far, width));
    cn_tensor *even = cn_eq(cn_remainder(turns, cn_number(2)), cn_number(0));
    return cn_add(cn_where(even, rest, cn_sub(width, rest)), cn_number(low));
}

static cn_tensor *padded(const Plan *p, cn_tensor *x, int64_t size)
{
    if (p->reflects) x = reflected(x, size, p->corners);
    return p->border || p->reflects ? kept_inside(x, size) : x;
}

static Tap tap_at(cn_tensor *place, cn_tensor *weight, int64_t size)
{
    cn_tensor *zero = cn_number(0);
    cn_tensor *inside =
        cn_logical_and(cn_ge(place, zero), cn_le(place, cn_number((double)size - 1)));
    cn_tensor *safe = cn_where(inside, place, zero);
    return (Tap){ safe ? cn_to(safe, CN_I64) : NULL, inside, weight };
}

/* Keys' cubic convolution with a = -0.75, for the taps at -1, 0, 1, 2 and x between 0 and 1. */
static cn_tensor *cubic_weight(cn_tensor *x, int tap)
{
    static const double c[4][4] = { { 0, -0.75, 1.5, -0.75 }, /* of 1, x, x^2, x^3 */
                                    { 1, 0, -2.25, 1.25 },
                                    { 0, 0.75, 1.5, -1.25 },
                                    { 0, 0, -0.75, 0.75 } };
    cn_tensor *sum = cn_number(c[tap][3]);
    for (int i = 2; i >= 0; i--) sum = cn_add(cn_mul(sum, x), cn_number(c[tap][i]));
    return sum;
}

/* The taps along one dimension for coordinates x in -1 .. 1. */
static bool taps_along(const Plan *p, cn_tensor *x, int64_t size, Tap taps[MAX_TAPS])
{
    x = unnormalised(x, size, p->corners);
    if (!p->cubic) x = padded(p, x, size);
    cn_tensor *left = p->nearest ? cn_round(x) : cn_floor(x), *part = cn_sub(x, left);
    for (int k = 0; k < p->taps; k++) {
        cn_tensor *place = cn_add(left, cn_number(p->cubic ? k - 1 : k)), *weight = NULL;
        if (p->cubic) place = padded(p, place, size), weight = cubic_weight(part, k);
        else if (p->nearest) weight = CN_CALL(fill, NULL, x, cn_number(1)); /* gradient 0 */
        else weight = k ? part : cn_sub(cn_number(1), part);
        taps[k] = tap_at(place, weight, size);
        if (!taps[k].index) return false;
    }
    return true;
}

/* ---- readings ------------------------------------------------------------------------------ */

/* What the neighbours of number `which` (a digit per dimension) contribute. */
static cn_tensor *contribution(const Plan *p, cn_tensor *flat, Tap taps[][MAX_TAPS], int which,
                               const int64_t *sizes)
{
    cn_tensor *index = NULL, *inside = NULL, *weight = NULL, *zero = cn_number(0);
    for (int d = 0; d < p->spatial; d++, which /= p->taps) {
        const Tap *t = &taps[d][which % p->taps];
        index = d ? cn_add(cn_mul(index, cn_number_i64(sizes[d])), t->index) : t->index;
        inside = d ? cn_logical_and(inside, t->inside) : t->inside;
        weight = d && weight ? cn_mul(weight, t->weight) : t->weight;
    }
    if (!index) return NULL;
    cn_shape s = flat->v.shape;
    s.dim[2] = index->v.shape.dim[2];
    cn_tensor *value = cn_where(inside, cn_gather(flat, 2, cn_expand(index, s)), zero);
    return weight ? cn_mul(value, cn_where(inside, weight, zero)) : value;
}

static bool plan(const cn_call *c, Plan *p)
{
    const GridSample *o = c->params;
    const cn_shape *x = &c->in[0]->v.shape, *grid = &c->in[1]->v.shape;
    char a[128], b[128];
    const char *mode = o->mode ? o->mode : "None",
               *pad = o->padding_mode ? o->padding_mode : "None";
    *p = (Plan){ .corners = o->align_corners.given && o->align_corners.value,
                 .border = strcmp(pad, "border") == 0,
                 .reflects = strcmp(pad, "reflection") == 0,
                 .cubic = strcmp(mode, "bicubic") == 0,
                 .nearest = strcmp(mode, "nearest") == 0,
                 .spatial = x->ndim - 2 };
    p->taps = p->nearest ? 1 : p->cubic ? 4 : 2;
    if (!cn_want_dims(c, 0, 4, 5)) return false;
    if (!p->nearest && !p->cubic && strcmp(mode, "bilinear") != 0)
        return cn_fail(CN_EINVALID, "grid_sample: there is no mode '%s'", mode);
    if (!p->border && !p->reflects && strcmp(pad, "zeros") != 0)
        return cn_fail(CN_EINVALID, "grid_sample: there is no padding_mode '%s'", pad);
    if (p->cubic && p->spatial != 2)
        return cn_fail(CN_EINVALID, "grid_sample: bicubic is for (N, C, H, W) only");
    if (grid->ndim != x->ndim || grid->dim[0] != x->dim[0] ||
        grid->dim[grid->ndim - 1] != p->spatial)
        return cn_fail(CN_EINVALID, "grid_sample: input %s wants a grid (%lld, .., %d), not %s",
                       cn_shape_text(x, a), (long long)x->dim[0], p->spatial,
                       cn_shape_text(grid, b));
    if (c->in[0]->v.dtype != c->in[1]->v.dtype || !cn_dtype_is_float(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "grid_sample: one float type is wanted, not %s and %s",
                       cn_dtype_name(c->in[0]->v.dtype), cn_dtype_name(c->in[1]->v.dtype));
    for (int i = 2; i < x->ndim; i++)
        if (x->dim[i] < 1)
            return cn_fail(CN_EINVALID,
                           "grid_sample: input %s has no elements to "
                           "read",
                           cn_shape_text(x, a));
    return true;
}

static bool grid_sample_compose(cn_call *c)
{
    Plan p;
    Tap taps[MAX_SPATIAL][MAX_TAPS];
    if (!plan(c, &p)) return false;
    const cn_shape *x = &c->in[0]->v.shape, *grid = &c->in[1]->v.shape;
    int64_t places = 1, elements = 1;
    int combinations = 1;
    cn_shape result = *x;
    for (int i = 0; i < p.spatial; i++) {
        result.dim[i + 2] = grid->dim[i + 1];
        places *= grid->dim[i + 1], elements *= x->dim[i + 2], combinations *= p.taps;
    }
    cn_tensor *rows = cn_reshape(c->in[1], CN_SHAPE(x->dim[0], 1, places, p.spatial));
    cn_tensor *flat = cn_reshape(c->in[0], CN_SHAPE(x->dim[0], x->dim[1], elements)), *sum = NULL;
    for (int d = 0; d < p.spatial;
         d++) /* the last number of a place belongs to the first dimension */
        if (!taps_along(&p, cn_select(rows, 3, p.spatial - 1 - d), x->dim[d + 2], taps[d]))
            return false;
    for (int i = 0; i < combinations; i++) {
        cn_tensor *part = contribution(&p, flat, taps, i, x->dim + 2);
        sum = i ? cn_add(sum, part) : part;
    }
    return cn_set_out(c, 0, sum ? cn_reshape(sum, result) : NULL);
}

const cn_op cn_op_grid_sample = {
    CN_OP_HEAD(grid_sample, "nn.functional.grid_sample",
               "(Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros', bool? "
               "align_corners=None) -> Tensor"),
    .doc =
        "The picture (N, C, H, W) or (N, C, D, H, W) read at the places (x, y(, z)) of the grid, "
        "-1 to 1 from edge to edge; mode is bilinear, nearest or bicubic, padding_mode zeros, "
        "border or reflection.",
    .params_size = sizeof(GridSample),
    .compose = grid_sample_compose,
    .samples = "[1,2,3,4] [1,2,3,2] | [2,1,4,3] [2,3,1,2] bicubic border | [1,1,2,3,2] [1,2,1,2,3] "
               "padding_mode=reflection align_corners=True | [1,2,3,3] [1,2,2,2] nearest",
};

/* ---- affine_grid --------------------------------------------------------------------------- */

typedef struct {
    cn_ints size;
    cn_opt_bool align_corners;
} AffineGrid;

/* Element i of n places from -1 to 1, the middles of elements or corner to corner. */
static double base_place(int64_t i, int64_t n, bool corners)
{
    if (n < 2) return 0;
    return corners ? 2 * (double)i / (double)(n - 1) - 1 : (2 * (double)i + 1) / (double)n - 1;
}

/* Homogeneous coordinates (.., x, 1) of all places as rows. */
static cn_tensor *base_grid(const int64_t *size, int spatial, int64_t places, bool corners,
                            cn_dtype dtype)
{
    cn_tensor *t = cn_empty(CN_SHAPE(places, spatial + 1), dtype);
    size_t bytes = cn_dtype_size(dtype);
    for (int64_t i = 0; t && i < places; i++) {
        char *row = t->v.data + (size_t)(i * (spatial + 1)) * bytes;
        int64_t rest = i;
        for (int d = spatial - 1; d >= 0; d--, rest /= size[d + 1])
            cn_store_f64(row + (size_t)(spatial - 1 - d) * bytes, dtype,
                         base_place(rest % size[d], size[d], corners));
        cn_store_f64(row + (size_t)spatial * bytes, dtype, 1);
    }
    return t;
}

static bool affine_grid_compose(cn_call *c)
{
    const AffineGrid *p = c->params;
    const cn_shape *theta = &c->in[0]->v.shape;
    int spatial = (int)p->size.n - 2;
    char text[128];
    if ((spatial != 2 && spatial != 3) || theta->ndim != 3 || theta->dim[0] != p->size.v[0] ||
        theta->dim[1] != spatial || theta->dim[2] != spatial + 1 ||
        !cn_dtype_is_float(c->in[0]->v.dtype))
        return cn_fail(
            CN_EINVALID,
            "affine_grid: a size of 4 or 5 wants float theta (N, 2, 3) or (N, 3, 4), not "
            "%s for %lld",
            cn_shape_text(theta, text), (long long)p->size.n);
    cn_shape result = { .ndim = spatial + 2, .dim = { theta->dim[0] } };
    for (int i = 0; i < p->size.n; i++) {
        if (i > 1) result.dim[i - 1] = p->size.v[i];
        if (p->size.v[i] < 1) return cn_fail(CN_EINVALID, "affine_grid: sizes must be positive");
    }
    result.dim[spatial + 1] = spatial;
    int64_t all;
    if (!cn_shape_numel(&result, &all, "affine_grid")) return false;
    int64_t places = 1;
    for (int i = 0; i < spatial; i++) places *= result.dim[i + 1];
    cn_tensor *base =
        base_grid(p->size.v + 2, spatial, places, p->align_corners.given && p->align_corners.value,
                  c->in[0]->v.dtype);
    cn_tensor *grid = cn_matmul(base, cn_transpose(c->in[0], 1, 2));
    return cn_set_out(c, 0, grid ? cn_reshape(grid, result) : NULL);
}

const cn_op cn_op_affine_grid = {
    CN_OP_HEAD(affine_grid, "nn.functional.affine_grid",
               "(Tensor theta, int[] size, bool? align_corners=None) -> Tensor"),
    .doc =
        "The grid for grid_sample whose places are theta (x, y(, z), 1), for a result of `size`.",
    .params_size = sizeof(AffineGrid),
    .compose = affine_grid_compose,
    .samples = "[2,2,3] (2,1,3,4) | [1,3,4] (1,2,2,1,3) True",
};
