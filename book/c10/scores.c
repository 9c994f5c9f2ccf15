/* scores.c - attention pooling and its scores (D2L 11.1, 11.3). */
#include "book/c10/attention.h"

#include <math.h>

static void run_pooling(Lab *lab)
{
    lab_figure(lab, attention_map("eye(10)", cn_eye(10, CN_F32)));
    cn_tensor *q = cn_randn(CN_SHAPE(2, 3, 4), CN_F32), *k = cn_randn(CN_SHAPE(2, 5, 4), CN_F32);
    cn_tensor *v = cn_randn(CN_SHAPE(2, 5, 6), CN_F32), *w;
    cn_tensor *y = pool_values(scaled_dot_scores(q, k), v, NULL, &w);
    lab_shape(lab, "one value per query", y, CN_SHAPE(2, 3, 6));
    lab_same(lab, "weights sum to 1", cn_sum(w, .dim = CN_SHAPE(-1)),
             cn_ones(CN_SHAPE(2, 3), CN_F32), 1e-6);
    lab_same(lab, "the library's op", cn_scaled_dot_product_attention(q, k, v, NULL, false), y,
             1e-5);
}

const Experiment experiment_c10_qkv = {
    .id = "C10-QKV C10-HEATMAP",
    .title = "Queries, keys and values; heat maps",
    .title_zh = "查询、键和值；热图",
    .section = "11.1",
    .run = run_pooling,
};

static void run_bmm(Lab *lab)
{
    cn_tensor *x = cn_ones(CN_SHAPE(2, 1, 4), CN_F32), *y = cn_ones(CN_SHAPE(2, 4, 6), CN_F32);
    lab_shape(lab, "(2, 1, 4) times (2, 4, 6)", cn_bmm(x, y), CN_SHAPE(2, 1, 6));
    cn_tensor *w = cn_full(CN_SHAPE(2, 1, 10), 0.1, CN_F32);
    cn_tensor *v = cn_reshape(cn_arange(0, 20, 1, CN_F32), CN_SHAPE(2, 10, 1));
    lab_values(lab, "weights of 0.1", cn_bmm(w, v), 1e-5, 4.5, 14.5);
}

const Experiment experiment_c10_bmm = {
    .id = "C10-BMM",
    .title = "Batch matrix multiplication",
    .title_zh = "批量矩阵乘法",
    .section = "11.3.2.2",
    .published = "[[[4.5]], [[14.5]]]",
    .run = run_bmm,
};

/* The book's example: equal keys, so that the weights depend on the lengths alone. */
static cn_tensor *example_values(void)
{
    cn_tensor *v = cn_reshape(cn_arange(0, 40, 1, CN_F32), CN_SHAPE(1, 10, 4));
    return cn_expand(v, CN_SHAPE(2, 10, 4));
}

static cn_tensor *lengths(int64_t first, int64_t second)
{
    return cn_from((const int64_t[]){ first, second }, CN_SHAPE(2), CN_I64);
}

static void example(Lab *lab, const char *what, cn_tensor *scores)
{
    lab_values(lab, what, pool_values(scores, example_values(), lengths(2, 6), NULL), 1e-4, 2, 3, 4,
               5, 10, 11, 12, 13);
}

static void run_masked(Lab *lab)
{
    cn_tensor *x = cn_rand(CN_SHAPE(2, 2, 4), CN_F32);
    cn_tensor *w = masked_softmax(x, lengths(2, 3));
    lab_values(lab, "beyond 2 and 3 keys", cn_narrow(w, 2, 3, 1), 0, 0, 0, 0, 0);
    lab_values(lab, "the third key of the first", cn_narrow(cn_narrow(w, 2, 2, 1), 0, 0, 1), 0, 0,
               0);
    lab_same(lab, "rows sum to 1", cn_sum(w, .dim = CN_SHAPE(-1)), cn_ones(CN_SHAPE(2, 2), CN_F32),
             1e-6);
    cn_tensor *each = cn_from((const int64_t[]){ 1, 3, 2, 4 }, CN_SHAPE(2, 2), CN_I64);
    w = masked_softmax(x, each);
    cn_tensor *kept = cn_sum(cn_gt(w, cn_num(0)), .dim = CN_SHAPE(-1));
    lab_same(lab, "lengths of each query", kept, each, 0);
    w = masked_softmax(x, lengths(0, 4));
    lab_same(lab, "no key at all: zeros", cn_select(w, 0, 0), cn_zeros(CN_SHAPE(2, 4), CN_F32), 0);
}

const Experiment experiment_c10_masksm = {
    .id = "C10-MASKSM",
    .title = "Masked softmax",
    .title_zh = "掩蔽softmax操作",
    .section = "11.3.2.1",
    .run = run_masked,
};

static double variance(cn_tensor *t)
{
    return cn_item(cn_var(t));
}

static void run_dot(Lab *lab)
{
    cn_tensor *q = cn_randn(CN_SHAPE(2, 1, 2), CN_F32), *k = cn_ones(CN_SHAPE(2, 10, 2), CN_F32);
    example(lab, "scaled dot product", scaled_dot_scores(q, k));
    example(lab, "dot product", dot_scores(q, k));
    for (int64_t d = 8; d <= 512; d *= 8) {
        cn_tensor *a = cn_randn(CN_SHAPE(1, 64, d), CN_F32),
                  *b = cn_randn(CN_SHAPE(1, 64, d), CN_F32);
        lab_number(lab, "variance of scaled scores", variance(scaled_dot_scores(a, b)), 1, 0.2);
        lab_number(lab, "of those without scale, for each element of a key",
                   variance(dot_scores(a, b)) / (double)d, 1, 0.2);
        lab_same(lab, "they differ by the root of the width",
                 cn_mul(scaled_dot_scores(a, b), cn_num(sqrt((double)d))), dot_scores(a, b), 1e-3);
    }
}

const Experiment experiment_c10_sdot = {
    .id = "C10-SSDOT C10-SDOT",
    .title = "Dot product scores, with and without scale",
    .title_zh = "（缩放）点积注意力",
    .section = "11.3.3",
    .published = "[[[2, 3, 4, 5]], [[10, 11, 12, 13]]]",
    .run = run_dot,
};

static void run_additive(Lab *lab)
{
    Additive a = additive_new(8);
    cn_tensor *q = cn_randn(CN_SHAPE(2, 1, 20), CN_F32), *k = cn_ones(CN_SHAPE(2, 10, 2), CN_F32);
    cn_tensor *w;
    example(lab, "queries of 20, keys of 2", additive_scores(&a, q, k));
    pool_values(additive_scores(&a, q, k), example_values(), lengths(2, 6), &w);
    lab_figure(lab, attention_map("additive attention", cn_squeeze(w, CN_SHAPE(1))));
    k = cn_randn(CN_SHAPE(2, 10, 2), CN_F32);
    cn_tensor *one = additive_scores(&a, q, cn_narrow(k, 1, 3, 1));
    lab_same(lab, "a score depends on its own key", cn_narrow(additive_scores(&a, q, k), 2, 3, 1),
             one, 1e-6);
    additive_free(&a);
}

const Experiment experiment_c10_sadd = {
    .id = "C10-SADD",
    .title = "Additive attention",
    .title_zh = "加性注意力",
    .section = "11.3.4",
    .settings = "query 20, key 2, hidden 8",
    .published = "[[[2, 3, 4, 5]], [[10, 11, 12, 13]]]",
    .run = run_additive,
};

static void run_others(Lab *lab)
{
    cn_tensor *q = cn_randn(CN_SHAPE(2, 3, 4), CN_F32), *k = cn_randn(CN_SHAPE(2, 10, 4), CN_F32);
    example(lab, "cosine",
            cosine_scores(cn_narrow(q, 1, 0, 1), cn_ones(CN_SHAPE(2, 10, 4), CN_F32)));
    lab_same(lab, "cosine: the lengths of q and k do not matter",
             cosine_scores(cn_mul(q, cn_num(7)), cn_mul(k, cn_num(0.2))), cosine_scores(q, k),
             1e-5);
    example(lab, "Gaussian",
            gaussian_scores(cn_narrow(q, 1, 0, 1), cn_ones(CN_SHAPE(2, 10, 4), CN_F32), cn_num(1)));
    cn_tensor *u = cn_mul(q, cn_num(0)), *keys = cn_sum(cn_mul(k, k), .dim = CN_SHAPE(-1));
    lab_same(lab, "Gaussian: -|k|^2 / 2 for q = 0",
             cn_narrow(gaussian_scores(u, k, cn_num(1)), 1, 0, 1),
             cn_unsqueeze(cn_mul(keys, cn_num(-0.5)), 1), 1e-5);
    /* -|q - k|^2 / 2 = q.k - |q|^2 / 2 - |k|^2 / 2, and softmax does not see what is the same for all keys */
    lab_same(lab, "and its weights are those of q.k - |k|^2 / 2",
             cn_softmax(gaussian_scores(q, k, cn_num(1)), -1),
             cn_softmax(cn_sub(dot_scores(q, k), cn_unsqueeze(cn_mul(keys, cn_num(0.5)), 1)), -1),
             1e-5);
}

const Experiment experiment_c10_scos = {
    .id = "C10-SCOS C10-SGAUSS",
    .title = "Cosine and Gaussian scores",
    .title_zh = "余弦与高斯评分函数",
    .section = "11.3",
    .run = run_others,
};

static void run_dropout(Lab *lab)
{
    enum { KEYS = 64, QUERIES = 400 };
    cn_tensor *w = cn_softmax(cn_randn(CN_SHAPE(QUERIES, KEYS), CN_F32), -1);
    cn_rng rng = cn_rng_make(3, 0);
    cn_tensor *dropped = cn_dropout(w, 0.5, &rng);
    lab_number(lab, "half of the weights are 0",
               cn_item(cn_mean(cn_to(cn_eq(dropped, cn_num(0)), CN_F32))), 0.5, 0.02);
    lab_number(lab, "a row still sums to 1 on average",
               cn_item(cn_mean(cn_sum(dropped, .dim = CN_SHAPE(-1)))), 1, 0.02);
    cn_module *m = cn_attention_layer(8, 2, .dropout = 0.5, .batch_first = true);
    cn_tensor *x = cn_randn(CN_SHAPE(1, 6, 8), CN_F32);
    cn_tensor *one = cn_attention(m, x, x, x), *two = cn_attention(m, x, x, x);
    lab_at_least(lab, "in training two passes differ", cn_item(cn_amax(cn_abs(cn_sub(one, two)))),
                 1e-3);
    cn_train_mode(m, false);
    lab_same(lab, "in evaluation they do not", cn_attention(m, x, x, x), cn_attention(m, x, x, x),
             0);
    cn_module_free(m);
}

const Experiment experiment_c10_attdrop = {
    .id = "C10-ATTDROP",
    .title = "Dropout on attention weights",
    .title_zh = "注意力权重的暂退法",
    .section = "11.3.3",
    .run = run_dropout,
};
