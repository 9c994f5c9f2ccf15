/* labsh.c - label shift, corrected by the confusion matrix (D2L 4.7.3.2). */
#include "book/book.h"

enum { N = 10000, CLASSES = 3 };

/* Normal around one of three corners; class y with probability p[y]. */
static LabData sample(const double *p)
{
    const double corners[] = { 0, 0, 1.5, 0, 0, 1.5 };
    cn_tensor *y = cn_multinomial(cn_to(cn_from(p, CN_SHAPE(CLASSES), CN_F64), CN_F32), N, true);
    cn_tensor *centres = cn_to(cn_from(corners, CN_SHAPE(CLASSES, 2), CN_F64), CN_F32);
    cn_tensor *x = cn_add(cn_index_select(centres, 0, y), cn_randn(CN_SHAPE(N, 2), CN_F32));
    return (LabData){ cn_cat((cn_tensor *[]){ x, cn_ones(CN_SHAPE(N, 1), CN_F32) }, 2, 1), y };
}

static cn_tensor *one_hot(cn_tensor *labels)
{
    return cn_to(cn_one_hot(labels, CLASSES), CN_F32);
}

static cn_tensor *fit(const LabData *d, cn_tensor *weight)
{
    LabRegression r = { d->x, one_hot(d->y), weight, 0.5, 200 };
    return lab_regress(&r, cn_zeros(CN_SHAPE(3, CLASSES), CN_F32));
}

static cn_tensor *predictions(const LabData *d, cn_tensor *w)
{
    return one_hot(cn_argmax(cn_matmul(d->x, w), .dim = CN_SHAPE(1)));
}

/* C[i][j]: how much of class j is taken for i, on data that were not trained on. */
static cn_tensor *confusion(const LabData *d, cn_tensor *w)
{
    cn_tensor *y = one_hot(d->y);
    cn_tensor *counts = cn_matmul(cn_t(predictions(d, w)), y);
    return cn_div(counts, cn_sum(y, .dim = CN_SHAPE(0)));
}

static double accuracy(const LabData *d, cn_tensor *w)
{
    return lab_correct(cn_matmul(d->x, w), d->y) / N;
}

static void run(Lab *lab)
{
    static const double p[] = { 1. / 3, 1. / 3, 1. / 3 }, q[] = { 0.8, 0.05, 0.15 };
    LabData train = sample(p), valid = sample(p), target = sample(q);
    cn_tensor *plain = fit(&train, NULL);

    /* C q = mu, the mean of what it says about target examples, whose labels nobody knows. */
    cn_tensor *c = confusion(&valid, plain);
    cn_tensor *mu = cn_mean(predictions(&target, plain), .dim = CN_SHAPE(0));
    cn_tensor *estimate = cn_linalg_solve(c, mu);
    lab_values(lab, "columns of the confusion matrix add up to", cn_sum(c, .dim = CN_SHAPE(0)),
               1e-5, 1, 1, 1);
    lab_values(lab, "q(y), estimated", estimate, 0.05, 0.8, 0.05, 0.15);
    lab_at_least(lab, "without the correction the first class would be underestimated by",
                 q[0] - cn_at(mu, CN_SHAPE(0)), 0.1);

    cn_tensor *ratio = cn_mul(cn_clamp_min(estimate, cn_num(0)), cn_num(CLASSES));
    cn_tensor *beta = cn_unsqueeze(cn_index_select(ratio, 0, train.y), 1);
    cn_tensor *weighted = fit(&train, beta);
    double before = accuracy(&target, plain), after = accuracy(&target, weighted);
    LabData fresh = sample(q);
    lab_at_least(lab, "accuracy on the target, unweighted", before, 0.55);
    lab_at_least(lab, "gain of the weights q(y) / p(y)", after - before, 0.03);
    lab_number(lab, "accuracy, against training on labels of the target",
               after / accuracy(&target, fit(&fresh, NULL)), 1, 0.02);
}

const Experiment experiment_c04_labsh = {
    .id = "C04-LABSH",
    .title = "Label shift and its correction",
    .title_zh = "标签偏移纠正",
    .section = "4.7.3",
    .run = run,
};
