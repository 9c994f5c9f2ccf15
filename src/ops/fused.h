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

/* softmax(query key^T scale + mask) value, dropping out weights where rng is given. */
typedef struct cn_attention_call {
    cn_tensor *query, *key, *value; /* (.., steps, size) */
    cn_tensor *mask;                /* bool: what takes part; float: added; or NULL */
    double scale, dropout;
    bool is_causal;
    cn_rng *rng;
} cn_attention_call;

/* (batch, steps, parts * heads * size), or with the steps first, as `parts` (up to three) tensors of
   (batch, heads, steps, size), and back. */
bool cn_split_heads(cn_tensor *x, int parts, int64_t heads, bool steps_first, cn_tensor *out[]);
cn_tensor *cn_join_heads(cn_tensor *const *parts, int n, bool steps_first);

/* Can the weights remain unmade? Then cn_attention_fused() does it in memory linear in the length. */
bool cn_attention_fuses(const cn_attention_call *a);
cn_tensor *cn_attention_fused(const cn_attention_call *a);
/* Scores with -infinity, or a number added, where the mask says so. */
cn_tensor *cn_attention_masked(cn_tensor *scores, cn_tensor *mask, bool is_causal);
/* softmax over the last dimension; with `masked`, rows without a finite score get zeros. */
cn_tensor *cn_attention_softmax(cn_tensor *scores, bool masked);

#endif
