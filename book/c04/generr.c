/* generr.c - training error, generalisation error, and choosing by validation (D2L 3.6). */
#include "book/book.h"

enum { TRAIN = 15, REST = 400, DEGREES = 11 };

/* sin 3x with noise, from x in [-1, 1]. */
static LabData sample(int64_t n)
{
    cn_tensor *x = cn_sub(cn_mul(cn_rand(CN_SHAPE(n, 1), CN_F64), cn_num(2)), cn_num(1));
    cn_tensor *noise = cn_mul(cn_randn(CN_SHAPE(n, 1), CN_F64), cn_num(0.2));
    return (LabData){ x, cn_add(cn_sin(cn_mul(x, cn_num(3))), noise) };
}

/* 1, x, .., x^degree. */
static cn_tensor *powers(const LabData *d, int degree)
{
    return cn_pow(d->x, cn_arange(0, degree + 1, 1, CN_F64));
}

static double error(const LabData *d, int degree, cn_tensor *w)
{
    return cn_item(cn_mse_loss(cn_matmul(powers(d, degree), w), d->y));
}

static void run(Lab *lab)
{
    LabData train = sample(TRAIN), validation = sample(REST), test = sample(REST);
    double degrees[DEGREES], on_train[DEGREES], on_validation[DEGREES], on_test[DEGREES];
    bool falls = true;
    int best = 0;
    for (int k = 0; k < DEGREES; k++) {
        cn_tensor *w = cn_linalg_lstsq(powers(&train, k), train.y);
        degrees[k] = k;
        on_train[k] = error(&train, k, w);
        on_validation[k] = error(&validation, k, w);
        on_test[k] = error(&test, k, w);
        falls = falls && (k == 0 || on_train[k] <= on_train[k - 1] + 1e-12);
        if (on_validation[k] < on_validation[best]) best = k;
    }
    lab_say(lab, "validation chooses degree %d", best);
    lab_true(lab, "the training error falls with every degree", falls);
    lab_true(lab, "the chosen degree is neither the smallest nor the largest",
             best > 0 && best < DEGREES - 1);
    lab_at_least(lab, "generalisation gap of the largest degree",
                 on_validation[DEGREES - 1] / on_train[DEGREES - 1], 3);
    lab_at_least(lab, "test error by training error alone, against what validation chose",
                 on_test[DEGREES - 1] / on_test[best], 1.5);
    lab_at_least(lab, "test error of a constant, against it", on_test[0] / on_test[best], 3);
    /* Validation was used to choose: the test set says how good the choice is. */
    lab_number(lab, "error of the chosen one, on validation and on test data",
               on_validation[best] / on_test[best], 1, 0.3);

    cn_figure *f = cn_figure_new("Model complexity");
    cn_figure_line(f, "training", degrees, on_train, DEGREES);
    cn_figure_line(f, "validation", degrees, on_validation, DEGREES);
    cn_figure_axes(f, .xlabel = "degree", .ylabel = "mean squared error", .ylog = true);
    lab_figure(lab, f);
}

const Experiment experiment_c04_generr = {
    .id = "C04-GENERR",
    .title = "Generalisation error and model selection",
    .title_zh = "训练误差和泛化误差",
    .section = "3.6",
    .run = run,
};
