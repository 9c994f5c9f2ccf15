/* fused.h - ops that do the work of several, for modules to use where they fit. */
#ifndef CN_OPS_FUSED_H
#define CN_OPS_FUSED_H

#include "core/op.h"

#include <cenote/functional.h>

/* Is `op` an activation that linear_act can put on top of a linear layer? */
bool cn_is_linear_activation(const cn_op *op);
cn_tensor *cn_linear_act(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                         const cn_op *activation);

/* relu(batch_norm(..)), in training without the tensor between them. */
cn_tensor *cn_batch_norm_relu(const cn_batch_norm_args *a);

typedef struct cn_linear_backward {
    bool want_input, want_weight, want_bias;
} cn_linear_backward; /* parameters of the op linear_backward */

/* Convolution (stride 1), activation and pooling in one op, for few channels, where each alone is
   bound by
   memory. `pool`: "avg" or "max", 2 x 2 with stride 2, or "none". */
typedef struct cn_conv_block {
    cn_ints padding;
    const char *activation, *pool; /* literals */
} cn_conv_block;

/* Would a fast kernel take it? Otherwise the separate ops are as good. */
bool cn_conv_block_pays(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                        const cn_conv_block *p);
cn_tensor *cn_conv_block_call(cn_tensor *input, cn_tensor *weight, cn_tensor *bias,
                              const cn_conv_block *p);

#endif
