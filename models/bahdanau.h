/* bahdanau.h - a decoder that looks at all outputs of the encoder, by additive attention (D2L 11.4;
   Bahdanau, Cho and Bengio, 2014). */
#ifndef MODELS_BAHDANAU_H
#define MODELS_BAHDANAU_H

#include "models/seq2seq.h"

/* Each step asks with the last layer's state what of the source it needs. The state: the encoder's outputs
   (batch, steps, hidden), which of them are padding, and (layers, batch, hidden). Children:
   "embedding", "w_q", "w_k", "w_v", "rnn", "dense". */
cn_module *cn_bahdanau_decoder(const cn_seq2seq_options *o);
cn_init_state cn_bahdanau_init_state;

/* How much a step with that state looks at each step of the source: (batch, 1, steps). */
cn_tensor *cn_bahdanau_weights(cn_module *decoder, const cn_seq_state *state);

/* The encoder of seq2seq, and this decoder. `o` has the source's vocabulary. */
cn_module *cn_bahdanau(const cn_seq2seq_options *o, int64_t target_vocabulary);

#endif
