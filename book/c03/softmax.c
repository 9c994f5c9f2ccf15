/* softmax.c - scores become probabilities, and one of them the answer (D2L 4.1.1). */
#include "book/book.h"

#include <math.h>

/* exp(o) / sum exp(o): the definition. */
static cn_tensor *softmax(cn_tensor *x)
{
    cn_tensor *e = cn_exp(x);
    return cn_div(e, cn_sum(e, .dim = CN_SHAPE(1), .keepdim = true));
}

static void large_scores(Lab *lab)
{
    cn_tensor *o =
        cn_from((const float[]){ 1e4f, -1e4f, 0, -1e4f, -1e4f, -1e4f }, CN_SHAPE(2, 3), CN_F32);
    cn_tensor *finite = cn_isfinite(softmax(o));
    lab_number(lab, "scores of 1e4: finite values of six by the definition",
               cn_item(cn_sum(cn_to(finite, CN_F32))), 2, 0);
    lab_values(lab, "softmax of the library", cn_softmax(o, 1), 1e-6, 1, 0, 0, 1. / 3, 1. / 3,
               1. / 3);
    lab_values(lab, "log-sum-exp", cn_logsumexp(o, .dim = CN_SHAPE(1)), 1e-3, 1e4, -1e4 + log(3));
    lab_values(lab, "log-softmax", cn_log_softmax(o, 1), 1e-3, 0, -2e4, -1e4, -log(3), -log(3),
               -log(3));
}

/* o_y - max of the others: positive where the prediction is right, and the loss falls with it. */
static void margins(Lab *lab)
{
    cn_tensor *label = cn_from((const int64_t[]){ 1 }, CN_SHAPE(1), CN_I64);
    double last = HUGE_VAL, right = 0;
    bool falls = true, agree = true;
    for (int i = 0; i < 9; i++) {
        double margin = -2.05 + 0.5 * i;
        const double scores[] = { 0.5, 0.5 + margin, 0.2 };
        cn_tensor *o = cn_from(scores, CN_SHAPE(1, 3), CN_F64);
        double loss = cn_item(cn_cross_entropy(o, label));
        bool hit = cn_item(cn_argmax(o, .dim = CN_SHAPE(1))) == 1;
        agree = agree && hit == (margin > 0);
        falls = falls && loss < last;
        last = loss;
        right += hit;
    }
    lab_true(lab, "the prediction is right where the margin is positive", agree && right > 0);
    lab_true(lab, "the loss falls as the margin grows", falls);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(6, 5), CN_F32), *p = softmax(x);
    lab_values(lab, "rows add up to", cn_sum(p, .dim = CN_SHAPE(1)), 1e-6, 1, 1, 1, 1, 1, 1);
    lab_true(lab, "all are positive", cn_item(cn_amin(p)) > 0);
    lab_same(lab, "from scratch and the library's", p, cn_softmax(x, 1), 1e-6);
    cn_tensor *rows[6];
    for (int i = 0; i < 6; i++) rows[i] = cn_softmax(cn_select(x, 0, i), 0);
    lab_same(lab, "the batch at once and row by row", cn_softmax(x, 1), cn_stack(rows, 6, 0), 1e-7);
    large_scores(lab);

    /* The answer is the largest score: an index, through which no gradient goes. */
    cn_tensor *o = cn_requires_grad(cn_randn(CN_SHAPE(50, 10), CN_F64), true);
    cn_tensor *answer = cn_argmax(o, .dim = CN_SHAPE(1));
    lab_true(lab, "argmax is not differentiable", !cn_needs_grad(answer) && cn_needs_grad(o));
    lab_same(lab, "answers by scores and by probabilities", answer,
             cn_argmax(cn_softmax(o, 1), .dim = CN_SHAPE(1)), 0);
    lab_same(lab, "answers after 100 is added to all scores", answer,
             cn_argmax(cn_add(o, cn_num(100)), .dim = CN_SHAPE(1)), 0);
    lab_same(lab, "one-hot labels give their class back",
             cn_argmax(cn_one_hot(answer, 10), .dim = CN_SHAPE(1)), answer, 0);
    margins(lab);
}

const Experiment experiment_c03_softmax = {
    .id = "C03-SOFTMAX C03-ARGMAX",
    .title = "Softmax, one-hot labels and argmax",
    .title_zh = "softmax 运算",
    .section = "4.1.1",
    .published = "rows add up to 1.0000",
    .run = run,
};
