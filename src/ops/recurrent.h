/* recurrent.h - one step of a recurrent network, for the cell ops and the recurrent layers. */
#ifndef CN_OPS_RECURRENT_H
#define CN_OPS_RECURRENT_H

#include "core/op.h"

typedef enum cn_cell { CN_CELL_TANH, CN_CELL_RELU, CN_CELL_GRU, CN_CELL_LSTM } cn_cell;

/* PyTorch's names and layouts: the gates one after the other along dimension 0. */
typedef struct cn_cell_weights {
    cn_tensor *w_ih, *w_hh;
    cn_tensor *b_ih, *b_hh; /* NULL: none */
    cn_tensor *w_hr;        /* projects the hidden state (LSTM); NULL: not at all */
} cn_cell_weights;

int cn_cell_gates(cn_cell cell); /* per hidden unit: 1, 3 (r, z, n) or 4 (i, f, g, o) */

/* The part of the gates that only depends on the inputs: for many steps in one product. */
cn_tensor *cn_cell_project(cn_cell cell, cn_tensor *input, const cn_cell_weights *w);
/* The next state from such a part and the state: state[0] is h, state[1] is c (LSTM). */
bool cn_cell_step(cn_cell cell, cn_tensor *projected, cn_tensor *state[2],
                  const cn_cell_weights *w);

/* For all cells but GRUs the two biases add up: to b_ih; b_hh becomes NULL. */
bool cn_cell_biases(cn_cell cell, cn_cell_weights *w);

/* All steps at once: the rows of a step side by side in `input`, `rows` (steps) int64 of them. The states become
   the last ones; *out: h of all steps. Not with w_hr. */
bool cn_recurrent_layer(cn_cell cell, cn_tensor *input, cn_tensor *state[2],
                        const cn_cell_weights *w, cn_tensor *rows, bool reverse, cn_tensor **out);

#endif
