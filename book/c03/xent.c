/* xent.c - cross-entropy and its derivative (D2L 4.1.2, 4.4.3). */
#include "book/book.h"

/* -log of the probability of the label. */
static cn_tensor *cross_entropy(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_neg(cn_log(cn_squeeze(cn_gather(y_hat, 1, cn_unsqueeze(y, 1)), CN_SHAPE(1))));
}

static cn_tensor *gradient(cn_tensor *loss, cn_tensor *by)
{
    cn_tensor *g = NULL;
    return cn_grad_of(&loss, NULL, 1, &by, 1, &g, NULL) ? g : NULL;
}

static void of_two_classes(Lab *lab)
{
    cn_tensor *y = cn_from((const double[]){ 0, 1, 1, 0, 0.3 }, CN_SHAPE(5), CN_F64);
    cn_tensor *o = cn_requires_grad(cn_randn(CN_SHAPE(5), CN_F64), true);
    cn_tensor *p = cn_requires_grad(cn_detach(cn_sigmoid(o)), true);
    cn_tensor *ones = cn_ones(CN_SHAPE(5), CN_F64);
    cn_tensor *by_hand =
        cn_neg(cn_add(cn_mul(y, cn_log(p)), cn_mul(cn_sub(ones, y), cn_log(cn_sub(ones, p)))));
    lab_same(lab, "binary: by hand and the library's", cn_detach(by_hand),
             cn_detach(cn_binary_cross_entropy(p, y, .reduction = CN_REDUCE_NONE)), 1e-12);
    cn_tensor *formula = cn_div(cn_sub(p, y), cn_mul(p, cn_sub(ones, p)));
    lab_same(lab, "binary: the derivative by p and (p - y) / (p (1 - p))",
             gradient(cn_binary_cross_entropy(p, y, .reduction = CN_REDUCE_SUM), p),
             cn_detach(formula), 1e-9);
    cn_tensor *scores = cn_binary_cross_entropy_with_logits(o, y, .reduction = CN_REDUCE_SUM);
    lab_same(lab, "binary: the derivative by the score and p - y", gradient(scores, o),
             cn_detach(cn_sub(p, y)), 1e-12);
}

static void run(Lab *lab)
{
    cn_tensor *y = cn_from((const int64_t[]){ 0, 2 }, CN_SHAPE(2), CN_I64);
    cn_tensor *y_hat =
        cn_from((const float[]){ 0.1f, 0.3f, 0.6f, 0.3f, 0.2f, 0.5f }, CN_SHAPE(2, 3), CN_F32);
    lab_values(lab, "y_hat[[0, 1], y]",
               cn_squeeze(cn_gather(y_hat, 1, cn_unsqueeze(y, 1)), CN_SHAPE(1)), 1e-6, 0.1, 0.5);
    lab_values(lab, "cross_entropy(y_hat, y)", cross_entropy(y_hat, y), 5e-5, 2.3026, 0.6931);
    lab_same(lab, "the library, from scores log y_hat",
             cn_cross_entropy(cn_log(y_hat), y, .reduction = CN_REDUCE_NONE),
             cross_entropy(y_hat, y), 1e-6);

    cn_tensor *o = cn_requires_grad(cn_randn(CN_SHAPE(7, 4), CN_F64), true);
    cn_tensor *labels = cn_randint(0, 4, CN_SHAPE(7));
    cn_tensor *formula = cn_sub(cn_softmax(cn_detach(o), 1), cn_one_hot(labels, 4));
    lab_same(lab, "the derivative by the scores and softmax - onehot",
             gradient(cn_cross_entropy(o, labels, .reduction = CN_REDUCE_SUM), o), formula, 1e-12);
    lab_same(lab, "the same through the formulas by hand",
             gradient(cn_sum(cross_entropy(cn_softmax(o, 1), labels)), o), formula, 1e-12);
    of_two_classes(lab);
}

const Experiment experiment_c03_xent = {
    .id = "C03-XENT",
    .title = "Cross-entropy and its derivative",
    .title_zh = "交叉熵损失",
    .section = "4.1.2",
    .published = "[2.3026, 0.6931]; softmax(o) - y",
    .run = run,
};
