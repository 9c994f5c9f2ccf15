/* covsh.c - covariate shift, corrected by weights (D2L 4.7.3.1). */
#include "book/book.h"

#include <math.h>

/* 2000 steps of 0.1 on one score are 500 of 0.2 on two, whose difference it is: both move. */
enum { N = 1000, STEPS = 500 };

/* Normal around (mean, 0), with a column of ones; the label is whether x2 > 0.5 x1^2 - 1. */
static LabData sample(double mean)
{
    cn_tensor *x = cn_randn(CN_SHAPE(N, 2), CN_F32);
    cn_add_(cn_narrow(x, 1, 0, 1), cn_num(mean));
    cn_tensor *bend = cn_sub(cn_mul(cn_square(cn_select(x, 1, 0)), cn_num(0.5)), cn_num(1));
    cn_tensor *label = cn_gt(cn_select(x, 1, 1), bend);
    return (LabData){ cn_cat((cn_tensor *[]){ x, cn_ones(CN_SHAPE(N, 1), CN_F32) }, 2, 1),
                      cn_to(label, CN_I64) };
}

static cn_tensor *fit(cn_tensor *x, cn_tensor *labels, cn_tensor *weight)
{
    LabRegression r = { x, cn_to(cn_one_hot(labels, 2), CN_F32), weight, 0.2, STEPS };
    return lab_regress(&r, cn_zeros(CN_SHAPE(3, 2), CN_F32));
}

static double accuracy(const LabData *d, cn_tensor *w)
{
    return lab_correct(cn_matmul(d->x, w), d->y) / N;
}

/* A classifier h tells target (1) from source (0) examples; q(x) / p(x) = exp(h(x)). */
static cn_tensor *density_ratio(const LabData *source, const LabData *target)
{
    cn_tensor *x = cn_cat((cn_tensor *[]){ source->x, target->x }, 2, 0);
    cn_tensor *z = cn_to(cn_ge(cn_arange(0, 2 * N, 1, CN_I64), cn_num(N)), CN_I64);
    cn_tensor *o = cn_matmul(source->x, fit(x, z, NULL));
    return cn_exp(cn_sub(cn_narrow(o, 1, 1, 1), cn_narrow(o, 1, 0, 1)));
}

static void run(Lab *lab)
{
    LabData source = sample(0), target = sample(2);
    cn_tensor *beta = density_ratio(&source, &target);
    /* For these two it is known: exp(2 x1 - 2). */
    cn_tensor *x1 = cn_narrow(source.x, 1, 0, 1);
    cn_tensor *truth = cn_sub(cn_mul(x1, cn_num(2)), cn_num(2));
    cn_tensor *off = cn_sub(cn_log(beta), truth);
    lab_at_most(lab, "log q/p: root mean square error of the estimate",
                sqrt(cn_item(cn_mean(cn_square(off)))), 0.5);
    lab_number(lab, "mean weight of source examples", cn_item(cn_mean(beta)), 1, 0.4);

    cn_tensor *plain = fit(source.x, source.y, NULL), *weighted = fit(source.x, source.y, beta);
    cn_tensor *clipped = fit(source.x, source.y, cn_clamp_max(beta, cn_num(5)));
    double a = accuracy(&target, plain), b = accuracy(&target, weighted),
           c = accuracy(&target, clipped);
    lab_say(lab, "on the source: %.3f unweighted, %.3f weighted", accuracy(&source, plain),
            accuracy(&source, weighted));
    lab_at_most(lab, "accuracy on the target, unweighted", a, 0.7);
    lab_at_least(lab, "weighted", b, 0.88);
    lab_at_least(lab, "weights of at most 5", c, 0.84);
    lab_at_least(lab, "which is more by", fmin(b, c) - a, 0.2);
    lab_at_most(lab, "weights cost accuracy on the source",
                accuracy(&source, weighted) - accuracy(&source, plain), 0);
}

const Experiment experiment_c04_covsh = {
    .id = "C04-COVSH",
    .title = "Covariate shift and its correction",
    .title_zh = "协变量偏移纠正",
    .section = "4.7.3",
    .settings =
        "1000 examples N(0, I) and N([2, 0], I), label x2 > 0.5 x1^2 - 1, lr 0.1, 2000 steps",
    .published = "target accuracy 0.502 unweighted, 0.933 weighted, 0.945 clipped",
    .run = run,
};
