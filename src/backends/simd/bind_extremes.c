/* bind_extremes.c - the largest and smallest along a dimension, and their places. */
#include "backends/simd/bind.h"
#include "ops/compose.h"
#include "ops/params.h"

static cn_lines lines_of(const cn_call *c)
{
    const cn_extreme_params *p = c->params;
    const cn_shape *s = &cn_in(c, 0)->shape;
    return cn_lines_of(s, cn_wrap_dim(p->dim, s->ndim, c->op->name));
}

static cn_simd_extremes extremes_of(const cn_call *c)
{
    const cn_lines l = lines_of(c);
    return (cn_simd_extremes){ .x = cn_simd_in(c, 0),
                               .outer = l.outer,
                               .size = l.size,
                               .inner = l.inner,
                               .smallest = ((const cn_extreme_params *)c->params)->smallest };
}

static bool values(const cn_call *c)
{
    cn_simd_extremes e = extremes_of(c);
    e.values = cn_simd_out(c, 0);
    cn_simd->extremes(&e, cn_threads());
    return true;
}

static bool places(const cn_call *c)
{
    cn_simd_extremes e = extremes_of(c);
    e.places = (int64_t *)(void *)cn_out(c, 0)->data;
    cn_simd->extremes(&e, cn_threads());
    return true;
}

static const char *refuses(const cn_call *c)
{
    const char *reason = cn_simd_refuses_empty(c);
    return reason || lines_of(c).size <= INT32_MAX ? reason : "a dimension of over 2^31";
}

const cn_simd_binding cn_simd_extreme_ops[] = {
    { CN_OP_ID_extreme, values, refuses },
    { CN_OP_ID_arg_extreme, places, refuses },
    { 0 },
};
