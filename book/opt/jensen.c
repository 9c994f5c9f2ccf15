/* jensen.c - a mean of f is not less than f of the mean (D2L 12.2.1.3). */
#include "book/opt/traces.h"

enum { TRIALS = 2000, POINTS = 6 };

static cn_tensor *linear(cn_tensor *x)
{
    return cn_add(cn_mul(x, cn_num(-1.5)), cn_num(0.25));
}

/* mean of f(x) - f(mean of x), in each trial, with the weights alpha */
static cn_tensor *gaps(Function *f, cn_tensor *alpha, cn_tensor *x)
{
    cn_tensor *mean = cn_sum(cn_mul(alpha, x), .dim = CN_SHAPE(1)),
              *of = cn_sum(cn_mul(alpha, f(x)), .dim = CN_SHAPE(1));
    return cn_sub(of, f(mean));
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_add(cn_rand(CN_SHAPE(TRIALS, POINTS), CN_F64), cn_num(0.1));
    cn_tensor *alpha = cn_softmax(cn_mul(cn_randn(CN_SHAPE(TRIALS, POINTS), CN_F64), cn_num(2)), 1);
    cn_tensor *square = gaps(cn_square, alpha, x);
    lab_at_least(lab, "exp: the least of 2,000 differences",
                 cn_item(cn_amin(gaps(cn_exp, alpha, x))), -1e-12);
    lab_at_least(lab, "square", cn_item(cn_amin(square)), -1e-12);
    lab_at_most(lab, "log, which is concave: the largest", cn_item(cn_amax(gaps(cn_log, alpha, x))),
                1e-12);
    lab_at_most(lab, "a line: the largest, either way",
                cn_item(cn_amax(cn_abs(gaps(linear, alpha, x)))), 1e-12);
    /* Of a square the difference is the variance. */
    cn_tensor *mean = cn_sum(cn_mul(alpha, x), .dim = CN_SHAPE(1), .keepdim = true);
    cn_tensor *variance = cn_sum(cn_mul(alpha, cn_square(cn_sub(x, mean))), .dim = CN_SHAPE(1));
    lab_same(lab, "the differences of the square, and the variances", square, variance, 1e-12);
    lab_at_least(lab, "whose mean is", cn_item(cn_mean(variance)), 0.01);
}

const Experiment experiment_opt_jensen = {
    .id = "OPT-JENSEN",
    .title = "Jensen's inequality",
    .title_zh = "詹森不等式",
    .section = "12.2.1.3",
    .run = run,
};
