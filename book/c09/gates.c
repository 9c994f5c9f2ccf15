/* gates.c - GRU (D2L 10.2) and LSTM (D2L 10.1), written out. */
#include "book/c09/gates.h"

#include <stdio.h>
#include <string.h>

/* ---- parameters ------------------------------------------------------------------------------ */

static cn_tensor *drawn(int64_t rows, int64_t columns)
{
    cn_tensor *t = cn_mul(cn_randn(CN_SHAPE(rows, columns), CN_F32), cn_num(0.01));
    return cn_requires_grad(t, true);
}

static cn_tensor *zeros(int64_t n)
{
    return cn_requires_grad(cn_zeros(CN_SHAPE(n), CN_F32), true);
}

Gated gated_new(int gates, int64_t hidden, int64_t vocabulary)
{
    Gated g = { .hidden = hidden, .vocabulary = vocabulary, .gates = gates };
    for (int i = 0; i < gates; i++) {
        g.w_x[i] = drawn(vocabulary, hidden);
        g.w_h[i] = drawn(hidden, hidden);
        g.b[i] = zeros(hidden);
    }
    g.w_hq = drawn(hidden, vocabulary);
    g.b_q = zeros(vocabulary);
    return g;
}

Gated gated_of_layer(cn_module *layer, int gates, int64_t hidden)
{
    Gated g = { .hidden = hidden, .gates = gates };
    cn_tensor *w_ih = cn_module_slot(layer, "weight_ih_l0"),
              *w_hh = cn_module_slot(layer, "weight_hh_l0");
    cn_tensor *b_ih = cn_module_slot(layer, "bias_ih_l0"),
              *b_hh = cn_module_slot(layer, "bias_hh_l0");
    for (int i = 0; i < gates; i++) {
        g.w_x[i] = cn_t(cn_narrow(w_ih, 0, i * hidden, hidden));
        g.w_h[i] = cn_t(cn_narrow(w_hh, 0, i * hidden, hidden));
        g.b[i] = cn_narrow(cn_add(b_ih, b_hh), 0, i * hidden, hidden);
    }
    if (gates == GRU_GATES) {
        g.b[GRU_CANDIDATE] = cn_narrow(b_ih, 0, GRU_CANDIDATE * hidden, hidden);
        g.b_after = cn_narrow(b_hh, 0, GRU_CANDIDATE * hidden, hidden);
    }
    return g;
}

cn_optim *gated_optim(const Gated *g, double lr, bool adam)
{
    cn_tensor *all[3 * GATES + 2];
    int n = 0;
    for (int i = 0; i < g->gates; i++) {
        all[n++] = g->w_x[i];
        all[n++] = g->w_h[i];
        all[n++] = g->b[i];
    }
    all[n++] = g->w_hq;
    all[n++] = g->b_q;
    cn_optim *o = cn_optim_new(adam ? "Adam" : "SGD", lr);
    cn_optim_add_group(o, all, n);
    return o;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* X W_x + H W_h + b of a gate. */
static cn_tensor *mixed(const Gated *g, int gate, cn_tensor *x, cn_tensor *h)
{
    return cn_add(cn_add(cn_matmul(x, g->w_x[gate]), cn_matmul(h, g->w_h[gate])), g->b[gate]);
}

/* R = sigmoid(X W_xr + H W_hr + b_r), Z = sigmoid(X W_xz + H W_hz + b_z),
   C = tanh(X W_xh + (R * H) W_hh + b_h), the new H = Z * H + (1 - Z) * C. Layers have
   C = tanh(X W_xh + b_h + R * (H W_hh + b_after)), for which one product serves all gates. */
cn_tensor *gru_step(const Gated *g, cn_tensor *x, cn_tensor *h)
{
    cn_tensor *r = cn_sigmoid(mixed(g, GRU_RESET, x, h));
    cn_tensor *z = cn_sigmoid(mixed(g, GRU_UPDATE, x, h));
    cn_tensor *c;
    if (g->b_after) {
        cn_tensor *past = cn_add(cn_matmul(h, g->w_h[GRU_CANDIDATE]), g->b_after);
        c = cn_add(cn_matmul(x, g->w_x[GRU_CANDIDATE]), g->b[GRU_CANDIDATE]);
        c = cn_tanh(cn_add(c, cn_mul(r, past)));
    } else {
        c = cn_tanh(mixed(g, GRU_CANDIDATE, x, cn_mul(r, h)));
    }
    return cn_add(cn_mul(z, h), cn_mul(cn_sub(cn_num(1), z), c));
}

/* I, F, O = sigmoid(X W_x + H W_h + b), C~ = tanh(X W_xc + H W_hc + b_c), the new C = F * C + I * C~, the
   new H = O * tanh(C). */
cn_tensor *lstm_step(const Gated *g, cn_tensor *x, cn_tensor *h, cn_tensor **c)
{
    cn_tensor *i = cn_sigmoid(mixed(g, LSTM_INPUT, x, h));
    cn_tensor *f = cn_sigmoid(mixed(g, LSTM_FORGET, x, h));
    cn_tensor *o = cn_sigmoid(mixed(g, LSTM_OUTPUT, x, h));
    cn_tensor *candidate = cn_tanh(mixed(g, LSTM_CANDIDATE, x, h));
    *c = cn_add(cn_mul(f, *c), cn_mul(i, candidate));
    return cn_mul(o, cn_tanh(*c));
}

/* ---- all steps --------------------------------------------------------------------------------- */

static cn_tensor *steps_of(const Gated *g, cn_tensor *x, cn_tensor *state[LANGUAGE_STATES],
                           bool lstm)
{
    enum { MOST = 64 };
    cn_tensor *out[MOST];
    int steps = (int)cn_size(x, 0);
    if (steps > MOST && !cn_fail(CN_EINVALID, "at most %d steps", MOST)) return NULL;
    for (int i = 0; i < (lstm ? 2 : 1); i++)
        if (!state[i]) state[i] = cn_zeros(CN_SHAPE(cn_size(x, 1), g->hidden), CN_F32);
    for (int t = 0; t < steps; t++) {
        cn_tensor *now = cn_select(x, 0, t);
        state[0] = lstm ? lstm_step(g, now, state[0], &state[1]) : gru_step(g, now, state[0]);
        out[t] = state[0];
    }
    return cn_stack(out, steps, 0);
}

cn_tensor *gru_steps(const Gated *g, cn_tensor *x, cn_tensor *state[LANGUAGE_STATES])
{
    return steps_of(g, x, state, false);
}

cn_tensor *lstm_steps(const Gated *g, cn_tensor *x, cn_tensor *state[LANGUAGE_STATES])
{
    return steps_of(g, x, state, true);
}

/* ---- memorising ---------------------------------------------------------------------------------- */

Memorising memorising(const Lab *lab, double book_lr)
{
    const LabOptions *o = lab_options(lab);
    if (o->quick) return (Memorising){ 64, 15, 0.01, true };
    if (o->real) return (Memorising){ 256, 500, book_lr, false };
    return (Memorising){ 128, 60, 0.005, true };
}

void memorise(Lab *lab, const Language *m, const Memorising *how, double perplexity)
{
    const LabOptions *o = lab_options(lab);
    LanguageFit fit = language_train(lab, m, &(LanguageSchedule){ .epochs = how->epochs });
    lab_at_most(lab, "perplexity of the last epoch", fit.last,
                o->real && !o->quick ? perplexity : 0.9 * language_bigram_perplexity(m->corpus));
    char *text = language_predict(m, "time traveller", 50);
    lab_say(lab, "%s", text ? text : "");
    lab_true(lab, "50 characters follow the prefix", text && strlen(text) == 64);
    lab_figure(lab, language_curve(&fit, "perplexity on the text that is learned"));
    cn_text_free(text);
}
