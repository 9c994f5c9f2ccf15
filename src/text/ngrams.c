/* ngrams.c - how often sequences of tokens occur, and the language model that follows from it. */
#include <cenote/ops.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "text/counts.h"
#include "text/tokens.h"

enum { MAX_N = 8 };

struct cn_ngrams {
    int64_t vocabulary, n, tokens;
    cn_counts grams[MAX_N]; /* of 1 .. n tokens */
    int64_t tail[MAX_N];    /* the last n tokens: what ends there is not followed by anything */
    cn_smoothing smoothing;
    double strength;
};

/* ---- counting ---------------------------------------------------------------------------------- */

static bool count_all(cn_ngrams *m, const int64_t *id)
{
    bool ok = true;
    for (int64_t length = 1; length <= m->n; length++) {
        m->grams[length - 1].length = length;
        for (int64_t i = 0; ok && i + length <= m->tokens; i++)
            ok = cn_counts_add(&m->grams[length - 1], id + i, 1);
    }
    for (int64_t i = 0; i < m->n; i++) m->tail[i] = id[m->tokens - m->n + i];
    return ok;
}

static bool check(const cn_ngrams_options *o)
{
    if (o->n < 1 || o->n > MAX_N || o->vocabulary < 1 || !(o->strength >= 0))
        return cn_fail(CN_EINVALID,
                       "cn_ngrams_new: n = 1 .. %d, a vocabulary and a strength >= 0 are needed",
                       MAX_N);
    if (cn_ndim(o->ids) != 1 || cn_dtype_of(o->ids) != CN_I64 || cn_numel(o->ids) < o->n)
        return cn_fail(CN_EINVALID, "cn_ngrams_new: a sequence of at least %lld int64 is needed",
                       (long long)o->n);
    return true;
}

static bool in_vocabulary(const int64_t *id, int64_t n, int64_t vocabulary, const char *who)
{
    for (int64_t i = 0; i < n; i++)
        if (id[i] < 0 || id[i] >= vocabulary)
            return cn_fail(CN_EINVALID, "%s: there is no token %lld in a vocabulary of %lld", who,
                           (long long)id[i], (long long)vocabulary);
    return true;
}

cn_ngrams *cn_ngrams_new_with(const cn_ngrams_options *o)
{
    if (!o->ids || !check(o)) return NULL;
    cn_ngrams *m = cn_alloc_zeroed(sizeof *m);
    if (!m) return NULL;
    m->vocabulary = o->vocabulary;
    m->n = o->n;
    m->tokens = cn_numel(o->ids);
    m->smoothing = o->smoothing;
    m->strength = o->strength;
    size_t mark = cn_mark();
    const int64_t *id = cn_data(cn_contiguous(o->ids));
    bool ok =
        id && in_vocabulary(id, m->tokens, m->vocabulary, "cn_ngrams_new") && count_all(m, id);
    cn_release(mark);
    if (ok) return m;
    cn_ngrams_free(m);
    return NULL;
}

void cn_ngrams_free(cn_ngrams *m)
{
    if (!m) return;
    for (int i = 0; i < MAX_N; i++) cn_counts_free(&m->grams[i]);
    cn_free(m);
}

/* ---- looking ----------------------------------------------------------------------------------- */

static const cn_counts *grams_of(const cn_ngrams *m, int64_t length, const char *who)
{
    if (m && (length < 1 || length > m->n))
        cn_fail(CN_EINVALID, "%s: grams of %lld tokens; there are those of 1 .. %lld", who,
                (long long)length, (long long)m->n);
    return m && length >= 1 && length <= m->n ? &m->grams[length - 1] : NULL;
}

int64_t cn_ngrams_distinct(const cn_ngrams *m, int64_t length)
{
    const cn_counts *c = grams_of(m, length, "cn_ngrams_distinct");
    return c ? c->used : -1;
}

int64_t cn_ngrams_count(const cn_ngrams *m, const int64_t *gram, int64_t length)
{
    const cn_counts *c = grams_of(m, length, "cn_ngrams_count");
    return c ? cn_counts_of(c, gram) : -1;
}

typedef struct Ranked {
    int64_t count, place;
} Ranked;

static int more_frequent_first(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->place < y->place ? -1 : x->place > y->place;
}

int64_t cn_ngrams_top(const cn_ngrams *m, int64_t length, int64_t k, int64_t *grams,
                      int64_t *counts)
{
    const cn_counts *c = grams_of(m, length, "cn_ngrams_top");
    Ranked *r = c ? cn_alloc(((size_t)c->used + 1) * sizeof *r) : NULL;
    if (!r) return -1;
    for (int64_t i = 0; i < c->used; i++) r[i] = (Ranked){ c->count[i], i };
    qsort(r, (size_t)c->used, sizeof *r, more_frequent_first);
    if (k > c->used) k = c->used;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; grams && j < length; j++)
            grams[i * length + j] = c->keys[r[i].place * length + j];
        if (counts) counts[i] = r[i].count;
    }
    cn_free(r);
    return k;
}

/* ---- probabilities ------------------------------------------------------------------------------- */

/* How often something follows this context. */
static int64_t times_followed(const cn_ngrams *m, const int64_t *context, int64_t length)
{
    if (!length) return m->tokens;
    bool at_end = true;
    for (int64_t i = 0; i < length; i++)
        at_end = at_end && m->tail[m->n - length + i] == context[i];
    return cn_counts_of(&m->grams[length - 1], context) - at_end;
}

/* p(next | context): gram is the context and next, `length` tokens in all. */
static double probability(const cn_ngrams *m, const int64_t *gram, int64_t length)
{
    double uniform = 1 / (double)m->vocabulary, prior = uniform, weight = m->strength;
    if (m->smoothing == CN_LAPLACE) weight *= (double)m->vocabulary;
    else if (length > 1) prior = probability(m, gram + 1, length - 1);
    double seen = (double)cn_counts_of(&m->grams[length - 1], gram);
    double all = (double)times_followed(m, gram, length - 1);
    return all + weight > 0 ? (seen + weight * prior) / (all + weight) : prior;
}

/* The end of the context that the model looks at, with `next` after it; how many tokens. */
static int64_t make_gram(const cn_ngrams *m, const int64_t *context, int64_t length, int64_t next,
                         int64_t gram[MAX_N])
{
    int64_t seen = length < m->n - 1 ? length : m->n - 1;
    for (int64_t i = 0; i < seen; i++) gram[i] = context[length - seen + i];
    gram[seen] = next;
    return seen + 1;
}

double cn_ngrams_prob(const cn_ngrams *m, const int64_t *context, int64_t length, int64_t next)
{
    int64_t gram[MAX_N];
    if (!m || length < 0 || !in_vocabulary(&next, 1, m->vocabulary, "cn_ngrams_prob"))
        return (double)NAN;
    return probability(m, gram, make_gram(m, context, length, next, gram));
}

double cn_ngrams_log_prob(const cn_ngrams *m, const cn_tensor *ids)
{
    if (!m || !ids) return (double)NAN;
    int64_t n = cn_numel(ids), *id = cn_alloc(((size_t)n + 1) * sizeof *id), gram[MAX_N];
    bool ok = id && cn_read(ids, CN_I64, id, n) &&
              in_vocabulary(id, n, m->vocabulary, "cn_ngrams_log_prob");
    double sum = 0;
    for (int64_t i = 0; ok && i < n; i++)
        sum += log(probability(m, gram, make_gram(m, id, i, id[i], gram)));
    cn_free(id);
    return ok ? sum : (double)NAN;
}

double cn_ngrams_perplexity(const cn_ngrams *m, const cn_tensor *ids)
{
    return exp(-cn_ngrams_log_prob(m, ids) / (double)cn_numel(ids));
}

int64_t cn_ngrams_next(const cn_ngrams *m, const int64_t *context, int64_t length, cn_rng *rng)
{
    if (!m || length < 0) return -1;
    int64_t gram[MAX_N], last = make_gram(m, context, length, 0, gram);
    double left = cn_rng_uniform(rng ? rng : cn_default_rng());
    for (int64_t next = 0; next + 1 < m->vocabulary; next++) {
        gram[last - 1] = next;
        left -= probability(m, gram, last);
        if (left < 0) return next;
    }
    return m->vocabulary - 1;
}
