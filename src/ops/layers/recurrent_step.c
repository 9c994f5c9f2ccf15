/* recurrent_step.c - one step of a recurrent layer, without a record (D2L 9.4, 10.1, 10.2). The reference makes it
   of products and gates; a faster kernel may do all of it while the gates are in the cache. */
#include "core/provider.h"
#include "ops/compose.h"
#include "ops/recurrent.h"

typedef struct {
    const char *cell;
} Params;

/* ---- kernels made of other calls --------------------------------------------------------------- */

bool cn_run_into(const cn_op *op, const void *params, cn_tensor *const *in, int n_in,
                 cn_tensor **out, int n_out)
{
    cn_call c = { op, params, n_in, n_out, .in = in, .out = out };
    for (int i = 0; i < n_in; i++)
        if (!in[i] && !(op->optional & CN_SAVE_IN(i))) return false;
    for (int i = 0; i < n_out; i++)
        if (!out[i]) return false;
    return cn_find_kernel(&c)(&c);
}

bool cn_run_unrecorded(const cn_call *call, cn_kernel *kernel)
{
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(false), ok = kernel(call);
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

/* ---- sizes ------------------------------------------------------------------------------------- */

typedef struct {
    cn_cell cell;
    bool lstm, gated;
    int64_t rows, width, gates; /* gates: numbers per row before their activation */
} Sizes;

static bool read_sizes(Sizes *s, const cn_call *c, int state)
{
    const Params *p = c->params;
    *s = (Sizes){ .rows = 0 };
    if (!cn_cell_find(c->op->name, p->cell, &s->cell) || !cn_want_dims(c, state, 2, 2))
        return false;
    s->lstm = s->cell == CN_CELL_LSTM;
    s->gated = s->lstm || s->cell == CN_CELL_GRU;
    s->rows = cn_in(c, state)->shape.dim[0], s->width = cn_in(c, state)->shape.dim[1];
    s->gates = cn_cell_gates(s->cell) * s->width;
    return true;
}

bool cn_state_fits(const cn_call *c, int i, cn_shape want, int like)
{
    char got[128], wanted[128];
    const cn_view *v = cn_in(c, i);
    if (v->dtype != cn_in(c, like)->dtype || !cn_dtype_is_float(v->dtype))
        return cn_fail(CN_EINVALID, "%s: the inputs must be of one float type", c->op->name);
    if (cn_shape_equal(&v->shape, &want)) return true;
    return cn_fail(CN_EINVALID, "%s: input %d has shape %s, but %s is wanted", c->op->name, i,
                   cn_shape_text(&v->shape, got), cn_shape_text(&want, wanted));
}

/* Of those inputs that are given. */
static bool have_shapes(const cn_call *c, int state, const cn_shape want[])
{
    for (int i = 0; i < c->n_in; i++)
        if (cn_in(c, i) && !cn_state_fits(c, i, want[i], state)) return false;
    return true;
}

static bool is_given(const cn_call *c, int i, bool wanted, const char *name)
{
    return (cn_in(c, i) != NULL) == wanted ||
           cn_fail(CN_EINVALID, "%s: this cell %s %s", c->op->name, wanted ? "needs" : "has no",
                   name);
}

/* ---- forward ----------------------------------------------------------------------------------- */

static bool step_infer(const cn_call *c, cn_spec out[])
{
    Sizes s;
    if (!read_sizes(&s, c, CN_STEP_HX) || !cn_want_dims(c, CN_STEP_INPUT, 2, 2)) return false;
    const int64_t inputs = cn_in(c, CN_STEP_W_IH) ? cn_in(c, CN_STEP_INPUT)->shape.dim[1] : s.gates;
    const cn_shape state = CN_SHAPE(s.rows, s.width), bias = CN_SHAPE(s.gates);
    const cn_shape want[CN_STEP_IN] = { [CN_STEP_INPUT] = CN_SHAPE(s.rows, inputs),
                                        [CN_STEP_HX] = state,
                                        [CN_STEP_CX] = state,
                                        [CN_STEP_W_IH] = CN_SHAPE(s.gates, inputs),
                                        [CN_STEP_W_HH] = CN_SHAPE(s.gates, s.width),
                                        [CN_STEP_B_IH] = bias,
                                        [CN_STEP_B_HH] = bias };
    if (!have_shapes(c, CN_STEP_HX, want) || !is_given(c, CN_STEP_CX, s.lstm, "cx")) return false;
    if (cn_in(c, CN_STEP_B_IH) && !cn_in(c, CN_STEP_W_IH))
        return cn_fail(CN_EINVALID, "%s: b_ih goes with w_ih", c->op->name);
    const cn_dtype d = cn_in(c, CN_STEP_HX)->dtype;
    out[CN_STEP_H] = (cn_spec){ d, state };
    out[CN_STEP_C] = (cn_spec){ d, CN_SHAPE(s.lstm ? s.rows : 0, s.width) };
    out[CN_STEP_GATES] = (cn_spec){ d, CN_SHAPE(s.gated ? s.rows : 0, 4 * s.width) };
    return true;
}

static const cn_number_arg one = { .kind = CN_NUM_INT, .u.i = 1 };

static bool run_step(const cn_call *c)
{
    Sizes s;
    cn_tensor *const *in = c->in;
    if (!read_sizes(&s, c, CN_STEP_HX)) return false;
    cn_tensor *given = in[CN_STEP_W_IH]
                           ? cn_linear(in[CN_STEP_INPUT], in[CN_STEP_W_IH], in[CN_STEP_B_IH])
                           : in[CN_STEP_INPUT];
    cn_tensor *hidden = cn_linear(in[CN_STEP_HX], in[CN_STEP_W_HH], in[CN_STEP_B_HH]);
    cn_tensor *parts[] = { given, hidden, in[s.lstm ? CN_STEP_CX : CN_STEP_HX] };
    if (s.lstm) return cn_run_into(&cn_op_lstm_gates, NULL, parts, 3, c->out, 3);
    cn_tensor *h = c->out[CN_STEP_H], *out[] = { h, c->out[CN_STEP_GATES] };
    if (s.gated) return cn_run_into(&cn_op_gru_gates, NULL, parts, 3, out, 2);
    const cn_op *act = s.cell == CN_CELL_TANH ? &cn_op_tanh : &cn_op_relu;
    return cn_run_into(&cn_op_add, &one, parts, 2, out, 1) && cn_run_into(act, NULL, &h, 1, out, 1);
}

static bool step_kernel(const cn_call *c)
{
    return cn_run_unrecorded(c, run_step);
}

const cn_op cn_op_recurrent_step = {
    CN_OP_HEAD(recurrent_step, "recurrent_step",
               "(Tensor input, Tensor hx, Tensor? cx, Tensor? w_ih, Tensor w_hh, Tensor? b_ih, "
               "Tensor? b_hh, str cell) -> (Tensor, Tensor, Tensor)"),
    .doc =
        "One step of a tanh, relu, gru or lstm layer: h, (LSTM) c, and the gates as lstm_gates and "
        "gru_gates keep them. Without w_ih the input is what w_ih would make of it. Recorded "
        "passes use recurrent_layer instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Params),
    .optional = CN_SAVE_IN(CN_STEP_CX) | CN_SAVE_IN(CN_STEP_W_IH) | CN_SAVE_IN(CN_STEP_B_IH) |
                CN_SAVE_IN(CN_STEP_B_HH),
    .infer = step_infer,
    .kernel = step_kernel,
    .samples =
        "[2,2] [2,3] None [3,2] [3,3] None None tanh | [40,5] [40,64] None [64,5] [64,64] [64] None "
        "relu | [3,32] [3,32] None None [32,32] None [32] tanh | [15,5] [15,32] None [96,5] [96,32] "
        "[96] [96] gru | [2,96] [2,32] None None [96,32] None [96] gru | [2,5] [2,3] None [9,5] "
        "[9,3] [9] [9] gru | [2,5] [2,3] [2,3] [12,5] [12,3] [12] None lstm | [30,5] [30,64] [30,64] "
        "[256,5] [256,64] [256] [256] lstm | [1,128] [1,32] [1,32] None [128,32] None None lstm",
};

/* ---- backward ---------------------------------------------------------------------------------- */

static bool back_infer(const cn_call *c, cn_spec out[])
{
    Sizes s;
    if (!read_sizes(&s, c, CN_STEP_BACK_HX)) return false;
    const cn_shape state = CN_SHAPE(s.rows, s.width), none = CN_SHAPE(0, s.width);
    const cn_shape want[CN_STEP_BACK_IN] = {
        [CN_STEP_BACK_GRAD_OUT] = state,
        [CN_STEP_BACK_GRAD_H] = state,
        [CN_STEP_BACK_GRAD_C] = state,
        [CN_STEP_BACK_HX] = state,
        [CN_STEP_BACK_CX] = state,
        [CN_STEP_BACK_H] = state,
        [CN_STEP_BACK_C] = state,
        [CN_STEP_BACK_GATES] = CN_SHAPE(s.rows, 4 * s.width),
        [CN_STEP_BACK_W_HH] = CN_SHAPE(s.gates, s.width),
    };
    if (!have_shapes(c, CN_STEP_BACK_HX, want) ||
        !is_given(c, CN_STEP_BACK_GRAD_C, s.lstm, "grad_c") ||
        !is_given(c, CN_STEP_BACK_CX, s.lstm, "cx") || !is_given(c, CN_STEP_BACK_C, s.lstm, "c") ||
        !is_given(c, CN_STEP_BACK_GATES, s.gated, "gates"))
        return false;
    const cn_dtype d = cn_in(c, CN_STEP_BACK_HX)->dtype;
    const bool apart = s.cell == CN_CELL_GRU;
    out[CN_STEP_BACK_D_PROJECTED] = (cn_spec){ d, CN_SHAPE(s.rows, s.gates) };
    out[CN_STEP_BACK_D_HIDDEN] = (cn_spec){ d, CN_SHAPE(apart ? s.rows : 0, s.gates) };
    out[CN_STEP_BACK_D_H] = (cn_spec){ d, state };
    out[CN_STEP_BACK_D_C] = (cn_spec){ d, s.lstm ? state : none };
    return true;
}

static bool lstm_back(cn_tensor *const *in, cn_tensor *dh, cn_tensor **out)
{
    cn_tensor *from[] = { dh, in[CN_STEP_BACK_GRAD_C], in[CN_STEP_BACK_CX], in[CN_STEP_BACK_C],
                          in[CN_STEP_BACK_GATES] };
    cn_tensor *to[] = { out[CN_STEP_BACK_D_PROJECTED], out[CN_STEP_BACK_D_C] };
    return cn_run_into(&cn_op_lstm_gates_backward, NULL, from, 5, to, 2);
}

static bool gru_back(cn_tensor *const *in, cn_tensor *dh, cn_tensor **out)
{
    cn_tensor *from[] = { dh, in[CN_STEP_BACK_HX], in[CN_STEP_BACK_GATES] };
    cn_tensor *h = out[CN_STEP_BACK_D_H],
              *to[] = { out[CN_STEP_BACK_D_PROJECTED], out[CN_STEP_BACK_D_HIDDEN], h };
    if (!cn_run_into(&cn_op_gru_gates_backward, NULL, from, 3, to, 3)) return false;
    cn_tensor *both[] = { h, cn_mm(out[CN_STEP_BACK_D_HIDDEN], in[CN_STEP_BACK_W_HH]) };
    return cn_run_into(&cn_op_add, &one, both, 2, &h, 1);
}

/* d_h may lie where grad_h does: what reads that comes before what writes it. */
static bool run_back(const cn_call *c)
{
    Sizes s;
    cn_tensor *const *in = c->in, **out = c->out;
    if (!read_sizes(&s, c, CN_STEP_BACK_HX)) return false;
    cn_tensor *dh = cn_add(in[CN_STEP_BACK_GRAD_OUT], in[CN_STEP_BACK_GRAD_H]);
    if (s.cell == CN_CELL_GRU) return gru_back(in, dh, out);
    const cn_op *act = s.cell == CN_CELL_TANH ? &cn_op_tanh_backward : &cn_op_relu_backward;
    cn_tensor *from[] = { dh, in[CN_STEP_BACK_H] };
    cn_tensor *to[] = { out[CN_STEP_BACK_D_PROJECTED], in[CN_STEP_BACK_W_HH] };
    if (s.lstm ? !lstm_back(in, dh, out) : !cn_run_into(act, NULL, from, 2, to, 1)) return false;
    return cn_run_into(&cn_op_mm, NULL, to, 2, &out[CN_STEP_BACK_D_H], 1);
}

static bool back_kernel(const cn_call *c)
{
    return cn_run_unrecorded(c, run_back);
}

const cn_op cn_op_recurrent_step_backward = {
    CN_OP_HEAD(
        recurrent_step_backward, "recurrent_step_backward",
        "(Tensor grad_out, Tensor grad_h, Tensor? grad_c, Tensor hx, Tensor? cx, Tensor h, "
        "Tensor? c, Tensor? gates, Tensor w_hh, str cell) -> (Tensor, Tensor, Tensor, Tensor)"),
    .doc =
        "Back through recurrent_step, from the gradients of its h and, from the step after it, of "
        "the state: those of the two parts of the gates (one for all cells but gru), hx and cx.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Params),
    .optional = CN_SAVE_IN(CN_STEP_BACK_GRAD_C) | CN_SAVE_IN(CN_STEP_BACK_CX) |
                CN_SAVE_IN(CN_STEP_BACK_C) | CN_SAVE_IN(CN_STEP_BACK_GATES),
    .infer = back_infer,
    .kernel = back_kernel,
    .samples =
        "[2,3] [2,3] None [2,3] None [2,3] None None [3,3] tanh | [30,64] [30,64] None [30,64] None "
        "[30,64] None None [64,64] relu | [3,32] [3,32] None [3,32] None [3,32] None None [32,32] "
        "tanh | [2,3] [2,3] None [2,3] None [2,3] None [2,12] [9,3] gru | [16,96] [16,96] None "
        "[16,96] None [16,96] None [16,384] [288,96] gru | [2,3] [2,3] [2,3] [2,3] [2,3] [2,3] [2,3] "
        "[2,12] [12,3] lstm | [15,128] [15,128] [15,128] [15,128] [15,128] [15,128] [15,128] [15,512] "
        "[512,128] lstm",
};
