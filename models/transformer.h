/* transformer.h - the Transformer of the book, from one sequence to another (D2L 11.7; Vaswani et al.,
   2017): normalisation after the sum, sines and cosines for positions, attention without biases. */
#ifndef MODELS_TRANSFORMER_H
#define MODELS_TRANSFORMER_H

#include "models/encoder_decoder.h"

typedef struct cn_transformer_settings {
    int64_t vocabulary;                        /* of the source, or of the target */
    int64_t width, feedforward, heads, layers; /* 0: 32, 64, 4, 2 */
    double dropout;
} cn_transformer_settings;

/* (1, steps, width): columns 2j and 2j+1 are sin and cos of position / 10000^(2j / width), beginning with
   position `first`. */
cn_tensor *cn_sinusoids(int64_t first, int64_t steps, int64_t width);

/* The two parts of a block that are not attention. x + dropout(y), normalised: */
cn_module *cn_add_norm(int64_t width, double dropout); /* cn_forward_all(): {x, y} */
cn_module *cn_position_wise(int64_t in, int64_t hidden, int64_t out);

/* One layer, forward_all({x, seen, hidden_steps, hidden_keys, memory, hidden_memory}): attention from x to
   `seen` (of a decoder: the steps so far), which attn_mask and key_padding_mask may hide; where it has
   `cross`, to the memory; and a position-wise network. */
cn_module *cn_transformer_block(const cn_transformer_settings *o, bool cross);

/* Tokens (batch, steps) and lengths to (batch, steps, width), and which steps are padding. */
cn_module *cn_transformer_tokens_encoder(const cn_transformer_settings *o);
/* The state is what was encoded, its padding, and for each layer the inputs of all steps so far: what
   keys and values are made of. Steps may come one by one or together. */
cn_module *cn_transformer_tokens_decoder(const cn_transformer_settings *o);
cn_init_state cn_transformer_init_state;

/* Both, as cn_seq_drawn() draws them. */
cn_module *cn_transformer_translator(const cn_transformer_settings *o, int64_t target_vocabulary);

/* The attention weights of one layer, (batch, heads, queries, keys), for these inputs of its part
   "attention" or "cross". */
cn_tensor *cn_transformer_weights(cn_module *block, const char *part, cn_tensor *queries,
                                  cn_tensor *keys, cn_tensor *hidden_steps, cn_tensor *hidden_keys);

#endif
