/* visual.c - attention weights of a trained Transformer (D2L 11.7.6). */
#include "book/c10/attention.h"
#include "book/c10/translator.h"
#include "models/transformer.h"

#include <stdio.h>

enum { LAYERS = 2, HEADS = 4, BOS = 2, TARGET_STEPS = 6 };

static cn_tensor *call(cn_module *m, cn_tensor *const *in, int n)
{
    cn_tensor *out[CN_MAX_IO] = { NULL };
    int room = CN_MAX_IO;
    return cn_forward_all(m, in, n, out, &room) ? out[0] : NULL;
}

static cn_module *layer_of(cn_module *net, const char *half, int layer)
{
    char path[48];
    snprintf(path, sizeof path, "%s.block%d", half, layer);
    return cn_module_at(net, path);
}

/* All heads of one layer, (1, heads, queries, keys). */
static void show(Lab *lab, const char *what, int layer, cn_tensor *w, int64_t queries, int64_t keys)
{
    char title[64];
    snprintf(title, sizeof title, "%s, layer %d", what, layer + 1);
    lab_shape(lab, title, w, CN_SHAPE(1, HEADS, queries, keys));
    cn_tensor *sums = cn_detach(cn_sum(w, .dim = CN_SHAPE(-1)));
    lab_same(lab, "what a query pays attention to sums to 1", sums,
             cn_ones(CN_SHAPE(1, HEADS, queries), CN_F32), 1e-5);
    cn_tensor *head[HEADS];
    for (int h = 0; h < HEADS; h++) head[h] = cn_select(cn_select(w, 0, 0), 0, h);
    lab_figure(lab, attention_map(title, cn_cat(head, HEADS, 1)));
}

static void nothing_hidden_counts(Lab *lab, const char *what, cn_tensor *w, cn_tensor *hidden)
{
    cn_tensor *there = cn_masked_fill(cn_detach(w), cn_logical_not(hidden), cn_num(0));
    lab_at_most(lab, what, cn_item(cn_amax(there)), 0);
}

/* Layer by layer, as the encoder itself goes. */
static void show_encoder(Lab *lab, cn_module *net, cn_tensor *ids, cn_tensor *hidden)
{
    const int64_t steps = cn_size(ids, 1), width = 32;
    cn_tensor *x = cn_forward(cn_module_at(net, "encoder.embedding"), ids);
    x = cn_add(cn_mul(x, cn_sqrt(cn_num((double)width))), cn_sinusoids(0, steps, width));
    for (int i = 0; i < LAYERS; i++) {
        cn_module *block = layer_of(net, "encoder", i);
        cn_tensor *w = cn_transformer_weights(block, "attention", x, x, NULL, hidden);
        show(lab, "encoder", i, w, steps, steps);
        nothing_hidden_counts(lab, "weight on padding", w, hidden);
        x = call(block, (cn_tensor *[6]){ x, x, NULL, hidden }, 6);
    }
}

/* What the block's attention to the memory gets as queries. */
static cn_tensor *asked(cn_module *block, cn_tensor *x, cn_tensor *future)
{
    cn_tensor *y = cn_attention(cn_module_at(block, "attention"), x, x, x, .attn_mask = future);
    return call(cn_module_at(block, "addnorm1"), (cn_tensor *[]){ x, y }, 2);
}

static void show_decoder(Lab *lab, cn_module *net, const cn_seq_state *s)
{
    cn_tensor *memory = s->part[0], *hidden = s->part[1];
    cn_tensor *step = cn_arange(0, TARGET_STEPS, 1, CN_I64),
              *future = cn_gt(step, cn_unsqueeze(step, -1));
    for (int i = 0; i < LAYERS; i++) {
        cn_module *block = layer_of(net, "decoder", i);
        cn_tensor *x = s->part[2 + i];
        cn_tensor *w = cn_transformer_weights(block, "attention", x, x, future, NULL);
        show(lab, "decoder", i, w, TARGET_STEPS, TARGET_STEPS);
        nothing_hidden_counts(lab, "weight on later steps", w, future);
        w = cn_transformer_weights(block, "cross", asked(block, x, future), memory, NULL, hidden);
        show(lab, "decoder to encoder", i, w, TARGET_STEPS, cn_size(memory, 1));
        nothing_hidden_counts(lab, "weight on padding", w, hidden);
    }
}

/* The network's own translation, so many steps of it. */
static cn_tensor *target_of(const Translation *t, cn_module *net, const char *sentence)
{
    int64_t n = 0, id[TARGET_STEPS] = { BOS };
    char *text = translation_of(t, net, sentence, 1);
    cn_tokens *words = text ? cn_pairs_tokenize(text) : NULL;
    cn_tensor *ids = words ? cn_pairs_encode(t->pairs.target, words, TARGET_STEPS, &n) : NULL;
    const int64_t *p = ids ? cn_data(ids) : NULL;
    for (int i = 1; p && i < TARGET_STEPS; i++) id[i] = p[i - 1];
    cn_tokens_free(words);
    cn_text_free(text);
    return p ? cn_from(id, CN_SHAPE(1, TARGET_STEPS), CN_I64) : NULL;
}

void transformer_draw(Lab *lab, const Translation *t, cn_module *net)
{
    const char *sentence = lab_options(lab)->real ? "i 'm home ." : "ninety one";
    int64_t n = 0;
    cn_seq_state s;
    cn_tokens *words = cn_pairs_tokenize(sentence);
    cn_tensor *ids = cn_pairs_encode(t->pairs.source, words, t->steps, &n);
    cn_tensor *lengths = cn_from(&n, CN_SHAPE(1), CN_I64), *target = target_of(t, net, sentence);
    cn_tokens_free(words);
    if (!target || !cn_seq_begin(net, ids, lengths, &s) || !cn_seq_step(net, target, &s)) {
        lab_true(lab, "the sentence is translated", false);
        return;
    }
    show_encoder(lab, net, ids, s.part[1]);
    show_decoder(lab, net, &s);
}
