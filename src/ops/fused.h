/* fused.h - ops that do the work of several, for modules to use where they fit. */
#ifndef CN_OPS_FUSED_H
#define CN_OPS_FUSED_H

#include "core/op.h"

/* Is `op` an activation that linear_act can put on top of a linear layer? */
bool cn_is_linear_activation(const cn_op *op);
cn_tensor *cn_linear_act(cn_tensor *input, cn_tensor *weight, cn_tensor *bias, const cn_op *activation);

#endif
