/* recurrent.h (internal) - sequences of unequal length, step by step. */
#ifndef CN_NN_RECURRENT_H
#define CN_NN_RECURRENT_H

#include "nn/module.h"
#include "ops/recurrent.h"

/* Sequences beside each other, the longest first: the rows of `data` from offsets[t] up to
   offsets[t + 1] are those that have a step t. */
typedef struct cn_sequence {
    cn_tensor *data;
    int64_t steps, batch; /* batch: rows of step 0 */
    int64_t *offsets;
} cn_sequence;

/* Runs one layer in one direction over the sequences from the state (h, c), (batch, ..) each: the h
   of all steps, laid out as the data, and the last state of each sequence. */
bool cn_recur(cn_cell cell, const cn_sequence *s, bool reverse, const cn_cell_weights *w,
              cn_tensor *state[2], cn_tensor **out);

bool cn_is_cell(const cn_module *m); /* RNNCell, GRUCell or LSTMCell */

#endif
