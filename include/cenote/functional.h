/* functional.h - the operators of neural networks: PyTorch's nn.functional. See ops.h for what all ops
   have in common. Images are (N, C, H, W). */
#ifndef CENOTE_FUNCTIONAL_H
#define CENOTE_FUNCTIONAL_H

#include "ops.h"

CN_BEGIN_DECLS

/* input (..., in) weight^T (out, in) + bias (out), or NULL: (..., out). D2L 3.1. */
CN_API cn_tensor *cn_linear(cn_tensor *input, cn_tensor *weight, cn_tensor *bias);

CN_END_DECLS
#endif
