/* deep.c - deep recurrent networks (D2L 10.3), and skip connections in them. */
#include "book/c09/gates.h"

#include <string.h>

static void run_deep(Lab *lab)
{
    enum { LAYERS = 2 };
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    Memorising how = memorising(lab, 2);
    int64_t size = cn_vocab_size(corpus.vocab);
    cn_module *layer = cn_lstm_layer(how.hidden, .in = size, .layers = LAYERS);
    LanguageNet net = language_net(layer, how.hidden, size);
    cn_recurrent_result r = cn_recurrent(layer, cn_rand(CN_SHAPE(35, 32, size), CN_F32));
    lab_shape(lab, "outputs are those of the last layer", r.out, CN_SHAPE(35, 32, how.hidden));
    lab_shape(lab, "a state for each layer", r.h, CN_SHAPE(LAYERS, 32, how.hidden));
    cn_optim *optim = how.adam ? cn_adam(net.net, .lr = how.lr) : cn_sgd(net.net, .lr = how.lr);
    memorise(lab, &(Language){ language_run_net, &net, optim, &corpus }, &how, 1.1);
    cn_optim_free(optim);
    cn_module_free(net.net);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_deep = {
    .id = "C09-DEEP",
    .title = "Deep recurrent networks",
    .title_zh = "深度循环神经网络",
    .section = "10.3",
    .settings = "LSTM, 2 layers of 256, batch 32, steps 35, SGD lr 2, clip 1, 500 epochs",
    .published = "perplexity 1.0; 186,005.7 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run_deep,
};

/* ---- skip connections -------------------------------------------------------------------------- */

enum { STACK = 5 };

/* GRUs one above the other, from the second on with their input added to their output. */
typedef struct Stack {
    cn_module *net; /* the layers, and the linear one for the scores */
    int64_t hidden, vocabulary;
    bool skip;
} Stack;

static Stack make_stack(int64_t hidden, int64_t vocabulary, bool skip)
{
    cn_module *parts[STACK + 1];
    for (int i = 0; i < STACK; i++) parts[i] = cn_gru_layer(hidden, .in = i ? hidden : vocabulary);
    parts[STACK] = cn_linear_layer(vocabulary, .in = hidden);
    return (Stack){ cn_module_list(parts, STACK + 1), hidden, vocabulary, skip };
}

/* The state is (layers, batch, hidden). */
static cn_tensor *run_stack(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES])
{
    const Stack *s = self;
    cn_tensor *x = cn_to(cn_one_hot(cn_t(ids), s->vocabulary), CN_F32), *last[STACK];
    for (int i = 0; i < STACK; i++) {
        cn_tensor *h = state[0] ? cn_narrow(state[0], 0, i, 1) : NULL;
        cn_recurrent_result r = cn_recurrent(cn_module_child(s->net, i), x, .h = h);
        x = s->skip && i ? cn_add(x, r.out) : r.out;
        last[i] = r.h;
    }
    state[0] = cn_cat(last, STACK, 0);
    return cn_forward(cn_module_child(s->net, STACK), cn_reshape(x, CN_SHAPE(-1, s->hidden)));
}

static LanguageFit fit_stack(Lab *lab, const Corpus *corpus, bool skip, int64_t epochs)
{
    cn_manual_seed(lab_options(lab)->seed);
    Stack s = make_stack(64, cn_vocab_size(corpus->vocab), skip);
    Language m = { run_stack, &s, cn_adam(s.net, .lr = 0.005), corpus };
    lab_say(lab, skip ? "with skip connections" : "without");
    LanguageFit fit = language_train(lab, &m, &(LanguageSchedule){ .epochs = epochs });
    cn_optim_free(m.optim);
    cn_module_free(s.net);
    return fit;
}

static void run_skip(Lab *lab)
{
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    int64_t epochs = lab_options(lab)->quick ? 8 : 60;
    LanguageFit plain = fit_stack(lab, &corpus, false, epochs),
                skip = fit_stack(lab, &corpus, true, epochs);
    lab_at_most(lab, "perplexity of 5 layers with skip connections, and without", skip.last,
                plain.last);
    double epoch[LANGUAGE_EPOCHS];
    for (int i = 0; i < skip.epochs; i++) epoch[i] = i + 1;
    cn_figure *f = cn_figure_new("Five layers of GRUs");
    if (f && cn_figure_line(f, "plain", epoch, plain.perplexity, (size_t)plain.epochs) &&
        cn_figure_line(f, "skip connections", epoch, skip.perplexity, (size_t)skip.epochs))
        cn_figure_axes(f, .xlabel = "epoch", .ylabel = "perplexity");
    lab_figure(lab, f);
    language_corpus_free(&corpus);
}

const Experiment experiment_c09_deepskip = {
    .id = "C09-DEEPSKIP",
    .title = "Skip connections between recurrent layers",
    .title_zh = "深度循环神经网络的跳跃连接",
    .section = "10.3",
    .settings = "GRU, 5 layers of 64, Adam lr 0.005, 60 epochs",
    .data = "timemachine",
    .trains = true,
    .run = run_skip,
};
