/* learned.c - scores of a translation that a network has learned: BERTScore (Zhang et al., 2020) and a
   regression like BLEURT (Sellam et al., 2020). They know that words can stand for each other, n-grams
   do not. */
#include "book/c09/reader.h"

#include <math.h>

/* ---- BERTScore --------------------------------------------------------------------------------- */

typedef struct {
    double precision, recall, f1;
} Score;

/* Each word is matched with the one whose cosine is largest: those of the candidate (words, width) for
   precision, those of the reference for recall. */
static Score bert_score(cn_tensor *candidate, cn_tensor *reference)
{
    cn_tensor *cosines =
        cn_matmul(cn_normalize(candidate, 2, 1), cn_t(cn_normalize(reference, 2, 1)));
    Score s = { .precision = cn_item(cn_mean(cn_amax(cosines, .dim = CN_SHAPE(1)))),
                .recall = cn_item(cn_mean(cn_amax(cosines, .dim = CN_SHAPE(0)))) };
    s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall);
    return s;
}

static void check_by_hand(Lab *lab)
{
    cn_tensor *two = cn_from((const float[]){ 2, 0, 0, 3 }, CN_SHAPE(2, 2), CN_F32);
    cn_tensor *three = cn_from((const float[]){ 1, 0, 1, 1, -1, 0 }, CN_SHAPE(3, 2), CN_F32);
    double half = 0.7071067811865476;
    Score s = bert_score(two, three);
    lab_number(lab, "precision of [[2, 0], [0, 3]] for [[1, 0], [1, 1], [-1, 0]]", s.precision,
               (1 + half) / 2, 1e-6);
    lab_number(lab, "recall", s.recall, (1 + half + 0) / 3, 1e-6);
    lab_number(lab, "precision the other way round", bert_score(three, two).precision, s.recall,
               1e-6);
}

static double score_of(const Reader *r, const Sentence *candidate, const Sentence *reference)
{
    return bert_score(reader_words(r, candidate), reader_words(r, reference)).f1;
}

/* Nouns, of which one can stand for the other, and words that cannot. */
static const char *const nouns[] = { "machine", "light", "garden", "river",
                                     "lamp",    "table", "palace", "moon" };
static const char *const others[] = { "little", "old",  "white",      "strange",
                                      "went",   "came", "remembered", "thought" };
enum { CHOICES = sizeof nouns / sizeof nouns[0] };

/* Where in the sentence a noun is; -1: nowhere. */
static int64_t noun_of(const Reader *r, const Sentence *s)
{
    for (int64_t i = 0; i < s->n; i++)
        for (int k = 0; k < CHOICES; k++)
            if (s->word[i] && s->word[i] == cn_vocab_id(r->vocab, nouns[k])) return i;
    return -1;
}

/* With another word of the vocabulary in this place. */
static Sentence with_one_of(Reader *r, const Sentence *s, int64_t at, const char *const *words)
{
    Sentence changed = *s;
    int64_t first = cn_rng_below(&r->rng, CHOICES);
    for (int64_t k = 0; k < CHOICES && changed.word[at] == s->word[at]; k++) {
        int64_t id = cn_vocab_id(r->vocab, words[(first + k) % CHOICES]);
        if (id) changed.word[at] = id;
    }
    return changed;
}

/* In which share of sentences another noun costs less than a word of another kind; BLEU sees no
   difference. */
static void check_nouns(Lab *lab, Reader *r)
{
    double better = 0, n = 0, same = 0, kind[2] = { 0, 0 };
    for (int64_t i = r->used; i < r->n && cn_ok(); i++) CN_SCOPE
        {
            const Sentence *s = &r->sentences[i];
            int64_t at = noun_of(r, s);
            if (at >= 0) {
                Sentence noun = with_one_of(r, s, at, nouns), other = with_one_of(r, s, at, others);
                double one = score_of(r, &noun, s), two = score_of(r, &other, s);
                better += one > two;
                same += score_of(r, s, s) > 1 - 1e-5;
                kind[0] += one, kind[1] += two, n++;
            }
        }
    lab_say(lab, "%.0f sentences; with another noun %.3f, with a word of another kind %.3f", n,
            kind[0] / n, kind[1] / n);
    lab_number(lab, "share of sentences that score 1 beside themselves", same / n, 1, 0);
    lab_at_least(lab, "share in which another noun scores higher than another kind of word",
                 better / n, 0.8);
}

static void run_bertscore(Lab *lab)
{
    check_by_hand(lab);
    Reader r = reader_new(lab);
    if (r.net) check_nouns(lab, &r);
    reader_free(&r);
}

const Experiment experiment_c09_bertscore = {
    .id = "C09-BERTSCORE",
    .title = "BERTScore",
    .title_zh = "BERTScore 评估",
    .section = "10.7.6",
    .settings = "Transformer encoder, 2 layers of 32, trained here by guessing hidden words",
    .data = "timemachine",
    .trains = true,
    .run = run_bertscore,
};

/* ---- a score that is fitted to ratings ------------------------------------------------------------ */

enum { BATCH = 32, TESTS = 192 };

typedef struct {
    Reader reader;
    cn_module *head; /* of <cls>, and how far the means of both sentences are from each other */
} Judge;

/* So many pairs of a sentence and what became of it; level: which share of its words was replaced. */
typedef struct {
    Sentence reference[TESTS], candidate[TESTS];
    float level[TESTS];
} Pairs;

static void corrupt(Judge *j, Pairs *p, int64_t i, const Sentence *s)
{
    int64_t order[READER_WORDS], wrong = cn_rng_below(&j->reader.rng, s->n + 1);
    cn_rng_permutation(&j->reader.rng, s->n, order);
    p->reference[i] = p->candidate[i] = *s;
    for (int64_t k = 0; k < wrong; k++)
        p->candidate[i].word[order[k]] = reader_any_word(&j->reader);
    p->level[i] = (float)wrong / (float)s->n;
}

/* The mean over the words of one of both sentences. */
static cn_tensor *mean_of(cn_tensor *meaning, const ReaderBatch *b, int segment)
{
    cn_tensor *words =
        cn_logical_and(cn_eq(b->segments, cn_num(segment)), cn_gt(b->ids, cn_num(3)));
    cn_tensor *weight = cn_unsqueeze(cn_to(words, CN_F32), 2);
    return cn_div(cn_sum(cn_mul(meaning, weight), .dim = CN_SHAPE(1)),
                  cn_sum(weight, .dim = CN_SHAPE(1)));
}

static cn_tensor *rate(const Judge *j, const Pairs *p, int64_t n)
{
    ReaderBatch b = reader_batch(p->reference, p->candidate, n);
    cn_tensor *meaning = b.ids ? reader_run(&j->reader, &b) : NULL;
    if (!meaning) return NULL;
    cn_tensor *apart = cn_abs(cn_sub(mean_of(meaning, &b, 0), mean_of(meaning, &b, 1)));
    cn_tensor *features[] = { cn_select(meaning, 1, 0), apart };
    return cn_squeeze(cn_forward(j->head, cn_cat(features, 2, 1)), CN_SHAPE(1));
}

static void fit_batch(Judge *j, cn_optim *optim)
{
    Pairs p;
    float rating[BATCH];
    for (int64_t i = 0; i < BATCH; i++) {
        int64_t which = cn_rng_below(&j->reader.rng, j->reader.used);
        corrupt(j, &p, i, &j->reader.sentences[which]);
        rating[i] = 1 - p.level[i];
    }
    cn_tensor *loss = cn_mse_loss(rate(j, &p, BATCH), cn_from(rating, CN_SHAPE(BATCH), CN_F32));
    cn_optim_zero_grad(optim);
    if (cn_backward(loss)) cn_step(optim);
}

/* Of x[i]: how many are smaller, and half of the others that are the same. */
static double rank_of(const float *x, int64_t n, int64_t i)
{
    double rank = -0.5;
    for (int64_t k = 0; k < n; k++) rank += x[k] < x[i] ? 1 : x[k] > x[i] ? 0 : 0.5;
    return rank;
}

/* Spearman's: the correlation of ranks. */
static double rank_correlation(const float *x, const float *y, int64_t n)
{
    double xx = 0, yy = 0, xy = 0, mean = (double)(n - 1) / 2;
    for (int64_t i = 0; i < n; i++) {
        double a = rank_of(x, n, i) - mean, b = rank_of(y, n, i) - mean;
        xx += a * a, yy += b * b, xy += a * b;
    }
    return xy / sqrt(xx * yy);
}

/* Of ratings with how much of a sentence was left as it is; sentences that it never saw. */
static double judged(Judge *j)
{
    static Pairs p;
    float ratings[TESTS] = { 0 }, good[TESTS];
    for (int64_t i = 0; i < TESTS; i++) {
        corrupt(j, &p, i, &j->reader.sentences[j->reader.used + i]);
        good[i] = 1 - p.level[i];
    }
    bool ok = false;
    CN_NO_GRAD
    {
        ok = cn_read(rate(j, &p, TESTS), CN_F32, ratings, TESTS);
    }
    return ok ? rank_correlation(ratings, good, TESTS) : (double)NAN;
}

static void fit_judge(Lab *lab, Judge *j)
{
    int64_t steps = lab_options(lab)->quick ? 150 : 1000;
    cn_optim *adam = cn_adam(j->reader.net, .lr = 0.002);
    cn_tensor *head[] = { cn_module_slot(j->head, "weight"), cn_module_slot(j->head, "bias") };
    bool ok = cn_optim_add_group(adam, head, 2);
    lab_say(lab, "rank correlation before: %.3f", judged(j));
    for (int64_t i = 0; ok && i < steps && cn_ok(); i++) CN_SCOPE
        {
            fit_batch(j, adam);
        }
    cn_optim_free(adam);
    lab_at_least(lab, "rank correlation with how many words are right, of 1", judged(j), 0.6);
}

static void run_bleurt(Lab *lab)
{
    static const float up[] = { 1, 2, 2, 4 }, down[] = { 9, 5, 5, 1 }, mixed[] = { 2, 1, 4, 3 };
    lab_number(lab, "Spearman's of what falls where the other rises", rank_correlation(up, down, 4),
               -1, 1e-12);
    lab_number(lab, "of [2, 1, 4, 3] and [9, 5, 5, 1]", rank_correlation(mixed, down, 4),
               -1 / sqrt(10), 1e-9);
    Judge j = { .reader = reader_new(lab) };
    if (j.reader.net) j.head = cn_linear_layer(1, .in = 2 * READER_WIDTH);
    if (j.head) fit_judge(lab, &j);
    cn_module_free(j.head);
    reader_free(&j.reader);
}

const Experiment experiment_c09_bleurt = {
    .id = "C09-BLEURT",
    .title = "A score that is fitted to ratings, as BLEURT",
    .title_zh = "学习得到的评估指标（BLEURT 类）",
    .section = "10.7.6",
    .settings = "the Transformer encoder of BERTScore, fine-tuned with a linear layer on pairs of "
                "sentences of which some words are wrong",
    .data = "timemachine",
    .trains = true,
    .run = run_bleurt,
};
