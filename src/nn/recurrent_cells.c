/* recurrent_cells.c - RNNCell, GRUCell and LSTMCell: one step. */
#include "nn/recurrent.h"

#include <string.h>

typedef struct {
    int64_t in, hidden;
    bool bias;
} Cell;

typedef struct {
    Cell cell; /* the schemas agree so far */
    const char *nonlinearity;
} RNNCell;

extern const cn_module_class cn_class_RNNCell, cn_class_GRUCell, cn_class_LSTMCell;

static cn_cell kind_of(const cn_module *m)
{
    if (m->cls == &cn_class_LSTMCell) return CN_CELL_LSTM;
    if (m->cls == &cn_class_GRUCell) return CN_CELL_GRU;
    const RNNCell *o = m->options;
    return strcmp(o->nonlinearity, "relu") == 0 ? CN_CELL_RELU : CN_CELL_TANH;
}

static bool add(cn_module *m, const char *name, cn_shape shape, int64_t hidden)
{
    return cn_module_parameter(m, name, &shape) &&
           cn_init_default(m->slots[m->n_slots - 1].tensor, hidden);
}

static bool build(cn_module *m, const cn_shape *input)
{
    const Cell *o = m->options;
    int64_t in = o->in;
    if (in < 0 || o->hidden < 1 || o->hidden > INT32_MAX)
        return cn_fail(CN_EINVALID, "%s: sizes must be positive, and possible, got %lld -> %lld",
                       m->cls->name, (long long)in, (long long)o->hidden);
    if (kind_of(m) == CN_CELL_TANH &&
        strcmp(((const RNNCell *)m->options)->nonlinearity, "tanh") != 0)
        return cn_fail(CN_EINVALID, "RNNCell: nonlinearity must be 'tanh' or 'relu', not '%s'",
                       ((const RNNCell *)m->options)->nonlinearity);
    int64_t gates = cn_cell_gates(kind_of(m)) * o->hidden;
    if (in == 0 && !input) return true;
    if (in == 0 && input->ndim) in = input->dim[input->ndim - 1];
    return add(m, "weight_ih", CN_SHAPE(gates, in), o->hidden) &&
           add(m, "weight_hh", CN_SHAPE(gates, o->hidden), o->hidden) &&
           (!o->bias || (add(m, "bias_ih", CN_SHAPE(gates), o->hidden) &&
                         add(m, "bias_hh", CN_SHAPE(gates), o->hidden)));
}

static bool check(const cn_module *m, const cn_shape *got, const cn_shape *like, int64_t width,
                  const char *what)
{
    cn_shape want = *like;
    char a[128], b[128];
    want.dim[want.ndim - 1] = width;
    return cn_shape_equal(got, &want) ||
           cn_fail(CN_EINVALID, "%s: %s has shape %s, but %s is wanted", m->cls->name, what,
                   cn_shape_text(got, a), cn_shape_text(&want, b));
}

static bool forward(cn_module *m, cn_io *io)
{
    const Cell *o = m->options;
    const cn_shape *x = &io->in[0]->v.shape;
    int states = kind_of(m) == CN_CELL_LSTM ? 2 : 1;
    cn_tensor *state[2] = { io->in[1], io->in[2] };
    if (x->ndim != 1 && x->ndim != 2)
        return cn_fail(CN_EINVALID,
                       "%s: the input has %d dimensions, 2 (or 1: no batch) are wanted",
                       m->cls->name, x->ndim);
    if (states == 2 && !state[0] != !state[1])
        return cn_fail(CN_EINVALID, "LSTMCell: hx must be the pair (h_0, c_0)");
    if (!check(m, x, x, m->slots[0].tensor->v.shape.dim[1], "the input")) return false;
    cn_shape zeros = *x;
    zeros.dim[zeros.ndim - 1] = o->hidden;
    for (int i = 0; i < states; i++) {
        if (!state[i]) state[i] = cn_zeros(zeros, io->in[0]->v.dtype);
        if (!state[i] || !check(m, &state[i]->v.shape, x, o->hidden, "hx")) return false;
    }
    cn_cell_weights w = { .w_ih = m->slots[0].tensor, .w_hh = m->slots[1].tensor };
    if (o->bias) w.b_ih = m->slots[2].tensor, w.b_hh = m->slots[3].tensor;
    cn_tensor *projected = cn_cell_project(kind_of(m), io->in[0], &w);
    if (!cn_cell_step(kind_of(m), projected, state, &w)) return false;
    io->n_out = states;
    for (int i = 0; i < states; i++) io->out[i] = state[i];
    return true;
}

#define CELL .build = build, .forward = forward
#define OPTIONS "int input_size, int hidden_size, bool bias=True"

const cn_module_class cn_class_RNNCell = {
    .name = "RNNCell",
    .schema = "RNNCell(" OPTIONS ", str nonlinearity='tanh')",
    .inputs = "(Tensor input, Tensor? hx=None) -> Tensor",
    .doc = "One step of an RNN (D2L 9.4).",
    .options_size = sizeof(RNNCell),
    CELL,
};

const cn_module_class cn_class_GRUCell = {
    .name = "GRUCell",
    .schema = "GRUCell(" OPTIONS ")",
    .inputs = "(Tensor input, Tensor? hx=None) -> Tensor",
    .doc = "One step of a GRU (D2L 10.2).",
    .options_size = sizeof(Cell),
    CELL,
};

const cn_module_class cn_class_LSTMCell = {
    .name = "LSTMCell",
    .schema = "LSTMCell(" OPTIONS ")",
    .inputs = "(Tensor input, Tensor[2]? hx=None) -> (Tensor, Tensor)",
    .doc = "One step of an LSTM: the next h and c (D2L 10.1).",
    .options_size = sizeof(Cell),
    CELL,
};

bool cn_is_cell(const cn_module *m)
{
    return m->cls->forward == forward;
}

/* ---- in C ---------------------------------------------------------------------------------- */

static cn_module *cell(const cn_module_class *cls, const cn_recurrent_options *o)
{
    const RNNCell p = { { o->in, o->hidden, !o->no_bias }, o->relu ? "relu" : "tanh" };
    bool relu = o->relu && cls != &cn_class_RNNCell;
    if (!relu && o->layers <= 1 && !o->projection && !(o->dropout > 0) && !o->batch_first &&
        !o->bidirectional)
        return cn_module_of(cls, &p);
    cn_fail(CN_EINVALID, "%s: it has the options in, no_bias%s", cls->name,
            cls == &cn_class_RNNCell ? " and relu" : "");
    return NULL;
}

cn_module *cn_rnn_cell_layer_with(const cn_recurrent_options *o)
{
    return cell(&cn_class_RNNCell, o);
}

cn_module *cn_gru_cell_layer_with(const cn_recurrent_options *o)
{
    return cell(&cn_class_GRUCell, o);
}

cn_module *cn_lstm_cell_layer_with(const cn_recurrent_options *o)
{
    return cell(&cn_class_LSTMCell, o);
}
