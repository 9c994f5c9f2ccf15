/* lstm.c - long short-term memory (D2L 10.1): written out, and the library's layer. */
#include "book/c09/gates.h"

#include <math.h>

static cn_tensor *run_lstm(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES])
{
    const Gated *g = self;
    cn_tensor *x = cn_to(cn_one_hot(cn_t(ids), g->vocabulary), CN_F32);
    cn_tensor *h = lstm_steps(g, x, state);
    return cn_add(cn_matmul(cn_reshape(h, CN_SHAPE(-1, g->hidden)), g->w_hq), g->b_q);
}

static double largest(cn_tensor *t)
{
    return cn_item(cn_amax(cn_abs(t)));
}

/* With gates open and an input that drives the candidate to 1, the cell counts the steps. */
static void check_ranges(Lab *lab)
{
    enum { IN = 1, HIDDEN = 3, STEPS = 40 };
    Gated g = gated_new(LSTM_GATES, HIDDEN, IN);
    for (int i = 0; i < LSTM_GATES; i++) g.b[i] = cn_full(CN_SHAPE(HIDDEN), 20, CN_F32);
    cn_tensor *x = cn_ones(CN_SHAPE(STEPS, 1, IN), CN_F32), *state[LANGUAGE_STATES] = { NULL };
    cn_tensor *h = lstm_steps(&g, x, state);
    lab_number(lab, "a cell that only adds, after 40 steps", largest(state[1]), STEPS, 1e-3);
    lab_at_most(lab, "its hidden state", largest(h), 1);
}

static void run_scratch(Lab *lab)
{
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    check_ranges(lab);
    Memorising how = memorising(lab, 1);
    Gated g = gated_new(LSTM_GATES, how.hidden, cn_vocab_size(corpus.vocab));
    Language m = { run_lstm, &g, gated_optim(&g, how.lr, how.adam), &corpus };
    memorise(lab, &m, &how, 1.5);
    cn_optim_free(m.optim);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_lstms = {
    .id = "C09-LSTM-S",
    .title = "Long short-term memory from scratch",
    .title_zh = "长短期记忆网络从零开始实现",
    .section = "10.1.2",
    .settings = "hidden 256, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "perplexity 1.3; 17,736.0 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_scratch,
};

/* ---- the library's layer ------------------------------------------------------------------------- */

static void compare(Lab *lab)
{
    enum { IN = 28, HIDDEN = 16, STEPS = 7, BATCH = 3 };
    cn_module *layer = cn_lstm_layer(HIDDEN, .in = IN);
    Gated g = gated_of_layer(layer, LSTM_GATES, HIDDEN);
    cn_tensor *x = cn_randn(CN_SHAPE(STEPS, BATCH, IN), CN_F32);
    cn_tensor *h0 = cn_randn(CN_SHAPE(1, BATCH, HIDDEN), CN_F32),
              *c0 = cn_randn(CN_SHAPE(1, BATCH, HIDDEN), CN_F32);
    cn_tensor *state[LANGUAGE_STATES] = { cn_select(h0, 0, 0), cn_select(c0, 0, 0) };
    cn_recurrent_result r = cn_recurrent(layer, x, .h = h0, .c = c0);
    lab_same(lab, "the layer, and the formulas step by step", r.out, lstm_steps(&g, x, state),
             1e-5);
    lab_same(lab, "the last cell", cn_select(r.c, 0, 0), state[1], 1e-5);
    cn_module_free(layer);
}

static void run_concise(Lab *lab)
{
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    compare(lab);
    Memorising how = memorising(lab, 1);
    int64_t size = cn_vocab_size(corpus.vocab);
    LanguageNet net = language_net(cn_lstm_layer(how.hidden, .in = size), how.hidden, size);
    cn_optim *optim = how.adam ? cn_adam(net.net, .lr = how.lr) : cn_sgd(net.net, .lr = how.lr);
    memorise(lab, &(Language){ language_run_net, &net, optim, &corpus }, &how, 1.15);
    cn_optim_free(optim);
    cn_module_free(net.net);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_lstmc = {
    .id = "C09-LSTM-C",
    .title = "Long short-term memory, concise",
    .title_zh = "长短期记忆网络的简洁实现",
    .section = "10.1.3",
    .settings = "hidden 256, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "perplexity 1.1; 234,815.0 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_concise,
};
