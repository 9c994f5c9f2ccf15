/* functional.h - the operators of neural networks: PyTorch's nn.functional. See ops.h for what all ops
   have in common. Images are (N, C, H, W). */
#ifndef CENOTE_FUNCTIONAL_H
#define CENOTE_FUNCTIONAL_H

#include "ops.h"

CN_BEGIN_DECLS

/* input (..., in) weight^T (out, in) + bias (out), or NULL: (..., out). D2L 3.1. */
CN_API cn_tensor *cn_linear(cn_tensor *input, cn_tensor *weight, cn_tensor *bias);

/* ---- convolution ------------------------------------------------------------------------------------- */

typedef struct cn_conv2d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, H, W) or (C, H, W); (out, C / groups, height, width) */
    cn_named_only named_only_;
    cn_tensor *bias;           /* (out) */
    int64_t stride[2], padding[2], dilation[2]; /* 1, 0, 1; of stride and dilation one number serves for both */
    int64_t groups;            /* 1 */
    bool same;                 /* pad so that the output is as large as the input */
} cn_conv2d_args;
CN_API cn_tensor *cn_conv2d_with(const cn_conv2d_args *args);
#define cn_conv2d(...) cn_conv2d_with(&(cn_conv2d_args){ .size = sizeof(cn_conv2d_args), __VA_ARGS__ })

typedef struct cn_conv1d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, L) or (C, L); (out, C / groups, length) */
    cn_named_only named_only_;
    cn_tensor *bias;
    int64_t stride, padding, dilation, groups;
    bool same;
} cn_conv1d_args;
CN_API cn_tensor *cn_conv1d_with(const cn_conv1d_args *args);
#define cn_conv1d(...) cn_conv1d_with(&(cn_conv1d_args){ .size = sizeof(cn_conv1d_args), __VA_ARGS__ })

/* ---- margins ------------------------------------------------------------------------------------------- */

typedef enum cn_pad_mode { CN_PAD_CONSTANT, CN_PAD_REFLECT, CN_PAD_REPLICATE, CN_PAD_CIRCULAR } cn_pad_mode;

typedef struct cn_pad_args {
    size_t size;
    cn_tensor *input;
    cn_shape pad; /* before and after the last dimension, before and after the one before it, .. */
    cn_named_only named_only_;
    cn_pad_mode mode;
    double value; /* of CN_PAD_CONSTANT */
} cn_pad_args;
CN_API cn_tensor *cn_pad_with(const cn_pad_args *args);
#define cn_pad(...) cn_pad_with(&(cn_pad_args){ .size = sizeof(cn_pad_args), __VA_ARGS__ })
CN_API cn_tensor *cn_constant_pad_nd(cn_tensor *input, cn_shape pad, double value);

/* ---- pooling: (N, C, H, W) or (C, H, W) ------------------------------------------------------------------ */

typedef struct cn_pool2d_args {
    size_t size;
    cn_tensor *input;
    int64_t kernel[2]; /* one number serves for both, here and below */
    cn_named_only named_only_;
    int64_t stride[2], padding[2], dilation[2]; /* kernel, 0, 1; dilation: maxima only */
    bool ceil_mode;
    bool exclude_pad;         /* averages: margins do not count as elements */
    int64_t divisor_override; /* averages: divide by this; 0: by the window's size */
    cn_tensor **indices;      /* maxima: where they were, in the flat plane; NULL: not wanted */
} cn_pool2d_args;
CN_API cn_tensor *cn_avg_pool2d_with(const cn_pool2d_args *args);
CN_API cn_tensor *cn_max_pool2d_with(const cn_pool2d_args *args);
#define cn_avg_pool2d(...) cn_avg_pool2d_with(&(cn_pool2d_args){ .size = sizeof(cn_pool2d_args), __VA_ARGS__ })
#define cn_max_pool2d(...) cn_max_pool2d_with(&(cn_pool2d_args){ .size = sizeof(cn_pool2d_args), __VA_ARGS__ })
CN_API cn_tensor *cn_adaptive_avg_pool2d(cn_tensor *input, int64_t height, int64_t width);
CN_API cn_tensor *cn_adaptive_max_pool2d(cn_tensor *input, int64_t height, int64_t width);

CN_END_DECLS
#endif
