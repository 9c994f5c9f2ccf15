/* recurrent.c - the gates of LSTM and GRU cells, each cell in one pass (D2L 10.1, 10.2). */
#include "ops/compose.h"

#include <math.h>

typedef struct {
    int64_t width; /* hidden units */
    const void *in[5];
    void *out[3];
} Cells;

#define T float
#define NAME(x) x##_f32
#define M(name) name##f
#include "ops/layers/recurrent.inc"
#undef T
#undef NAME
#undef M
#define T double
#define NAME(x) x##_f64
#define M(name) name
#include "ops/layers/recurrent.inc"
#undef T
#undef NAME
#undef M

/* ---- shared -------------------------------------------------------------------------------- */

typedef void Rows(int64_t first, int64_t last, void *context);

/* `state` is an input with one number per hidden unit. */
static bool run(const cn_call *c, int state, Rows *f32, Rows *f64)
{
    const cn_view *h = cn_in(c, state);
    Cells p = { .width = h->shape.dim[h->shape.ndim - 1] };
    for (int i = 0; i < c->n_in; i++) p.in[i] = cn_in(c, i)->data;
    for (int i = 0; i < c->n_out; i++) p.out[i] = cn_out(c, i)->data;
    if (p.width) cn_parallel(h->numel / p.width, 40 * p.width, h->dtype == CN_F64 ? f64 : f32, &p);
    return true;
}

static cn_shape widened(const cn_shape *s, int64_t times)
{
    cn_shape r = *s;
    r.dim[s->ndim - 1] *= times;
    return r;
}

/* Is each of n inputs as wide as says `times`, in hidden units, and of the type of the state? */
static bool check(const cn_call *c, int state, int n, const int times[])
{
    char got[128], want[128];
    if (!cn_want_dims(c, state, 1, CN_MAX_DIMS)) return false;
    const cn_view *h = cn_in(c, state);
    for (int i = 0; i < n; i++) {
        cn_shape s = widened(&h->shape, times[i]);
        if (!cn_shape_equal(&cn_in(c, i)->shape, &s))
            return cn_fail(CN_EINVALID, "%s: input %d has shape %s, but %s goes with the state",
                           c->op->name, i, cn_shape_text(&cn_in(c, i)->shape, got),
                           cn_shape_text(&s, want));
        if (cn_in(c, i)->dtype != h->dtype || !cn_dtype_is_float(h->dtype))
            return cn_fail(CN_EINVALID, "%s: the inputs are %s and %s, one float type is wanted",
                           c->op->name, cn_dtype_name(cn_in(c, i)->dtype), cn_dtype_name(h->dtype));
    }
    return true;
}

static cn_tensor *part(cn_tensor *t, int64_t i, int64_t of)
{
    if (!t) return NULL;
    int64_t n = t->v.shape.dim[t->v.shape.ndim - 1] / of;
    return cn_narrow(t, -1, i * n, n);
}

static cn_tensor *one_minus(cn_tensor *t)
{
    return cn_sub(cn_num(1), t);
}

/* grad y (1 - y), grad (1 - y^2) */
static cn_tensor *through_sigmoid(cn_tensor *grad, cn_tensor *y)
{
    return cn_mul(grad, cn_mul(y, one_minus(y)));
}

static cn_tensor *through_tanh(cn_tensor *grad, cn_tensor *y)
{
    return cn_mul(grad, one_minus(cn_mul(y, y)));
}

/* ---- LSTM ---------------------------------------------------------------------------------- */

static const int lstm_times[] = { 4, 4, 1 };

static bool lstm_infer(const cn_call *c, cn_spec out[])
{
    if (!check(c, 2, (int)CN_COUNT(lstm_times), lstm_times)) return false;
    const cn_view *state = cn_in(c, 2);
    out[0] = out[1] = (cn_spec){ state->dtype, state->shape };
    out[2] = (cn_spec){ state->dtype, widened(&state->shape, 4) };
    return true;
}

static bool lstm_kernel(const cn_call *c)
{
    return run(c, 2, lstm_rows_f32, lstm_rows_f64);
}

/* Made of ops, for recorded passes; those may ask for gradients of the gates, too. */
static void lstm_recorded(cn_grads *g, cn_tensor *cx, cn_tensor *cy, cn_tensor *gates)
{
    cn_tensor *gh = cn_gout(g, 0), *more = cn_gout(g, 2), *a[4], *ga[4], *y = cn_tanh(cy);
    for (int i = 0; i < 4; i++) a[i] = part(gates, i, 4);
    cn_tensor *d = cn_add(cn_gout(g, 1), through_tanh(cn_mul(gh, a[3]), y));
    ga[0] = cn_mul(d, a[2]), ga[1] = cn_mul(d, cx), ga[2] = cn_mul(d, a[0]), ga[3] = cn_mul(gh, y);
    for (int i = 0; i < 4; i++)
        ga[i] = (i == 2 ? through_tanh : through_sigmoid)(cn_add(ga[i], part(more, i, 4)), a[i]);
    cn_tensor *both = cn_cat(ga, 4, -1);
    cn_give(g, 0, both);
    cn_give(g, 1, both);
    cn_give(g, 2, cn_mul(d, a[1]));
}

static void lstm_backward(cn_grads *g)
{
    cn_tensor *cx = cn_saved_in(g, 2), *cy = cn_saved_out(g, 1), *gates = cn_saved_out(g, 2);
    if (!cx || !cy || !gates) return;
    if (cn_grad_enabled() || cn_has_gout(g, 2)) {
        lstm_recorded(g, cx, cy, gates);
        return;
    }
    cn_tensor *in[] = { cn_gout(g, 0), cn_gout(g, 1), cx, cy, gates }, *out[2];
    if (!cn_apply(&cn_op_lstm_gates_backward, in, 5, NULL, out, 2)) return;
    cn_give(g, 0, out[0]);
    cn_give(g, 1, out[0]);
    cn_give(g, 2, out[1]);
}

const cn_op cn_op_lstm_gates = {
    CN_OP_HEAD(lstm_gates, "lstm_gates",
               "(Tensor input_gates, Tensor hidden_gates, Tensor cx) -> (Tensor, Tensor, Tensor)"),
    .doc = "The next h and c of an LSTM from the sum of the gates before their activation, in the "
           "order i, f, g, o; also the gates after it.",
    .flags = CN_ROWS,
    .infer = lstm_infer,
    .kernel = lstm_kernel,
    .saves = CN_SAVE_IN(2) | CN_SAVE_OUT(1) | CN_SAVE_OUT(2),
    .backward = lstm_backward,
    .samples = "[2,12] [2,12] [2,3] | [8] [8] [2] | [0,8] [0,8] [0,2] | [1,84] [1,84] [1,21]",
};

static bool lstm_backward_infer(const cn_call *c, cn_spec out[])
{
    if (!check(c, 2, 5, (const int[]){ 1, 1, 1, 1, 4 })) return false;
    out[0] = (cn_spec){ cn_in(c, 4)->dtype, cn_in(c, 4)->shape };
    out[1] = (cn_spec){ cn_in(c, 2)->dtype, cn_in(c, 2)->shape };
    return true;
}

static bool lstm_backward_kernel(const cn_call *c)
{
    return run(c, 2, lstm_backward_rows_f32, lstm_backward_rows_f64);
}

const cn_op cn_op_lstm_gates_backward = {
    CN_OP_HEAD(lstm_gates_backward, "lstm_gates_backward",
               "(Tensor grad_h, Tensor grad_c, Tensor cx, Tensor cy, Tensor gates) -> "
               "(Tensor, Tensor)"),
    .doc = "The gradients of lstm_gates for the gates and cx. Recorded passes use other ops "
           "instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = lstm_backward_infer,
    .kernel = lstm_backward_kernel,
    .samples =
        "[2,3] [2,3] [2,3] [2,3] [2,12] | [0,2] [0,2] [0,2] [0,2] [0,8] | [2,21] [2,21] [2,21] "
        "[2,21] [2,84]",
};

/* ---- GRU ----------------------------------------------------------------------------------- */

static bool gru_infer(const cn_call *c, cn_spec out[])
{
    if (!check(c, 2, 3, (const int[]){ 3, 3, 1 })) return false;
    const cn_view *state = cn_in(c, 2);
    out[0] = (cn_spec){ state->dtype, state->shape };
    out[1] = (cn_spec){ state->dtype, widened(&state->shape, 4) };
    return true;
}

static bool gru_kernel(const cn_call *c)
{
    return run(c, 2, gru_rows_f32, gru_rows_f64);
}

/* gates: r, z, n and the hidden part of n, which r multiplies. */
static void gru_recorded(cn_grads *g, cn_tensor *hx, cn_tensor *gates)
{
    cn_tensor *gh = cn_gout(g, 0), *more = cn_gout(g, 1), *a[4], *m[4];
    for (int i = 0; i < 4; i++) a[i] = part(gates, i, 4), m[i] = part(more, i, 4);
    cn_tensor *gn = through_tanh(cn_add(cn_mul(gh, one_minus(a[1])), m[2]), a[2]);
    cn_tensor *gr = through_sigmoid(cn_add(cn_mul(gn, a[3]), m[0]), a[0]);
    cn_tensor *gz = through_sigmoid(cn_add(cn_mul(gh, cn_sub(hx, a[2])), m[1]), a[1]);
    cn_give(g, 0, cn_cat((cn_tensor *[]){ gr, gz, gn }, 3, -1));
    cn_give(g, 1, cn_cat((cn_tensor *[]){ gr, gz, cn_add(cn_mul(gn, a[0]), m[3]) }, 3, -1));
    cn_give(g, 2, cn_mul(gh, a[1]));
}

static void gru_backward(cn_grads *g)
{
    cn_tensor *hx = cn_saved_in(g, 2), *gates = cn_saved_out(g, 1);
    if (!hx || !gates) return;
    if (cn_grad_enabled() || cn_has_gout(g, 1)) {
        gru_recorded(g, hx, gates);
        return;
    }
    cn_tensor *in[] = { cn_gout(g, 0), hx, gates }, *out[3];
    if (!cn_apply(&cn_op_gru_gates_backward, in, 3, NULL, out, 3)) return;
    for (int i = 0; i < 3; i++) cn_give(g, i, out[i]);
}

const cn_op cn_op_gru_gates = {
    CN_OP_HEAD(gru_gates, "gru_gates",
               "(Tensor input_gates, Tensor hidden_gates, Tensor hx) -> (Tensor, Tensor)"),
    .doc = "The next h of a GRU from the two parts of the gates before their activation, in the "
           "order r, z, n; also what backward needs: r, z, n and the hidden part of n.",
    .flags = CN_ROWS,
    .infer = gru_infer,
    .kernel = gru_kernel,
    .saves = CN_SAVE_IN(2) | CN_SAVE_OUT(1),
    .backward = gru_backward,
    .samples = "[2,9] [2,9] [2,3] | [6] [6] [2] | [0,6] [0,6] [0,2] | [1,63] [1,63] [1,21]",
};

static bool gru_backward_infer(const cn_call *c, cn_spec out[])
{
    if (!check(c, 1, 3, (const int[]){ 1, 1, 4 })) return false;
    const cn_view *state = cn_in(c, 1);
    out[0] = out[1] = (cn_spec){ state->dtype, widened(&state->shape, 3) };
    out[2] = (cn_spec){ state->dtype, state->shape };
    return true;
}

static bool gru_backward_kernel(const cn_call *c)
{
    return run(c, 1, gru_backward_rows_f32, gru_backward_rows_f64);
}

const cn_op cn_op_gru_gates_backward = {
    CN_OP_HEAD(gru_gates_backward, "gru_gates_backward",
               "(Tensor grad_h, Tensor hx, Tensor gates) -> (Tensor, Tensor, Tensor)"),
    .doc = "The gradients of gru_gates for its inputs. Recorded passes use other ops instead.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = gru_backward_infer,
    .kernel = gru_backward_kernel,
    .samples = "[2,3] [2,3] [2,12] | [0,2] [0,2] [0,8] | [2,21] [2,21] [2,84]",
};
