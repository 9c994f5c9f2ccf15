/* scatter_reduce.c - scatter_reduce and index_reduce: what falls on one place, reduced. */
#include "ops/indexing/along.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    cn_put_how how;
} ways[] = {
    { "sum", CN_PUT_SUM },      { "prod", CN_PUT_PRODUCT },  { "mean", CN_PUT_SUM },
    { "amax", CN_PUT_LARGEST }, { "amin", CN_PUT_SMALLEST },
};

static bool way_of(const cn_op *op, const char *reduce, cn_put_how *how)
{
    for (size_t i = op == &cn_op_index_reduce; i < CN_COUNT(ways); i++)
        if (reduce && strcmp(ways[i].name, reduce) == 0) return *how = ways[i].how, true;
    return cn_fail(CN_EINVALID, "%s: reduce must be %s'prod', 'mean', 'amax' or 'amin', not '%s'",
                   op->name, op == &cn_op_index_reduce ? "" : "'sum', ", reduce ? reduce : "None");
}

/* The largest number of an integer type; its complement is the smallest. */
static int64_t largest_integer(cn_dtype d)
{
    switch (d) {
    case CN_BOOL: return 1;
    case CN_U8: return UINT8_MAX;
    case CN_I8: return INT8_MAX;
    case CN_I16: return INT16_MAX;
    case CN_I32: return INT32_MAX;
    default: return INT64_MAX;
    }
}

cn_tensor *cn_neutral(cn_put_how how, cn_dtype d)
{
    if (how == CN_PUT_SUM || how == CN_PUT_PRODUCT) return cn_number_i64(how == CN_PUT_PRODUCT);
    bool large = how == CN_PUT_SMALLEST;
    if (cn_dtype_is_float(d)) return cn_number(large ? (double)INFINITY : -(double)INFINITY);
    bool natural = d == CN_BOOL || d == CN_U8;
    return cn_number_i64(large ? largest_integer(d) : natural ? 0 : -largest_integer(d) - 1);
}

/* Sums over how many elements each is made of; integers are rounded down. */
static cn_tensor *averaged(cn_tensor *sum, int dim, cn_tensor *index, bool include_self)
{
    if (!sum) return NULL;
    cn_tensor *count = cn_ones(sum->v.shape, sum->v.dtype), *one = cn_number_i64(1);
    if (!include_self) count = cn_scatter(count, dim, index, cn_number_i64(0));
    count = cn_put_along(count, dim, index, one, CN_PUT_SUM);
    bool real = cn_dtype_is_float(sum->v.dtype);
    return real ? cn_div(sum, count) : cn_floor_divide(sum, count);
}

static cn_tensor *reduced(const cn_call *c, cn_tensor *input, int dim, cn_tensor *index,
                          cn_tensor *src, const char *reduce, bool include_self)
{
    cn_put_how how = CN_PUT_SUM;
    if (!way_of(c->op, reduce, &how)) return NULL;
    if (strcmp(reduce, "mean") == 0 && input->v.dtype == CN_BOOL) {
        cn_fail(CN_EINVALID, "%s: the mean of bool is not defined", c->op->name);
        return NULL;
    }
    if (!include_self) input = cn_scatter(input, dim, index, cn_neutral(how, input->v.dtype));
    cn_tensor *y = cn_put_along(input, dim, index, src, how);
    return strcmp(reduce, "mean") == 0 ? averaged(y, dim, index, include_self) : y;
}

/* ---- scatter_reduce ------------------------------------------------------------------------ */

typedef struct {
    int64_t dim;
    const char *reduce;
    bool include_self;
} Reduce;

static bool scatter_reduce_compose(cn_call *c)
{
    const Reduce *p = c->params;
    cn_tensor *index = c->in[1], *src = cn_fit_index(c->in[2], index);
    if (!src) return false;
    return cn_set_out(c, 0,
                      reduced(c, c->in[0], (int)p->dim, index, src, p->reduce, p->include_self));
}

const cn_op cn_op_scatter_reduce = {
    CN_OP_HEAD(scatter_reduce, "scatter_reduce",
               "(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, "
               "bool include_self=True) -> Tensor"),
    .doc = "Each place along dim reduced with the elements of src that index sends there; without "
           "include_self only those, where there are any.",
    .params_size = sizeof(Reduce),
    .compose = scatter_reduce_compose,
    .samples =
        "[3,4] 1 i64<4[3,6] [3,6] sum | [3,4] 0 i64<3[5,4] [5,4] prod | [4] 0 i64<4[6] [6] mean | "
        "[4] 0 i64<4[6] [7] amax | [] 0 i64<1[] [] amin | [4] 0 i64<4[5] [5] sum include_self=False | "
        "[4] 0 i64<4[5] [5] prod include_self=False | [4] 0 i64<4[5] [5] mean include_self=False | "
        "[3,2] 0 i64<3[2,2] [3,2] amax include_self=False | [3,2] 0 i64<3[0,2] [0,2] amin | "
        "i64<9[4] 0 i64<4[5] i64<9[5] mean",
};

/* ---- index_reduce -------------------------------------------------------------------------- */

static bool index_reduce_compose(cn_call *c)
{
    const Reduce *p = c->params;
    cn_tensor *t = c->in[0];
    int dim;
    cn_tensor *index = cn_repeated_index(&t, p->dim, c->in[1], &dim, "index_reduce");
    cn_tensor *src = c->in[2]->v.shape.ndim ? c->in[2] : cn_reshape(c->in[2], CN_SHAPE(1));
    if (!index || !cn_slices_fit(src, index, "index_reduce")) return false;
    cn_tensor *y = reduced(c, t, dim, index, src, p->reduce, p->include_self);
    return cn_set_out(c, 0, cn_reshape(y, c->in[0]->v.shape));
}

const cn_op cn_op_index_reduce = {
    CN_OP_HEAD(index_reduce, "index_reduce",
               "(Tensor input, int dim, Tensor index, Tensor source, str reduce, *, "
               "bool include_self=True) -> Tensor"),
    .doc = "The slices along dim reduced with those of source that index, a vector, sends there.",
    .params_size = sizeof(Reduce),
    .compose = index_reduce_compose,
    .samples =
        "[4,3] 0 i64<4[6] [6,3] prod | [2,4] 1 i64<4[3] [2,3] mean | [4] 0 i64<4[6] [6] amax | "
        "[4] 0 i64<4[6] [6] amin include_self=False | [4] 0 i64<4[3] [3] mean include_self=False",
};
