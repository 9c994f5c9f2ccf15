/* bahdanau.c - translation with additive attention (D2L 11.4). */
#include "models/bahdanau.h"
#include "book/c09/translation.h"
#include "book/c10/attention.h"

static void check_shapes(Lab *lab)
{
    const cn_seq2seq_options o = { .vocabulary = 10, .embedding = 8, .hidden = 16, .layers = 2 };
    cn_module *net = cn_bahdanau(&o, 10);
    cn_seq_state s;
    cn_tensor *ids = cn_zeros(CN_SHAPE(4, 7), CN_I64);
    if (net && cn_seq_begin(net, ids, NULL, &s)) {
        lab_shape(lab, "scores", cn_seq_step(net, ids, &s), CN_SHAPE(4, 7, 10));
        lab_shape(lab, "state: the encoder's outputs", s.part[0], CN_SHAPE(4, 7, 16));
        lab_shape(lab, "state: of each layer", s.part[2], CN_SHAPE(2, 4, 16));
    }
    cn_module_free(net);
}

static cn_module *trained(Lab *lab, const Translation *t, LabFit *fit)
{
    const LabOptions *o = lab_options(lab);
    const cn_seq2seq_options options = { .vocabulary = cn_vocab_size(t->pairs.source),
                                         .hidden = o->real ? 32 : 64,
                                         .dropout = o->real ? 0.1 : 0 };
    cn_module *net = cn_bahdanau(&options, cn_vocab_size(t->pairs.target));
    cn_optim *adam = cn_adam(net, .lr = 0.005);
    *fit = lab_fit(lab, net, t->pairs.data, .optim = adam, .run = cn_seq_run, .loss = cn_seq_loss,
                   .batch = 64, .clip = 1, .epochs = o->real ? (o->quick ? 30 : 250) : 70);
    cn_optim_free(adam);
    if (fit->ok) return net;
    cn_module_free(net);
    return NULL;
}

/* What the words of a translation look at: row i is the step that writes word i. */
static void draw_weights(Lab *lab, const Translation *t, cn_module *net, const char *sentence)
{
    enum { ROWS = 4, BOS = 2 };
    int64_t n = 0;
    cn_tokens *words = cn_pairs_tokenize(sentence);
    cn_tensor *ids = cn_pairs_encode(t->pairs.source, words, t->steps, &n), *rows[ROWS];
    cn_tensor *length = cn_full(CN_SHAPE(1), (double)n, CN_I64);
    cn_tensor *next = cn_full(CN_SHAPE(1, 1), BOS, CN_I64);
    cn_seq_state s;
    bool ok = cn_seq_begin(net, ids, length, &s);
    for (int i = 0; ok && i < ROWS; i++) {
        rows[i] = cn_select(cn_bahdanau_weights(cn_seq_decoder(net), &s), 0, 0);
        next = cn_argmax(cn_seq_step(net, next, &s), .dim = CN_SHAPE(-1));
        ok = rows[i] && next;
    }
    cn_tensor *map = ok ? cn_cat(rows, ROWS, 0) : NULL;
    lab_same(lab, "weights sum to 1 over the sentence without its padding",
             cn_sum(cn_narrow(map, 1, 0, n), .dim = CN_SHAPE(1)), cn_ones(CN_SHAPE(ROWS), CN_F32),
             1e-5);
    lab_figure(lab, attention_map(sentence, map));
    cn_tokens_free(words);
}

static void run(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    check_shapes(lab);
    Translation t = translation_new(lab);
    LabFit fit;
    cn_module *net = t.pairs.data ? trained(lab, &t, &fit) : NULL;
    if (net) {
        cn_train_mode(net, false);
        lab_at_most(lab, "loss of a token, of the first epoch's",
                    lab_last(&fit, fit.train_loss) / fit.train_loss[0], 0.2);
        if (!o->real)
            lab_at_least(lab, "translated without a fault", translation_right(&t, net, 0, 20), 0.8);
        else if (!o->quick) translation_check_book(lab, &t, net, &fit, 0.021, 3);
        draw_weights(lab, &t, net, o->real ? "he 's calm ." : "ninety one");
        lab_figure(lab, translation_curve(&fit));
    }
    cn_module_free(net);
    translation_free(&t);
}

const Experiment experiment_c10_bahd = {
    .id = "C10-BAHD",
    .title = "Bahdanau attention",
    .title_zh = "Bahdanau注意力",
    .section = "11.4",
    .settings =
        "embedding 32, hidden 32, 2 layers, dropout 0.1, batch 64, steps 10, lr 0.005, 250 epochs",
    .published = "(4, 7, 10); loss 0.021 (summed over 10 steps); BLEU 1, 1, 0.658, 1",
    .data = "fra-eng",
    .trains = true,
    .run = run,
};
