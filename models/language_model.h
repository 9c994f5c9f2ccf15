/* language_model.h - a recurrent layer on tokens, and a linear one that scores the next token. */
#ifndef MODELS_LANGUAGE_MODEL_H
#define MODELS_LANGUAGE_MODEL_H

#include "models/models.h"

/* Parts "rnn" and "linear", as the book's RNNModel (D2L 9.6) has them. cn_forward(): ids (batch, steps) to
   scores (batch, vocabulary, steps), as cn_cross_entropy() takes them, from a state of zeros.
   cn_forward_all(): {ids, h, c} to {scores, h, c}, to go on from a state; h and c may be missing, c is an
   LSTM's. `layer`, which is taken over, has batch_first and `vocabulary` features. NULL: an error. */
cn_module *cn_language_model(cn_module *layer, int64_t hidden, int64_t vocabulary);

#endif
