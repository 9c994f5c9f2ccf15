/* conv.h - the core ops of convolution in two and three dimensions, for the ops made of them. */
#ifndef CN_OPS_LAYERS_CONV_H
#define CN_OPS_LAYERS_CONV_H

#include "ops/layers/spatial.h"
#include "ops/params.h"

/* The maps of a convolution y = conv(x, w), which is linear in x and in w: itself, and its gradients
   by either. In 3 dimensions if the parameters name 3, otherwise in 2. */
cn_tensor *cn_convolution(cn_tensor *x, cn_tensor *w, cn_tensor *bias, const cn_conv_params *p);
cn_tensor *cn_conv_input(const cn_shape *x, cn_tensor *w, cn_tensor *gy, const cn_conv_params *p);
cn_tensor *cn_conv_weight(cn_tensor *x, const cn_shape *w, cn_tensor *gy, const cn_conv_params *p);

/* Strides and dilations of at least 1, paddings of at least 0, sizes with small products. */
bool cn_conv_sane(const cn_shape *x, const cn_shape *w, const cn_conv_params *p, const char *what);
/* The tensors present have one type of numbers. */
bool cn_conv_dtypes(const cn_call *c);

#endif
