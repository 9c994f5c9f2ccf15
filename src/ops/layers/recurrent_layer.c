/* recurrent_layer.c - all steps of a recurrent layer in one call (D2L 9.4, 10.1, 10.2).

   Called step by step, a recurrence spends its time on what surrounds the arithmetic: records of small
   calls, sums of as many gradients of the weights as there are steps. Here a step is one kernel that
   writes to its rows of the results; the gradients of the weights are one product each for all steps.

   Sequences lie side by side, the longest first: step t has rows[t] rows, which follow those of step
   t - 1 in `input`. The state before a step is where the step before it left its results; only
   where sequences begin, backwards, their first state has to join it. */
#include "core/provider.h"
#include "ops/compose.h"
#include "ops/fused.h"
#include "ops/recurrent.h"

#include <string.h>

typedef struct {
    const char *cell;
    bool reverse;
} Layer;

enum { INPUT, HX, CX, W_IH, W_HH, B_IH, B_HH, ROWS, N_IN }; /* inputs */
enum { OUT, H_LAST, C_LAST, CELL, GATES, N_OUT }; /* outputs; the first three carry gradients */

/* ---- what a call is made of ------------------------------------------------------------------- */

typedef struct {
    cn_cell cell;
    bool reverse;
    int64_t steps, batch, width, total; /* total: rows of all steps */
    const int64_t *rows;
} Plan;

static bool rows_fit(const Plan *p, int64_t given)
{
    int64_t total = 0, most = p->batch;
    for (int64_t t = 0; t < p->steps; t++) {
        if (p->rows[t] < 1 || p->rows[t] > most)
            return cn_fail(CN_EINVALID, "recurrent_layer: step %lld has %lld rows after %lld",
                           (long long)t, (long long)p->rows[t], (long long)most);
        total += most = p->rows[t];
    }
    if (p->steps && p->rows[0] == p->batch && total == given) return true;
    return cn_fail(CN_EINVALID,
                   "recurrent_layer: rows of all steps must add up to those of input, %lld, and "
                   "step 0 have those of hx, %lld",
                   (long long)given, (long long)p->batch);
}

/* `hx` and `w_hh` give the sizes, `rows` the steps. */
static bool make_plan(Plan *p, const Layer *o, const cn_view *hx, const cn_view *rows)
{
    *p = (Plan){ .reverse = o->reverse };
    if (!cn_cell_find("recurrent_layer", o->cell, &p->cell)) return false;
    if (hx->shape.ndim != 2 || rows->shape.ndim != 1)
        return cn_fail(CN_EINVALID, "recurrent_layer: hx must have 2 dimensions, rows 1");
    p->batch = hx->shape.dim[0], p->width = hx->shape.dim[1];
    p->steps = rows->numel, p->rows = (const int64_t *)(const void *)rows->data;
    for (int64_t t = 0; t < p->steps; t++) /* rows_fit() refuses others */
        if (p->rows[t] > 0 && p->rows[t] <= p->batch) p->total += p->rows[t];
    return true;
}

static bool layer_infer(const cn_call *c, cn_spec out[])
{
    Plan p;
    const cn_view *x = cn_in(c, INPUT);
    if (!cn_want_dims(c, INPUT, 2, 2) || !make_plan(&p, c->params, cn_in(c, HX), cn_in(c, ROWS)) ||
        !rows_fit(&p, x->shape.dim[0]))
        return false;
    int64_t gates = cn_cell_gates(p.cell) * p.width;
    bool lstm = p.cell == CN_CELL_LSTM, gated = lstm || p.cell == CN_CELL_GRU;
    if (!cn_state_fits(c, INPUT, x->shape, HX) || !cn_state_fits(c, HX, cn_in(c, HX)->shape, HX) ||
        !cn_state_fits(c, W_IH, CN_SHAPE(gates, x->shape.dim[1]), HX) ||
        !cn_state_fits(c, W_HH, CN_SHAPE(gates, p.width), HX))
        return false;
    for (int i = B_IH; i <= B_HH; i++)
        if (cn_in(c, i) && !cn_state_fits(c, i, CN_SHAPE(gates), HX)) return false;
    if (lstm != (cn_in(c, CX) != NULL))
        return cn_fail(CN_EINVALID, "recurrent_layer: cx is the state of an LSTM, which needs one");
    if (lstm && !cn_state_fits(c, CX, cn_in(c, HX)->shape, HX)) return false;
    cn_dtype d = cn_in(c, HX)->dtype;
    out[OUT] = (cn_spec){ d, CN_SHAPE(p.total, p.width) };
    out[H_LAST] = (cn_spec){ d, CN_SHAPE(p.batch, p.width) };
    out[C_LAST] = (cn_spec){ d, CN_SHAPE(lstm ? p.batch : 0, p.width) };
    out[CELL] = (cn_spec){ d, CN_SHAPE(lstm ? p.total : 0, p.width) };
    out[GATES] = (cn_spec){ d, CN_SHAPE(gated ? p.total : 0, 4 * p.width) };
    return true;
}

/* ---- running kernels on rows ------------------------------------------------------------------- */

static cn_tensor *rows_of(cn_tensor *t, int64_t first, int64_t n)
{
    return t ? cn_narrow(t, 0, first, n) : NULL;
}

static void copy_rows(cn_tensor *to, const cn_tensor *from)
{
    memcpy(to->v.data, from->v.data, (size_t)from->v.numel * cn_dtype_size(from->v.dtype));
}

/* Step t and its first row. */
typedef struct {
    int64_t t, first, n;
} Step;

static Step first_step(const Plan *p)
{
    int64_t n = p->rows[p->steps - 1];
    return p->reverse ? (Step){ p->steps - 1, p->total - n, n } : (Step){ 0, 0, p->rows[0] };
}

static Step last_step(const Plan *p)
{
    Plan turned = *p;
    turned.reverse = !p->reverse;
    return first_step(&turned);
}

/* The step that is taken before this one, or after it; of no rows: there is none. */
static Step neighbour(const Plan *p, Step s, bool after)
{
    bool up = after != p->reverse;
    Step next = { s.t + (up ? 1 : -1), 0, 0 };
    if (next.t < 0 || next.t >= p->steps) return next;
    next.n = p->rows[next.t];
    next.first = up ? s.first + s.n : s.first - next.n;
    return next;
}

/* What the steps made of the first state: h, or c. */
typedef struct {
    cn_tensor *first, *rows; /* rows of all steps */
    cn_tensor *joined;       /* room for a state made of both */
} History;

static cn_tensor *state_before(const Plan *p, const History *h, Step s)
{
    Step was = neighbour(p, s, false);
    if (was.n == 0) return rows_of(h->first, 0, s.n);
    if (s.n <= was.n) return rows_of(h->rows, was.first, s.n);
    cn_tensor *to[] = { rows_of(h->joined, 0, was.n), rows_of(h->joined, was.n, s.n - was.n) };
    cn_tensor *from[] = { rows_of(h->rows, was.first, was.n),
                          rows_of(h->first, was.n, s.n - was.n) };
    for (int i = 0; i < 2; i++) {
        if (!to[i] || !from[i]) return NULL;
        copy_rows(to[i], from[i]);
    }
    return rows_of(h->joined, 0, s.n);
}

static bool make_history(History *h, const Plan *p, cn_tensor *first, cn_tensor *rows)
{
    *h = (History){ .first = first, .rows = rows };
    if (p->reverse) h->joined = cn_tensor_new(&first->v.shape, first->v.dtype);
    return h->joined || !p->reverse;
}

/* ---- forward ----------------------------------------------------------------------------------- */

typedef struct {
    Plan plan;
    const Layer *layer;
    cn_tensor *const *in, **out;
    History h, c;
    cn_tensor *projected; /* of all steps; NULL: each step takes its inputs itself */
} Forward;

/* Few inputs (the one-hot characters of a language model) give far more numbers than they are, which would go to
   memory and back: a kernel of a whole step takes them along. Else they are one product for all steps. */
enum { FEW_INPUTS = 64 };

static bool project(Forward *f)
{
    cn_tensor *const *in = f->in; /* the first ones are those of a step */
    const cn_call step = { &cn_op_recurrent_step, &f->layer->cell, CN_STEP_IN, CN_STEP_OUT,
                           .in = in };
    if (in[INPUT]->v.shape.dim[1] <= FEW_INPUTS && cn_provider_takes(&step)) return true;
    f->projected = cn_linear(in[INPUT], in[W_IH], in[B_IH]);
    return f->projected != NULL;
}

/* Sequences end from the last row up. */
static bool keep_ended(const Forward *f, Step s)
{
    int64_t going_on = neighbour(&f->plan, s, true).n, ended = s.n - going_on;
    for (int i = H_LAST; ended > 0 && i <= (f->plan.cell == CN_CELL_LSTM ? C_LAST : H_LAST); i++) {
        cn_tensor *to = rows_of(f->out[i], going_on, ended);
        cn_tensor *from = rows_of(f->out[i == H_LAST ? OUT : CELL], s.first + going_on, ended);
        if (!to || !from) return false;
        copy_rows(to, from);
    }
    return true;
}

static bool forward_step(Forward *f, Step s)
{
    const Plan *p = &f->plan;
    const bool lstm = p->cell == CN_CELL_LSTM, gated = lstm || p->cell == CN_CELL_GRU;
    cn_tensor *all = f->projected ? f->projected : f->in[INPUT];
    cn_tensor *in[] = { rows_of(all, s.first, s.n),
                        state_before(p, &f->h, s),
                        lstm ? state_before(p, &f->c, s) : NULL,
                        f->projected ? NULL : f->in[W_IH],
                        f->in[W_HH],
                        f->projected ? NULL : f->in[B_IH],
                        f->in[B_HH] };
    cn_tensor *out[] = { rows_of(f->out[OUT], s.first, s.n),
                         lstm ? rows_of(f->out[CELL], s.first, s.n) : f->out[CELL],
                         gated ? rows_of(f->out[GATES], s.first, s.n) : f->out[GATES] };
    return cn_run_into(&cn_op_recurrent_step, &f->layer->cell, in, CN_STEP_IN, out, CN_STEP_OUT) &&
           keep_ended(f, s);
}

static bool run_forward(const cn_call *call)
{
    Forward f = { .layer = call->params, .in = call->in, .out = call->out };
    if (!make_plan(&f.plan, call->params, cn_in(call, HX), cn_in(call, ROWS))) return false;
    const Plan *p = &f.plan;
    bool ok = project(&f) && make_history(&f.h, p, f.in[HX], f.out[OUT]) &&
              (p->cell != CN_CELL_LSTM || make_history(&f.c, p, f.in[CX], f.out[CELL]));
    for (Step s = first_step(p); ok && s.n; s = neighbour(p, s, true)) {
        size_t mark = cn_mark();
        ok = forward_step(&f, s);
        cn_release(mark);
    }
    return ok;
}

static bool layer_kernel(const cn_call *c)
{
    return cn_run_unrecorded(c, run_forward);
}

/* ---- backward ---------------------------------------------------------------------------------- */

/* Inputs of the op recurrent_layer_backward, and its outputs. */
enum { G_OUT, G_H, G_C, G_HX, G_CX, G_STATES, G_CELL, G_GATES, G_W_HH, G_ROWS, G_IN };
enum { D_PROJECTED, D_HIDDEN, D_H, D_C, D_BEFORE, D_OUT };

typedef struct {
    Plan plan;
    const Layer *layer;
    cn_tensor *const *in, **out;
    History h, c;
} Backward;

static bool keep_before(const Backward *b, Step s)
{
    cn_tensor *from = state_before(&b->plan, &b->h, s),
              *to = rows_of(b->out[D_BEFORE], s.first, s.n);
    if (from && to) copy_rows(to, from);
    return from && to;
}

/* The gradients of the state pass from step to step in place. */
static bool backward_step(const Backward *b, Step s)
{
    const Plan *p = &b->plan;
    const bool lstm = p->cell == CN_CELL_LSTM, gru = p->cell == CN_CELL_GRU;
    cn_tensor *dh = rows_of(b->out[D_H], 0, s.n), *dc = lstm ? rows_of(b->out[D_C], 0, s.n) : NULL;
    cn_tensor *in[] = { rows_of(b->in[G_OUT], s.first, s.n),
                        dh,
                        dc,
                        state_before(p, &b->h, s),
                        lstm ? state_before(p, &b->c, s) : NULL,
                        rows_of(b->in[G_STATES], s.first, s.n),
                        lstm ? rows_of(b->in[G_CELL], s.first, s.n) : NULL,
                        lstm || gru ? rows_of(b->in[G_GATES], s.first, s.n) : NULL,
                        b->in[G_W_HH] };
    cn_tensor *out[] = { rows_of(b->out[D_PROJECTED], s.first, s.n),
                         gru ? rows_of(b->out[D_HIDDEN], s.first, s.n) : b->out[D_HIDDEN], dh,
                         lstm ? dc : b->out[D_C] };
    return keep_before(b, s) && cn_run_into(&cn_op_recurrent_step_backward, &b->layer->cell, in,
                                            CN_STEP_BACK_IN, out, CN_STEP_BACK_OUT);
}

static bool run_backward(const cn_call *call)
{
    Backward b = { .layer = call->params, .in = call->in, .out = call->out };
    if (!make_plan(&b.plan, call->params, cn_out(call, D_H), cn_in(call, G_ROWS))) return false;
    const Plan *p = &b.plan;
    bool lstm = p->cell == CN_CELL_LSTM;
    bool ok = make_history(&b.h, p, b.in[G_HX], b.in[G_STATES]) &&
              (!lstm || make_history(&b.c, p, b.in[G_CX], b.in[G_CELL]));
    if (!ok) return false;
    copy_rows(b.out[D_H], b.in[G_H]);
    if (lstm) copy_rows(b.out[D_C], b.in[G_C]);
    for (Step s = last_step(p); ok && s.n; s = neighbour(p, s, false)) {
        size_t mark = cn_mark();
        ok = backward_step(&b, s);
        cn_release(mark);
    }
    return ok;
}

static bool backward_kernel(const cn_call *c)
{
    return cn_run_unrecorded(c, run_backward);
}

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    Plan p;
    const cn_view *hx = cn_in(c, G_HX);
    if (!cn_want_dims(c, G_HX, 2, 2) || !make_plan(&p, c->params, hx, cn_in(c, G_ROWS)) ||
        !rows_fit(&p, cn_in(c, G_STATES)->shape.dim[0]))
        return false;
    int64_t gates = cn_cell_gates(p.cell) * p.width;
    bool lstm = p.cell == CN_CELL_LSTM, gated = lstm || p.cell == CN_CELL_GRU;
    const cn_shape all = CN_SHAPE(p.total, p.width), none = CN_SHAPE(0, p.width);
    const cn_shape want[] = { [G_OUT] = all,
                              [G_H] = hx->shape,
                              [G_C] = lstm ? hx->shape : none,
                              [G_HX] = hx->shape,
                              [G_CX] = hx->shape,
                              [G_STATES] = all,
                              [G_CELL] = lstm ? all : none,
                              [G_GATES] = CN_SHAPE(gated ? p.total : 0, 4 * p.width),
                              [G_W_HH] = CN_SHAPE(gates, p.width) };
    if (lstm && !cn_in(c, G_CX))
        return cn_fail(CN_EINVALID, "%s: an LSTM needs its first c", c->op->name);
    for (int i = 0; i < G_ROWS; i++)
        if (cn_in(c, i) && !cn_state_fits(c, i, want[i], G_HX)) return false;
    out[D_PROJECTED] = (cn_spec){ hx->dtype, CN_SHAPE(p.total, gates) };
    out[D_HIDDEN] = (cn_spec){ hx->dtype, CN_SHAPE(p.cell == CN_CELL_GRU ? p.total : 0, gates) };
    out[D_H] = (cn_spec){ hx->dtype, hx->shape };
    out[D_C] = (cn_spec){ hx->dtype, CN_SHAPE(lstm ? p.batch : 0, p.width) };
    out[D_BEFORE] = (cn_spec){ hx->dtype, CN_SHAPE(p.total, p.width) };
    return true;
}

const cn_op cn_op_recurrent_layer_backward = {
    CN_OP_HEAD(
        recurrent_layer_backward, "recurrent_layer_backward",
        "(Tensor grad_out, Tensor grad_h, Tensor grad_c, Tensor hx, Tensor? cx, Tensor out, Tensor "
        "cell, Tensor gates, Tensor w_hh, int[*] rows, str cell_kind, bool reverse) -> (Tensor, "
        "Tensor, Tensor, Tensor, Tensor)"),
    .doc =
        "The gradients of recurrent_layer for projected, the recurrent part of the gates, hx and cx; "
        "and h before each step. Recorded passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Layer),
    .optional = CN_SAVE_IN(G_CX),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .samples = "[2,3] [1,3] [0,3] [1,3] None [2,3] [0,3] [0,12] [3,3] (1,1) tanh False",
};

/* ---- gradients of gradients: the same step by step ------------------------------------------------ */

/* In the order of the inputs of recurrent_layer, those that were given. */
typedef struct {
    const Layer *layer;
    Plan plan;
    bool given[N_IN];
} Again;

/* All results that carry gradients, one below the other. */
static cn_tensor *compose_steps(const Plan *p, cn_tensor *const *in, cn_tensor **results)
{
    cn_cell_weights w = { .w_hh = in[W_HH], .b_hh = in[B_HH] };
    cn_tensor *state[2] = { in[HX], in[CX] }, *projected = cn_linear(in[INPUT], in[W_IH], in[B_IH]);
    int parts = p->cell == CN_CELL_LSTM ? 2 : 1;
    for (Step s = first_step(p); s.n; s = neighbour(p, s, true)) {
        cn_tensor *now[2] = { NULL }, *rest;
        for (int k = 0; k < parts; k++) now[k] = rows_of(state[k], 0, s.n);
        if (!cn_cell_step(p->cell, rows_of(projected, s.first, s.n), now, &w)) return NULL;
        results[s.t] = now[0];
        for (int k = 0; k < parts; k++) {
            rest = s.n < p->batch ? rows_of(state[k], s.n, p->batch - s.n) : NULL;
            state[k] = rest ? cn_cat((cn_tensor *[]){ now[k], rest }, 2, 0) : now[k];
        }
    }
    results[p->steps] = state[0];
    results[p->steps + 1] = state[1];
    return cn_cat(results, (int)p->steps + parts, 0);
}

static cn_tensor *again(cn_tensor *const *given, void *context)
{
    const Again *a = context;
    cn_tensor *in[N_IN] = { NULL };
    for (int i = 0; i < N_IN; i++)
        if (a->given[i]) in[i] = *given++;
    cn_tensor **results = cn_alloc(((size_t)a->plan.steps + 2) * sizeof(cn_tensor *));
    cn_tensor *y = results ? compose_steps(&a->plan, in, results) : NULL;
    cn_free(results);
    return y;
}

static void recorded(cn_grads *g, const Plan *plan)
{
    Again a = { .layer = cn_grad_params(g), .plan = *plan };
    cn_tensor *in[N_IN], *grads[N_IN];
    int n = 0;
    for (int i = 0; i < ROWS; i++) {
        cn_tensor *t = cn_saved_in(g, i);
        a.given[i] = t != NULL;
        if (t) in[n++] = t;
    }
    const cn_backward_options o = { .size = sizeof o, .create_graph = true };
    cn_tensor *gout[] = { cn_gout(g, OUT), cn_gout(g, H_LAST), cn_gout(g, C_LAST) };
    cn_tensor *all = cn_cat(gout, 3, 0);
    if (!cn_ok() || !cn_vjp(again, in, n, &a, all, NULL, grads, &o)) return;
    for (int i = 0, k = 0; i < ROWS; i++)
        if (a.given[i]) cn_give(g, i, grads[k++]);
}

/* From the gradient of what they gave: those of the inputs, w_ih and b_ih. */
static void give_projection(cn_grads *g, cn_tensor *grad)
{
    cn_linear_backward o = { cn_wants(g, INPUT), cn_wants(g, W_IH), cn_wants(g, B_IH) };
    cn_tensor *in[] = { grad, cn_saved_in(g, INPUT), cn_saved_in(g, W_IH) }, *out[3];
    if (!cn_ok() || !cn_apply(&cn_op_linear_backward, in, 3, &o, out, 3)) return;
    if (o.want_input) cn_give(g, INPUT, out[0]);
    if (o.want_weight) cn_give(g, W_IH, out[1]);
    if (o.want_bias) cn_give(g, B_IH, out[2]);
}

static void layer_backward(cn_grads *g)
{
    Plan p;
    const Layer *o = cn_grad_params(g);
    cn_tensor *rows = cn_saved_in(g, ROWS), *hx = cn_saved_in(g, HX), *w = cn_saved_in(g, W_HH);
    if (!rows || !hx || !w || !make_plan(&p, o, &hx->v, &rows->v)) return;
    if (cn_grad_enabled()) {
        recorded(g, &p);
        return;
    }
    cn_tensor *in[] = {
        cn_gout(g, OUT),      cn_gout(g, H_LAST),    cn_gout(g, C_LAST),     hx, cn_saved_in(g, CX),
        cn_saved_out(g, OUT), cn_saved_out(g, CELL), cn_saved_out(g, GATES), w,  rows
    };
    cn_tensor *out[D_OUT];
    if (!cn_apply(&cn_op_recurrent_layer_backward, in, G_IN, o, out, D_OUT)) return;
    cn_tensor *hidden = out[p.cell == CN_CELL_GRU ? D_HIDDEN : D_PROJECTED];
    give_projection(g, out[D_PROJECTED]);
    cn_give(g, HX, out[D_H]);
    if (p.cell == CN_CELL_LSTM) cn_give(g, CX, out[D_C]);
    if (cn_wants(g, W_HH)) cn_give(g, W_HH, cn_mm(cn_transpose(hidden, 0, 1), out[D_BEFORE]));
    if (cn_wants(g, B_HH)) cn_give(g, B_HH, cn_sum(hidden, .dim = CN_SHAPE(0)));
}

const cn_op cn_op_recurrent_layer = {
    CN_OP_HEAD(
        recurrent_layer, "recurrent_layer",
        "(Tensor input, Tensor hx, Tensor? cx, Tensor w_ih, Tensor w_hh, Tensor? b_ih, Tensor? b_hh, int[*] "
        "rows, str cell, bool reverse) -> (Tensor, Tensor, Tensor, Tensor, Tensor)"),
    .doc =
        "All steps of a tanh, relu, gru or lstm layer: h of all steps, the last h and (LSTM) the last c; also "
        "what backward needs. b_hh: only of a gru, the others add up.",
    .flags = CN_ROWS,
    .grad_outs = C_LAST + 1,
    .params_size = sizeof(Layer),
    .optional = CN_SAVE_IN(CX) | CN_SAVE_IN(B_IH) | CN_SAVE_IN(B_HH),
    .infer = layer_infer,
    .kernel = layer_kernel,
    .saves = CN_SAVE_IN(INPUT) | CN_SAVE_IN(HX) | CN_SAVE_IN(CX) | CN_SAVE_IN(W_IH) |
             CN_SAVE_IN(W_HH) | CN_SAVE_IN(B_IH) | CN_SAVE_IN(B_HH) | CN_SAVE_IN(ROWS) |
             CN_SAVE_OUT(OUT) | CN_SAVE_OUT(CELL) | CN_SAVE_OUT(GATES),
    .backward = layer_backward,
    .samples =
        "[5,2] [2,3] None [3,2] [3,3] None None (2,2,1) tanh False | [5,2] [2,3] None [3,2] [3,3] [3] "
        "[3] (2,2,1) relu True | [4,1] [2,2] None [6,1] [6,2] [6] [6] (2,1,1) gru False | [3,1] [2,2] "
        "None [6,1] [6,2] None None (2,1) gru True | [3,1] [2,2] [2,2] [8,1] [8,2] [8] [8] (2,1) lstm "
        "False | [4,1] [2,2] [2,2] [8,1] [8,2] None None (2,2) lstm True",
};

bool cn_recurrent_layer(cn_cell cell, cn_tensor *input, cn_tensor *state[2],
                        const cn_cell_weights *w, cn_tensor *rows, bool reverse, cn_tensor **out)
{
    Layer o = { .cell = cn_cell_name(cell), .reverse = reverse };
    bool lstm = cell == CN_CELL_LSTM;
    cn_cell_weights b = *w;
    cn_tensor *y[N_OUT];
    if (!cn_cell_biases(cell, &b)) return false;
    cn_tensor *in[N_IN] = { input,  state[0], lstm ? state[1] : NULL, w->w_ih, w->w_hh, b.b_ih,
                            b.b_hh, rows };
    if (!cn_apply(&cn_op_recurrent_layer, in, N_IN, &o, y, N_OUT)) return false;
    *out = y[OUT];
    state[0] = y[H_LAST];
    if (lstm) state[1] = y[C_LAST];
    return true;
}
