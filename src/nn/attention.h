/* attention.h (internal) - multi-head attention for the layers made of it. */
#ifndef CN_NN_ATTENTION_H
#define CN_NN_ATTENTION_H

#include "nn/module.h"

typedef struct cn_attention_inputs {
    cn_tensor *query, *key, *value;
    cn_tensor *key_padding_mask, *attn_mask; /* NULL: none */
    bool per_head;                           /* weights of each head, not their mean */
} cn_attention_inputs;

/* m is a MultiheadAttention; weights NULL: not wanted. */
cn_tensor *cn_attend(cn_module *m, const cn_attention_inputs *in, cn_tensor **weights);

#endif
