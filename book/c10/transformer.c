/* transformer.c - the Transformer's parts, and its translations (D2L 11.7). */
#include "models/transformer.h"
#include "book/c10/attention.h"
#include "book/c10/translator.h"

#include <math.h>

enum { WIDTH = 24, STEPS = 100, BATCH = 2, HEADS = 8, VOCABULARY = 200 };

static const cn_transformer_settings example = {
    .vocabulary = VOCABULARY,
    .width = WIDTH,
    .feedforward = 48,
    .heads = HEADS,
    .layers = 2,
    .dropout = 0.5,
};

static cn_tensor *run_all(cn_module *m, cn_tensor *const *in, int n)
{
    cn_tensor *out[CN_MAX_IO] = { NULL };
    int room = CN_MAX_IO;
    return cn_forward_all(m, in, n, out, &room) ? out[0] : NULL;
}

static void run_parts(Lab *lab)
{
    cn_module *ffn = cn_position_wise(4, 4, 8), *norm = cn_add_norm(4, 0.5);
    cn_tensor *y = cn_forward(ffn, cn_ones(CN_SHAPE(2, 3, 4), CN_F32));
    lab_shape(lab, "PositionWiseFFN(4, 4, 8)", y, CN_SHAPE(2, 3, 8));
    lab_same(lab, "equal inputs give equal rows",
             cn_expand(cn_narrow(y, 1, 0, 1), CN_SHAPE(2, 3, 8)), y, 0);
    cn_tensor *x = cn_randn(CN_SHAPE(2, 3, 4), CN_F32), *z = cn_randn(CN_SHAPE(2, 3, 4), CN_F32);
    cn_train_mode(norm, false);
    cn_tensor *both[] = { x, z };
    lab_same(lab, "AddNorm: LayerNorm(X + Y)", run_all(norm, both, 2),
             cn_layer_norm(cn_add(x, z), CN_SHAPE(4)), 1e-6);
    cn_train_mode(norm, true);
    lab_at_least(lab, "and with dropout of Y in training",
                 cn_item(cn_amax(cn_abs(
                     cn_sub(run_all(norm, both, 2), cn_layer_norm(cn_add(x, z), CN_SHAPE(4)))))),
                 1e-3);
    cn_module_free(norm);
    cn_module_free(ffn);
}

const Experiment experiment_c10_pffn = {
    .id = "C10-PFFN C10-ADDNORM",
    .title = "Position-wise feed-forward networks, residual connections and layer normalization",
    .title_zh = "基于位置的前馈网络，残差连接和层规范化",
    .section = "11.7.2",
    .published = "(2, 3, 8), equal rows; (2, 3, 4)",
    .run = run_parts,
};

static cn_tensor *lengths_of(int64_t a, int64_t b)
{
    return cn_from((const int64_t[]){ a, b }, CN_SHAPE(BATCH), CN_I64);
}

static cn_tensor *tokens(int64_t steps)
{
    return cn_to(cn_mul(cn_rand(CN_SHAPE(BATCH, steps), CN_F32), cn_num(VOCABULARY)), CN_I64);
}

static void run_encoder(Lab *lab)
{
    cn_module *block = cn_transformer_block(&example, false);
    cn_tensor *x = cn_ones(CN_SHAPE(BATCH, STEPS, WIDTH), CN_F32);
    lab_shape(lab, "a block keeps the shape", run_all(block, (cn_tensor *[]){ x, x }, 2),
              CN_SHAPE(BATCH, STEPS, WIDTH));
    cn_module *encoder = cn_transformer_tokens_encoder(&example);
    cn_train_mode(encoder, false);
    cn_tensor *ids = tokens(STEPS), *lengths = lengths_of(3, 40);
    cn_tensor *y = run_all(encoder, (cn_tensor *[]){ ids, lengths }, 2);
    lab_shape(lab, "two layers do as well", y, CN_SHAPE(BATCH, STEPS, WIDTH));
    cn_tensor *other = cn_clone(ids);
    cn_copy_(cn_narrow(other, 1, 40, STEPS - 40), tokens(STEPS - 40));
    cn_tensor *z = run_all(encoder, (cn_tensor *[]){ other, lengths }, 2);
    lab_same(lab, "what is beyond the lengths has no influence", cn_narrow(z, 1, 0, 40),
             cn_narrow(y, 1, 0, 40), 1e-5);
    cn_module_free(encoder);
    cn_module_free(block);
}

const Experiment experiment_c10_tenc = {
    .id = "C10-TENC",
    .title = "Transformer encoder",
    .title_zh = "Transformer编码器",
    .section = "11.7.4",
    .settings = "24 units, ffn 48, 8 heads, 2 layers, dropout 0.5",
    .published = "(2, 100, 24)",
    .run = run_encoder,
};

static void run_decoder(Lab *lab)
{
    enum { SHORT = 7 };
    cn_module *net = cn_transformer_translator(&example, VOCABULARY);
    if (!net) return;
    cn_train_mode(net, false);
    cn_seq_state s, t;
    cn_tensor *source = tokens(STEPS), *lengths = lengths_of(3, 40), *ids = tokens(SHORT);
    if (!cn_seq_begin(net, source, lengths, &s)) return;
    t = s;
    cn_tensor *all = cn_seq_step(net, ids, &s);
    lab_shape(lab, "scores", all, CN_SHAPE(BATCH, SHORT, VOCABULARY));
    cn_tensor *single[SHORT];
    cn_seq_state u = t;
    for (int i = 0; i < SHORT; i++) single[i] = cn_seq_step(net, cn_narrow(ids, 1, i, 1), &u);
    lab_same(lab, "step by step with what is cached, and all at once", cn_cat(single, SHORT, 1),
             all, 1e-4);
    cn_tensor *other = cn_clone(ids);
    cn_copy_(cn_narrow(other, 1, 4, SHORT - 4), tokens(SHORT - 4));
    lab_same(lab, "later tokens do not change earlier scores",
             cn_narrow(cn_seq_step(net, other, &t), 1, 0, 4), cn_narrow(all, 1, 0, 4), 1e-5);
    cn_module_free(net);
}

const Experiment experiment_c10_tdec = {
    .id = "C10-TDEC",
    .title = "Transformer decoder",
    .title_zh = "Transformer解码器",
    .section = "11.7.5",
    .settings = "24 units, ffn 48, 8 heads, 2 layers, dropout 0.5",
    .run = run_decoder,
};

/* ---- translation ----------------------------------------------------------------------------- */

cn_module *transformer_trained(Lab *lab, const Translation *t, LabFit *fit)
{
    const LabOptions *o = lab_options(lab);
    const cn_transformer_settings s = { .vocabulary = cn_vocab_size(t->pairs.source),
                                        .dropout = o->real ? 0.1 : 0 };
    cn_module *net = cn_transformer_translator(&s, cn_vocab_size(t->pairs.target));
    cn_optim *adam = cn_adam(net, .lr = 0.005);
    *fit = lab_fit(lab, net, t->pairs.data, .optim = adam, .run = cn_seq_run, .loss = cn_seq_loss,
                   .batch = 64, .clip = 1, .epochs = o->real ? (o->quick ? 30 : 200) : 60);
    cn_optim_free(adam);
    if (fit->ok) return net;
    cn_module_free(net);
    return NULL;
}

static void run_translation(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    Translation t = translation_new(lab);
    LabFit fit;
    cn_module *net = t.pairs.data ? transformer_trained(lab, &t, &fit) : NULL;
    if (net) {
        cn_train_mode(net, false);
        lab_at_most(lab, "loss of a token, of the first epoch's",
                    lab_last(&fit, fit.train_loss) / fit.train_loss[0], 0.2);
        if (!o->real)
            lab_at_least(lab, "translated without a fault", translation_right(&t, net, 0, 20), 0.8);
        else if (!o->quick) translation_check_book(lab, &t, net, &fit, 0.030, 4);
        transformer_draw(lab, &t, net);
        lab_figure(lab, translation_curve(&fit));
    }
    cn_module_free(net);
    translation_free(&t);
}

const Experiment experiment_c10_transf = {
    .id = "C10-TRANSF C10-TVIS",
    .title = "Transformer for translation, and where its heads look",
    .title_zh = "Transformer机器翻译与注意力权重可视化",
    .section = "11.7.6",
    .settings =
        "32 units, 2 layers, ffn 64, 4 heads, dropout 0.1, batch 64, steps 10, lr 0.005, 200 epochs",
    .published = "loss 0.030 (summed over 10 steps); BLEU 1, 1, 1, 1",
    .data = "fra-eng",
    .trains = true,
    .run = run_translation,
};
