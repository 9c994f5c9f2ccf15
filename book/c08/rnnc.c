/* rnnc.c - the same language model from the library's recurrent layer (D2L 9.6). */
#include "book/language.h"

#include <string.h>

static void check_shapes(Lab *lab, const LanguageNet *m)
{
    cn_tensor *x = cn_rand(CN_SHAPE(35, 32, m->vocabulary), CN_F32);
    cn_tensor *begin = cn_zeros(CN_SHAPE(1, 32, m->hidden), CN_F32);
    cn_recurrent_result r = cn_recurrent(m->layer, x, .h = begin);
    lab_shape(lab, "outputs of the layer", r.out, CN_SHAPE(35, 32, m->hidden));
    lab_shape(lab, "its new state", r.h, CN_SHAPE(1, 32, m->hidden));
    lab_same(lab, "the last output is the state", cn_select(r.out, 0, 34), cn_select(r.h, 0, 0), 0);
}

static void run(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    Corpus corpus = language_characters(lab, 10000);
    if (!corpus.vocab) return;
    int64_t size = cn_vocab_size(corpus.vocab), hidden = o->real || !o->quick ? 256 : 128;
    LanguageNet model = language_net(cn_rnn_layer(hidden, .in = size), hidden, size);
    check_shapes(lab, &model);
    Language m = { language_run_net, &model, cn_sgd(model.net, .lr = 1), &corpus };
    int64_t epochs = o->quick ? 50 : o->real ? 500 : 150;
    LanguageFit fit = language_train(lab, &m, &(LanguageSchedule){ .epochs = epochs });

    lab_at_most(lab, "perplexity of the last epoch", fit.last,
                o->real && !o->quick ? 1.5 : 0.9 * language_bigram_perplexity(&corpus));
    char *text = language_predict(&m, "time traveller", 50);
    lab_say(lab, "%s", text ? text : "");
    lab_true(lab, "50 characters follow the prefix", text && strlen(text) == 64);
    lab_figure(lab, language_curve(&fit, "RNN of the library"));
    cn_text_free(text);
    cn_optim_free(m.optim);
    cn_module_free(model.net);
    language_corpus_free(&corpus);
}

const Experiment experiment_c08_rnnc = {
    .id = "C08-RNN-C",
    .title = "A recurrent network, concise",
    .title_zh = "循环神经网络的简洁实现",
    .section = "9.6",
    .settings = "hidden 256, batch 32, steps 35, SGD lr 1, clip 1, 500 epochs, 10,000 characters",
    .published = "(35, 32, 256); perplexity 1.3; 404,413.8 tokens/s on a V100",
    .data = "timemachine",
    .trains = true,
    .run = run,
};
