/* cells.c - one step of a recurrent network: products, then gates (D2L 9.4, 10.1, 10.2). */
#include "ops/compose.h"
#include "ops/recurrent.h"

#include <string.h>

static const char *const names[] = {
    [CN_CELL_TANH] = "tanh", [CN_CELL_RELU] = "relu", [CN_CELL_GRU] = "gru", [CN_CELL_LSTM] = "lstm"
};

bool cn_cell_find(const char *who, const char *name, cn_cell *cell)
{
    for (size_t i = 0; i < CN_COUNT(names); i++)
        if (name && strcmp(names[i], name) == 0) return *cell = (cn_cell)i, true;
    return cn_fail(CN_EINVALID, "%s: cell '%s' is not tanh, relu, gru or lstm", who,
                   name ? name : "None");
}

const char *cn_cell_name(cn_cell cell)
{
    return names[cell];
}

int cn_cell_gates(cn_cell cell)
{
    return cell == CN_CELL_LSTM ? 4 : cell == CN_CELL_GRU ? 3 : 1;
}

/* The reset gate of a GRU scales b_hh, so that one stays apart. */
bool cn_cell_biases(cn_cell cell, cn_cell_weights *w)
{
    if (cell == CN_CELL_GRU || !w->b_ih || !w->b_hh) return true;
    w->b_ih = cn_add(w->b_ih, w->b_hh);
    w->b_hh = NULL;
    return w->b_ih != NULL;
}

cn_tensor *cn_cell_project(cn_cell cell, cn_tensor *input, const cn_cell_weights *w)
{
    cn_cell_weights b = *w;
    return cn_cell_biases(cell, &b) ? cn_linear(input, w->w_ih, b.b_ih) : NULL;
}

bool cn_cell_step(cn_cell cell, cn_tensor *projected, cn_tensor *state[2], const cn_cell_weights *w)
{
    const bool added = cell != CN_CELL_GRU && w->b_ih; /* by cn_cell_project() */
    cn_tensor *hidden = cn_linear(state[0], w->w_hh, added ? NULL : w->b_hh);
    cn_tensor *in[] = { projected, hidden, state[cell == CN_CELL_LSTM] }, *out[3] = { NULL };
    if (!hidden || !projected) return false;
    if (cell == CN_CELL_LSTM) {
        if (!cn_apply(&cn_op_lstm_gates, in, 3, NULL, out, 3)) return false;
        state[1] = out[1];
        state[0] = w->w_hr ? cn_linear(out[0], w->w_hr, NULL) : out[0];
    } else if (cell == CN_CELL_GRU) {
        if (!cn_apply(&cn_op_gru_gates, in, 3, NULL, out, 2)) return false;
        state[0] = out[0];
    } else {
        cn_tensor *sum = cn_add(projected, hidden);
        state[0] = cell == CN_CELL_TANH ? cn_tanh(sum) : cn_relu(sum);
    }
    return state[0] != NULL;
}

/* ---- as ops -------------------------------------------------------------------------------- */

/* Inputs: x, the states, then the weights. */
static bool run_cell(cn_call *c, cn_cell cell)
{
    int states = cell == CN_CELL_LSTM ? 2 : 1;
    cn_tensor *state[2] = { c->in[1], c->in[states] };
    cn_tensor *const *in = c->in + 1 + states;
    if (c->n_in != 5 + states)
        return cn_fail(CN_EINVALID, "%s: hx must be the pair (h, c)", c->op->name);
    cn_cell_weights w = { in[0], in[1], in[2], in[3], NULL };
    if (!cn_cell_step(cell, cn_cell_project(cell, c->in[0], &w), state, &w)) return false;
    for (int i = 0; i < states; i++) cn_set_out(c, i, state[i]);
    return true;
}

static bool rnn_tanh_compose(cn_call *c)
{
    return run_cell(c, CN_CELL_TANH);
}

static bool rnn_relu_compose(cn_call *c)
{
    return run_cell(c, CN_CELL_RELU);
}

static bool gru_compose(cn_call *c)
{
    return run_cell(c, CN_CELL_GRU);
}

static bool lstm_compose(cn_call *c)
{
    return run_cell(c, CN_CELL_LSTM);
}

#define WEIGHTS "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None)"

const cn_op cn_op_rnn_tanh_cell = {
    CN_OP_HEAD(rnn_tanh_cell, "rnn_tanh_cell", "(Tensor input, Tensor hx, " WEIGHTS " -> Tensor"),
    .doc = "tanh(input w_ih^T + b_ih + hx w_hh^T + b_hh).",
    .optional = CN_SAVE_IN(4) | CN_SAVE_IN(5),
    .compose = rnn_tanh_compose,
    .samples = "[2,3] [2,4] [4,3] [4,4] [4] [4] | [2,3] [2,4] [4,3] [4,4]",
};

const cn_op cn_op_rnn_relu_cell = {
    CN_OP_HEAD(rnn_relu_cell, "rnn_relu_cell", "(Tensor input, Tensor hx, " WEIGHTS " -> Tensor"),
    .doc = "relu(input w_ih^T + b_ih + hx w_hh^T + b_hh).",
    .optional = CN_SAVE_IN(4) | CN_SAVE_IN(5),
    .compose = rnn_relu_compose,
    .samples = "[2,3] [2,4] [4,3] [4,4] [4] [4] | [2,3] [2,4] [4,3] [4,4]",
};

const cn_op cn_op_gru_cell = {
    CN_OP_HEAD(gru_cell, "gru_cell", "(Tensor input, Tensor hx, " WEIGHTS " -> Tensor"),
    .doc = "One step of a GRU: the next h.",
    .optional = CN_SAVE_IN(4) | CN_SAVE_IN(5),
    .compose = gru_compose,
    .samples = "[2,3] [2,2] [6,3] [6,2] [6] [6] | [2,3] [2,2] [6,3] [6,2]",
};

const cn_op cn_op_lstm_cell = {
    CN_OP_HEAD(lstm_cell, "lstm_cell",
               "(Tensor input, Tensor[] hx, " WEIGHTS " -> (Tensor, Tensor)"),
    .doc = "One step of an LSTM: the next h and c.",
    .optional = CN_SAVE_IN(5) | CN_SAVE_IN(6),
    .compose = lstm_compose,
    .samples = "[2,3] {[2,2] [2,2]} [8,3] [8,2] [8] [8] | [2,3] {[2,2] [2,2]} [8,3] [8,2]",
};
