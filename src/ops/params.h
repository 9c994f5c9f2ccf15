/* params.h - the parameter structs that kernels outside this folder read, too. Each mirrors a
   schema. */
#ifndef CN_OPS_PARAMS_H
#define CN_OPS_PARAMS_H

#include "core/op.h"

/* convolution2d */
typedef struct cn_conv_params {
    cn_ints stride, padding, dilation; /* (height, width) */
    int64_t groups;
} cn_conv_params;

/* conv2d_input, conv2d_weight */
typedef struct cn_conv_gradient_params {
    cn_ints size; /* of the input or the weight, whichever is the result */
    cn_conv_params conv;
} cn_conv_gradient_params;

/* avg_pool2d; stride.n is -1 when it is the kernel's size */
typedef struct cn_avg_pool_params {
    cn_ints kernel, stride, padding;
    bool ceil_mode, count_include_pad;
    cn_opt_int divisor;
} cn_avg_pool_params;

typedef struct cn_avg_pool_backward_params {
    cn_ints size; /* of the input */
    cn_avg_pool_params pool;
} cn_avg_pool_backward_params;

/* max_pool2d_with_indices, max_pool2d_backward; stride as above */
typedef struct cn_max_pool_params {
    cn_ints kernel, stride, padding, dilation;
    bool ceil_mode;
} cn_max_pool_params;

/* extreme, arg_extreme */
typedef struct cn_extreme_params {
    int64_t dim;
    bool smallest;
} cn_extreme_params;

/* sum, mean; no dims: all */
typedef struct cn_reduce_params {
    cn_ints dim;
    bool keepdim;
    int32_t dtype;
} cn_reduce_params;

/* narrow_copy */
typedef struct cn_narrow_params {
    int64_t dim, start, length;
} cn_narrow_params;

/* layer_norm_rows */
typedef struct cn_layer_norm_params {
    cn_ints shape; /* of the last dimensions */
    double eps;
} cn_layer_norm_params;

/* batch_norm_train */
typedef struct cn_batch_norm_params {
    double eps;
    bool relu;
} cn_batch_norm_params;

/* batch_norm_backward */
typedef struct cn_batch_norm_backward_params {
    bool relu;
} cn_batch_norm_backward_params;

/* dropout_at */
typedef struct cn_dropout_params {
    double p;
    int64_t seed, stream, position;
} cn_dropout_params;

/* attention_rows, attention_rows_backward */
typedef struct cn_attention_params {
    double scale;
    bool is_causal;
    cn_dropout_params drop; /* of the weights, as if they lay in one row-major tensor */
} cn_attention_params;

/* softplus */
typedef struct cn_softplus_params {
    double beta, threshold;
} cn_softplus_params;

/* cross_entropy_rows, cross_entropy_rows_backward, nll_rows */
typedef struct cn_row_loss_params {
    int64_t ignore_index;
} cn_row_loss_params;

#endif
