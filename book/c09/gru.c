/* gru.c - gated recurrent units (D2L 10.2): written out, extreme gates, the library's layer. */
#include "book/c09/gates.h"

#include <math.h>

static cn_tensor *run_gru(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES])
{
    const Gated *g = self;
    cn_tensor *x = cn_to(cn_one_hot(cn_t(ids), g->vocabulary), CN_F32);
    cn_tensor *h = gru_steps(g, x, state);
    return cn_add(cn_matmul(cn_reshape(h, CN_SHAPE(-1, g->hidden)), g->w_hq), g->b_q);
}

static void run_scratch(Lab *lab)
{
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    Memorising how = memorising(lab, 1);
    Gated g = gated_new(GRU_GATES, how.hidden, cn_vocab_size(corpus.vocab));
    Language m = { run_gru, &g, gated_optim(&g, how.lr, how.adam), &corpus };
    memorise(lab, &m, &how, 1.3);
    cn_optim_free(m.optim);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_grus = {
    .id = "C09-GRU-S",
    .title = "Gated recurrent units from scratch",
    .title_zh = "门控循环单元从零开始实现",
    .section = "10.2.3",
    .settings = "hidden 256, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "perplexity 1.1; 19,911.5 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_scratch,
};

/* ---- the library's layer ------------------------------------------------------------------------- */

static void compare(Lab *lab)
{
    enum { IN = 28, HIDDEN = 16, STEPS = 7, BATCH = 3 };
    cn_module *layer = cn_gru_layer(HIDDEN, .in = IN);
    Gated g = gated_of_layer(layer, GRU_GATES, HIDDEN);
    cn_tensor *x = cn_randn(CN_SHAPE(STEPS, BATCH, IN), CN_F32);
    cn_tensor *h0 = cn_randn(CN_SHAPE(1, BATCH, HIDDEN), CN_F32);
    cn_tensor *state[LANGUAGE_STATES] = { cn_select(h0, 0, 0) };
    cn_recurrent_result r = cn_recurrent(layer, x, .h = h0);
    lab_same(lab, "the layer, and its formulas step by step", r.out, gru_steps(&g, x, state), 1e-5);
    lab_same(lab, "the last state", cn_select(r.h, 0, 0), state[0], 1e-5);
    cn_module_free(layer);
}

static void run_concise(Lab *lab)
{
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    compare(lab);
    Memorising how = memorising(lab, 1);
    int64_t size = cn_vocab_size(corpus.vocab);
    LanguageNet net = language_net(cn_gru_layer(how.hidden, .in = size), how.hidden, size);
    cn_optim *optim = how.adam ? cn_adam(net.net, .lr = how.lr) : cn_sgd(net.net, .lr = how.lr);
    memorise(lab, &(Language){ language_run_net, &net, optim, &corpus }, &how, 1.1);
    cn_optim_free(optim);
    cn_module_free(net.net);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_gruc = {
    .id = "C09-GRU-C",
    .title = "Gated recurrent units, concise",
    .title_zh = "门控循环单元的简洁实现",
    .section = "10.2.4",
    .settings = "hidden 256, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "perplexity 1.0; 109,423.8 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_concise,
};

/* ---- extreme gates --------------------------------------------------------------------------------- */

/* A gate that is always 0 or 1: no weights, and a bias that is far out. */
static void fix_gate(Gated *g, int gate, double value)
{
    g->w_x[gate] = cn_zeros(*cn_shape_of(g->w_x[gate]), CN_F32);
    g->w_h[gate] = cn_zeros(*cn_shape_of(g->w_h[gate]), CN_F32);
    g->b[gate] = cn_full(CN_SHAPE(g->hidden), value > 0 ? 1e4 : -1e4, CN_F32);
}

static cn_tensor *with_gates(Gated g, double reset, double update, cn_tensor *x, cn_tensor *h)
{
    fix_gate(&g, GRU_RESET, reset);
    fix_gate(&g, GRU_UPDATE, update);
    return gru_step(&g, x, h);
}

static cn_tensor *plain_step(const Gated *g, cn_tensor *x, cn_tensor *h)
{
    cn_tensor *y = cn_add(cn_matmul(x, g->w_x[GRU_CANDIDATE]), g->b[GRU_CANDIDATE]);
    return cn_tanh(h ? cn_add(y, cn_matmul(h, g->w_h[GRU_CANDIDATE])) : y);
}

static void run_extreme(Lab *lab)
{
    enum { IN = 5, HIDDEN = 6, BATCH = 4 };
    cn_module *layer = cn_gru_layer(HIDDEN, .in = IN);
    Gated g = gated_of_layer(layer, GRU_GATES, HIDDEN);
    g.b_after = NULL;
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, IN), CN_F32),
              *h = cn_randn(CN_SHAPE(BATCH, HIDDEN), CN_F32),
              *other = cn_randn(CN_SHAPE(BATCH, HIDDEN), CN_F32);
    lab_same(lab, "Z = 0, R = 1: a plain recurrent step", with_gates(g, 1, 0, x, h),
             plain_step(&g, x, h), 1e-6);
    lab_same(lab, "Z = 0, R = 0: of the input alone", with_gates(g, 0, 0, x, h),
             plain_step(&g, x, NULL), 1e-6);
    lab_same(lab, "Z = 0, R = 0: whatever the state was", with_gates(g, 0, 0, x, h),
             with_gates(g, 0, 0, x, other), 0);
    lab_same(lab, "Z = 1: the state stays", with_gates(g, 1, 1, x, h), h, 0);
    lab_say(lab,
            "Z = 1 keeps the old state, as in the book; some texts have it the other way round");
    cn_module_free(layer);
}

const Experiment experiment_c09_gruext = {
    .id = "C09-GRUEXT",
    .title = "Gates of a GRU at their extremes",
    .title_zh = "门控循环单元的极端情形",
    .section = "10.2.2",
    .published = "Z = 1 keeps the state; Z = 0 and R = 1 is a plain RNN",
    .run = run_extreme,
};
