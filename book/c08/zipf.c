/* zipf.c - how frequent words, pairs and triples of words are (D2L 9.3.4). */
#include "book/language.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 60000 };

/* The slope of log frequency against log rank, by least squares, of all that occur at least twice. */
static double exponent(const double *rank, const double *times, int64_t n)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, m = 0;
    for (int64_t i = 0; i < n && times[i] >= 2; i++, m++) {
        double x = log(rank[i]), y = log(times[i]);
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return -(m * sxy - sx * sy) / (m * sxx - sx * sx);
}

static void check_gram(Lab *lab, const cn_ngrams *m, const cn_vocab *v, const char *text,
                       int64_t place, double times)
{
    int64_t grams[3 * 16], counts[16], length = 1;
    char ours[128] = "";
    size_t used = 0;
    for (const char *c = text; *c; c++) length += *c == ' ';
    cn_ngrams_top(m, length, place + 1, grams, counts);
    for (int64_t i = 0; i < length; i++)
        used += (size_t)snprintf(ours + used, sizeof ours - used, "%s%.30s", i ? " " : "",
                                 cn_vocab_token(v, grams[place * length + i]));
    lab_text(lab, "in its place", ours, text);
    lab_number(lab, text, (double)counts[place], times, 0);
}

static void check_book(Lab *lab, const cn_ngrams *m, const cn_vocab *v)
{
    static const struct {
        const char *gram;
        int place, times;
    } printed[] = { { "the", 0, 2261 },
                    { "i", 1, 1267 },
                    { "and", 2, 1245 },
                    { "of", 3, 1155 },
                    { "a", 4, 816 },
                    { "to", 5, 695 },
                    { "was", 6, 552 },
                    { "in", 7, 541 },
                    { "that", 8, 443 },
                    { "my", 9, 440 },
                    { "of the", 0, 309 },
                    { "in the", 1, 169 },
                    { "i had", 2, 130 },
                    { "i was", 3, 112 },
                    { "and the", 4, 109 },
                    { "the time", 5, 102 },
                    { "the time traveller", 0, 59 } };
    for (size_t i = 0; i < sizeof printed / sizeof printed[0]; i++)
        check_gram(lab, m, v, printed[i].gram, printed[i].place, printed[i].times);
}

static void run(Lab *lab)
{
    static const char *const names[] = { "unigram", "bigram", "trigram" };
    static double rank[MOST], times[3][MOST];
    static int64_t counts[MOST];
    char *clean = language_clean_text(lab);
    if (!clean) return;
    cn_tokens *words = cn_tokenize(clean, CN_WORDS);
    cn_vocab *v = cn_vocab_new(words);
    cn_ngrams *m = cn_ngrams_new(cn_vocab_encode(v, words), .vocabulary = cn_vocab_size(v), .n = 3);
    cn_figure *f = cn_figure_new("Zipf's law");
    double slope[3];
    for (int i = 0; i < MOST; i++) rank[i] = i + 1;
    for (int n = 0; n < 3; n++) {
        int64_t distinct = cn_ngrams_top(m, n + 1, MOST, NULL, counts);
        for (int64_t i = 0; i < distinct; i++) times[n][i] = (double)counts[i];
        slope[n] = exponent(rank, times[n], distinct);
        lab_say(lab, "%s: %lld different ones, exponent %.3f", names[n], (long long)distinct,
                slope[n]);
        if (distinct > 0) cn_figure_line(f, names[n], rank, times[n], (size_t)distinct);
    }
    if (lab_options(lab)->real) check_book(lab, m, v);
    lab_at_least(lab, "the exponent of words", slope[0], 0.7);
    lab_at_most(lab, "the exponent of words", slope[0], lab_options(lab)->real ? 1.3 : 2.2);
    lab_at_most(lab, "the exponent of pairs against that of words", slope[1] / slope[0], 1);
    lab_at_most(lab, "the exponent of triples against that of pairs", slope[2] / slope[1], 1);
    cn_figure_axes(f, .xlabel = "token: x", .ylabel = "frequency: n(x)", .xlog = true,
                   .ylog = true);
    lab_figure(lab, f);
    cn_ngrams_free(m);
    cn_vocab_free(v);
    cn_tokens_free(words);
    cn_text_free(clean);
}

const Experiment experiment_c08_zipf = {
    .id = "C08-ZIPF",
    .title = "Zipf's law",
    .title_zh = "齐普夫定律",
    .section = "9.3.4",
    .published = "the 2261, i 1267, and 1245, of 1155, a 816; of the 309; the time traveller 59",
    .data = "timemachine",
    .run = run,
};
