/* typed.c - functions for C of indexed writes that have none beside their entries. */
#include "ops/compose.h"

cn_tensor *cn_scatter_reduce(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src,
                             cn_scatter_how how, bool include_self)
{
    static const char *const names[] = { "sum", "prod", "mean", "amax", "amin" };
    if ((unsigned)how >= CN_COUNT(names))
        return cn_fail(CN_EINVALID, "scatter_reduce: there is no reduction %d", (int)how), NULL;
    struct {
        int64_t dim;
        const char *reduce;
        bool include_self;
    } p = { dim, names[how], include_self };
    return CN_CALL(scatter_reduce, &p, input, index, src);
}

cn_tensor *cn_take(cn_tensor *input, cn_tensor *index)
{
    return CN_CALL(take, NULL, input, index);
}

cn_tensor *cn_put(cn_tensor *input, cn_tensor *index, cn_tensor *source, bool accumulate)
{
    return CN_CALL(put, &accumulate, input, index, source);
}
