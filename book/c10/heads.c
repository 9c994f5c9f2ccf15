/* heads.c - learned projections, many heads, self-attention (D2L 11.5, 11.6). */
#include "book/c10/attention.h"

#include <math.h>

enum { WIDTH = 100, HEADS = 5, BATCH = 2, QUERIES = 4, KEYS = 6 };

static cn_tensor *weight_part(cn_module *m, const char *name, int64_t start, int64_t n)
{
    return cn_narrow(cn_detach(cn_module_slot(m, name)), 0, start, n);
}

/* Head by head, each with its own rows of the matrices. */
static cn_tensor *by_loop(cn_module *m, cn_tensor *q, cn_tensor *kv, cn_tensor *lengths)
{
    cn_tensor *heads[HEADS];
    for (int h = 0; h < HEADS; h++) {
        cn_tensor *x[3];
        for (int i = 0; i < 3; i++) {
            int64_t start = i * WIDTH + h * (WIDTH / HEADS);
            x[i] =
                cn_linear(i ? kv : q, weight_part(m, "in_proj_weight", start, WIDTH / HEADS), NULL);
        }
        heads[h] = pool_values(scaled_dot_scores(x[0], x[1]), x[2], lengths, NULL);
    }
    return cn_forward(cn_module_at(m, "out_proj"), cn_cat(heads, HEADS, -1));
}

static void run_heads(Lab *lab)
{
    cn_module *m = cn_attention_layer(WIDTH, HEADS, .batch_first = true, .no_bias = true);
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, QUERIES, WIDTH), CN_F32),
              *y = cn_randn(CN_SHAPE(BATCH, KEYS, WIDTH), CN_F32), *weights = NULL;
    cn_tensor *lengths = cn_from((const int64_t[]){ 3, 2 }, CN_SHAPE(BATCH), CN_I64);
    cn_tensor *hidden =
        cn_ge(cn_arange(0, KEYS, 1, CN_I64), cn_unsqueeze(lengths, -1)); /* (batch, keys) */
    cn_tensor *out = cn_attention(m, x, y, y, .key_padding_mask = hidden);
    lab_shape(lab, "MultiHeadAttention(100, 5)", out, CN_SHAPE(BATCH, QUERIES, WIDTH));
    lab_same(lab, "each head by itself", out, by_loop(m, x, y, lengths), 1e-5);
    lab_same(
        lab, "asking for the weights changes nothing",
        cn_attention(m, x, y, y, .key_padding_mask = hidden, .weights = &weights, .per_head = true),
        out, 1e-5);
    lab_shape(lab, "weights of each head", weights, CN_SHAPE(BATCH, HEADS, QUERIES, KEYS));
    cn_module_free(m);
}

const Experiment experiment_c10_mha = {
    .id = "C10-MHA",
    .title = "Multi-head attention",
    .title_zh = "多头注意力",
    .section = "11.5",
    .settings = "100 units, 5 heads",
    .published = "(2, 4, 100)",
    .run = run_heads,
};

static void run_projections(Lab *lab)
{
    enum { SIZE = 6 };
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, QUERIES, SIZE), CN_F32), *w[3], *p[3];
    for (int i = 0; i < 3; i++) {
        w[i] = cn_requires_grad(cn_eye(SIZE, CN_F32), true);
        p[i] = cn_matmul(x, w[i]);
    }
    cn_tensor *y = pool_values(scaled_dot_scores(p[0], p[1]), p[2], NULL, NULL);
    lab_same(lab, "identity matrices: scaled dot product", y,
             cn_scaled_dot_product_attention(x, x, x, NULL, false), 1e-5);
    if (cn_backward(cn_sum(cn_mul(y, cn_randn(CN_SHAPE(BATCH, QUERIES, SIZE), CN_F32)))))
        for (int i = 0; i < 3; i++)
            lab_at_least(lab, "the gradient reaches the matrix of query, key and value",
                         cn_item(cn_amax(cn_abs(cn_grad(w[i])))), 1e-3);
}

const Experiment experiment_c10_qkvproj = {
    .id = "C10-QKVPROJ",
    .title = "Attention pooling with learned projections",
    .title_zh = "带可学习投影的注意力汇聚",
    .section = "11.5",
    .run = run_projections,
};

static void run_self(Lab *lab)
{
    cn_module *m = cn_attention_layer(WIDTH, HEADS, .batch_first = true, .no_bias = true);
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, QUERIES, WIDTH), CN_F32);
    cn_tensor *y = cn_attention(m, x, x, x);
    lab_shape(lab, "self-attention keeps the shape", y, CN_SHAPE(BATCH, QUERIES, WIDTH));
    cn_tensor *order = cn_from((const int64_t[]){ 2, 0, 3, 1 }, CN_SHAPE(QUERIES), CN_I64);
    cn_tensor *mixed = cn_index_select(x, 1, order);
    lab_same(lab, "permuted steps give permuted results", cn_attention(m, mixed, mixed, mixed),
             cn_index_select(y, 1, order), 1e-6);
    cn_module_free(m);
}

const Experiment experiment_c10_self = {
    .id = "C10-SELF",
    .title = "Self-attention",
    .title_zh = "自注意力",
    .section = "11.6.1",
    .settings = "100 units, 5 heads",
    .published = "(2, 4, 100)",
    .run = run_self,
};
