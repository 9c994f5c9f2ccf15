/* pruning.c - which heads of a trained Transformer are needed (D2L 11.5, an exercise; Michel and others,
   2019). Neither the sentences that gradients come from nor those on which damage is measured were trained on. */
#include "book/c10/translator.h"
#include "models/transformer.h"

#include <math.h>
#include <stdlib.h>

enum { HEADS = 4, WIDTH = 32, SIZE = WIDTH / HEADS, SENTENCES = 20, BOS = 2 };

static const char *const attentions[] = {
    "encoder.block0.attention", "encoder.block1.attention", "decoder.block0.attention",
    "decoder.block1.attention", "decoder.block0.cross",     "decoder.block1.cross",
};
enum { PLACES = sizeof attentions / sizeof *attentions, ALL = PLACES * HEADS, FEW = ALL / 4 };

/* Head i is number i % HEADS of attentions[i / HEADS]. */
typedef struct {
    double variance[ALL], gradient[ALL], damage[ALL];
} Heads;

/* ---- sentences ---------------------------------------------------------------------------------- */

typedef struct {
    cn_tensor *source, *lengths, *target, *target_lengths;
} Sentences;

static Sentences sentences(const Translation *t, int64_t first)
{
    cn_tensor *part[2][SENTENCES];
    int64_t n[2][SENTENCES] = { { 0 } };
    for (int i = 0; i < SENTENCES; i++) {
        char *side[2] = { NULL, NULL };
        bool ok = translation_line(t, first + i, &side[0], &side[1]);
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

static Sentences only(const Sentences *s, int64_t i)
{
    return (Sentences){ cn_narrow(s->source, 0, i, 1), cn_narrow(s->lengths, 0, i, 1),
                        cn_narrow(s->target, 0, i, 1), cn_narrow(s->target_lengths, 0, i, 1) };
}

static cn_tensor *mean_loss(cn_module *net, const Sentences *s)
{
    cn_tensor *scores = cn_seq_scores(net, s->source, s->lengths, cn_seq_shifted(s->target, BOS));
    return cn_mean(cn_masked_cross_entropy(scores, s->target, s->target_lengths));
}

static double loss_of(cn_module *net, const Sentences *s)
{
    double loss = 0;
    CN_SCOPE CN_NO_GRAD loss = cn_item(mean_loss(net, s));
    return loss;
}

static double bleu_of(const Translation *t, cn_module *net)
{
    double sum = 0;
    for (int i = 0; i < SENTENCES; i++) {
        char *source = NULL, *target = NULL;
        if (translation_line(t, t->used + SENTENCES + i, &source, &target))
            sum += translation_bleu(t, net, source, target);
        free(source);
        free(target);
    }
    return sum / SENTENCES;
}

/* ---- heads -------------------------------------------------------------------------------------- */

static cn_tensor *output_weight(cn_module *net, int place)
{
    return cn_module_slot(cn_module_at(cn_module_at(net, attentions[place]), "out_proj"), "weight");
}

/* The columns of `weight`, of the layer that joins the heads, which see this head only. */
static cn_tensor *columns(cn_tensor *weight, int head)
{
    return cn_narrow(weight, 1, head % HEADS * SIZE, SIZE);
}

static void silence(cn_module *net, int head)
{
    cn_tensor *voice = columns(cn_detach(output_weight(net, head / HEADS)), head);
    cn_mul_(voice, cn_num(0));
}

/* Of the rows that make the head's queries, keys and values. */
static double variance_of(cn_module *net, int head)
{
    cn_module *m = cn_module_at(net, attentions[head / HEADS]);
    cn_tensor *w = cn_detach(cn_module_slot(m, "in_proj_weight")), *rows[3];
    for (int i = 0; i < 3; i++) rows[i] = cn_narrow(w, 0, i * WIDTH + head % HEADS * SIZE, SIZE);
    return cn_item(cn_var(cn_cat(rows, 3, 0)));
}

/* The gradient by a factor of the head's output: along W it is what it is along the output. */
static double gate_gradient(cn_tensor *weight, cn_tensor *gradient, int head)
{
    return cn_item(cn_sum(cn_mul(columns(cn_detach(weight), head), columns(gradient, head))));
}

/* Norms over sentences, each with a gradient of its own. */
static void measure_gradients(cn_module *net, const Sentences *s, double norm[ALL])
{
    cn_tensor *weight[PLACES], *gradient[PLACES];
    for (int i = 0; i < PLACES; i++) weight[i] = output_weight(net, i);
    for (int h = 0; h < ALL; h++) norm[h] = 0;
    for (int64_t i = 0; i < SENTENCES && cn_ok(); i++) CN_SCOPE
        {
            Sentences one = only(s, i);
            cn_tensor *loss = mean_loss(net, &one);
            if (!loss || !cn_grad_of(&loss, NULL, 1, weight, PLACES, gradient, NULL)) continue;
            for (int h = 0; h < ALL; h++) {
                double g = gate_gradient(weight[h / HEADS], gradient[h / HEADS], h);
                norm[h] += g * g;
            }
        }
    for (int h = 0; h < ALL; h++) norm[h] = sqrt(norm[h] / SENTENCES);
}

/* Each head alone is taken out and put back. */
static void measure_damage(cn_module *net, const Sentences *s, double damage[ALL])
{
    const double whole = loss_of(net, s);
    for (int h = 0; h < ALL; h++) {
        cn_tensor *voice = columns(cn_detach(output_weight(net, h / HEADS)), h),
                  *kept = cn_clone(voice);
        silence(net, h);
        damage[h] = loss_of(net, s) - whole;
        cn_copy_(voice, kept);
    }
}

/* ---- ranks -------------------------------------------------------------------------------------- */

/* at[0] is the head with the least value. */
static void order_by(const double value[ALL], int at[ALL])
{
    for (int i = 0; i < ALL; i++) {
        int rank = 0;
        for (int j = 0; j < ALL; j++)
            rank += value[j] < value[i] || (!(value[i] < value[j]) && j < i);
        at[rank] = i;
    }
}

/* Spearman's correlation. */
static double rank_correlation(const double a[ALL], const double b[ALL])
{
    int at_a[ALL], at_b[ALL], rank[ALL];
    double sum = 0;
    order_by(a, at_a);
    order_by(b, at_b);
    for (int i = 0; i < ALL; i++) rank[at_b[i]] = i;
    for (int i = 0; i < ALL; i++) sum += (i - rank[at_a[i]]) * (double)(i - rank[at_a[i]]);
    return 1 - 6 * sum / (ALL * (ALL * (double)ALL - 1));
}

/* The network without the heads at[0] .. at[n-1]; the caller frees it. */
static cn_module *pruned(cn_module *net, const int *at, int n)
{
    cn_module *m = cn_module_clone(net);
    for (int i = 0; m && i < n; i++) silence(m, at[i]);
    if (m) cn_train_mode(m, false);
    return m;
}

typedef struct {
    double loss, bleu;
} Quality;

static Quality quality_without(const Translation *t, cn_module *net, const Sentences *s,
                               const int *at, int n)
{
    cn_module *m = pruned(net, at, n);
    Quality q = { (double)NAN, (double)NAN };
    if (m) q = (Quality){ loss_of(m, s), bleu_of(t, m) };
    cn_module_free(m);
    return q;
}

/* Returns the loss without the FEW heads of highest rank beyond that without those of lowest. */
static double compare_ends(Lab *lab, const Translation *t, cn_module *net, const Sentences *s,
                           const char *what, const double value[ALL])
{
    int at[ALL];
    order_by(value, at);
    Quality low = quality_without(t, net, s, at, FEW),
            high = quality_without(t, net, s, at + ALL - FEW, FEW);
    lab_say(lab,
            "%d heads removed by %s: lowest, loss %.3f, BLEU %.3f; highest, loss %.3f, BLEU %.3f",
            FEW, what, low.loss, low.bleu, high.loss, high.bleu);
    return high.loss - low.loss;
}

/* ---- rows --------------------------------------------------------------------------------------- */

static void show(Lab *lab, const Heads *h)
{
    int at[ALL];
    order_by(h->variance, at);
    for (int i = 0; i < ALL; i++)
        lab_say(lab,
                "variance rank %2d: %s head %d, variance %.4f, gradient %.4f, loss %+.4f without",
                i + 1, attentions[at[i] / HEADS], at[i] % HEADS, h->variance[at[i]],
                h->gradient[at[i]], h->damage[at[i]]);
    lab_say(lab, "rank correlation with damage: of variance %.2f, of gradient %.2f",
            rank_correlation(h->variance, h->damage), rank_correlation(h->gradient, h->damage));
}

static void compare(Lab *lab, const Translation *t, cn_module *net)
{
    Heads h;
    int none = 0, least[ALL];
    const Sentences known = sentences(t, t->used), other = sentences(t, t->used + SENTENCES);
    const double whole = loss_of(net, &other);
    for (int i = 0; i < ALL; i++) h.variance[i] = variance_of(net, i);
    measure_gradients(net, &known, h.gradient);
    measure_damage(net, &other, h.damage);
    lab_number(lab, "every head is back in its place", loss_of(net, &other), whole, 1e-6);
    show(lab, &h);
    Quality full = quality_without(t, net, &other, &none, 0);
    lab_say(lab, "with all heads: loss %.3f, BLEU %.3f", full.loss, full.bleu);
    lab_at_least(lab, "low gradients cost less than high ones",
                 compare_ends(lab, t, net, &other, "gradient", h.gradient), 0);
    compare_ends(lab, t, net, &other, "variance", h.variance);
    lab_at_least(lab, "so do heads that alone cost least",
                 compare_ends(lab, t, net, &other, "damage alone", h.damage), 0);
    order_by(h.damage, least);
    lab_at_least(lab, "damage by the most needed head", h.damage[least[ALL - 1]], 1e-3);
}

static void run(Lab *lab)
{
    Translation t = translation_new(lab);
    LabFit fit;
    cn_module *net = t.pairs.data ? transformer_trained(lab, &t, &fit) : NULL;
    if (net) {
        cn_train_mode(net, false);
        compare(lab, &t, net);
    }
    cn_module_free(net);
    translation_free(&t);
}

const Experiment experiment_c10_pruning = {
    .id = "C10-PRVAR C10-PRGRAD C10-PRABL",
    .title = "Heads by variance and by gradient, and what their loss costs",
    .title_zh = "按权重方差与梯度范数剪枝注意力头，逐头消融",
    .section = "11.5",
    .data = "fra-eng",
    .trains = true,
    .run = run,
};
