/* seq2seq.c - sequence to sequence learning (D2L 10.7): the book's network, an encoder that reads both ways,
   teacher forcing. */
#include "book/c09/translation.h"

#include <stdlib.h>
#include <string.h>

/* The shapes that the book prints. */
static void check_shapes(Lab *lab)
{
    const cn_seq2seq_options o = { .vocabulary = 10, .embedding = 8, .hidden = 16, .layers = 2 };
    cn_module *net = cn_seq2seq(&o, 10);
    cn_tensor *x = cn_zeros(CN_SHAPE(4, 7), CN_I64), *encoded[2] = { NULL };
    int n = 2;
    cn_forward_all(cn_seq_encoder(net), &x, 1, encoded, &n);
    lab_shape(lab, "outputs of the encoder", encoded[0], CN_SHAPE(7, 4, 16));
    lab_shape(lab, "its state", encoded[1], CN_SHAPE(2, 4, 16));
    cn_seq_state state;
    cn_seq_begin(net, x, NULL, &state);
    lab_shape(lab, "outputs of the decoder", cn_seq_step(net, x, &state), CN_SHAPE(4, 7, 10));
    lab_shape(lab, "its state", state.part[0], CN_SHAPE(2, 4, 16));
    cn_module_free(net);
}

static void check_numbers(Lab *lab, const Translation *t, cn_module *net)
{
    bool quick = lab_options(lab)->quick;
    int64_t n = quick ? 40 : 200;
    char *ours = translation_of(t, net, "eighty one", 1);
    lab_say(lab, "eighty one => %s", ours ? ours : "");
    cn_text_free(ours);
    lab_at_least(lab, "numbers of the training without a fault", translation_right(t, net, 0, n),
                 quick ? 0.9 : 0.98);
    lab_at_least(lab, "numbers that it never saw", translation_right(t, net, t->used, n),
                 quick ? 0.4 : 0.9);
}

static void train_and_check(Lab *lab, bool bidirectional)
{
    const LabOptions *o = lab_options(lab);
    Translation t = translation_new(lab);
    LabFit fit = { 0 };
    cn_module *net = t.pairs.data ? translation_train(lab, &t, bidirectional, &fit) : NULL;
    if (net && o->real && !o->quick) {
        translation_check_book(lab, &t, net, &fit, 0.019, 2);
    } else if (net && o->real) {
        lab_at_most(lab, "loss of a token, of 5.3 at first", lab_last(&fit, fit.train_loss), 1.5);
    } else if (net) {
        check_numbers(lab, &t, net);
    }
    if (net) lab_figure(lab, translation_curve(&fit));
    cn_module_free(net);
    translation_free(&t);
}

static void run_s2s(Lab *lab)
{
    check_shapes(lab);
    train_and_check(lab, false);
}

const Experiment experiment_c09_s2s = {
    .id = "C09-S2S",
    .title = "Sequence to sequence learning",
    .title_zh = "序列到序列学习",
    .section = "10.7",
    .settings = "embedding 32, GRU 2 x 32, dropout 0.1, batch 64, 10 steps, Adam lr 0.005, clip 1, "
                "300 epochs",
    .published = "loss 0.019; BLEU 1.000, 1.000, 0.658, 0.447",
    .data = "fra-eng",
    .trains = true,
    .run = run_s2s,
};

/* ---- an encoder that reads both ways ----------------------------------------------------------- */

static void run_bienc(Lab *lab)
{
    const cn_seq2seq_options o = { .vocabulary = 10, .bidirectional = true };
    cn_module *net = cn_seq2seq(&o, 12);
    cn_tensor *x = cn_zeros(CN_SHAPE(4, 7), CN_I64), *encoded[2] = { NULL };
    int n = 2;
    cn_forward_all(cn_seq_encoder(net), &x, 1, encoded, &n);
    lab_shape(lab, "outputs of both ways", encoded[0], CN_SHAPE(7, 4, 64));
    lab_shape(lab, "the state, merged to the decoder's size", encoded[1], CN_SHAPE(2, 4, 32));
    cn_module_free(net);
    cn_module_free(cn_seq2seq_decoder(&o));
    lab_refused(lab, "a decoder of both ways is refused", "bidirectional");
    train_and_check(lab, true);
}

const Experiment experiment_c09_bienc = {
    .id = "C09-BIENC",
    .title = "A bidirectional encoder in seq2seq",
    .title_zh = "双向编码器的序列到序列学习",
    .section = "10.7",
    .settings = "as seq2seq",
    .data = "fra-eng",
    .trains = true,
    .run = run_bienc,
};

/* ---- teacher forcing --------------------------------------------------------------------------- */

/* The scores of all steps at once, and of one step after the other with the same tokens. */
static void check_steps(Lab *lab, cn_module *net, cn_tensor *x, cn_tensor *forced)
{
    enum { STEPS = 6 };
    cn_tensor *each[STEPS];
    cn_seq_state state;
    cn_train_mode(net, false);
    cn_seq_begin(net, x, NULL, &state);
    for (int i = 0; i < STEPS; i++) each[i] = cn_seq_step(net, cn_narrow(forced, 1, i, 1), &state);
    lab_same(lab, "all steps at once, and one by one", cn_seq_scores(net, x, NULL, forced),
             cn_cat(each, STEPS, 1), 1e-5);
}

static void run_teacher(Lab *lab)
{
    cn_tensor *target = cn_from((const int64_t[]){ 7, 5, 9, 6, 3, 1 }, CN_SHAPE(1, 6), CN_I64);
    cn_tensor *forced = cn_seq_shifted(target, 2);
    lab_values(lab, "what the decoder reads: <bos> and the target without its end", forced, 0, 2, 7,
               5, 9, 6, 3);
    cn_module *net =
        cn_seq2seq(&(cn_seq2seq_options){ .vocabulary = 10, .embedding = 8, .hidden = 16 }, 10);
    check_steps(lab, net, cn_randint(0, 10, CN_SHAPE(1, 7)), forced);
    cn_module_free(net);

    Translation t = translation_new(lab);
    LabFit fit = { 0 };
    net = t.pairs.data ? translation_train(lab, &t, false, &fit) : NULL;
    char *source = NULL, *target_text = NULL;
    if (net && translation_line(&t, 0, &source, &target_text)) {
        char *ours = translation_of(&t, net, source, 1);
        lab_say(lab, "%s => %s", source, ours ? ours : "");
        lab_true(lab, "fed with its own words it stops at <eos>, which is not a word of the text",
                 ours && *ours && !strstr(ours, "<eos>") && !strstr(ours, "<pad>"));
        cn_text_free(ours);
    }
    free(source);
    free(target_text);
    cn_module_free(net);
    translation_free(&t);
}

const Experiment experiment_c09_teacher = {
    .id = "C09-TEACHER",
    .title = "Teacher forcing, and feeding back what was predicted",
    .title_zh = "强制教学与自由运行",
    .section = "10.7.2",
    .data = "fra-eng",
    .trains = true,
    .run = run_teacher,
};
