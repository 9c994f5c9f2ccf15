/* functional.h - the operators of neural networks: PyTorch's nn.functional. See ops.h for what
   all ops
   have in common. Images are (N, C, H, W). */
#ifndef CENOTE_FUNCTIONAL_H
#define CENOTE_FUNCTIONAL_H

#include "ops.h"
#include "rng.h"

CN_BEGIN_DECLS

/* input (..., in) weight^T (out, in) + bias (out), or NULL: (..., out). D2L 3.1. */
CN_API cn_tensor *cn_linear(cn_tensor *input, cn_tensor *weight, cn_tensor *bias);

/* ---- convolution --------------------------------------------------------------------------- */

typedef struct cn_conv2d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, H, W) or (C, H, W); (out, C / groups, height, width) */
    cn_named_only named_only_;
    cn_tensor *bias; /* (out) */
    int64_t stride[2], padding[2],
        dilation[2]; /* 1, 0, 1; of stride and dilation one number serves for both */
    int64_t groups;  /* 1 */
    bool same;       /* pad so that the output is as large as the input */
} cn_conv2d_args;
CN_API cn_tensor *cn_conv2d_with(const cn_conv2d_args *args);
#define cn_conv2d(...)                                                                             \
    cn_conv2d_with(&(cn_conv2d_args){ .size = sizeof(cn_conv2d_args), __VA_ARGS__ })

typedef struct cn_conv1d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, L) or (C, L); (out, C / groups, length) */
    cn_named_only named_only_;
    cn_tensor *bias;
    int64_t stride, padding, dilation, groups;
    bool same;
} cn_conv1d_args;
CN_API cn_tensor *cn_conv1d_with(const cn_conv1d_args *args);
#define cn_conv1d(...)                                                                             \
    cn_conv1d_with(&(cn_conv1d_args){ .size = sizeof(cn_conv1d_args), __VA_ARGS__ })

/* The transpose of conv2d, D2L 13.10. */
typedef struct cn_conv_transpose2d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, H, W) or (C, H, W); (C, out / groups, height, width) */
    cn_named_only named_only_;
    cn_tensor *bias;                            /* (out) */
    int64_t stride[2], padding[2], dilation[2]; /* as for conv2d */
    int64_t output_padding[2]; /* added to one side of the result; below stride or dilation */
    int64_t groups;            /* 1 */
} cn_conv_transpose2d_args;
CN_API cn_tensor *cn_conv_transpose2d_with(const cn_conv_transpose2d_args *args);
#define cn_conv_transpose2d(...)                                                                   \
    cn_conv_transpose2d_with(                                                                      \
        &(cn_conv_transpose2d_args){ .size = sizeof(cn_conv_transpose2d_args), __VA_ARGS__ })

typedef struct cn_conv3d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, D, H, W) or without N; (out, C / groups, d, h, w) */
    cn_named_only named_only_;
    cn_tensor *bias;                            /* (out) */
    int64_t stride[3], padding[3], dilation[3]; /* as for conv2d */
    int64_t groups;                             /* 1 */
    bool same;
} cn_conv3d_args;
CN_API cn_tensor *cn_conv3d_with(const cn_conv3d_args *args);
#define cn_conv3d(...)                                                                             \
    cn_conv3d_with(&(cn_conv3d_args){ .size = sizeof(cn_conv3d_args), __VA_ARGS__ })

typedef struct cn_conv_transpose1d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, L) or (C, L); (C, out / groups, length) */
    cn_named_only named_only_;
    cn_tensor *bias;
    int64_t stride, padding, dilation, output_padding, groups;
} cn_conv_transpose1d_args;
CN_API cn_tensor *cn_conv_transpose1d_with(const cn_conv_transpose1d_args *args);
#define cn_conv_transpose1d(...)                                                                   \
    cn_conv_transpose1d_with(                                                                      \
        &(cn_conv_transpose1d_args){ .size = sizeof(cn_conv_transpose1d_args), __VA_ARGS__ })

typedef struct cn_conv_transpose3d_args {
    size_t size;
    cn_tensor *input, *weight; /* (N, C, D, H, W) or without N; (C, out / groups, d, h, w) */
    cn_named_only named_only_;
    cn_tensor *bias;
    int64_t stride[3], padding[3], dilation[3], output_padding[3];
    int64_t groups;
} cn_conv_transpose3d_args;
CN_API cn_tensor *cn_conv_transpose3d_with(const cn_conv_transpose3d_args *args);
#define cn_conv_transpose3d(...)                                                                   \
    cn_conv_transpose3d_with(                                                                      \
        &(cn_conv_transpose3d_args){ .size = sizeof(cn_conv_transpose3d_args), __VA_ARGS__ })

/* ---- margins ------------------------------------------------------------------------------- */

typedef enum cn_pad_mode {
    CN_PAD_CONSTANT,
    CN_PAD_REFLECT,
    CN_PAD_REPLICATE,
    CN_PAD_CIRCULAR
} cn_pad_mode;

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

/* ---- pooling: (N, C, H, W) or (C, H, W) ---------------------------------------------------- */

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
#define cn_avg_pool2d(...)                                                                         \
    cn_avg_pool2d_with(&(cn_pool2d_args){ .size = sizeof(cn_pool2d_args), __VA_ARGS__ })
#define cn_max_pool2d(...)                                                                         \
    cn_max_pool2d_with(&(cn_pool2d_args){ .size = sizeof(cn_pool2d_args), __VA_ARGS__ })
CN_API cn_tensor *cn_adaptive_avg_pool2d(cn_tensor *input, int64_t height, int64_t width);
CN_API cn_tensor *cn_adaptive_max_pool2d(cn_tensor *input, int64_t height, int64_t width);

/* ---- sampling of images ---------------------------------------------------------------------- */

typedef enum cn_interpolation {
    CN_INTERPOLATE_NEAREST,
    CN_INTERPOLATE_NEAREST_EXACT,
    CN_INTERPOLATE_LINEAR, /* bilinear of images, trilinear of volumes */
    CN_INTERPOLATE_BICUBIC,
    CN_INTERPOLATE_AREA
} cn_interpolation;

typedef struct cn_interpolate_args {
    size_t size;
    cn_tensor *input; /* (N, C, ...) */
    cn_named_only named_only_;
    cn_shape output; /* of the dimensions after C; or else: */
    double scale;    /* by which all of them grow */
    cn_interpolation mode;
    bool align_corners; /* the outermost elements stay in place */
    bool antialias;
} cn_interpolate_args;
CN_API cn_tensor *cn_interpolate_with(const cn_interpolate_args *args);
#define cn_interpolate(...)                                                                        \
    cn_interpolate_with(&(cn_interpolate_args){ .size = sizeof(cn_interpolate_args), __VA_ARGS__ })

typedef enum cn_grid_padding { CN_GRID_ZEROS, CN_GRID_BORDER, CN_GRID_REFLECTION } cn_grid_padding;

typedef struct cn_grid_sample_args {
    size_t size;
    cn_tensor *input, *grid; /* (N, C, H, W); (N, h, w, 2): x and y from -1 to 1; also volumes */
    cn_named_only named_only_;
    cn_interpolation mode;   /* CN_INTERPOLATE_LINEAR is PyTorch's default */
    cn_grid_padding outside; /* what there is outside the input */
    bool align_corners;      /* -1 and 1 are the centres of the outermost pixels, not their edges */
} cn_grid_sample_args;
CN_API cn_tensor *cn_grid_sample_with(const cn_grid_sample_args *args);
#define cn_grid_sample(...)                                                                        \
    cn_grid_sample_with(&(cn_grid_sample_args){ .size = sizeof(cn_grid_sample_args), __VA_ARGS__ })

/* ---- softmax ------------------------------------------------------------------------------- */

CN_API cn_tensor *cn_softmax(cn_tensor *input, int dim);
CN_API cn_tensor *cn_log_softmax(cn_tensor *input, int dim);
CN_API cn_tensor *cn_logsumexp_with(const cn_reduce_args *args);
#define cn_logsumexp(...)                                                                          \
    cn_logsumexp_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })

/* ---- normalisation, dropout ---------------------------------------------------------------- */

typedef struct cn_batch_norm_args {
    size_t size;
    cn_tensor *input; /* (N, C) or (N, C, ...) */
    cn_named_only named_only_;
    cn_tensor *running_mean, *running_var, *weight, *bias; /* (C) each, or NULL */
    bool training;   /* standardise by the batch and update the running statistics */
    double momentum; /* of that update; 0: they stay as they are */
    double eps;      /* 1e-5 */
} cn_batch_norm_args;
CN_API cn_tensor *cn_batch_norm_with(const cn_batch_norm_args *args);
#define cn_batch_norm(...)                                                                         \
    cn_batch_norm_with(&(cn_batch_norm_args){ .size = sizeof(cn_batch_norm_args), __VA_ARGS__ })

/* The same for each channel of each example by itself, (N, C, ...): `training` takes those
   statistics, and moves the running ones towards their mean. */
CN_API cn_tensor *cn_instance_norm_with(const cn_batch_norm_args *args);
#define cn_instance_norm(...)                                                                      \
    cn_instance_norm_with(&(cn_batch_norm_args){ .size = sizeof(cn_batch_norm_args), __VA_ARGS__ })

typedef struct cn_layer_norm_args {
    size_t size;
    cn_tensor *input;
    cn_shape normalized_shape; /* of the last dimensions */
    cn_named_only named_only_;
    cn_tensor *weight, *bias; /* of that shape */
    double eps;               /* 1e-5 */
} cn_layer_norm_args;
CN_API cn_tensor *cn_layer_norm_with(const cn_layer_norm_args *args);
#define cn_layer_norm(...)                                                                         \
    cn_layer_norm_with(&(cn_layer_norm_args){ .size = sizeof(cn_layer_norm_args), __VA_ARGS__ })

/* Standardises groups of channels of each example, (N, C, ...); weight and bias (C), or NULL. PyTorch's
   eps is 1e-5. */
CN_API cn_tensor *cn_group_norm(cn_tensor *input, int64_t num_groups, cn_tensor *weight,
                                cn_tensor *bias, double eps);

/* Zeroes elements with probability p and scales the rest by 1 / (1 - p), drawing from rng and
   moving it on; rng
   NULL: not in training, the input itself. */
CN_API cn_tensor *cn_dropout(cn_tensor *input, double p, cn_rng *rng);
CN_API cn_tensor *cn_dropout1d(cn_tensor *input, double p,
                               cn_rng *rng); /* whole channels of (N, C, L) or (C, L) */
CN_API cn_tensor *cn_dropout2d(cn_tensor *input, double p,
                               cn_rng *rng); /* of (N, C, H, W) or (N, C, L) */
CN_API cn_tensor *cn_dropout3d(cn_tensor *input, double p,
                               cn_rng *rng); /* of (N, C, D, H, W) or (C, D, H, W) */
/* Dropout that keeps mean 0 and variance 1, as after selu; of whole channels (N, C, ...) or of
   elements. */
CN_API cn_tensor *cn_alpha_dropout(cn_tensor *input, double p, bool channels, cn_rng *rng);

/* softmax(query key^T / sqrt(width)) value over the last two dimensions (D2L 11.3). */
CN_API cn_tensor *cn_scaled_dot_product_attention(cn_tensor *query, cn_tensor *key,
                                                  cn_tensor *value, cn_tensor *attn_mask,
                                                  bool is_causal);

/* ---- losses -------------------------------------------------------------------------------- */

typedef enum cn_reduction {
    CN_REDUCE_MEAN,
    CN_REDUCE_SUM,
    CN_REDUCE_NONE,
    CN_REDUCE_BATCHMEAN
} cn_reduction;

typedef struct cn_cross_entropy_args {
    size_t size;
    cn_tensor *input,
        *target; /* (N, C, ..) or (C); class indices (N, ..), or probabilities like input */
    cn_named_only named_only_;
    cn_tensor *weight;      /* (C) */
    cn_reduction reduction; /* the mean counts each element with the weight of its class */
    double label_smoothing; /* not of nll_loss */
    bool ignores;           /* leave out elements whose target is ignore_index (else: -100) */
    int64_t ignore_index;
} cn_cross_entropy_args;
CN_API cn_tensor *cn_cross_entropy_with(const cn_cross_entropy_args *args);
CN_API cn_tensor *cn_nll_loss_with(const cn_cross_entropy_args *args);
#define cn_cross_entropy(...)                                                                      \
    cn_cross_entropy_with(                                                                         \
        &(cn_cross_entropy_args){ .size = sizeof(cn_cross_entropy_args), __VA_ARGS__ })
#define cn_nll_loss(...)                                                                           \
    cn_nll_loss_with(&(cn_cross_entropy_args){ .size = sizeof(cn_cross_entropy_args), __VA_ARGS__ })

typedef struct cn_loss_args {
    size_t size;
    cn_tensor *input, *target;
    cn_named_only named_only_;
    cn_reduction reduction; /* CN_REDUCE_BATCHMEAN: kl_div only */
    double beta;            /* 1: where smooth_l1_loss, huber_loss (its delta) turn linear */
    cn_tensor *weight, *pos_weight; /* binary cross-entropy; pos_weight: with logits */
    bool log_target;                /* kl_div */
} cn_loss_args;
CN_API cn_tensor *cn_mse_loss_with(const cn_loss_args *args);
CN_API cn_tensor *cn_l1_loss_with(const cn_loss_args *args);
CN_API cn_tensor *cn_smooth_l1_loss_with(const cn_loss_args *args);
CN_API cn_tensor *cn_huber_loss_with(const cn_loss_args *args);
CN_API cn_tensor *cn_binary_cross_entropy_with(const cn_loss_args *args);
CN_API cn_tensor *cn_binary_cross_entropy_with_logits_with(const cn_loss_args *args);
CN_API cn_tensor *cn_kl_div_with(const cn_loss_args *args);
#define CN_LOSS_ARGS_(...) (&(cn_loss_args){ .size = sizeof(cn_loss_args), __VA_ARGS__ })
#define cn_mse_loss(...) cn_mse_loss_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_l1_loss(...) cn_l1_loss_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_smooth_l1_loss(...) cn_smooth_l1_loss_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_huber_loss(...) cn_huber_loss_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_binary_cross_entropy(...) cn_binary_cross_entropy_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_binary_cross_entropy_with_logits(...)                                                   \
    cn_binary_cross_entropy_with_logits_with(CN_LOSS_ARGS_(__VA_ARGS__))
#define cn_kl_div(...) cn_kl_div_with(CN_LOSS_ARGS_(__VA_ARGS__))

CN_API cn_tensor *cn_soft_margin_loss_with(const cn_loss_args *args);
#define cn_soft_margin_loss(...) cn_soft_margin_loss_with(CN_LOSS_ARGS_(__VA_ARGS__))

/* Of two inputs, and whether (target 1) they should agree or (-1) not; margin 0. */
typedef struct cn_pair_loss_args {
    size_t size;
    cn_tensor *input1, *input2, *target;
    cn_named_only named_only_;
    double margin;
    cn_reduction reduction;
} cn_pair_loss_args;
CN_API cn_tensor *cn_margin_ranking_loss_with(const cn_pair_loss_args *args);
CN_API cn_tensor *cn_cosine_embedding_loss_with(const cn_pair_loss_args *args);
#define CN_PAIR_LOSS_ARGS_(...)                                                                    \
    (&(cn_pair_loss_args){ .size = sizeof(cn_pair_loss_args), __VA_ARGS__ })
#define cn_margin_ranking_loss(...) cn_margin_ranking_loss_with(CN_PAIR_LOSS_ARGS_(__VA_ARGS__))
#define cn_cosine_embedding_loss(...) cn_cosine_embedding_loss_with(CN_PAIR_LOSS_ARGS_(__VA_ARGS__))

typedef struct cn_triplet_loss_args {
    size_t size;
    cn_tensor *anchor, *positive, *negative;
    cn_named_only named_only_;
    double margin, p; /* 1, 2 */
    bool swap;        /* take the distance from positive to negative where it is smaller */
    cn_reduction reduction;
} cn_triplet_loss_args;
CN_API cn_tensor *cn_triplet_margin_loss_with(const cn_triplet_loss_args *args);
#define cn_triplet_margin_loss(...)                                                                \
    cn_triplet_margin_loss_with(                                                                   \
        &(cn_triplet_loss_args){ .size = sizeof(cn_triplet_loss_args), __VA_ARGS__ })

typedef struct cn_ctc_loss_args {
    size_t size;
    cn_tensor *log_probs, *targets;            /* (T, N, C); (N, S), or one after the other */
    cn_tensor *input_lengths, *target_lengths; /* (N) int64 */
    cn_named_only named_only_;
    int64_t blank; /* 0 */
    cn_reduction reduction;
    bool zero_infinity; /* 0 where no alignment is possible */
} cn_ctc_loss_args;
CN_API cn_tensor *cn_ctc_loss_with(const cn_ctc_loss_args *args);
#define cn_ctc_loss(...)                                                                           \
    cn_ctc_loss_with(&(cn_ctc_loss_args){ .size = sizeof(cn_ctc_loss_args), __VA_ARGS__ })

/* Of a normal distribution with mean input and variance var, up to a constant. */
CN_API cn_tensor *cn_gaussian_nll_loss(cn_tensor *input, cn_tensor *target, cn_tensor *var,
                                       cn_reduction reduction);

/* ---- activations --------------------------------------------------------------------------- */

CN_API cn_tensor *cn_gelu(
    cn_tensor *input); /* input Phi(input), Phi the normal distribution function */
CN_API cn_tensor *cn_gelu_tanh(cn_tensor *input); /* its approximation */
CN_API cn_tensor *cn_leaky_relu(cn_tensor *input,
                                double negative_slope);   /* PyTorch's default: 0.01 */
CN_API cn_tensor *cn_elu(cn_tensor *input, double alpha); /* 1 */
CN_API cn_tensor *cn_selu(cn_tensor *input);
CN_API cn_tensor *cn_silu(cn_tensor *input);
CN_API cn_tensor *cn_mish(cn_tensor *input);
CN_API cn_tensor *cn_softplus(cn_tensor *input); /* log(1 + exp(input)) */
CN_API cn_tensor *cn_softsign(cn_tensor *input);
CN_API cn_tensor *cn_prelu(cn_tensor *input, cn_tensor *weight);
CN_API cn_tensor *cn_relu6(cn_tensor *input);
CN_API cn_tensor *cn_hardtanh(cn_tensor *input, double min_val, double max_val);
CN_API cn_tensor *cn_hardsigmoid(cn_tensor *input);
CN_API cn_tensor *cn_hardswish(cn_tensor *input);
CN_API cn_tensor *cn_logsigmoid(cn_tensor *input); /* log(1 / (1 + exp(-input))) */

/* ---- tables of vectors --------------------------------------------------------------------- */

typedef struct cn_embedding_args {
    size_t size;
    cn_tensor *input, *weight; /* indices of any shape; (rows, width) */
    cn_named_only named_only_;
    bool pads; /* row padding_idx gets no gradient */
    int64_t padding_idx;
} cn_embedding_args;
CN_API cn_tensor *cn_embedding_with(const cn_embedding_args *args);
#define cn_embedding(...)                                                                          \
    cn_embedding_with(&(cn_embedding_args){ .size = sizeof(cn_embedding_args), __VA_ARGS__ })
CN_API cn_tensor *cn_one_hot(cn_tensor *input,
                             int64_t num_classes); /* -1: the largest index plus one */

/* ---- sequences of unequal length ------------------------------------------------------------ */

/* Sequences (steps, ...) beside each other, padded: (steps, batch, ...), or batch first. */
CN_API cn_tensor *cn_pad_sequence(cn_tensor *const *sequences, int n, bool batch_first,
                                  double padding_value);

/* What of padded sequences is not padding: for each step the rows of the sequences that have it,
   the longest sequence first. All NULL on failure; both indices NULL: the order is kept. */
typedef struct cn_packed {
    cn_tensor *data, *batch_sizes;
    cn_tensor *sorted_indices, *unsorted_indices;
} cn_packed;

/* lengths: (batch) int64, 1 .. steps, in any order. */
CN_API cn_packed cn_pack_padded_sequence(cn_tensor *input, cn_tensor *lengths, bool batch_first);
CN_API cn_tensor *cn_pad_packed_sequence(const cn_packed *packed, bool batch_first,
                                         double padding_value,
                                         int64_t total_length); /* 0: that of the longest */

/* ---- lengths and angles -------------------------------------------------------------------- */

/* input / max(norm of input along dim, 1e-12), with the p-norm. */
CN_API cn_tensor *cn_normalize(cn_tensor *input, double p, int dim);
/* The cosine of the angle between x1 and x2 along dim. */
CN_API cn_tensor *cn_cosine_similarity(cn_tensor *x1, cn_tensor *x2, int dim);
/* The p-norm of x1 - x2 + eps along the last dimension; PyTorch's eps is 1e-6. */
CN_API cn_tensor *cn_pairwise_distance(cn_tensor *x1, cn_tensor *x2, double p, double eps);

CN_END_DECLS
#endif
