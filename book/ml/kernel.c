/* kernel.c - the kernel trick: products of features without the features. */
#include "book/book.h"
#include "book/ml/svm.h"

#include <math.h>

enum { RINGS = 80, CURVE = 60, FEATURES = 6 };

/* ---- a polynomial kernel and its features ------------------------------------------------------ */

/* (x . z + 1)^2 between rows. */
static cn_tensor *polynomial(cn_tensor *x, cn_tensor *z)
{
    return cn_square(cn_add(cn_mm(x, cn_t(z)), cn_num(1)));
}

/* 1, r x1, r x2, x1^2, r x1 x2, x2^2 with r = sqrt 2. */
static cn_tensor *features(cn_tensor *x)
{
    cn_tensor *one = cn_select(x, 1, 0), *two = cn_select(x, 1, 1), *r = cn_num(sqrt(2));
    cn_tensor *columns[FEATURES] = { cn_ones(CN_SHAPE(cn_size(x, 0)), CN_F64),
                                     cn_mul(one, r),
                                     cn_mul(two, r),
                                     cn_square(one),
                                     cn_mul(cn_mul(one, two), r),
                                     cn_square(two) };
    return cn_stack(columns, FEATURES, 1);
}

/* exp(-|x - z|^2 gamma) between rows. */
static cn_tensor *gaussian(cn_tensor *x, cn_tensor *z, double gamma)
{
    return cn_exp(cn_mul(cn_square(cn_cdist(x, z, 2)), cn_num(-gamma)));
}

/* ---- rings, which no line separates ------------------------------------------------------------- */

static cn_tensor *rings(double y[RINGS])
{
    double x[RINGS][2];
    for (int i = 0; i < RINGS; i++) {
        double angle = 2 * acos(-1) * cn_rng_uniform(cn_default_rng());
        double radius = (i % 2 ? 2 : 1) + 0.15 * cn_rng_normal(cn_default_rng());
        y[i] = i % 2 ? 1 : -1;
        x[i][0] = radius * cos(angle), x[i][1] = radius * sin(angle);
    }
    return cn_from(x, CN_SHAPE(RINGS, 2), CN_F64);
}

/* Trains on one set of rings by the kernel among them, and says how many of another it gets right by
   the kernel between the two. */
static double accuracy(Lab *lab, cn_tensor *among, cn_tensor *between, const double *y,
                       const double *other)
{
    double k[RINGS * RINGS], l[RINGS * RINGS];
    int right = 0;
    if (!cn_read(among, CN_F64, k, RINGS * RINGS) || !cn_read(between, CN_F64, l, RINGS * RINGS))
        return (double)NAN;
    Svm s = { .n = RINGS, .k = k, .y = y, .limit = 1 };
    lab_true(lab, "solved", svm_smo(&s, 1e-8));
    for (int i = 0; i < RINGS; i++) right += svm_score(&s, l + i * RINGS) * other[i] > 0;
    return (double)right / RINGS;
}

static void machines(Lab *lab)
{
    double y[RINGS], other[RINGS];
    cn_tensor *x = rings(y), *z = rings(other);
    lab_at_most(lab, "two rings: accuracy of a line on new points",
                accuracy(lab, cn_mm(x, cn_t(x)), cn_mm(z, cn_t(x)), y, other), 0.75);
    lab_at_least(lab, "of the polynomial kernel",
                 accuracy(lab, polynomial(x, x), polynomial(z, x), y, other), 0.95);
    lab_at_least(lab, "of the Gaussian kernel",
                 accuracy(lab, gaussian(x, x, 1), gaussian(z, x, 1), y, other), 0.95);
}

/* ---- ridge regression --------------------------------------------------------------------------- */

/* What (K + r I)^-1 y predicts by the kernel between new points and old ones. */
static cn_tensor *kernel_ridge(cn_tensor *among, cn_tensor *between, cn_tensor *y, double r)
{
    cn_tensor *ridge = cn_mul(cn_eye(cn_size(among, 0), CN_F64), cn_num(r));
    return cn_mv(between, cn_linalg_solve(cn_add(among, ridge), y));
}

static double rms(cn_tensor *a, cn_tensor *b)
{
    return sqrt(cn_item(cn_mean(cn_square(cn_sub(a, b)))));
}

/* The same regression by features: (F'F + r I)^-1 F'y. */
static void two_ways(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(40, 2), CN_F64), *z = cn_randn(CN_SHAPE(15, 2), CN_F64),
              *y = cn_randn(CN_SHAPE(40), CN_F64), *f = features(x);
    cn_tensor *normal = cn_add(cn_mm(cn_t(f), f), cn_mul(cn_eye(FEATURES, CN_F64), cn_num(0.3)));
    cn_tensor *w = cn_linalg_solve(normal, cn_mv(cn_t(f), y));
    lab_same(lab, "(x.z + 1)^2 and the product of 6 features", polynomial(z, x),
             cn_mm(features(z), cn_t(f)), 1e-11);
    lab_same(lab, "ridge regression by the kernel and by features",
             kernel_ridge(polynomial(x, x), polynomial(z, x), y, 0.3), cn_mv(features(z), w), 1e-9);
}

static void curve(Lab *lab)
{
    cn_tensor *x = cn_unsqueeze(cn_linspace(-3, 3, CURVE, CN_F64), 1), *truth = cn_sin(x);
    truth = cn_select(truth, 1, 0);
    cn_tensor *y = cn_add(truth, cn_mul(cn_randn(CN_SHAPE(CURVE), CN_F64), cn_num(0.1)));
    cn_tensor *near = gaussian(x, x, 0.5), *fit = kernel_ridge(near, near, y, 0.1);
    cn_tensor *line = cn_add(cn_mm(x, cn_t(x)), cn_num(1));
    lab_at_most(lab, "a noisy sine: error of the Gaussian kernel's fit", rms(fit, truth), 0.06);
    lab_at_least(lab, "the noise was", rms(y, truth), 0.07);
    lab_at_least(lab, "error of a line", rms(kernel_ridge(line, line, y, 0.1), truth), 0.3);
    double at[CURVE], seen[CURVE], fitted[CURVE];
    if (!cn_read(x, CN_F64, at, CURVE) || !cn_read(y, CN_F64, seen, CURVE) ||
        !cn_read(fit, CN_F64, fitted, CURVE))
        return;
    cn_figure *figure = cn_figure_new("Kernel ridge regression");
    cn_figure_scatter(figure, "examples", at, seen, CURVE);
    cn_figure_line(figure, "fit", at, fitted, CURVE);
    cn_figure_axes(figure, .xlabel = "x");
    lab_figure(lab, figure);
}

static void run(Lab *lab)
{
    two_ways(lab);
    machines(lab);
    curve(lab);
}

const Experiment experiment_ml_kernel = {
    .id = "ML-KERNEL",
    .title = "The kernel trick",
    .title_zh = "核技巧",
    .section = "12.2.3",
    .settings = "(x.z + 1)^2; Gaussian with gamma 1; C = 1",
    .run = run,
};
