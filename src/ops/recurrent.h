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

/* "tanh", "relu", "gru" or "lstm"; else an error that begins with `who`. */
bool cn_cell_find(const char *who, const char *name, cn_cell *cell);
const char *cn_cell_name(cn_cell cell);
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

/* ---- one step, for kernels ---------------------------------------------------------------------- */

/* Inputs and outputs of the op recurrent_step, .. */
enum {
    CN_STEP_INPUT, /* without w_ih: what the inputs already gave to the gates */
    CN_STEP_HX,
    CN_STEP_CX,
    CN_STEP_W_IH,
    CN_STEP_W_HH,
    CN_STEP_B_IH,
    CN_STEP_B_HH,
    CN_STEP_IN
};
enum { CN_STEP_H, CN_STEP_C, CN_STEP_GATES, CN_STEP_OUT };

/* .. and of recurrent_step_backward. d_h may be grad_h, d_c may be grad_c. */
enum {
    CN_STEP_BACK_GRAD_OUT,
    CN_STEP_BACK_GRAD_H,
    CN_STEP_BACK_GRAD_C,
    CN_STEP_BACK_HX,
    CN_STEP_BACK_CX,
    CN_STEP_BACK_H,
    CN_STEP_BACK_C,
    CN_STEP_BACK_GATES,
    CN_STEP_BACK_W_HH,
    CN_STEP_BACK_IN
};
enum {
    CN_STEP_BACK_D_PROJECTED,
    CN_STEP_BACK_D_HIDDEN,
    CN_STEP_BACK_D_H,
    CN_STEP_BACK_D_C,
    CN_STEP_BACK_OUT
};

/* Has input i that shape, and the float type of input `like`? Else an error. */
bool cn_state_fits(const cn_call *c, int i, cn_shape want, int like);
/* The best kernel of `op`, into tensors that are there, of the shapes that the op gives. */
bool cn_run_into(const cn_op *op, const void *params, cn_tensor *const *in, int n_in,
                 cn_tensor **out, int n_out);
/* A kernel made of other calls, which are not recorded and leave nothing in the scope. */
bool cn_run_unrecorded(const cn_call *call, cn_kernel *kernel);

#endif
