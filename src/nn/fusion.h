/* fusion.h (internal) - neighbouring layers that one op computes faster. */
#ifndef CN_NN_FUSION_H
#define CN_NN_FUSION_H

#include "nn/module.h"

/* Runs the layers of a sequence from `first` on that a fused op can do together: *y, and how many
   they were;
   0 when there is nothing to gain (then *y is untouched), -1 on errors. Results are those of the
   single
   layers to rounding. */
int cn_run_fused(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y);

bool cn_is_batch_norm(const cn_module *m);
/* The layer, and a ReLU after it. */
cn_tensor *cn_batch_norm_relu_forward(cn_module *m, cn_tensor *x);

/* Is it a convolution with stride 1, dilation 1 and one group, of known shape? Its padding, if
   so. */
bool cn_is_plain_conv2d(const cn_module *m, cn_ints *padding);
bool cn_is_linear(const cn_module *m);

#endif
