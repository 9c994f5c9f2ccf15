/* transformer.h (internal) - what Transformer layers and their stacks share. */
#ifndef CN_NN_TRANSFORMER_H
#define CN_NN_TRANSFORMER_H

#include "nn/attention.h"

extern const cn_module_class cn_class_LayerNorm, cn_class_MultiheadAttention,
    cn_class_TransformerEncoderLayer, cn_class_TransformerDecoderLayer, cn_class_TransformerEncoder,
    cn_class_TransformerDecoder, cn_class_Transformer;

/* Of one layer, as its schema lists them. */
typedef struct cn_layer_options {
    int64_t width, heads, feedforward;
    double dropout;
    const char *activation;
    double eps;
    bool batch_first, norm_first, bias;
} cn_layer_options;

cn_layer_options cn_layer_options_of(const cn_transformer_options *o);
bool cn_check_layer_options(const cn_module *m, const cn_layer_options *o);
cn_module *cn_transformer_norm(const cn_layer_options *o);

#endif
