/* bi.c - bidirectional recurrent networks (D2L 10.4), and what they are not for. */
#include "book/c09/gates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- both ways are alike ------------------------------------------------------------------------ */

/* Sets a parameter of `context` to what this one is, forward to "_reverse" and back. */
static bool swap_ways(const cn_entry *e, void *context)
{
    static const char reverse[] = "_reverse";
    char other[64];
    size_t n = strlen(e->name), ending = sizeof reverse - 1;
    if (n > ending && strcmp(e->name + n - ending, reverse) == 0)
        snprintf(other, sizeof other, "%.*s", (int)(n - ending), e->name);
    else snprintf(other, sizeof other, "%s%s", e->name, reverse);
    cn_tensor *to = cn_module_slot(context, other);
    bool ok = false;
    CN_NO_GRAD ok = cn_write(to, CN_F32, cn_data(e->tensor), cn_numel(to));
    return ok;
}

static void check_ways(Lab *lab)
{
    enum { IN = 4, HIDDEN = 6 };
    cn_module *layer = cn_lstm_layer(HIDDEN, .in = IN, .bidirectional = true);
    cn_module *swapped = cn_lstm_layer(HIDDEN, .in = IN, .bidirectional = true);
    cn_tensor *x = cn_randn(CN_SHAPE(7, 3, IN), CN_F32);
    cn_visit(layer, swap_ways, swapped);
    cn_tensor *y = cn_recurrent(layer, x).out;
    cn_tensor *back = cn_flip(cn_recurrent(swapped, cn_flip(x, CN_SHAPE(0))).out, CN_SHAPE(0));
    cn_tensor *halves[] = { cn_narrow(back, 2, HIDDEN, HIDDEN), cn_narrow(back, 2, 0, HIDDEN) };
    lab_shape(lab, "states of both ways beside each other", y, CN_SHAPE(7, 3, 2 * HIDDEN));
    lab_same(lab, "the input reversed and the ways swapped", y, cn_cat(halves, 2, 2), 1e-6);
    cn_module_free(layer);
    cn_module_free(swapped);
}

/* ---- a wrong use ---------------------------------------------------------------------------------- */

/* The perplexity of characters when those after them are not there, which is how text is written. */
static double perplexity_of_prefixes(const Language *m, int64_t n)
{
    enum { STEPS = 20 };
    double sum = 0;
    for (int64_t i = 0; i < n && cn_ok(); i++) CN_SCOPE CN_NO_GRAD
        {
            cn_tensor *state[LANGUAGE_STATES] = { NULL };
            cn_tensor *ids = cn_narrow(m->corpus->ids, 0, 30 * i, STEPS + 1);
            cn_tensor *known = cn_reshape(cn_narrow(ids, 0, 0, STEPS), CN_SHAPE(1, STEPS));
            cn_tensor *scores = cn_narrow(m->run(m->self, known, state), 0, STEPS - 1, 1);
            sum += cn_item(cn_cross_entropy(scores, cn_narrow(ids, 0, STEPS, 1)));
        }
    return exp(sum / (double)n);
}

static void run(Lab *lab)
{
    enum { LAYERS = 2, PREFIXES = 100 };
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    check_ways(lab);
    Memorising how = memorising(lab, 1);
    int64_t size = cn_vocab_size(corpus.vocab);
    LanguageNet net =
        language_net(cn_lstm_layer(how.hidden, .in = size, .layers = LAYERS, .bidirectional = true),
                     2 * how.hidden, size);
    Language m = { language_run_net, &net, NULL, &corpus };
    m.optim = how.adam ? cn_adam(net.net, .lr = how.lr) : cn_sgd(net.net, .lr = how.lr);
    memorise(lab, &m, &how, 1.2);
    LanguageFit now = language_train(lab, &m, &(LanguageSchedule){ .epochs = 1 });
    double blind = perplexity_of_prefixes(&m, PREFIXES);
    lab_at_least(lab, "without the characters that follow, so many times the perplexity",
                 blind / now.last, 2);
    cn_optim_free(m.optim);
    cn_module_free(net.net);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_bi = {
    .id = "C09-BI",
    .title = "Bidirectional networks, and a wrong use of them",
    .title_zh = "双向循环神经网络及其错误应用",
    .section = "10.4",
    .settings = "LSTM, 2 layers of 256, both ways, SGD lr 1, clip 1, 500 epochs",
    .published = "perplexity 1.1, but it writes 'time travellererererer'",
    .data = "timemachine",
    .trains = true,
    .run = run,
};
