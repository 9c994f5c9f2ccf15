/* language.c - texts for experiments, and training and asking language models of their characters. */
#include "book/language.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* ---- texts ---------------------------------------------------------------------------------- */

enum { STORY_LINES = 3000 };

char *language_text(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    char *text = o->real ? cn_text_find("timemachine.txt") : cn_text_story(o->seed, STORY_LINES);
    if (!text && cn_error_code() == CN_ENOTFOUND) {
        lab_skip(lab, "%s", cn_error());
        cn_error_clear();
    }
    return text;
}

char *language_clean_text(Lab *lab)
{
    char *text = language_text(lab), *clean = cn_text_clean(text);
    cn_text_free(text);
    return clean;
}

Corpus language_corpus(const char *text, int64_t characters)
{
    Corpus c = { NULL, NULL };
    cn_tokens *all = cn_tokenize(text, CN_CHARACTERS);
    int64_t n = cn_tokens_count(all);
    cn_tokens *used = cn_tokens_part(all, 0, characters && characters < n ? characters : n);
    if (used) c.vocab = cn_vocab_new(used);
    c.ids = cn_vocab_encode(c.vocab, used);
    cn_tokens_free(used);
    cn_tokens_free(all);
    return c;
}

Corpus language_characters(Lab *lab, int64_t characters)
{
    char *text = language_clean_text(lab);
    Corpus c = text ? language_corpus(text, characters) : (Corpus){ NULL, NULL };
    cn_text_free(text);
    return c;
}

void language_corpus_free(Corpus *c)
{
    cn_vocab_free(c->vocab);
    *c = (Corpus){ NULL, NULL };
}

/* ---- the library's layers ----------------------------------------------------------------------- */

LanguageNet language_net(cn_module *layer, int64_t hidden, int64_t vocabulary)
{
    LanguageNet n = { .layer = layer, .hidden = hidden, .vocabulary = vocabulary };
    n.output = cn_linear_layer(vocabulary, .in = hidden);
    n.net = cn_module_list((cn_module *[]){ n.layer, n.output }, 2);
    return n;
}

cn_tensor *language_run_net(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES])
{
    const LanguageNet *n = self;
    cn_tensor *x = cn_to(cn_one_hot(cn_t(ids), n->vocabulary), CN_F32);
    cn_recurrent_result r = cn_recurrent(n->layer, x, .h = state[0], .c = state[1]);
    state[0] = r.h;
    state[1] = r.c;
    return cn_forward(n->output, cn_reshape(r.out, CN_SHAPE(-1, n->hidden)));
}

/* ---- states that outlive a batch --------------------------------------------------------------- */

static void drop_state(cn_tensor *state[LANGUAGE_STATES])
{
    for (int i = 0; i < LANGUAGE_STATES; i++) {
        cn_drop(state[i]);
        state[i] = NULL;
    }
}

/* Runs the model from `held` and puts what comes after in its place, detached: gradients end here. Parts
   that a model has no use for stay NULL. */
static cn_tensor *run_on(const Language *m, cn_tensor *ids, cn_tensor *held[LANGUAGE_STATES])
{
    cn_tensor *state[LANGUAGE_STATES];
    memcpy(state, held, sizeof state);
    cn_tensor *scores = m->run(m->self, ids, state);
    for (int i = 0; i < LANGUAGE_STATES; i++)
        if (state[i]) state[i] = cn_keep(cn_detach(state[i]));
    drop_state(held);
    memcpy(held, state, sizeof state);
    return scores;
}

/* ---- training ------------------------------------------------------------------------------------ */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One step; returns the mean cross-entropy. */
static double train_batch(const Language *m, const cn_batch *b, double clip,
                          cn_tensor *held[LANGUAGE_STATES])
{
    cn_tensor *scores = run_on(m, b->x, held);
    cn_tensor *target = cn_reshape(cn_t(b->y), CN_SHAPE(-1)); /* time first, as the scores */
    cn_tensor *loss = cn_cross_entropy(scores, target);
    cn_optim_zero_grad(m->optim);
    if (cn_backward(loss)) {
        cn_clip_grad_norm_of(m->optim, clip);
        cn_step(m->optim);
    }
    return cn_item(loss);
}

/* Perplexity of an epoch; *tokens counts. */
static double train_epoch(const Language *m, const LanguageSchedule *s, cn_windows *windows,
                          int64_t *tokens)
{
    cn_tensor *held[LANGUAGE_STATES] = { NULL };
    double sum = 0;
    int64_t n = 0;
    for (bool more = true; more;) CN_SCOPE
        {
            cn_batch b;
            more = cn_windows_next(windows, &b);
            if (more) {
                if (s->random) drop_state(held);
                sum += train_batch(m, &b, s->clip, held) * (double)cn_numel(b.y);
                n += cn_numel(b.y);
            }
        }
    drop_state(held);
    *tokens += n;
    return exp(sum / (double)n);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value ? value : otherwise;
}

LanguageFit language_train(Lab *lab, const Language *m, const LanguageSchedule *schedule)
{
    LanguageFit fit = { .last = (double)NAN };
    LanguageSchedule s = *schedule;
    int64_t tokens = 0, epochs = or_default(s.epochs, LANGUAGE_EPOCHS);
    s.clip = s.clip > 0 ? s.clip : 1;
    cn_windows *windows = cn_windows_new(m->corpus->ids, .batch = or_default(s.batch, 32),
                                         .steps = or_default(s.steps, 35), .random = s.random,
                                         .seed = lab_options(lab)->seed);
    double start = now();
    while (fit.epochs < epochs && cn_ok()) {
        fit.last = fit.perplexity[fit.epochs++] = train_epoch(m, &s, windows, &tokens);
        if (fit.epochs % 50 == 0 || fit.epochs == epochs)
            lab_say(lab, "epoch %d, perplexity %.3f, %.0f s", fit.epochs, fit.last, now() - start);
    }
    fit.seconds = now() - start;
    fit.tokens_per_second = (double)tokens / fit.seconds;
    lab_say(lab, "%.1f tokens/s", fit.tokens_per_second);
    cn_windows_free(windows);
    return fit;
}

cn_figure *language_curve(const LanguageFit *fit, const char *title)
{
    double epoch[LANGUAGE_EPOCHS];
    for (int i = 0; i < fit->epochs; i++) epoch[i] = i + 1;
    cn_figure *f = cn_figure_new(title);
    bool ok = f && cn_figure_line(f, "train", epoch, fit->perplexity, (size_t)fit->epochs) &&
              cn_figure_axes(f, .xlabel = "epoch", .ylabel = "perplexity");
    if (ok) return f;
    cn_figure_free(f);
    return NULL;
}

double language_bigram_perplexity(const Corpus *c)
{
    cn_ngrams *m = cn_ngrams_new(c->ids, .vocabulary = cn_vocab_size(c->vocab), .n = 2);
    double perplexity = cn_ngrams_perplexity(m, c->ids);
    cn_ngrams_free(m);
    return perplexity;
}

/* ---- prediction ------------------------------------------------------------------------------------ */

static int64_t most_likely_after(const Language *m, int64_t id, cn_tensor *held[LANGUAGE_STATES])
{
    int64_t next = 0;
    CN_SCOPE CN_NO_GRAD
    {
        cn_tensor *scores = run_on(m, cn_full(CN_SHAPE(1, 1), (double)id, CN_I64), held);
        next = (int64_t)cn_item(cn_argmax(scores));
    }
    return next;
}

char *language_predict(const Language *m, const char *prefix, int64_t n)
{
    cn_tokens *start = cn_tokenize(prefix, CN_CHARACTERS);
    int64_t warm = cn_tokens_count(start), all = warm > 0 ? warm + n : 0;
    cn_tensor *held[LANGUAGE_STATES] = { NULL }, *ids = cn_zeros(CN_SHAPE(all), CN_I64);
    int64_t *id = cn_data_mut(ids);
    for (int64_t i = 0, next = 0; id && i < all && cn_ok(); i++) {
        id[i] = i < warm ? cn_vocab_id(m->corpus->vocab, cn_token(start, i)) : next;
        if (i + 1 < all) next = most_likely_after(m, id[i], held);
    }
    cn_tokens *text = cn_vocab_decode(m->corpus->vocab, ids);
    char *joined = cn_tokens_join(text, "");
    cn_tokens_free(text);
    cn_tokens_free(start);
    drop_state(held);
    return joined;
}
