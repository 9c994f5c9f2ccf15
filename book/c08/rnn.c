/* rnn.c - a language model of a recurrent network, written out (D2L 9.5). */
#include "book/language.h"

#include <string.h>

typedef struct Rnn {
    int64_t hidden, vocabulary;
    cn_tensor *w_xh, *w_hh, *b_h, *w_hq, *b_q;
} Rnn;

static cn_tensor *parameter(cn_tensor *t)
{
    return cn_requires_grad(t, true);
}

static Rnn make_rnn(int64_t hidden, int64_t vocabulary)
{
    cn_tensor *sigma = cn_num(0.01);
    Rnn r = { hidden, vocabulary, NULL, NULL, NULL, NULL, NULL };
    r.w_xh = parameter(cn_mul(cn_randn(CN_SHAPE(vocabulary, hidden), CN_F32), sigma));
    r.w_hh = parameter(cn_mul(cn_randn(CN_SHAPE(hidden, hidden), CN_F32), sigma));
    r.b_h = parameter(cn_zeros(CN_SHAPE(hidden), CN_F32));
    r.w_hq = parameter(cn_mul(cn_randn(CN_SHAPE(hidden, vocabulary), CN_F32), sigma));
    r.b_q = parameter(cn_zeros(CN_SHAPE(vocabulary), CN_F32));
    return r;
}

/* H = tanh(X W_xh + H W_hh + b_h), O = H W_hq + b_q, step by step. */
static cn_tensor *run_rnn(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES])
{
    enum { MOST = 64 };
    const Rnn *r = self;
    cn_tensor *outputs[MOST];
    cn_tensor *x = cn_to(cn_one_hot(cn_t(ids), r->vocabulary), CN_F32); /* (steps, batch, |V|) */
    cn_tensor *h = state[0] ? state[0] : cn_zeros(CN_SHAPE(cn_size(ids, 0), r->hidden), CN_F32);
    int steps = (int)cn_size(x, 0);
    if (steps > MOST && !cn_fail(CN_EINVALID, "at most %d steps", MOST)) return NULL;
    for (int t = 0; t < steps; t++) {
        cn_tensor *input = cn_matmul(cn_select(x, 0, t), r->w_xh);
        h = cn_tanh(cn_add(cn_add(input, cn_matmul(h, r->w_hh)), r->b_h));
        outputs[t] = cn_add(cn_matmul(h, r->w_hq), r->b_q);
    }
    state[0] = h;
    return cn_cat(outputs, steps, 0);
}

static cn_optim *sgd_of(const Rnn *r, double lr)
{
    cn_tensor *const all[] = { r->w_xh, r->w_hh, r->b_h, r->w_hq, r->b_q };
    cn_optim *sgd = cn_optim_new("SGD", lr);
    cn_optim_add_group(sgd, all, 5);
    return sgd;
}

/* ---- PRED: the network before any training ------------------------------------------------------ */

static void run_pred(Lab *lab)
{
    Corpus corpus = language_characters(lab, 0);
    if (!corpus.vocab) return;
    Rnn r = make_rnn(512, cn_vocab_size(corpus.vocab));
    Language m = { run_rnn, &r, NULL, &corpus };
    cn_tensor *state[LANGUAGE_STATES] = { NULL };
    cn_tensor *ids = cn_reshape(cn_arange(0, 10, 1, CN_I64), CN_SHAPE(2, 5));
    cn_tensor *scores = run_rnn(&r, ids, state);
    lab_shape(lab, "outputs for X (2, 5)", scores, CN_SHAPE(10, r.vocabulary));
    lab_shape(lab, "the new state", state[0], CN_SHAPE(2, 512));

    char *one = language_predict(&m, "time traveller ", 10),
         *again = language_predict(&m, "time traveller ", 10);
    lab_true(lab, "10 characters follow the prefix",
             one && strlen(one) == 25 && strncmp(one, "time traveller ", 15) == 0);
    lab_true(lab, "the same again", one && again && strcmp(one, again) == 0);
    lab_say(lab, "untrained: %s", one ? one : "");
    cn_text_free(one);
    cn_text_free(again);
    language_corpus_free(&corpus);
}

const Experiment experiment_c08_pred = {
    .id = "C08-PRED",
    .title = "Prediction after a warm-up prefix",
    .title_zh = "预热期与预测",
    .section = "9.5.3",
    .settings = "hidden 512, 10 characters",
    .published = "(10, 28), (2, 512); 'time traveller aaaaaaaaaa'",
    .data = "timemachine",
    .run = run_pred,
};

/* ---- RNN-S, RNN-R: training ---------------------------------------------------------------------- */

/* Fewer hidden units or epochs cannot memorise 10,000 characters: the bound is then what can be known
   from one character before. */
static void train(Lab *lab, bool random, double perplexity)
{
    const LabOptions *o = lab_options(lab);
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    Rnn r = make_rnn(o->real ? 512 : o->quick ? 64 : 128, cn_vocab_size(corpus.vocab));
    Language m = { run_rnn, &r, sgd_of(&r, 1), &corpus };
    int64_t epochs = o->quick ? 40 : o->real ? 500 : 150;
    LanguageFit fit =
        language_train(lab, &m, &(LanguageSchedule){ .epochs = epochs, .random = random });

    lab_at_most(lab, "perplexity of the last epoch", fit.last,
                o->real && !o->quick ? perplexity : 0.9 * language_bigram_perplexity(&corpus));
    char *text = language_predict(&m, "time traveller ", 50);
    lab_say(lab, "%s", text ? text : "");
    lab_true(lab, "50 characters follow the prefix", text && strlen(text) == 65);
    lab_figure(lab, language_curve(&fit, random ? "RNN, random sampling" : "RNN"));
    cn_text_free(text);
    cn_optim_free(m.optim);
    language_corpus_free(&corpus);
}

static void run_sequential(Lab *lab)
{
    train(lab, false, 1.1);
}

static void run_random(Lab *lab)
{
    train(lab, true, 2);
}

const Experiment experiment_c08_rnns = {
    .id = "C08-RNN-S",
    .title = "A recurrent network from scratch, sequential partitioning",
    .title_zh = "循环神经网络的从零开始实现",
    .section = "9.5",
    .settings = "hidden 512, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "perplexity 1.0; 67,212.6 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_sequential,
};

const Experiment experiment_c08_rnnr = {
    .id = "C08-RNN-R",
    .title = "The same with random sampling",
    .title_zh = "循环神经网络，随机抽样",
    .section = "9.5",
    .settings = "as for sequential partitioning; a new state for each batch",
    .published = "perplexity 1.5; 65,222.3 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_random,
};
