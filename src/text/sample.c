/* sample.c - drawing the next token from scores. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "text/tokens.h"

typedef struct Candidate {
    double p; /* exp of the scaled score; not normalised */
    int64_t token;
} Candidate;

static int likelier_first(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? 1 : -1;
    return x->token < y->token ? -1 : 1;
}

static int64_t most_likely(const float *scores, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (scores[i] > scores[best]) best = i;
    return best;
}

/* How many of the candidates, which are in order, may be drawn. */
static int64_t admitted(const Candidate *c, int64_t n, const cn_sample_options *o)
{
    double total = 0, sum = 0;
    if (o->top_k && o->top_k < n) n = o->top_k;
    if (!(o->top_p > 0 && o->top_p < 1)) return n;
    for (int64_t i = 0; i < n; i++) total += c[i].p;
    for (int64_t i = 0; i < n; i++) {
        sum += c[i].p;
        if (sum >= o->top_p * total) return i + 1;
    }
    return n;
}

static int64_t draw(const Candidate *c, int64_t n, cn_rng *rng)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += c[i].p;
    double left = cn_rng_uniform(rng) * total;
    for (int64_t i = 0; i + 1 < n; i++) {
        left -= c[i].p;
        if (left < 0) return c[i].token;
    }
    return c[n - 1].token;
}

static bool is_possible(const cn_sample_options *o)
{
    if (!o->scores || o->n < 1 || !(o->temperature >= 0) || isinf(o->temperature) || o->top_k < 0)
        return cn_fail(CN_EINVALID,
                       "cn_sample_token: scores, a temperature >= 0 and top_k >= 0 are needed");
    if (!(o->top_p >= 0 && o->top_p <= 1))
        return cn_fail(CN_EINVALID, "cn_sample_token: top_p %g is not from 0 to 1", o->top_p);
    for (int64_t i = 0; i < o->n; i++)
        if (isnan(o->scores[i]))
            return cn_fail(CN_EINVALID, "cn_sample_token: score %lld is not a number",
                           (long long)i);
    return true;
}

int64_t cn_sample_token_with(const cn_sample_options *o)
{
    if (!is_possible(o)) return -1;
    int64_t best = most_likely(o->scores, o->n);
    double top = (double)o->scores[best];
    if (isinf(top))
        return cn_fail(CN_EINVALID, "cn_sample_token: the largest score is %g", top), -1;
    if (o->temperature == 0) return best;
    Candidate *c = cn_alloc((size_t)o->n * sizeof *c);
    if (!c) return -1;
    for (int64_t i = 0; i < o->n; i++)
        c[i] = (Candidate){ exp(((double)o->scores[i] - top) / o->temperature), i };
    if (o->top_k || o->top_p > 0) qsort(c, (size_t)o->n, sizeof *c, likelier_first);
    int64_t token = draw(c, admitted(c, o->n, o), o->rng ? o->rng : cn_default_rng());
    cn_free(c);
    return token;
}
