/* gpt.c - learned, relative and rotary positions, in a language model that is only a decoder (D2L 11.6.3). */
#include "models/gpt.h"
#include "book/c10/attention.h"
#include "book/language.h"

#include <math.h>

enum { STEPS = 12, SIZE = 8, SHIFT = 1000 };

static const char *const names[] = { "learned", "sinusoids", "rotary", "ALiBi", "none" };
enum { KINDS = sizeof names / sizeof *names };

static cn_module *small(cn_positions positions)
{
    const cn_gpt_settings s = {
        .vocabulary = 9, .context = 2 * STEPS, .width = 16, .heads = 2, .positions = positions
    };
    return cn_gpt(&s);
}

/* ---- learned ------------------------------------------------------------------------------------ */

/* How much scores differ between steps when all tokens are the same. */
static double told_apart(cn_positions positions)
{
    cn_module *net = small(positions);
    cn_tensor *y = net ? cn_forward(net, cn_full(CN_SHAPE(1, STEPS), 3, CN_I64)) : NULL;
    double d = cn_item(cn_amax(cn_abs(cn_detach(cn_sub(y, cn_narrow(y, 2, 0, 1))))));
    cn_module_free(net);
    return d;
}

static void run_learned(Lab *lab)
{
    lab_at_most(lab, "without positions equal tokens look the same", told_apart(CN_POSITIONS_NONE),
                1e-5);
    lab_at_least(lab, "a table of vectors tells them apart", told_apart(CN_POSITIONS_LEARNED), 0.1);
    lab_at_least(lab, "and so do sines and cosines", told_apart(CN_POSITIONS_SINUSOIDS), 0.1);

    cn_module *net = small(CN_POSITIONS_LEARNED);
    cn_tensor *table = net ? cn_module_slot(cn_module_at(net, "positions"), "weight") : NULL;
    lab_shape(lab, "the table", table, CN_SHAPE(2 * STEPS, 16));
    cn_tensor *ids = cn_zeros(CN_SHAPE(2, STEPS), CN_I64);
    cn_tensor *loss = cn_cross_entropy(cn_forward(net, ids), ids);
    if (cn_backward(loss)) {
        cn_tensor *size = cn_amax(cn_abs(cn_grad(table)), .dim = CN_SHAPE(1));
        lab_at_least(lab, "the gradient reaches each position that was used",
                     cn_item(cn_amin(cn_narrow(size, 0, 0, STEPS))), 1e-6);
        lab_at_most(lab, "and no other", cn_item(cn_amax(cn_narrow(size, 0, STEPS, STEPS))), 0);
    }
    cn_forward(net, cn_zeros(CN_SHAPE(1, 2 * STEPS + 1), CN_I64));
    lab_refused(lab, "there is no vector for a later position", "positions are learned for");
    cn_module_free(net);
}

const Experiment experiment_c10_pelrn = {
    .id = "C10-PELRN",
    .title = "Learnable positional embedding",
    .title_zh = "可学习的位置嵌入",
    .section = "15.8.4",
    .run = run_learned,
};

/* ---- relative ----------------------------------------------------------------------------------- */

/* b[i - j] of a learned vector of 2 STEPS - 1 numbers, for all i and j from `first` on. */
static cn_tensor *learned_bias(cn_tensor *b, int64_t first)
{
    cn_tensor *j = cn_arange((double)first, (double)(first + STEPS), 1, CN_I64);
    cn_tensor *distance = cn_sub(cn_unsqueeze(j, -1), j);
    return cn_take(b, cn_to(cn_add(distance, cn_num(STEPS - 1)), CN_I64));
}

static void run_relative(Lab *lab)
{
    const int64_t n = STEPS - 3;
    cn_tensor *bias = cn_alibi(4, 0, STEPS);
    cn_tensor *begin = cn_narrow(cn_narrow(bias, 1, 0, n), 2, 0, n),
              *later = cn_narrow(cn_narrow(bias, 1, 3, n), 2, 3, n);
    lab_same(lab, "ALiBi: the same three steps later", cn_exp(later), cn_exp(begin), 0);
    lab_values(lab, "of one step back, by head", cn_select(cn_select(bias, 1, 1), 1, 0), 1e-7,
               -0.25, -0.0625, -0.015625, -0.00390625);
    lab_at_most(lab, "later keys have no weight", cn_item(cn_amax(cn_triu(cn_exp(bias), 1))), 0);
    lab_figure(lab, attention_map("ALiBi, head 1", cn_exp(cn_select(bias, 0, 0))));

    cn_tensor *b = lab_parameter(CN_SHAPE(2 * STEPS - 1), 1);
    lab_same(lab, "a learned bias: the same for all first positions", learned_bias(b, 5),
             learned_bias(b, 0), 0);
    cn_tensor *keys = cn_randn(CN_SHAPE(STEPS, SIZE), CN_F32);
    cn_tensor *scores = cn_add(scaled_dot_scores(keys, keys), learned_bias(b, 0));
    if (cn_backward(cn_mean(cn_log_softmax(scores, -1))))
        lab_at_least(lab, "each distance learns", cn_item(cn_amin(cn_abs(cn_grad(b)))), 1e-9);
}

const Experiment experiment_c10_perela = {
    .id = "C10-PERELA",
    .title = "Relative positions: biases of scores, ALiBi",
    .title_zh = "相对位置编码：可学习偏置与ALiBi",
    .section = "11.6.3.2",
    .run = run_relative,
};

/* ---- rotary, and all kinds beside each other ------------------------------------------------------ */

static void check_rotation(Lab *lab)
{
    cn_tensor *q = cn_randn(CN_SHAPE(STEPS, SIZE), CN_F32),
              *k = cn_randn(CN_SHAPE(STEPS, SIZE), CN_F32);
    cn_tensor *near = dot_scores(cn_rotated(q, 0), cn_rotated(k, 0)),
              *far = dot_scores(cn_rotated(q, SHIFT), cn_rotated(k, SHIFT));
    lab_same(lab, "scores when all positions are 1000 later", far, near, 1e-4);
    lab_at_least(
        lab, "but they depend on the distance",
        cn_item(cn_amax(cn_abs(cn_sub(near, dot_scores(cn_rotated(q, 1), cn_rotated(k, 0)))))),
        0.1);
    cn_tensor *r = cn_rotated(q, 5);
    lab_same(lab, "lengths are kept", cn_sum(cn_mul(r, r), .dim = CN_SHAPE(-1)),
             cn_sum(cn_mul(q, q), .dim = CN_SHAPE(-1)), 1e-4);
}

typedef struct {
    int64_t context, batch, steps;
    cn_gpt_settings model;
} Race;

static Race race_of(const LabOptions *o, int64_t vocabulary)
{
    if (o->real && !o->quick)
        return (Race){ 128, 64, 3000, { .vocabulary = vocabulary, .context = 512 } };
    return (Race){
        32, 16, o->quick ? 120 : 400, { .vocabulary = vocabulary, .context = 128, .width = 32 }
    };
}

static double loss_on(cn_module *net, const cn_batch *b)
{
    return cn_item(cn_detach(cn_cross_entropy(cn_forward(net, b->x), b->y)));
}

/* exp of the mean cross-entropy of a few windows that were not trained on. */
static double perplexity(cn_module *net, cn_tensor *ids, int64_t steps)
{
    cn_windows *w = cn_windows_new(ids, .batch = 4, .steps = steps);
    double sum = 0;
    int n = 0;
    cn_train_mode(net, false);
    for (bool more = true; more && n < 8;) CN_SCOPE CN_NO_GRAD
        {
            cn_batch b;
            more = cn_windows_next(w, &b);
            if (more) sum += loss_on(net, &b), n++;
        }
    cn_train_mode(net, true);
    cn_windows_free(w);
    return exp(sum / n);
}

/* Returns the mean loss of the last tenth of the steps. */
static double train(cn_module *net, cn_tensor *ids, const Race *r)
{
    cn_windows *w = cn_windows_new(ids, .batch = r->batch, .steps = r->context, .random = true);
    cn_optim *adam = cn_adamw(net, .lr = r->model.width ? 4e-3 : 1e-3);
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = 0; cn_ok() && i < r->steps; i++) CN_SCOPE
        {
            cn_batch b;
            if (!cn_windows_next(w, &b) && (!cn_ok() || !cn_windows_next(w, &b))) continue;
            cn_tensor *loss = cn_cross_entropy(cn_forward(net, b.x), b.y);
            cn_optim_zero_grad(adam);
            if (cn_backward(loss)) cn_step(adam);
            if (i >= r->steps - r->steps / 10) sum += cn_item(loss), n++;
        }
    cn_optim_free(adam);
    cn_windows_free(w);
    return sum / (double)n;
}

typedef struct {
    double loss, near, far; /* training; perplexities at the context and at four times it */
} Outcome;

static Outcome compete(Lab *lab, const Corpus *c, cn_positions kind)
{
    Race r = race_of(lab_options(lab), cn_vocab_size(c->vocab));
    const int64_t all = cn_numel(c->ids), kept = all / 10;
    r.model.positions = kind;
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = cn_gpt(&r.model);
    Outcome o = { (double)NAN, (double)NAN, (double)NAN };
    if (net) {
        cn_tensor *unseen = cn_narrow(c->ids, 0, all - kept, kept);
        o.loss = train(net, cn_narrow(c->ids, 0, 0, all - kept), &r);
        o.near = perplexity(net, unseen, r.context), o.far = perplexity(net, unseen, 4 * r.context);
        lab_say(lab, "%-9s loss %.2f; perplexity %.2f, of windows four times as long %.2f",
                names[kind], o.loss, o.near, o.far);
    }
    cn_module_free(net);
    return o;
}

static void run_rotary(Lab *lab)
{
    Outcome o[KINDS];
    check_rotation(lab);
    Corpus corpus = language_characters(lab, 0);
    if (!corpus.vocab) return;
    for (int i = 0; i < KINDS; i++) o[i] = compete(lab, &corpus, (cn_positions)i);
    lab_at_most(lab, "rotary positions, loss beside none",
                o[CN_POSITIONS_ROTARY].loss / o[CN_POSITIONS_NONE].loss, 0.95);
    lab_at_most(lab, "rotary positions, perplexity beside learned ones",
                o[CN_POSITIONS_ROTARY].near / o[CN_POSITIONS_LEARNED].near, 1.05);
    lab_at_most(lab, "ALiBi, perplexity of windows four times as long",
                o[CN_POSITIONS_ALIBI].far / o[CN_POSITIONS_ALIBI].near, 1.1);
    lab_at_least(lab, "learned ones do not reach so far",
                 o[CN_POSITIONS_LEARNED].far / o[CN_POSITIONS_LEARNED].near, 1.1);
    language_corpus_free(&corpus);
}

const Experiment experiment_c10_rope = {
    .id = "C10-ROPE",
    .title = "Rotary positions, and five ways to know a position beside each other",
    .title_zh = "旋转位置编码与各种位置编码的比较",
    .section = "11.6.3",
    .settings = "context 128, 2 blocks, 128 units, 4 heads, AdamW 1e-3, 3,000 steps, batch 64",
    .published =
        "train loss learned 1.81, sinusoids 1.96, rotary 1.54, ALiBi 2.01, none 2.24; perplexity at 128: "
        "6.0, 6.9, 5.1, 7.3, 9.2; at 512: 26.1, 35.1, 69.5, 7.2, 9.5",
    .data = "timemachine",
    .trains = true,
    .run = run_rotary,
};
