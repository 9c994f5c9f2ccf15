/* onehot.c - tokens as vectors: one-hot, and rows of a table (D2L 9.5.1, 15.1). */
#include "book/book.h"

static void run_onehot(Lab *lab)
{
    cn_tensor *two = cn_one_hot(cn_from((const int64_t[]){ 0, 2 }, CN_SHAPE(2), CN_I64), 28);
    cn_tensor *ids = cn_reshape(cn_arange(0, 10, 1, CN_I64), CN_SHAPE(2, 5));
    cn_tensor *x = cn_one_hot(cn_t(ids), 28);
    lab_shape(lab, "one_hot([0, 2], 28)", two, CN_SHAPE(2, 28));
    lab_values(lab, "where the ones are", cn_argmax(two, .dim = CN_SHAPE(1)), 0, 0, 2);
    lab_values(lab, "how many there are", cn_sum(two, .dim = CN_SHAPE(1)), 0, 1, 1);
    lab_shape(lab, "batch 2, steps 5: time first", x, CN_SHAPE(5, 2, 28));
    lab_same(lab, "and back", cn_argmax(x, .dim = CN_SHAPE(2)), cn_t(ids), 0);
}

const Experiment experiment_c08_onehot = {
    .id = "C08-ONEHOT",
    .title = "One-hot tokens",
    .title_zh = "独热编码",
    .section = "9.5.1",
    .published = "(5, 2, 28)",
    .run = run_onehot,
};

static void run_emb(Lab *lab)
{
    enum { ROWS = 20, WIDTH = 4 };
    cn_tensor *table = cn_requires_grad(cn_randn(CN_SHAPE(ROWS, WIDTH), CN_F32), true);
    cn_tensor *ids = cn_from((const int64_t[]){ 1, 2, 3, 4, 5, 1 }, CN_SHAPE(2, 3), CN_I64);
    cn_tensor *rows = cn_embedding(ids, table);
    cn_tensor *product = cn_matmul(cn_to(cn_one_hot(ids, ROWS), CN_F32), table);
    lab_shape(lab, "6 tokens as rows of 4", rows, CN_SHAPE(2, 3, WIDTH));
    lab_same(lab, "a row of the table, and one-hot times the table", rows, product, 0);

    cn_tensor *weights = cn_randn(CN_SHAPE(2, 3, WIDTH), CN_F32), *one[1], *other[1];
    cn_tensor *sum = cn_sum(cn_mul(rows, weights)), *same = cn_sum(cn_mul(product, weights));
    cn_grad_of(&sum, NULL, 1, &table, 1, one, NULL);
    cn_grad_of(&same, NULL, 1, &table, 1, other, NULL);
    lab_same(lab, "their gradients", one[0], other[0], 1e-6);
    cn_tensor *touched = cn_gt(cn_sum(cn_abs(one[0]), .dim = CN_SHAPE(1)), cn_num(0));
    lab_number(lab, "rows that get a gradient", cn_item(cn_sum(touched)), 5, 0);
    lab_values(lab, "which", cn_flatten(cn_nonzero(touched), 0), 0, 1, 2, 3, 4, 5);
}

const Experiment experiment_c08_emb = {
    .id = "C08-EMB",
    .title = "Embedding against one-hot",
    .title_zh = "嵌入层",
    .section = "15.1",
    .settings = "20 x 4",
    .run = run_emb,
};
