/* hardcon.c - a bound on the weights instead of a penalty (D2L 3.7, lecture 12). */
#include "book/book.h"

#include <math.h>

enum { N = 100, D = 10, BATCH = 10, LAMBDAS = 3, STEPS = 2000 };

static cn_tensor *gradient(const LabData *d, cn_tensor *w)
{
    cn_tensor *error = cn_sub(cn_matmul(d->x, w), d->y);
    return cn_div(cn_matmul(cn_t(d->x), error), cn_num((double)cn_size(d->x, 0)));
}

/* The nearest w with |w| <= r. */
static void project(cn_tensor *w, double r)
{
    double norm = cn_item(cn_norm(w));
    if (norm > r) cn_mul_(w, cn_num(r / norm));
}

static void step(cn_tensor *w, const LabData *d, double lr, double r)
{
    cn_sub_(w, cn_mul(gradient(d, w), cn_num(lr)));
    project(w, r);
}

/* The minimum of 1/(2n) |X w - y|^2 + lambda/2 |w|^2. */
static cn_tensor *penalised(const LabData *d, double lambda)
{
    cn_tensor *xt = cn_t(d->x), *n = cn_num(N);
    cn_tensor *a =
        cn_add(cn_div(cn_matmul(xt, d->x), n), cn_mul(cn_eye(D, CN_F64), cn_num(lambda)));
    return cn_linalg_solve(a, cn_div(cn_matmul(xt, d->y), n));
}

/* By minibatches: after every step the bound holds. */
static double largest_norm(const LabData *d, double r)
{
    cn_tensor *w = cn_zeros(CN_SHAPE(D, 1), CN_F64);
    double largest = 0;
    for (int epoch = 0; epoch < 5; epoch++)
        for (LabBatches b = lab_batches(d->x, d->y, BATCH); lab_next(&b);) {
            step(w, &(LabData){ b.x, b.y }, 0.1, r);
            largest = fmax(largest, cn_item(cn_norm(w)));
        }
    return largest;
}

static void run(Lab *lab)
{
    static const double lambdas[LAMBDAS] = { 0.1, 1, 10 };
    LabData d = lab_linear_data(cn_full(CN_SHAPE(D, 1), 0.2, CN_F64), 0, 0.1, N);
    double worst = 0, last = HUGE_VAL, beyond = 0;
    bool falls = true;
    for (int i = 0; i < LAMBDAS; i++) {
        cn_tensor *soft = penalised(&d, lambdas[i]), *hard = cn_zeros(CN_SHAPE(D, 1), CN_F64);
        double r = cn_item(cn_norm(soft));
        for (int k = 0; k < STEPS / LAMBDAS; k++) CN_SCOPE
            {
                step(hard, &d, 0.3, r);
            }
        worst = fmax(worst, cn_item(cn_amax(cn_abs(cn_sub(soft, hard)))));
        beyond = fmax(beyond, largest_norm(&d, r) / r);
        falls = falls && r < last;
        last = r;
        lab_say(lab, "lambda %g is the bound |w| <= %.4f", lambdas[i], r);
        /* There the gradient of the loss is -lambda w: lambda is the multiplier of the bound. */
        cn_tensor *residual = cn_add(gradient(&d, hard), cn_mul(hard, cn_num(lambdas[i])));
        lab_at_most(lab, "gradient + lambda w at the bounded minimum", cn_item(cn_norm(residual)),
                    1e-9);
    }
    lab_at_most(lab, "minima by penalty and by bound differ by", worst, 1e-9);
    lab_number(lab, "largest |w| / r after any step by minibatches", beyond, 1, 1e-12);
    lab_true(lab, "a larger lambda is a tighter bound", falls);
}

const Experiment experiment_c04_hardcon = {
    .id = "C04-HARDCON",
    .title = "A hard bound on the norm of the weights",
    .title_zh = "范数约束",
    .section = "3.7.1",
    .published =
        "lambda 0.1, 1, 10 is r 0.4460, 0.4235, 0.2840; the minima differ by less than 1e-16",
    .run = run,
};
