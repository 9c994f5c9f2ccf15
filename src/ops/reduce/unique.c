/* unique.c - the different elements, or slices along a dimension. Equal ones are brought together,
   or are neighbours already; then each that differs from the one before opens a new group. */
#include "ops/compose.h"

/* ---- order of rows ------------------------------------------------------------------------- */

/* -1, 0 or 1 as row a of (n, width) is before, equal to or after row b; f64 or i64. */
static int compare_rows(const cn_view *rows, int64_t a, int64_t b)
{
    int64_t width = rows->shape.dim[1];
    const char *x = rows->data + a * width * 8, *y = rows->data + b * width * 8;
    for (int64_t i = 0; i < width; i++) {
        if (rows->dtype == CN_I64) {
            int64_t u = ((const int64_t *)(const void *)x)[i];
            int64_t v = ((const int64_t *)(const void *)y)[i];
            if (u != v) return u < v ? -1 : 1;
        } else {
            double u = ((const double *)(const void *)x)[i];
            double v = ((const double *)(const void *)y)[i];
            if (u != v) return u < v || (u == u && v != v) ? -1 : 1;
        }
    }
    return 0;
}

static void merge(const cn_view *rows, const int64_t *from, int64_t *to, int64_t first,
                  int64_t middle, int64_t last)
{
    for (int64_t k = first, i = first, j = middle; k < last; k++) {
        bool right = i == middle || (j < last && compare_rows(rows, from[j], from[i]) < 0);
        to[k] = from[right ? j++ : i++];
    }
}

/* The places of the rows in ascending order, by a stable merge sort. */
static cn_tensor *row_order(cn_tensor *rows)
{
    int64_t n = rows->v.shape.dim[0];
    rows = cn_rows(cn_cast_raw(rows, cn_dtype_is_float(rows->v.dtype) ? CN_F64 : CN_I64));
    cn_tensor *from = rows ? cn_counting(n) : NULL, *to = from ? cn_counting(n) : NULL;
    for (int64_t width = 1; to && width < n; width *= 2) {
        for (int64_t first = 0; first < n; first += 2 * width) {
            int64_t middle = first + width < n ? first + width : n;
            int64_t last = middle + width < n ? middle + width : n;
            merge(&rows->v, (const int64_t *)(const void *)from->v.data,
                  (int64_t *)(void *)to->v.data, first, middle, last);
        }
        cn_tensor *swap = from;
        from = to, to = swap;
    }
    return to ? from : NULL;
}

/* ---- groups -------------------------------------------------------------------------------- */

/* Where the groups begin among the n rows, which are together. */
static cn_tensor *group_starts(cn_tensor *rows)
{
    int64_t n = rows->v.shape.dim[0];
    if (n == 0) return cn_counting(0);
    cn_tensor *differ = cn_ne(cn_narrow(rows, 0, 1, n - 1), cn_narrow(rows, 0, 0, n - 1));
    differ = cn_gt(cn_sum(differ, .dim = CN_SHAPE(1)), cn_number_i64(0));
    cn_tensor *flags = cn_cat((cn_tensor *[]){ cn_ones(CN_SHAPE(1), CN_BOOL), differ }, 2, 0);
    cn_tensor *at = cn_nonzero(flags);
    return at ? cn_reshape(at, CN_SHAPE(at->v.shape.dim[0])) : NULL;
}

static cn_tensor *group_sizes(cn_tensor *starts, int64_t n)
{
    int64_t groups = starts->v.numel;
    cn_tensor *counts = cn_empty(CN_SHAPE(groups), CN_I64);
    const int64_t *s = (const int64_t *)(const void *)starts->v.data;
    for (int64_t i = 0; counts && i < groups; i++)
        ((int64_t *)(void *)counts->v.data)[i] = (i + 1 < groups ? s[i + 1] : n) - s[i];
    return counts;
}

/* Where each input went: the group numbers, put back in the order of the input. */
static cn_tensor *group_of_each(cn_tensor *order, cn_tensor *starts, cn_shape shape)
{
    cn_tensor *inverse = cn_empty(shape, CN_I64);
    const int64_t *at = (const int64_t *)(const void *)order->v.data;
    const int64_t *s = (const int64_t *)(const void *)starts->v.data;
    int64_t group = -1;
    for (int64_t i = 0; inverse && i < order->v.numel; i++) {
        if (group + 1 < starts->v.numel && s[group + 1] == i) group++;
        ((int64_t *)(void *)inverse->v.data)[at[i]] = group;
    }
    return inverse;
}

typedef struct {
    bool sort, return_inverse, return_counts;
    cn_opt_int dim;
} Groups;

/* The elements, or the slices along dim, as rows; *dim is 0 when none is given. */
static cn_tensor *as_rows(const cn_call *c, const Groups *p, int *dim)
{
    cn_tensor *x = c->in[0];
    *dim = 0;
    if (!p->dim.given) return cn_reshape(x, CN_SHAPE(x->v.numel, 1));
    if ((*dim = cn_wrap_dim(p->dim.value, x->v.shape.ndim, c->op->name)) < 0) return NULL;
    int64_t width = 1;
    for (int i = 0; i < x->v.shape.ndim; i++)
        if (i != *dim) width *= x->v.shape.dim[i];
    if (x->v.shape.ndim && width)
        return cn_reshape(cn_transpose(x, 0, *dim), CN_SHAPE(x->v.shape.dim[*dim], width));
    cn_fail(CN_EINVALID, "%s: slices along dimension %d have no elements", c->op->name, *dim);
    return NULL;
}

static bool give_groups(cn_call *c, const Groups *p)
{
    int dim, k = 1;
    cn_tensor *x = c->in[0], *rows = as_rows(c, p, &dim);
    if (!rows) return false;
    int64_t n = rows->v.shape.dim[0];
    cn_tensor *order = p->sort ? row_order(rows) : cn_counting(n);
    cn_tensor *together = order ? cn_index_select(rows, 0, order) : NULL;
    cn_tensor *starts = together ? group_starts(together) : NULL;
    if (!starts) return false;
    if (!p->dim.given) x = cn_reshape(x, CN_SHAPE(n));
    cn_tensor *y = x && x->v.shape.ndim ? cn_index_select(x, dim, cn_gather(order, 0, starts)) : x;
    cn_shape each = p->dim.given ? CN_SHAPE(n) : c->in[0]->v.shape;
    if (!cn_set_out(c, 0, y)) return false;
    if (p->return_inverse && !cn_set_out(c, k++, group_of_each(order, starts, each))) return false;
    return !p->return_counts || cn_set_out(c, k, group_sizes(starts, n));
}

typedef struct {
    bool sorted, return_inverse, return_counts;
    cn_opt_int dim;
} Unique;

static bool unique_compose(cn_call *c)
{
    const Unique *p = c->params;
    return give_groups(c, &(Groups){ true, p->return_inverse, p->return_counts, p->dim });
}

const cn_op cn_op_unique = {
    CN_OP_HEAD(unique, "unique",
               "(Tensor input, bool sorted=True, bool return_inverse=False, "
               "bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)"),
    .doc = "The different elements (slices along dim) in order; then the place of each input among "
           "them, and how often each is.",
    .params_size = sizeof(Unique),
    .flags = CN_NO_GRAD_OP,
    .compose = unique_compose,
    .samples = "i64<4[9] | i64<3[2,4] True True True | [3] return_counts=True | [0] | [] | bool[5] "
               "| i64<2[6,2] return_inverse=True return_counts=True dim=0 | i64<2[2,5] dim=-1",
};

typedef struct {
    bool return_inverse, return_counts;
    cn_opt_int dim;
} Consecutive;

static bool unique_consecutive_compose(cn_call *c)
{
    const Consecutive *p = c->params;
    return give_groups(c, &(Groups){ false, p->return_inverse, p->return_counts, p->dim });
}

const cn_op cn_op_unique_consecutive = {
    CN_OP_HEAD(unique_consecutive, "unique_consecutive",
               "(Tensor input, bool return_inverse=False, bool return_counts=False, "
               "int? dim=None) -> (Tensor, Tensor, Tensor)"),
    .doc = "The elements (slices along dim) that differ from the one before; then the group of "
           "each input, and the size of each group.",
    .params_size = sizeof(Consecutive),
    .flags = CN_NO_GRAD_OP,
    .compose = unique_consecutive_compose,
    .samples = "i64<2[9] | i64<2[2,6] True True | [3] return_counts=True | [0] | [] | bool[7] "
               "| i64<2[6,2] True True dim=0 | i64<2[2,5] dim=-1",
};
