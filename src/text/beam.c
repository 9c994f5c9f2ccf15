/* beam.c - searching for the most likely sequence (D2L 10.8). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

/* A beam: a sequence that may still grow. */
typedef struct Beam {
    int64_t *ids;
    double log_prob;
} Beam;

/* A way to go on from one. */
typedef struct Choice {
    int64_t beam, token;
    double log_prob;
} Choice;

typedef struct Search {
    const cn_beam_options *o;
    Beam *beams, *next; /* o->beams of them */
    int64_t n;          /* beams that are alive */
    int64_t length;     /* tokens in each */
    int64_t *parent, *token;
    float *log_probs;
    Choice *choices; /* the best so far, o->beams of them, in order */
    cn_hypothesis *out;
    int64_t found, keep;
} Search;

void cn_hypothesis_free(cn_hypothesis *h)
{
    if (!h) return;
    cn_free(h->ids);
    *h = (cn_hypothesis){ 0 };
}

/* ---- results: the best `keep`, in order ---------------------------------------------------------- */

static bool add_result(Search *s, const Beam *b)
{
    const cn_beam_options *o = s->o;
    double score = b->log_prob / pow((double)s->length, o->alpha);
    int64_t at = s->found;
    while (at > 0 && s->out[at - 1].score < score) at--;
    if (at == s->keep) return true;
    cn_hypothesis h = { cn_alloc((size_t)s->length * sizeof *h.ids), s->length, b->log_prob,
                        score };
    if (!h.ids) return false;
    memcpy(h.ids, b->ids, (size_t)s->length * sizeof *h.ids);
    if (s->found == s->keep) cn_hypothesis_free(&s->out[--s->found]);
    memmove(s->out + at + 1, s->out + at, (size_t)(s->found - at) * sizeof *s->out);
    s->out[at] = h;
    s->found++;
    return true;
}

/* ---- one step -------------------------------------------------------------------------------------- */

/* Puts a choice among the best; of equal ones the earlier wins. How many there are now. */
static int64_t add_choice(Choice *best, int64_t n, int64_t room, Choice c)
{
    int64_t at = n;
    while (at > 0 && best[at - 1].log_prob < c.log_prob) at--;
    if (at == room) return n;
    if (n == room) n--;
    memmove(best + at + 1, best + at, (size_t)(n - at) * sizeof *best);
    best[at] = c;
    return n + 1;
}

static int64_t best_choices(Search *s)
{
    const cn_beam_options *o = s->o;
    int64_t n = 0;
    for (int64_t b = 0; b < s->n; b++)
        for (int64_t t = 0; t < o->vocabulary; t++) {
            double p = s->beams[b].log_prob + (double)s->log_probs[b * o->vocabulary + t];
            if (n == o->beams && !(p > s->choices[n - 1].log_prob)) continue;
            if (!isnan(p)) n = add_choice(s->choices, n, o->beams, (Choice){ b, t, p });
        }
    return n;
}

/* Beams of the next length; those that end, or may not grow, become results. */
static bool advance(Search *s, int64_t n)
{
    const cn_beam_options *o = s->o;
    int64_t alive = 0;
    bool ok = true;
    for (int64_t i = 0; ok && i < n; i++) {
        Choice c = s->choices[i];
        Beam *to = &s->next[alive];
        memcpy(to->ids, s->beams[c.beam].ids, (size_t)s->length * sizeof *to->ids);
        to->ids[s->length] = c.token;
        to->log_prob = c.log_prob;
        s->length++;
        bool ends = c.token == o->eos, last = s->length == o->steps;
        if (ends || last || o->eos < 0) ok = add_result(s, to);
        s->length--;
        if (ends || last) continue;
        s->parent[alive] = c.beam;
        s->token[alive++] = c.token;
    }
    Beam *old = s->beams;
    s->beams = s->next;
    s->next = old;
    s->n = alive;
    s->length++;
    return ok;
}

static bool search(Search *s)
{
    const cn_beam_options *o = s->o;
    bool ok = true;
    s->n = 1;
    s->token[0] = o->bos;
    while (ok && s->n && s->length < o->steps)
        ok = o->step(o->context, s->n, s->parent, s->token, s->log_probs) && cn_ok() &&
             advance(s, best_choices(s));
    return ok || (cn_ok() && cn_fail(CN_EINVALID, "cn_beam_search: the step failed"));
}

/* ---- memory ------------------------------------------------------------------------------------------ */

static bool make_beams(Beam **beams, const cn_beam_options *o)
{
    *beams = cn_alloc_zeroed((size_t)o->beams * sizeof **beams);
    bool ok = *beams != NULL;
    for (int64_t i = 0; ok && i < o->beams; i++)
        ok = ((*beams)[i].ids = cn_alloc((size_t)o->steps * sizeof(int64_t))) != NULL;
    return ok;
}

static void free_beams(Beam *beams, int64_t n)
{
    for (int64_t i = 0; beams && i < n; i++) cn_free(beams[i].ids);
    cn_free(beams);
}

static bool make_search(Search *s)
{
    const cn_beam_options *o = s->o;
    size_t beams = (size_t)o->beams, floats;
    if (!cn_mul_size(beams, (size_t)o->vocabulary * sizeof(float), &floats, "cn_beam_search"))
        return false;
    s->parent = cn_alloc_zeroed(beams * sizeof *s->parent);
    s->token = cn_alloc_zeroed(beams * sizeof *s->token);
    s->log_probs = cn_alloc(floats);
    s->choices = cn_alloc(beams * sizeof *s->choices);
    return s->parent && s->token && s->log_probs && s->choices && make_beams(&s->beams, o) &&
           make_beams(&s->next, o);
}

int64_t cn_beam_search_with(const cn_beam_options *o, cn_hypothesis *out)
{
    enum { MOST = 1 << 20 };
    if (!o->step || !out || o->vocabulary < 1 || o->steps < 1 || o->beams < 1 || o->beams > MOST ||
        o->steps > MOST || o->keep < 0) {
        cn_fail(CN_EINVALID, "cn_beam_search: a step, a vocabulary, steps and beams must be given");
        return -1;
    }
    Search s = { .o = o, .out = out, .keep = o->keep ? o->keep : o->beams };
    bool ok = make_search(&s) && search(&s);
    free_beams(s.beams, o->beams);
    free_beams(s.next, o->beams);
    cn_free(s.parent);
    cn_free(s.token);
    cn_free(s.log_probs);
    cn_free(s.choices);
    if (ok) return s.found;
    while (s.found) cn_hypothesis_free(&out[--s.found]);
    return -1;
}
