/* translation.c - pairs of sentences, and seq2seq trained with them. */
#include "book/c09/translation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BOS = 2, EOS = 3, STEPS = 10 };

/* ---- data ------------------------------------------------------------------------------------ */

static char *text_for(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    char *text = o->real ? cn_text_translations() : cn_text_numbers(o->seed, o->quick ? 200 : 1000);
    if (!text && cn_error_code() == CN_ENOTFOUND) {
        lab_skip(lab, "%s", cn_error());
        cn_error_clear();
    }
    return text;
}

Translation translation_new(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    Translation t = { .text = text_for(lab), .steps = STEPS };
    t.used = o->real ? 600 : o->quick ? 160 : 800;
    if (t.text) t.pairs = cn_pairs_new(t.text, .steps = t.steps, .limit = t.used);
    return t;
}

void translation_free(Translation *t)
{
    cn_pairs_free(&t->pairs);
    cn_text_free(t->text);
    *t = (Translation){ 0 };
}

bool translation_line(const Translation *t, int64_t i, char **source, char **target)
{
    const char *line = t->text;
    for (; line && i > 0; i--) line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
    const char *tab = line ? strchr(line, '\t') : NULL;
    if (!tab) return cn_fail(CN_EINVALID, "the text has no such line");
    *source = strndup(line, (size_t)(tab - line));
    *target = strndup(tab + 1, strcspn(tab + 1, "\t\n"));
    return *source && *target;
}

/* ---- training -------------------------------------------------------------------------------- */

static int64_t epochs_for(const LabOptions *o)
{
    if (o->real) return o->quick ? 40 : 300;
    return o->quick ? 70 : 60;
}

cn_module *translation_train(Lab *lab, const Translation *t, bool bidirectional, LabFit *fit)
{
    const LabOptions *o = lab_options(lab);
    cn_manual_seed(o->seed);
    cn_seq2seq_options options = { .vocabulary = cn_vocab_size(t->pairs.source),
                                   .embedding = 32,
                                   .hidden = o->real ? 32 : 64,
                                   .layers = 2,
                                   .dropout = o->real ? 0.1 : 0,
                                   .bidirectional = bidirectional };
    cn_module *net = cn_seq2seq(&options, cn_vocab_size(t->pairs.target));
    cn_optim *adam = cn_adam(net, .lr = 0.005);
    *fit = lab_fit(lab, net, t->pairs.data, .optim = adam, .run = cn_seq_run, .loss = cn_seq_loss,
                   .batch = 64, .clip = 1, .epochs = epochs_for(o));
    lab_say(lab, "loss %.4f a token, %.0f sentences/s", lab_last(fit, fit->train_loss),
            fit->examples_per_second);
    cn_optim_free(adam);
    if (fit->ok) return net;
    cn_module_free(net);
    return NULL;
}

cn_figure *translation_curve(const LabFit *fit)
{
    double epoch[LAB_EPOCHS];
    for (int i = 0; i < fit->epochs; i++) epoch[i] = i + 1;
    cn_figure *f = cn_figure_new("seq2seq");
    if (f && cn_figure_line(f, "train", epoch, fit->train_loss, (size_t)fit->epochs) &&
        cn_figure_axes(f, .xlabel = "epoch", .ylabel = "loss of a token"))
        return f;
    cn_figure_free(f);
    return NULL;
}

/* ---- translating ------------------------------------------------------------------------------- */

static cn_tokens *words_of(const Translation *t, cn_module *net, const char *sentence,
                           int64_t beams)
{
    const cn_seq_search search = { BOS, EOS, t->steps, beams, 0.75, 1 };
    return cn_translate(net, t->pairs.source, t->pairs.target, sentence, t->steps, &search, NULL);
}

char *translation_of(const Translation *t, cn_module *net, const char *sentence, int64_t beams)
{
    cn_tokens *words = words_of(t, net, sentence, beams);
    char *text = words ? cn_tokens_join(words, " ") : NULL;
    cn_tokens_free(words);
    return text;
}

double translation_bleu(const Translation *t, cn_module *net, const char *sentence,
                        const char *reference)
{
    cn_tokens *words = words_of(t, net, sentence, 1), *wanted = cn_pairs_tokenize(reference);
    double score = words && wanted ? cn_bleu(words, wanted, 2) : (double)NAN;
    cn_tokens_free(words);
    cn_tokens_free(wanted);
    return score;
}

double translation_right(const Translation *t, cn_module *net, int64_t first, int64_t n)
{
    double right = 0;
    for (int64_t i = first; i < first + n && cn_ok(); i++) {
        char *source = NULL, *target = NULL, *ours = NULL;
        if (translation_line(t, i, &source, &target)) ours = translation_of(t, net, source, 1);
        right += ours && target && strcmp(ours, target) == 0;
        cn_text_free(ours);
        free(source);
        free(target);
    }
    return right / (double)n;
}

void translation_check_book(Lab *lab, const Translation *t, cn_module *net, const LabFit *fit,
                            double book_loss, int right)
{
    static const char *const pairs[][2] = { { "go .", "va !" },
                                            { "i lost .", "j'ai perdu ." },
                                            { "he's calm .", "il est calme ." },
                                            { "i'm home .", "je suis chez moi ." } };
    int found = 0;
    for (int i = 0; i < 4; i++) {
        char *ours = translation_of(t, net, pairs[i][0], 1);
        double bleu = translation_bleu(t, net, pairs[i][0], pairs[i][1]);
        lab_say(lab, "%s => %s, bleu %.3f", pairs[i][0], ours ? ours : "", bleu);
        found += bleu > 0.9999;
        cn_text_free(ours);
    }
    lab_at_most(lab, "loss as the book counts it: a tenth of that of a token",
                lab_last(fit, fit->train_loss) / 10, 1.1 * book_loss);
    lab_at_least(lab, "of the book's four sentences, with BLEU 1", found, right);
}
