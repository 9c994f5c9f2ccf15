/* typed.c - functions for C of pointwise ops that have none beside their entries. */
#include "ops/internal.h"

#define ONE(ident)                                                                                 \
    cn_tensor *cn_##ident(cn_tensor *input)                                                        \
    {                                                                                              \
        return CN_CALL(ident, NULL, input);                                                        \
    }
#define TWO(ident)                                                                                 \
    cn_tensor *cn_##ident(cn_tensor *input, cn_tensor *other)                                      \
    {                                                                                              \
        return CN_CALL(ident, NULL, input, other);                                                 \
    }

ONE(asinh)
ONE(acosh)
ONE(atanh)
ONE(erfc)
ONE(erfinv)
ONE(lgamma)
ONE(digamma)
TWO(hypot)
TWO(fmax)
TWO(fmin)
TWO(logaddexp)
TWO(xlogy)
TWO(copysign)

cn_tensor *cn_lerp(cn_tensor *input, cn_tensor *end, cn_tensor *weight)
{
    return CN_CALL(lerp, NULL, input, end, weight);
}

cn_tensor *cn_addcmul(cn_tensor *input, cn_tensor *tensor1, cn_tensor *tensor2, double value)
{
    const cn_number_arg p = { CN_NUM_FLOAT, { .f = value } };
    return CN_CALL(addcmul, &p, input, tensor1, tensor2);
}

cn_tensor *cn_addcdiv(cn_tensor *input, cn_tensor *tensor1, cn_tensor *tensor2, double value)
{
    const cn_number_arg p = { CN_NUM_FLOAT, { .f = value } };
    return CN_CALL(addcdiv, &p, input, tensor1, tensor2);
}
