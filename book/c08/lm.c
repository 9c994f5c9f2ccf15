/* lm.c - language models that count: probabilities of sentences, smoothing (D2L 9.3.1 to 9.3.3). */
#include "book/language.h"

#include <math.h>

/* The words of a text that occur twice or more; the last tenth is held out. */
typedef struct Words {
    cn_vocab *vocab;
    cn_tensor *train, *held_out;
    int64_t size;
} Words;

static bool read_words(Lab *lab, Words *w)
{
    char *clean = language_clean_text(lab);
    if (!clean) return false;
    cn_tokens *all = cn_tokenize(clean, CN_WORDS);
    int64_t n = cn_tokens_count(all), seen = n - n / 10;
    cn_tokens *train = cn_tokens_part(all, 0, seen), *rest = cn_tokens_part(all, seen, n - seen);
    w->vocab = cn_vocab_new(train, .min_freq = 2);
    w->size = cn_vocab_size(w->vocab);
    w->train = cn_vocab_encode(w->vocab, train);
    w->held_out = cn_vocab_encode(w->vocab, rest);
    cn_tokens_free(rest);
    cn_tokens_free(train);
    cn_tokens_free(all);
    cn_text_free(clean);
    return w->held_out != NULL;
}

/* ---- LM -------------------------------------------------------------------------------------------- */

/* log p of w_1 .. w_n as the sum of log p(w_t | what is before it), one by one. */
static double by_conditionals(const cn_ngrams *m, const int64_t *id, int64_t n)
{
    double sum = 0;
    for (int64_t t = 0; t < n; t++) sum += log(cn_ngrams_prob(m, id, t, id[t]));
    return sum;
}

static void run_lm(Lab *lab)
{
    enum { LENGTH = 12, SENTENCES = 100 };
    Words w;
    if (!read_words(lab, &w)) return;
    cn_ngrams *m = cn_ngrams_new(w.train, .vocabulary = w.size, .n = 3,
                                 .smoothing = CN_INTERPOLATED, .strength = 1);
    int better = 0;
    for (int64_t i = 0; i < SENTENCES && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *good = cn_contiguous(cn_narrow(w.held_out, 0, i * LENGTH, LENGTH));
            cn_tensor *shuffled = cn_index_select(good, 0, cn_randperm(LENGTH));
            better += cn_ngrams_log_prob(m, good) > cn_ngrams_log_prob(m, shuffled);
        }
    cn_tensor *first = cn_contiguous(cn_narrow(w.held_out, 0, 0, LENGTH));
    lab_number(lab, "log p of a sentence, by conditionals", cn_ngrams_log_prob(m, first),
               cn_data(first) ? by_conditionals(m, cn_data(first), LENGTH) : 0, 1e-9);
    lab_at_least(lab, "of 100 unseen sentences, likelier than with their words in disorder", better,
                 90);
    int64_t id[LENGTH];
    for (int64_t t = 0; t < LENGTH; t++) id[t] = cn_ngrams_next(m, id, t, NULL);
    cn_tokens *drawn = cn_vocab_decode(w.vocab, cn_from(id, CN_SHAPE(LENGTH), CN_I64));
    char *text = cn_tokens_join(drawn, " ");
    lab_say(lab, "drawn: %s", text ? text : "");
    lab_true(lab, "what is drawn is possible", isfinite(by_conditionals(m, id, LENGTH)));
    cn_text_free(text);
    cn_tokens_free(drawn);
    cn_ngrams_free(m);
    cn_vocab_free(w.vocab);
}

const Experiment experiment_c08_lm = {
    .id = "C08-LM",
    .title = "Language models: the probability of a sentence",
    .title_zh = "语言模型",
    .section = "9.3.1",
    .settings = "interpolated trigrams; 100 unseen sentences of 12 words against shuffled ones",
    .data = "timemachine",
    .run = run_lm,
};

/* ---- NGRAM ----------------------------------------------------------------------------------------- */

/* The share of the held-out n-grams that the training text does not have. */
static double unseen(const cn_ngrams *m, const cn_tensor *held_out, int64_t n)
{
    const int64_t *id = cn_data(held_out);
    int64_t all = cn_numel(held_out) - n + 1, missing = 0;
    for (int64_t i = 0; id && i < all; i++) missing += !cn_ngrams_count(m, id + i, n);
    return (double)missing / (double)all;
}

static void check_sums(Lab *lab, const cn_ngrams *m, const Words *w, int64_t n)
{
    const int64_t *id = cn_data(w->train);
    double sum = 0;
    for (int64_t next = 0; id && next < w->size; next++)
        sum += cn_ngrams_prob(m, id + 40, n - 1, next);
    lab_number(lab, "p(. | context) adds up to", sum, 1, 1e-9);
}

static void run_ngram(Lab *lab)
{
    static const char *const names[] = { "unigrams", "bigrams", "trigrams" };
    double laplace[3], interpolated[3], order[] = { 1, 2, 3 };
    Words w;
    if (!read_words(lab, &w)) return;
    for (int64_t n = 1; n <= 3; n++) {
        cn_ngrams *m = cn_ngrams_new(w.train, .vocabulary = w.size, .n = n, .strength = 1);
        cn_ngrams *i = cn_ngrams_new(w.train, .vocabulary = w.size, .n = n,
                                     .smoothing = CN_INTERPOLATED, .strength = 4);
        check_sums(lab, m, &w, n);
        check_sums(lab, i, &w, n);
        laplace[n - 1] = cn_ngrams_perplexity(m, w.held_out);
        interpolated[n - 1] = cn_ngrams_perplexity(i, w.held_out);
        lab_say(lab,
                "%s: perplexity of unseen text %.1f with Laplace's smoothing, %.1f interpolated; "
                "%.1f%% never seen",
                names[n - 1], laplace[n - 1], interpolated[n - 1], 100 * unseen(m, w.held_out, n));
        cn_ngrams_free(m);
        cn_ngrams_free(i);
    }
    lab_at_most(lab, "interpolated bigrams against unigrams", interpolated[1] / interpolated[0],
                0.8);
    lab_at_most(lab, "unigrams against a uniform model", laplace[0] / (double)w.size, 0.5);
    lab_at_least(lab, "trigrams: adding one for each word is too much",
                 laplace[2] / interpolated[2], 1.5);
    cn_figure *f = cn_figure_new("Perplexity of unseen text");
    cn_figure_line(f, "Laplace", order, laplace, 3);
    cn_figure_line(f, "interpolated", order, interpolated, 3);
    cn_figure_axes(f, .xlabel = "n", .ylabel = "perplexity");
    lab_figure(lab, f);
    cn_vocab_free(w.vocab);
}

const Experiment experiment_c08_ngram = {
    .id = "C08-NGRAM",
    .title = "n-gram models and smoothing",
    .title_zh = "n元语法与拉普拉斯平滑",
    .section = "9.3.2",
    .settings = "words that occur twice; the last tenth held out; Laplace 1, interpolation 4",
    .data = "timemachine",
    .run = run_ngram,
};
