/* pruning.c - which heads of a trained Transformer are needed (D2L 11.5, an exercise). */
#include "book/c10/translator.h"
#include "models/transformer.h"

#include <stdlib.h>

enum { LAYERS = 2, HEADS = 4, WIDTH = 32, SIZE = WIDTH / HEADS, SENTENCES = 64, BOS = 2 };

static const char *const attentions[] = {
    "encoder.block0.attention", "encoder.block1.attention", "decoder.block0.attention",
    "decoder.block1.attention", "decoder.block0.cross",     "decoder.block1.cross",
};
enum { ALL = 6 * HEADS };

typedef struct {
    int attention, head;
    double variance, damage;
} Head;

typedef struct {
    cn_tensor *source, *lengths, *target, *target_lengths;
} Sentences;

static Sentences sentences(const Translation *t)
{
    cn_tensor *part[2][SENTENCES];
    int64_t n[2][SENTENCES] = { { 0 } };
    for (int i = 0; i < SENTENCES; i++) {
        char *side[2] = { NULL, NULL };
        bool ok = translation_line(t, i, &side[0], &side[1]);
        for (int k = 0; k < 2; k++) {
            cn_tokens *words = ok ? cn_pairs_tokenize(side[k]) : NULL;
            part[k][i] =
                cn_pairs_encode(k ? t->pairs.target : t->pairs.source, words, t->steps, &n[k][i]);
            cn_tokens_free(words);
            free(side[k]);
        }
    }
    return (Sentences){ cn_cat(part[0], SENTENCES, 0), cn_from(n[0], CN_SHAPE(SENTENCES), CN_I64),
                        cn_cat(part[1], SENTENCES, 0), cn_from(n[1], CN_SHAPE(SENTENCES), CN_I64) };
}

static double loss_of(cn_module *net, const Sentences *s)
{
    size_t mark = cn_mark();
    cn_tensor *scores = cn_seq_scores(net, s->source, s->lengths, cn_seq_shifted(s->target, BOS));
    double loss =
        cn_item(cn_detach(cn_mean(cn_masked_cross_entropy(scores, s->target, s->target_lengths))));
    cn_release(mark);
    return loss;
}

/* What joins the head's result to the others: without it the head says nothing. */
static cn_tensor *voice_of(cn_module *net, const Head *h)
{
    cn_module *m = cn_module_at(net, attentions[h->attention]);
    cn_tensor *w = cn_detach(cn_module_slot(cn_module_at(m, "out_proj"), "weight"));
    return cn_narrow(w, 1, h->head * SIZE, SIZE);
}

/* Of the rows that make the head's queries, keys and values. */
static double variance_of(cn_module *net, const Head *h)
{
    cn_module *m = cn_module_at(net, attentions[h->attention]);
    cn_tensor *w = cn_detach(cn_module_slot(m, "in_proj_weight")), *rows[3];
    for (int i = 0; i < 3; i++) rows[i] = cn_narrow(w, 0, i * WIDTH + h->head * SIZE, SIZE);
    return cn_item(cn_var(cn_cat(rows, 3, 0)));
}

static int by_variance(const void *a, const void *b)
{
    double x = ((const Head *)a)->variance, y = ((const Head *)b)->variance;
    return (x > y) - (x < y);
}

static int by_damage(const void *a, const void *b)
{
    double x = ((const Head *)a)->damage, y = ((const Head *)b)->damage;
    return (x > y) - (x < y);
}

static void silence(cn_module *net, const Head *h)
{
    cn_tensor *voice = voice_of(net, h);
    cn_mul_(voice, cn_num(0));
}

/* Each head alone is taken out and put back. */
static void measure(cn_module *net, const Sentences *s, Head heads[ALL])
{
    const double whole = loss_of(net, s);
    for (int i = 0; i < ALL; i++) {
        Head *h = &heads[i];
        *h = (Head){ .attention = i / HEADS, .head = i % HEADS };
        h->variance = variance_of(net, h);
        cn_tensor *voice = voice_of(net, h), *kept = cn_clone(voice);
        silence(net, h);
        h->damage = loss_of(net, s) - whole;
        cn_copy_(voice, kept);
    }
}

static double loss_without(cn_module *net, const Sentences *s, const Head *heads, int n)
{
    cn_module *pruned = cn_module_clone(net);
    for (int i = 0; pruned && i < n; i++) silence(pruned, &heads[i]);
    double loss = pruned ? loss_of(pruned, s) : 0;
    cn_module_free(pruned);
    return loss;
}

static void compare(Lab *lab, cn_module *net, const Sentences *s)
{
    Head heads[ALL];
    const double whole = loss_of(net, s);
    measure(net, s, heads);
    lab_number(lab, "every head is back in its place", loss_of(net, s), whole, 1e-6);
    qsort(heads, ALL, sizeof *heads, by_variance);
    for (int i = 0; i < ALL; i++)
        lab_say(lab, "variance rank %d: %s head %d, variance %.4f, loss %+.4f without it", i + 1,
                attentions[heads[i].attention], heads[i].head, heads[i].variance, heads[i].damage);
    lab_say(lab, "without the quarter of least variance: loss %.4f, with all %.4f",
            loss_without(net, s, heads, ALL / 4), whole);
    qsort(heads, ALL, sizeof *heads, by_damage);
    const double least = loss_without(net, s, heads, ALL / 4),
                 most = loss_without(net, s, heads + ALL - ALL / 4, ALL / 4);
    lab_at_least(lab, "damage by the most needed head", heads[ALL - 1].damage, 1e-3);
    lab_at_least(lab, "a quarter of most needed heads hurts more than one of least needed",
                 most - least, 0);
    lab_say(lab, "loss %.4f; without the least needed %.4f, the most needed %.4f", whole, least,
            most);
}

static void run(Lab *lab)
{
    Translation t = translation_new(lab);
    LabFit fit;
    cn_module *net = t.pairs.data ? transformer_trained(lab, &t, &fit) : NULL;
    if (net) {
        cn_train_mode(net, false);
        Sentences s = sentences(&t);
        compare(lab, net, &s);
    }
    cn_module_free(net);
    translation_free(&t);
}

const Experiment experiment_c10_pruning = {
    .id = "C10-PRVAR C10-PRABL",
    .title = "Heads by the variance of their weights, and what their loss costs",
    .title_zh = "按权重方差剪枝注意力头",
    .section = "11.5",
    .data = "fra-eng",
    .trains = true,
    .run = run,
};
