/* seq2seq.h - a GRU reads the source, another one writes the target (D2L 10.7; Sutskever et al.,
   2014; Cho et al., 2014). */
#ifndef MODELS_SEQ2SEQ_H
#define MODELS_SEQ2SEQ_H

#include "models/encoder_decoder.h"

typedef struct cn_seq2seq_options {
    int64_t vocabulary;                /* of the encoder's source, or of the decoder's target */
    int64_t embedding, hidden, layers; /* 0: 32, 32, 2 */
    double dropout;                    /* between layers, in training */
    bool
        bidirectional; /* the encoder reads both ways; a decoder that does is refused: it cannot know
                           the words that it has not said yet */
} cn_seq2seq_options;

/* (batch, steps) to the outputs of all steps, (steps, batch, hidden; twice that for both ways), and
   the last state, (layers, batch, hidden): of both ways it is a linear layer of them, with tanh. Children:
   "embedding", "rnn", of both ways "merge". Padding is read like words, as in the book. */
cn_module *cn_seq2seq_encoder(const cn_seq2seq_options *o);

/* Each step takes its token and what the last layer of the encoder had seen in the end. The state is
   (layers, batch, hidden) and that context, (batch, hidden), which stays the same, so that going step
   by step is the same as going over all steps at once. (In D2L's Chinese edition the context of a call is
   the top of its first state, which is so for all steps at once only.) Children: "embedding", "rnn",
   "dense". */
cn_module *cn_seq2seq_decoder(const cn_seq2seq_options *o);
cn_init_state cn_seq2seq_init_state;

/* Both, as cn_seq_drawn() draws them. `o` has the source's vocabulary. */
cn_module *cn_seq2seq(const cn_seq2seq_options *o, int64_t target_vocabulary);

#endif
