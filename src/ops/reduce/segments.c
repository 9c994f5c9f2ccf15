/* segments.c - reductions of consecutive pieces. */
#include "ops/compose.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *reduce;
    int64_t axis;
    bool unsafe;
    cn_number_arg initial;
} Segments;

enum { DATA, LENGTHS, INDICES, OFFSETS };

/* Lengths from the bounds of the segments, or as they are given; int64 and contiguous. */
static cn_tensor *lengths_of(const cn_call *c)
{
    cn_tensor *lengths = c->in[LENGTHS], *offsets = c->in[OFFSETS];
    if (c->in[INDICES] || !(lengths || offsets)) {
        cn_fail(CN_EUNSUPPORTED, "segment_reduce: give either lengths or offsets");
        return NULL;
    }
    cn_tensor *given = lengths ? lengths : offsets;
    if (given->v.shape.ndim < 1 || cn_dtype_is_float(given->v.dtype) || given->v.dtype == CN_BOOL) {
        cn_fail(CN_EINVALID, "segment_reduce: lengths and offsets are integers with a dimension");
        return NULL;
    }
    if (!lengths) {
        int64_t n = cn_size(offsets, -1);
        if (n < 1) return cn_fail(CN_EINVALID, "segment_reduce: offsets are empty"), NULL;
        lengths = cn_sub(cn_narrow(offsets, -1, 1, n - 1), cn_narrow(offsets, -1, 0, n - 1));
    }
    return lengths ? cn_rows(cn_cast_raw(lengths, CN_I64)) : NULL;
}

/* One row of data: which segment each of its n elements belongs to. */
static bool fill_row(int64_t *row, int64_t n, const int64_t *lengths, int64_t count)
{
    int64_t at = 0;
    for (int64_t k = 0; k < count; k++) {
        if (lengths[k] < 0 || lengths[k] > n - at)
            return cn_fail(CN_EINVALID, "segment_reduce: a segment of length %lld does not fit",
                           (long long)lengths[k]);
        for (int64_t end = at + lengths[k]; at < end; at++) row[at] = k;
    }
    return at == n ||
           cn_fail(CN_EINVALID, "segment_reduce: the lengths add up to %lld, but the data has %lld",
                   (long long)at, (long long)n);
}

/* The segment of every element, in the shape of data up to the axis, ones after it. */
static cn_tensor *segment_numbers(const cn_tensor *data, int axis, const cn_tensor *lengths)
{
    cn_shape s = data->v.shape;
    for (int i = axis + 1; i < s.ndim; i++) s.dim[i] = 1;
    cn_tensor *index = cn_empty(s, CN_I64);
    const int64_t n = s.dim[axis], count = lengths->v.shape.dim[axis];
    const int64_t *from = (const int64_t *)(const void *)lengths->v.data;
    const int64_t rows = cn_lines_of(&s, axis).outer;
    for (int64_t i = 0; index && i < rows; i++)
        if (!fill_row((int64_t *)(void *)index->v.data + i * n, n, from + i * count, count))
            return NULL;
    return index;
}

static bool fits(const cn_tensor *data, int axis, const cn_tensor *lengths)
{
    bool ok = lengths->v.shape.ndim == axis + 1;
    for (int i = 0; ok && i < axis; i++) ok = lengths->v.shape.dim[i] == data->v.shape.dim[i];
    return ok || cn_fail(CN_EINVALID, "segment_reduce: lengths have the dimensions of the data "
                                      "before the axis, and one more");
}

static const struct {
    const char *name, *by; /* what scatter_reduce calls it */
    double start;
} reductions[] = { { "sum", "sum", 0 },
                   { "mean", "sum", 0 },
                   { "prod", "prod", 1 },
                   { "max", "amax", -(double)INFINITY },
                   { "min", "amin", (double)INFINITY } };

/* The mean of nothing is NaN, or what it was to start from. */
static cn_tensor *mean_of(cn_tensor *total, const cn_tensor *lengths, bool has_start)
{
    cn_tensor *own = (cn_tensor *)lengths;
    cn_tensor *count = total ? cn_to(own, total->v.dtype) : NULL;
    for (int i = count ? count->v.shape.ndim : 0; total && i < total->v.shape.ndim; i++)
        count = cn_unsqueeze(count, -1);
    cn_tensor *mean = cn_div(total, cn_clamp_min(count, cn_number(1)));
    if (has_start || !mean) return mean;
    cn_tensor *nothing = cn_full(cn_scalar_shape(), (double)NAN, mean->v.dtype);
    return cn_where(cn_gt(count, cn_number(0)), mean, nothing);
}

static bool segment_reduce_compose(cn_call *c)
{
    const Segments *p = c->params;
    cn_tensor *data = c->in[DATA], *lengths;
    size_t k = 0;
    if (!cn_want_float("segment_reduce", data) || !cn_want_dims(c, DATA, 1, CN_MAX_DIMS) ||
        !(lengths = lengths_of(c)))
        return false;
    while (k < CN_COUNT(reductions) && strcmp(reductions[k].name, p->reduce) != 0) k++;
    if (k == CN_COUNT(reductions))
        return cn_fail(CN_EINVALID,
                       "segment_reduce: reduce '%s' must be sum, mean, prod, max or min",
                       p->reduce);
    int axis = cn_wrap_dim(p->axis, data->v.shape.ndim, "segment_reduce");
    if (axis < 0 || !fits(data, axis, lengths)) return false;
    cn_tensor *index = segment_numbers(data, axis, lengths);
    const bool has_start = p->initial.kind != CN_NUM_NONE;
    double start = p->initial.kind == CN_NUM_FLOAT ? p->initial.u.f : (double)p->initial.u.i;
    cn_shape s = data->v.shape;
    s.dim[axis] = lengths->v.shape.dim[axis];
    struct {
        int64_t dim;
        const char *reduce;
        bool include_self;
    } scatter = { axis, reductions[k].by, true };
    cn_tensor *base = cn_full(s, has_start ? start : reductions[k].start, data->v.dtype);
    cn_tensor *y = CN_CALL(scatter_reduce, &scatter, base, cn_expand(index, data->v.shape), data);
    bool is_mean = strcmp(p->reduce, "mean") == 0;
    return cn_set_out(c, 0, is_mean ? mean_of(y, lengths, has_start) : y);
}

const cn_op cn_op_segment_reduce = {
    CN_OP_HEAD(segment_reduce, "segment_reduce",
               "(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? "
               "offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor"),
    .doc = "The sum (mean, prod, max, min) of each of the pieces of data along axis whose lengths, "
           "or bounds, are given.",
    .params_size = sizeof(Segments),
    .optional = CN_SAVE_IN(LENGTHS) | CN_SAVE_IN(INDICES) | CN_SAVE_IN(OFFSETS),
    .compose = segment_reduce_compose,
    .samples = "[5] sum lengths=i64(2,0,3) | [5,2] mean lengths=i64(2,1,2) | "
               "[4,2] max lengths=i64(1,3) | [4] prod lengths=i64(3,1) initial=2 | "
               "[4,2] min lengths=i64(4) initial=0.5 | [5] mean offsets=i64(0,2,5) unsafe=True",
};
