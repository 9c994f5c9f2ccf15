/* bind_dropout.c - dropout and its gradient. */
#include "backends/simd/bind.h"
#include "ops/params.h"

static bool dropout(const cn_call *c)
{
    const cn_dropout_params *d = c->params;
    const cn_simd_philox rng = { (uint64_t)d->seed, (uint64_t)d->stream, (uint64_t)d->position };
    cn_simd->dropout(&rng, d->p, cn_simd_out(c, 0), (uint8_t *)cn_out(c, 1)->data, cn_simd_in(c, 0),
                     cn_in(c, 0)->numel, cn_threads());
    return true;
}

static bool dropout_backward(const cn_call *c)
{
    cn_simd->dropout_backward(*(const double *)c->params, cn_simd_out(c, 0), cn_simd_in(c, 0),
                              (const uint8_t *)cn_in(c, 1)->data, cn_in(c, 0)->numel, cn_threads());
    return true;
}

/* The other input, the mask, is bool. */
static const char *refuses_gradient(const cn_call *c)
{
    return cn_simd_dense(cn_in(c, 0)) && cn_in(c, 1)->contiguous ? NULL : "not dense float32";
}

const cn_simd_binding cn_simd_dropouts[] = {
    { CN_OP_ID_dropout_at, dropout, NULL },
    { CN_OP_ID_dropout_backward, dropout_backward, refuses_gradient },
    { 0 },
};
