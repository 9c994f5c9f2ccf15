/* recurrent.c - RNN, GRU and LSTM: layers and directions, padded and packed sequences. */
#include "nn/recurrent.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    int64_t in, hidden, layers;
    const char *nonlinearity;
    bool bias, batch_first;
    double dropout;
    bool bidirectional;
} RNN;

typedef struct {
    int64_t in, hidden, layers;
    bool bias, batch_first;
    double dropout;
    bool bidirectional;
} GRU;

typedef struct {
    GRU gru; /* the schemas agree so far */
    int64_t projection;
} LSTM;

extern const cn_module_class cn_class_RNN, cn_class_GRU, cn_class_LSTM;

/* What the three have in common. */
typedef struct {
    cn_cell cell;
    GRU o;
    int64_t projection; /* 0: none */
    int directions, slots;
    int64_t out; /* the width of h */
} Plan;

static bool plan_of(const cn_module *m, Plan *p)
{
    *p = (Plan){ 0 };
    if (m->cls == &cn_class_RNN) {
        const RNN *o = m->options;
        p->o = (GRU){ o->in,          o->hidden,  o->layers,       o->bias,
                      o->batch_first, o->dropout, o->bidirectional };
        p->cell = strcmp(o->nonlinearity, "relu") == 0 ? CN_CELL_RELU : CN_CELL_TANH;
        if (p->cell == CN_CELL_TANH && strcmp(o->nonlinearity, "tanh") != 0)
            return cn_fail(CN_EINVALID, "RNN: nonlinearity must be 'tanh' or 'relu', not '%s'",
                           o->nonlinearity);
    } else {
        p->o = *(const GRU *)m->options;
        p->cell = m->cls == &cn_class_LSTM ? CN_CELL_LSTM : CN_CELL_GRU;
        if (p->cell == CN_CELL_LSTM) p->projection = ((const LSTM *)m->options)->projection;
    }
    p->directions = p->o.bidirectional ? 2 : 1;
    p->slots = 2 + 2 * p->o.bias + (p->projection > 0);
    p->out = p->projection ? p->projection : p->o.hidden;
    return true;
}

/* ---- parameters ---------------------------------------------------------------------------- */

static bool check_options(const cn_module *m, const Plan *p)
{
    const char *name = m->cls->name;
    const GRU *o = &p->o;
    if (o->in < 0 || o->hidden < 1 || o->layers < 1 || o->hidden > INT32_MAX ||
        o->layers > INT16_MAX)
        return cn_fail(CN_EINVALID,
                       "%s: sizes must be positive, and possible, got %lld -> %lld, %lld layers",
                       name, (long long)o->in, (long long)o->hidden, (long long)o->layers);
    if (p->projection < 0 || p->projection >= o->hidden)
        return cn_fail(CN_EINVALID, "%s: proj_size %lld must be smaller than hidden_size %lld",
                       name, (long long)p->projection, (long long)o->hidden);
    if (!(o->dropout >= 0 && o->dropout <= 1))
        return cn_fail(CN_EINVALID, "%s: dropout must be between 0 and 1, got %g", name,
                       o->dropout);
    return true;
}

/* "weight_ih_l0", "weight_ih_l0_reverse", .. */
static bool add(cn_module *m, const Plan *p, const char *what, int64_t layer, int direction,
                cn_shape shape)
{
    char name[64];
    snprintf(name, sizeof name, "%s_l%lld%s", what, (long long)layer, direction ? "_reverse" : "");
    return cn_module_parameter(m, name, &shape) &&
           cn_init_default(m->slots[m->n_slots - 1].tensor, p->o.hidden);
}

static bool add_layer(cn_module *m, const Plan *p, int64_t layer, int direction, int64_t in)
{
    int64_t gates = cn_cell_gates(p->cell) * p->o.hidden;
    if (!add(m, p, "weight_ih", layer, direction, CN_SHAPE(gates, in))) return false;
    if (!add(m, p, "weight_hh", layer, direction, CN_SHAPE(gates, p->out))) return false;
    if (p->o.bias && !(add(m, p, "bias_ih", layer, direction, CN_SHAPE(gates)) &&
                       add(m, p, "bias_hh", layer, direction, CN_SHAPE(gates))))
        return false;
    return !p->projection ||
           add(m, p, "weight_hr", layer, direction, CN_SHAPE(p->projection, p->o.hidden));
}

static bool build(cn_module *m, const cn_shape *input)
{
    Plan p;
    if (!plan_of(m, &p) || !check_options(m, &p)) return false;
    if (p.o.dropout > 0 && !cn_module_rng(m)) return false;
    int64_t in = p.o.in;
    if (in == 0 && !input) return true;
    if (in == 0 && input->ndim) in = input->dim[input->ndim - 1];
    for (int64_t l = 0; l < p.o.layers; l++, in = p.directions * p.out)
        for (int d = 0; d < p.directions; d++)
            if (!add_layer(m, &p, l, d, in)) return false;
    return true;
}

static cn_cell_weights weights_of(const cn_module *m, const Plan *p, int64_t layer, int direction)
{
    const cn_slot *s = m->slots + (layer * p->directions + direction) * p->slots;
    cn_cell_weights w = { .w_ih = s[0].tensor, .w_hh = s[1].tensor };
    if (p->o.bias) w.b_ih = s[2].tensor, w.b_hh = s[3].tensor;
    if (p->projection) w.w_hr = s[p->slots - 1].tensor;
    return w;
}

/* ---- all layers ---------------------------------------------------------------------------- */

/* The state of all layers and directions, one after the other: (layers * directions, batch, ..). */
typedef struct {
    cn_tensor *given[2], **last[2];
    int n;
} States;

static bool run_direction(cn_module *m, const Plan *p, const cn_sequence *s, States *all,
                          int64_t layer, int direction, cn_tensor **out)
{
    cn_cell_weights w = weights_of(m, p, layer, direction);
    int64_t k = layer * p->directions + direction;
    cn_tensor *state[2] = { NULL, NULL };
    for (int i = 0; i < all->n; i++)
        if (!(state[i] = cn_select(all->given[i], 0, k))) return false;
    if (!cn_recur(p->cell, s, direction == 1, &w, state, out)) return false;
    for (int i = 0; i < all->n; i++) all->last[i][k] = state[i];
    return true;
}

static cn_tensor *run_layers(cn_module *m, const Plan *p, const cn_sequence *given, States *all)
{
    cn_sequence s = *given;
    for (int64_t l = 0; l < p->o.layers; l++) {
        cn_tensor *out[2] = { NULL, NULL };
        for (int d = 0; d < p->directions; d++)
            if (!run_direction(m, p, &s, all, l, d, &out[d])) return NULL;
        s.data = p->directions == 2 ? cn_cat(out, 2, 1) : out[0];
        if (m->training && p->o.dropout > 0 && l + 1 < p->o.layers)
            s.data = cn_dropout(s.data, p->o.dropout, &m->rng);
        if (!s.data) return NULL;
    }
    return s.data;
}

/* Sets out[0]: the data of the last layer; out[1], out[2]: last states. */
static bool run_all(cn_module *m, const Plan *p, const cn_sequence *s, cn_tensor *given[2],
                    cn_tensor *out[3])
{
    int n = (int)p->o.layers * p->directions;
    cn_tensor **last = cn_alloc((size_t)n * 2 * sizeof *last);
    if (!last) return false;
    States all = { { given[0], given[1] }, { last, last + n }, p->cell == CN_CELL_LSTM ? 2 : 1 };
    bool ok = (out[0] = run_layers(m, p, s, &all)) != NULL;
    for (int i = 0; ok && i < all.n; i++) ok = (out[1 + i] = cn_stack(all.last[i], n, 0)) != NULL;
    cn_free(last);
    return ok;
}

/* ---- what goes in -------------------------------------------------------------------------- */

/* One state as (layers * directions, batch, width): given, or zeros. */
static cn_tensor *first_state(const cn_module *m, const Plan *p, const char *name, cn_tensor *given,
                              int64_t batch, bool batched, int64_t width, const cn_tensor *like)
{
    cn_shape want = CN_SHAPE(p->o.layers * p->directions, batch, width);
    if (!given) return cn_zeros(want, like->v.dtype);
    bool fits = given->v.shape.ndim == (batched ? 3 : 2);
    cn_tensor *state = fits && !batched ? cn_unsqueeze(given, 1) : given;
    if (!state || (fits && cn_shape_equal(&state->v.shape, &want))) return state;
    char a[128], b[128];
    if (!batched) want = CN_SHAPE(want.dim[0], width);
    cn_fail(CN_EINVALID, "%s: %s has shape %s, but %s is wanted", m->cls->name, name,
            cn_shape_text(&given->v.shape, a), cn_shape_text(&want, b));
    return NULL;
}

static bool first_states(const cn_module *m, const Plan *p, cn_io *io, int64_t batch, bool batched,
                         cn_tensor *state[2])
{
    cn_tensor *h = io->in[4], *c = io->in[5];
    bool lstm = p->cell == CN_CELL_LSTM;
    if (lstm && !h != !c) return cn_fail(CN_EINVALID, "LSTM: hx must be the pair (h_0, c_0)");
    state[0] = first_state(m, p, "h_0", h, batch, batched, p->out, io->in[0]);
    state[1] = lstm ? first_state(m, p, "c_0", c, batch, batched, p->o.hidden, io->in[0]) : NULL;
    return state[0] && (!lstm || state[1]);
}

static bool check_width(const cn_module *m, const cn_tensor *data)
{
    int64_t in = m->slots[0].tensor->v.shape.dim[1],
            got = data->v.shape.dim[data->v.shape.ndim - 1];
    return got == in || cn_fail(CN_EINVALID, "%s: the input has %lld features, %lld are wanted",
                                m->cls->name, (long long)got, (long long)in);
}

/* ---- padded: all sequences have all steps -------------------------------------------------- */

static cn_tensor *steps_first(const Plan *p, cn_tensor *x)
{
    if (x->v.shape.ndim == 2) return cn_unsqueeze(x, 1);
    return p->o.batch_first ? cn_transpose(x, 0, 1) : x;
}

static bool run_padded(cn_module *m, const Plan *p, cn_io *io)
{
    int nd = io->in[0]->v.shape.ndim;
    if (nd != 2 && nd != 3)
        return cn_fail(CN_EINVALID,
                       "%s: the input has %d dimensions, 3 (or 2: no batch) are wanted",
                       m->cls->name, nd);
    cn_tensor *x = steps_first(p, io->in[0]), *state[2], *out[3] = { NULL };
    if (!x || !check_width(m, x)) return false;
    int64_t steps = x->v.shape.dim[0], batch = x->v.shape.dim[1], in = x->v.shape.dim[2];
    if (steps == 0) return cn_fail(CN_EINVALID, "%s: a sequence without steps", m->cls->name);
    if (!first_states(m, p, io, batch, nd == 3, state)) return false;
    cn_sequence s = { cn_reshape(x, CN_SHAPE(steps * batch, in)), steps, batch, NULL };
    s.offsets = s.data ? cn_alloc((size_t)(steps + 1) * sizeof *s.offsets) : NULL;
    for (int64_t t = 0; s.offsets && t <= steps; t++) s.offsets[t] = t * batch;
    bool ok = s.offsets && run_all(m, p, &s, state, out);
    cn_free(s.offsets);
    cn_tensor *y = ok ? cn_reshape(out[0], CN_SHAPE(steps, batch, p->directions * p->out)) : NULL;
    if (y && nd == 3) y = p->o.batch_first ? cn_transpose(y, 0, 1) : y;
    io->n_out = p->cell == CN_CELL_LSTM ? 3 : 2;
    io->out[0] = nd == 3 ? y : cn_squeeze(y, CN_SHAPE(1));
    for (int i = 1; i < io->n_out; i++)
        io->out[i] = nd == 3 ? out[i] : cn_squeeze(out[i], CN_SHAPE(1));
    return io->out[0] && io->out[1];
}

/* ---- packed: the list (data, batch_sizes, sorted_indices, unsorted_indices) ----------------- */

/* Sizes must shrink, be positive and add up to the rows of the data. */
static bool offsets_of(const cn_module *m, const cn_tensor *sizes, cn_sequence *s)
{
    int64_t at = 0;
    s->offsets[0] = 0;
    for (int64_t t = 0; t < s->steps; t++) {
        int64_t n = cn_load_i64(sizes->v.data + t * sizes->v.strides[0] *
                                                    (int64_t)cn_dtype_size(sizes->v.dtype),
                                sizes->v.dtype);
        if (t == 0) s->batch = n;
        bool ok = n > 0 && n <= s->data->v.shape.dim[0] && (t == 0 || n <= at - s->offsets[t - 1]);
        if (!ok)
            return cn_fail(CN_EINVALID, "%s: batch_sizes[%lld] is %lld", m->cls->name, (long long)t,
                           (long long)n);
        s->offsets[t + 1] = at += n;
    }
    return at == s->data->v.shape.dim[0] ||
           cn_fail(CN_EINVALID, "%s: batch_sizes add up to %lld, but the packed data has %lld rows",
                   m->cls->name, (long long)at, (long long)s->data->v.shape.dim[0]);
}

static bool run_sorted(cn_module *m, const Plan *p, cn_io *io, const cn_sequence *s)
{
    cn_tensor *state[2], *out[3] = { NULL };
    if (!first_states(m, p, io, s->batch, true, state)) return false;
    int n = p->cell == CN_CELL_LSTM ? 2 : 1;
    for (int i = 0; i < n && io->in[2] && io->in[4]; i++)
        if (!(state[i] = cn_index_select(state[i], 1, io->in[2]))) return false;
    if (!run_all(m, p, s, state, out)) return false;
    io->n_out = 4 + n;
    io->out[0] = out[0];
    for (int i = 1; i < 4; i++) io->out[i] = io->in[i];
    for (int i = 0; i < n; i++) {
        io->out[4 + i] = io->in[3] ? cn_index_select(out[1 + i], 1, io->in[3]) : out[1 + i];
        if (!io->out[4 + i]) return false;
    }
    return true;
}

static bool run_packed(cn_module *m, const Plan *p, cn_io *io)
{
    cn_tensor *sizes = io->in[1];
    cn_sequence s = { .data = io->in[0], .steps = cn_size(sizes, 0) };
    if (s.data->v.shape.ndim != 2 || sizes->v.shape.ndim != 1 || s.steps == 0 ||
        cn_dtype_is_float(sizes->v.dtype))
        return cn_fail(CN_EINVALID,
                       "%s: a packed sequence has data (rows, features) and "
                       "batch_sizes (steps) of integers",
                       m->cls->name);
    if (!check_width(m, s.data)) return false;
    s.offsets = cn_alloc((size_t)(s.steps + 1) * sizeof *s.offsets);
    bool ok = s.offsets && offsets_of(m, sizes, &s) && run_sorted(m, p, io, &s);
    cn_free(s.offsets);
    return ok;
}

static bool forward(cn_module *m, cn_io *io)
{
    Plan p;
    if (!plan_of(m, &p)) return false;
    return io->in[1] ? run_packed(m, &p, io) : run_padded(m, &p, io);
}

/* The matrices, once per row of the output. */
static double multiply_adds(const cn_module *m, const cn_shape *out)
{
    double rows = 1, weights = 0;
    for (int i = 0; i < out->ndim - 1; i++) rows *= (double)out->dim[i];
    for (int i = 0; i < m->n_slots; i++)
        if (m->slots[i].tensor->v.shape.ndim == 2) weights += (double)m->slots[i].tensor->v.numel;
    return rows * weights;
}

/* ---- classes ------------------------------------------------------------------------------- */

#define RECURRENT .build = build, .forward = forward, .multiply_adds = multiply_adds
#define SIZES "int input_size, int hidden_size, int num_layers=1, "
#define OPTIONS                                                                                    \
    "bool bias=True, bool batch_first=False, float dropout=0.0, bool bidirectional=False"

const cn_module_class cn_class_RNN = {
    .name = "RNN",
    .schema = "RNN(" SIZES "str nonlinearity='tanh', " OPTIONS ")",
    .inputs = "(Tensor[4] input, Tensor? hx=None) -> (Tensor, Tensor)",
    .doc = "h_t = tanh(x_t w_ih^T + b_ih + h_{t-1} w_hh^T + b_hh), layer upon layer (D2L 9.4).",
    .options_size = sizeof(RNN),
    RECURRENT,
};

const cn_module_class cn_class_GRU = {
    .name = "GRU",
    .schema = "GRU(" SIZES OPTIONS ")",
    .inputs = "(Tensor[4] input, Tensor? hx=None) -> (Tensor, Tensor)",
    .doc = "Gated recurrent units, layer upon layer (D2L 10.2).",
    .options_size = sizeof(GRU),
    RECURRENT,
};

const cn_module_class cn_class_LSTM = {
    .name = "LSTM",
    .schema = "LSTM(" SIZES OPTIONS ", int proj_size=0)",
    .inputs = "(Tensor[4] input, Tensor[2]? hx=None) -> (Tensor, Tensor, Tensor)",
    .doc = "Long short-term memory, layer upon layer (D2L 10.1).",
    .options_size = sizeof(LSTM),
    RECURRENT,
};

/* ---- in C ---------------------------------------------------------------------------------- */

static GRU options_from(const cn_recurrent_options *o)
{
    return (GRU){ o->in,          o->hidden,  o->layers ? o->layers : 1, !o->no_bias,
                  o->batch_first, o->dropout, o->bidirectional };
}

cn_module *cn_rnn_layer_with(const cn_recurrent_options *o)
{
    const GRU g = options_from(o);
    const RNN p = { g.in,   g.hidden,      g.layers,  o->relu ? "relu" : "tanh",
                    g.bias, g.batch_first, g.dropout, g.bidirectional };
    if (!o->projection) return cn_module_of(&cn_class_RNN, &p);
    cn_fail(CN_EINVALID, "RNN: only an LSTM has a projection");
    return NULL;
}

cn_module *cn_gru_layer_with(const cn_recurrent_options *o)
{
    const GRU p = options_from(o);
    if (!o->projection && !o->relu) return cn_module_of(&cn_class_GRU, &p);
    cn_fail(CN_EINVALID, "GRU: it has neither a projection nor relu");
    return NULL;
}

cn_module *cn_lstm_layer_with(const cn_recurrent_options *o)
{
    const LSTM p = { options_from(o), o->projection };
    if (!o->relu) return cn_module_of(&cn_class_LSTM, &p);
    cn_fail(CN_EINVALID, "LSTM: it has no relu");
    return NULL;
}

/* Padded sequences, of which only `lengths` count: packed, run, and padded again. */
static bool run_lengths(const cn_recurrent_args *a, const Plan *p, cn_io *io)
{
    bool batch_first = p->o.batch_first;
    if (cn_ndim(a->input) != 3)
        return cn_fail(CN_EINVALID, "%s: lengths are for an input with a batch",
                       a->layer->cls->name);
    cn_packed packed = cn_pack_padded_sequence(a->input, a->lengths, batch_first);
    if (!packed.data) return false;
    io->in[0] = packed.data, io->in[1] = packed.batch_sizes;
    io->in[2] = packed.sorted_indices, io->in[3] = packed.unsorted_indices;
    if (!cn_module_run(a->layer, io)) return false;
    packed.data = io->out[0];
    io->out[0] =
        cn_pad_packed_sequence(&packed, batch_first, 0, a->input->v.shape.dim[batch_first ? 1 : 0]);
    return io->out[0] != NULL;
}

static cn_recurrent_result run_layer(const cn_recurrent_args *a)
{
    Plan p;
    cn_io io = { .in = { a->input, NULL, NULL, NULL, a->h, a->c } };
    bool ok = plan_of(a->layer, &p);
    if (ok && a->c && p.cell != CN_CELL_LSTM)
        ok = cn_fail(CN_EINVALID, "%s: only an LSTM has c", a->layer->cls->name);
    ok = ok && (a->lengths ? run_lengths(a, &p, &io) : cn_module_run(a->layer, &io));
    cn_tensor **last = io.out + (a->lengths ? 4 : 1);
    return ok ? (cn_recurrent_result){ io.out[0], last[0], last[1] } : (cn_recurrent_result){ 0 };
}

static cn_recurrent_result run_cell(const cn_recurrent_args *a)
{
    cn_io io = { .in = { a->input, a->h, a->c } };
    if (a->lengths) {
        cn_fail(CN_EINVALID, "%s: a cell runs one step, without lengths", a->layer->cls->name);
        return (cn_recurrent_result){ 0 };
    }
    if (!cn_module_run(a->layer, &io)) return (cn_recurrent_result){ 0 };
    return (cn_recurrent_result){ io.out[0], io.out[0], io.n_out > 1 ? io.out[1] : NULL };
}

cn_recurrent_result cn_recurrent_with(const cn_recurrent_args *a)
{
    if (!a->layer || !a->input) return (cn_recurrent_result){ 0 };
    const cn_module_class *cls = a->layer->cls;
    if (cls->forward == forward) return run_layer(a);
    if (cn_is_cell(a->layer)) return run_cell(a);
    cn_fail(CN_EINVALID, "recurrent: %s is no recurrent layer", cls->name);
    return (cn_recurrent_result){ 0 };
}
