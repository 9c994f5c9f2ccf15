/* search.c - greedy, exhaustive and beam search (D2L 10.8). */
#include "book/book.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- a model that is a table --------------------------------------------------------------------- */

enum { A, B, C, END, WORDS, LONGEST = 6 };

/* Probabilities of the next word after the words so far. */
typedef const double *Table(const int64_t *words, int64_t n);

typedef struct Beams {
    Table *table;
    int64_t words[64][LONGEST], n; /* of each beam; how many words they have */
    int64_t calls;
} Beams;

static bool look_up(void *context, int64_t beams, const int64_t *parent, const int64_t *token,
                    float *log_probs)
{
    Beams *b = context, before = *b;
    for (int64_t i = 0; i < beams; i++) {
        memcpy(b->words[i], before.words[parent[i]], sizeof b->words[i]);
        if (b->calls) b->words[i][before.n] = token[i];
    }
    b->n = b->calls ? before.n + 1 : 0;
    b->calls++;
    for (int64_t i = 0; i < beams; i++) {
        const double *p = b->table(b->words[i], b->n);
        for (int w = 0; w < WORDS; w++) log_probs[i * WORDS + w] = (float)log(p[w]);
    }
    return true;
}

/* The book's two tables: what follows C is another thing than what follows B. */
static const double *book_table(const int64_t *words, int64_t n)
{
    static const double first[] = { 0.5, 0.2, 0.2, 0.1 }, second[] = { 0.1, 0.4, 0.3, 0.2 },
                        after_b[] = { 0.2, 0.2, 0.4, 0.2 }, last[] = { 0.0, 0.2, 0.2, 0.6 },
                        after_c[] = { 0.1, 0.6, 0.2, 0.1 }, last_c[] = { 0.1, 0.2, 0.1, 0.6 };
    bool c = n > 1 && words[1] == C;
    if (n < 2) return n ? second : first;
    return n == 2 ? c ? after_c : after_b : c ? last_c : last;
}

static const double *random_table(const int64_t *words, int64_t n)
{
    static double p[WORDS];
    uint32_t r[4];
    uint64_t key = 1;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) key = key * 5 + (uint64_t)words[i] + 1;
    cn_philox(11, 0, key, r);
    for (int w = 0; w < WORDS; w++) sum += p[w] = 0.02 + r[w] * 0x1p-32;
    for (int w = 0; w < WORDS; w++) p[w] /= sum;
    return p;
}

static const char *spelled(const cn_hypothesis *h, char text[LONGEST + 1])
{
    for (int64_t i = 0; i < h->length; i++) text[i] = "ABC."[h->ids[i]];
    text[h->length] = 0;
    return text;
}

/* Of all sequences that end, or have `steps` words, the one with the best score. */
static double exhaustive(Table *table, int64_t steps, double alpha, char best[LONGEST + 1],
                         int64_t *tried)
{
    double top = -HUGE_VAL;
    int64_t all = 1;
    *tried = 0;
    for (int64_t i = 0; i < steps; i++) all *= WORDS;
    for (int64_t code = 0; code < all; code++) {
        int64_t words[LONGEST], n = 0, rest = code;
        double log_p = 0;
        for (; n < steps && (n == 0 || words[n - 1] != END); n++) {
            words[n] = rest % WORDS;
            rest /= WORDS;
            log_p += log(table(words, n)[words[n]]);
        }
        if (rest) continue; /* it ended before: counted under a smaller code */
        ++*tried;
        double score = log_p / pow((double)n, alpha);
        if (!(score > top)) continue;
        top = score;
        spelled(&(cn_hypothesis){ .ids = words, .length = n }, best);
    }
    return top;
}

static cn_hypothesis searched(Table *table, int64_t beams, int64_t steps, double alpha,
                              int64_t *calls)
{
    Beams b = { .table = table };
    cn_hypothesis best = { 0 };
    cn_beam_search(&best, look_up, &b, .vocabulary = WORDS, .bos = -1, .eos = END, .steps = steps,
                   .beams = beams, .alpha = alpha, .keep = 1);
    if (calls) *calls = b.calls;
    return best;
}

/* ---- greedy ---------------------------------------------------------------------------------------- */

static void run_greedy(Lab *lab)
{
    char text[LONGEST + 1] = "";
    cn_hypothesis h = searched(book_table, 1, 4, 0, NULL);
    lab_text(lab, "greedy search", spelled(&h, text), "ABC.");
    lab_number(lab, "its probability, 0.5 x 0.4 x 0.4 x 0.6", exp(h.log_prob), 0.048, 1e-6);
    cn_hypothesis_free(&h);
    h = searched(book_table, 16, 4, 1, NULL);
    lab_text(lab, "a better one, by the probability of a word", spelled(&h, text), "ACB.");
    lab_number(lab, "its probability, 0.5 x 0.3 x 0.6 x 0.6", exp(h.log_prob), 0.054, 1e-6);
    cn_hypothesis_free(&h);
}

const Experiment experiment_c09_greedy = {
    .id = "C09-GREEDY",
    .title = "Greedy search, and where it fails",
    .title_zh = "贪心搜索",
    .section = "10.8.1",
    .published = "0.048 of ABC<eos>, 0.054 of ACB<eos>",
    .run = run_greedy,
};

/* ---- exhaustive ------------------------------------------------------------------------------------ */

static void run_exhaustive(Lab *lab)
{
    char best[LONGEST + 1] = "";
    int64_t tried;
    double mean = exhaustive(book_table, 4, 1, best, &tried);
    lab_text(lab, "the best of all, by the probability of a word", best, "ACB.");
    lab_number(lab, "its probability", exp(4 * mean), 0.054, 1e-6);
    /* Those of 1, 2 and 3 words end there; of 4 words, any is last: 1 + 3 + 9 + 27 x 4. */
    lab_number(lab, "sequences that were tried", (double)tried, 121, 0);
    lab_say(lab, "10,000 words, 10 steps: 10^%.0f sequences, against 10^%.0f of a greedy search",
            10 * log10(10000), log10(10000.0 * 10));
    lab_number(lab, "log10 of |Y|^T for 10,000 words and 10 steps", 10 * log10(10000), 40, 1e-9);
}

const Experiment experiment_c09_exhaust = {
    .id = "C09-EXHAUST",
    .title = "Exhaustive search",
    .title_zh = "穷举搜索",
    .section = "10.8.2",
    .published = "10,000^10 = 10^40 sequences; greedy search tries 10^5",
    .run = run_exhaustive,
};

/* ---- beams ------------------------------------------------------------------------------------------ */

static void check_extremes(Lab *lab)
{
    enum { STEPS = 4, ENOUGH = 64 }; /* |Y|^(T - 1) */
    char best[LONGEST + 1] = "", text[LONGEST + 1] = "", greedy[LONGEST + 1] = "";
    int64_t tried, words[LONGEST], n = 0, calls = 0;
    double score = exhaustive(random_table, STEPS, 0.75, best, &tried);
    cn_hypothesis h = searched(random_table, ENOUGH, STEPS, 0.75, &calls);
    lab_text(lab, "|Y|^(T - 1) beams find what all sequences have", spelled(&h, text), best);
    lab_number(lab, "its score, log p / length^0.75", h.score, score, 1e-6);
    lab_number(lab, "steps of the model, whatever the number of beams", (double)calls, STEPS, 0);
    cn_hypothesis_free(&h);
    for (; n < STEPS && (n == 0 || words[n - 1] != END); n++) {
        const double *p = random_table(words, n);
        words[n] = 0;
        for (int w = 1; w < WORDS; w++)
            if (p[w] > p[words[n]]) words[n] = w;
    }
    spelled(&(cn_hypothesis){ .ids = words, .length = n }, greedy);
    h = searched(random_table, 1, STEPS, 0.75, NULL);
    lab_text(lab, "one beam is greedy", spelled(&h, text), greedy);
    cn_hypothesis_free(&h);
}

/* The book's demonstration: five words, two beams, three steps; A and C are kept, then AB and CE, then
   ABD and CED. */
enum { DEMO_WORDS = 5 };

static bool demo_step(void *context, int64_t beams, const int64_t *parent, const int64_t *token,
                      float *log_probs)
{
    static const double next[4][DEMO_WORDS] = { { 0.4, 0.1, 0.35, 0.1, 0.05 }, /* first */
                                                { 0.1, 0.6, 0.1, 0.1, 0.1 },   /* after A */
                                                { 0.1, 0.1, 0.1, 0.1, 0.6 },   /* after C */
                                                { 0.1, 0.1, 0.1, 0.65, 0.05 } };
    int *step = context;
    (void)parent;
    for (int64_t i = 0; i < beams; i++) {
        int row = *step == 0 ? 0 : *step > 1 ? 3 : token[i] == 0 ? 1 : 2;
        for (int w = 0; w < DEMO_WORDS; w++)
            log_probs[i * DEMO_WORDS + w] = (float)log(next[row][w]);
    }
    ++*step;
    return true;
}

/* In the order of their lengths, and of their score within one. */
static void spell_candidates(const cn_hypothesis *h, int64_t n, char *text)
{
    *text = 0;
    for (int64_t length = 1; length <= 3; length++)
        for (int64_t i = 0; i < n; i++) {
            if (h[i].length != length) continue;
            size_t at = strlen(text);
            if (at) text[at++] = ' ';
            for (int64_t k = 0; k < length; k++) text[at + (size_t)k] = "ABCDE"[h[i].ids[k]];
            text[at + (size_t)length] = 0;
        }
}

static void run_beam(Lab *lab)
{
    enum { KEEP = 6 };
    cn_hypothesis h[KEEP];
    char text[64] = "";
    int step = 0;
    int64_t n = cn_beam_search(h, demo_step, &step, .vocabulary = DEMO_WORDS, .bos = -1, .eos = -1,
                               .steps = 3, .beams = 2, .alpha = 0.75, .keep = KEEP);
    spell_candidates(h, n, text);
    lab_text(lab, "candidates of two beams", text, "A C AB CE ABD CED");
    double best = n > 0 ? h[0].score : 0;
    lab_number(lab, "the best score, log p / length^0.75", best,
               log(0.4 * 0.6 * 0.65) / pow(3, 0.75), 1e-6);
    for (int64_t i = 0; i < n; i++) cn_hypothesis_free(&h[i]);
    check_extremes(lab);
}

const Experiment experiment_c09_beam = {
    .id = "C09-BEAM",
    .title = "Beam search with length normalisation",
    .title_zh = "束搜索",
    .section = "10.8.3",
    .settings = "alpha 0.75, 2 beams",
    .published = "candidates A, C, AB, CE, ABD, CED",
    .run = run_beam,
};
