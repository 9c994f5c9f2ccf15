/* typed.c - functions for C of reductions and searches that have none beside their entries. */
#include "ops/compose.h"

static cn_opt_int one_of(const cn_shape *dim)
{
    return (cn_opt_int){ dim->ndim > 0, dim->dim[0] };
}

static cn_indexed both(const cn_op *op, cn_tensor *input, const void *params)
{
    cn_tensor *out[2];
    if (!input || !cn_apply(op, &input, 1, params, out, 2)) return (cn_indexed){ NULL, NULL };
    return (cn_indexed){ out[0], out[1] };
}

cn_tensor *cn_prod_with(const cn_reduce_args *a)
{
    if (a->dim.ndim > 1)
        return cn_fail(CN_EINVALID, "prod: one dim, or none, not %d", a->dim.ndim), NULL;
    struct {
        cn_opt_int dim;
        bool keepdim;
        int32_t dtype;
    } p = { one_of(&a->dim), a->keepdim, CN_NO_DTYPE };
    return CN_CALL(prod, &p, a->input);
}

cn_indexed cn_cummax(cn_tensor *input, int dim)
{
    return both(&cn_op_cummax, input, &(int64_t){ dim });
}

cn_indexed cn_cummin(cn_tensor *input, int dim)
{
    return both(&cn_op_cummin, input, &(int64_t){ dim });
}

typedef struct {
    cn_opt_int dim;
    bool keepdim;
} Dim;

cn_tensor *cn_median(cn_tensor *input)
{
    return CN_CALL(median, (&(Dim){ { false, 0 }, false }), input);
}

cn_indexed cn_median_along(cn_tensor *input, int dim)
{
    return both(&cn_op_median, input, &(Dim){ { true, dim }, false });
}

cn_indexed cn_kthvalue(cn_tensor *input, int64_t k, int dim)
{
    struct {
        int64_t k, dim;
        bool keepdim;
    } p = { k, dim, false };
    return both(&cn_op_kthvalue, input, &p);
}

cn_tensor *cn_quantile_with(const cn_quantile_args *a)
{
    if (a->dim.ndim > 1)
        return cn_fail(CN_EINVALID, "quantile: one dim, or none, not %d", a->dim.ndim), NULL;
    struct {
        cn_opt_int dim;
        bool keepdim;
        const char *interpolation;
    } p = { one_of(&a->dim), a->keepdim, "linear" };
    return CN_CALL(quantile, &p, a->input, a->q);
}

cn_tensor *cn_unique_with(const cn_unique_args *a)
{
    struct {
        bool sorted, inverse, counts;
        cn_opt_int dim;
    } p = { true, a->inverse, a->counts, { 0 } };
    cn_tensor *out[3] = { NULL };
    p.dim = one_of(&a->dim);
    cn_tensor *input = a->input;
    bool ok = input && cn_apply(&cn_op_unique, &input, 1, &p, out, 1 + p.inverse + p.counts);
    if (a->inverse) *a->inverse = ok ? out[1] : NULL;
    if (a->counts) *a->counts = ok ? out[1 + p.inverse] : NULL;
    return ok ? out[0] : NULL;
}

cn_tensor *cn_searchsorted(cn_tensor *sorted_sequence, cn_tensor *input, bool right)
{
    struct {
        bool out_int32, right;
        const char *side;
    } p = { false, right, NULL };
    return CN_CALL(searchsorted, &p, sorted_sequence, input, NULL);
}

cn_tensor *cn_diff(cn_tensor *input, int64_t n, int dim)
{
    struct {
        int64_t n, dim;
    } p = { n, dim };
    return CN_CALL(diff, &p, input, NULL, NULL);
}
