/* ar.c - autoregressive models: the next value from the last ones (D2L 9.1). */
#include "book/book.h"

#include <math.h>

enum { T = 4000, TRAIN = 3000, MOST = 6 };

/* x_t = 0.6 x_{t-1} - 0.5 x_{t-2} + 0.3 x_{t-3} + noise. */
static const double truth[] = { 0.6, -0.5, 0.3 };

static void make_process(double *x, uint64_t seed)
{
    cn_rng rng = cn_rng_make(seed, 0);
    for (int t = 0; t < T; t++) {
        x[t] = cn_rng_normal(&rng);
        for (int i = 0; i < 3 && i < t; i++) x[t] += truth[i] * x[t - 1 - i];
    }
}

/* Rows (x_{t-1}, .., x_{t-p}) and targets x_t for t = first .. end - 1. */
static cn_tensor *windows(const double *x, int p, int first, int end, cn_tensor **target)
{
    cn_tensor *rows = cn_empty(CN_SHAPE(end - first, p), CN_F64);
    *target = cn_from(x + first, CN_SHAPE(end - first, 1), CN_F64);
    double *to = cn_data_mut(rows);
    for (int t = first; to && t < end; t++)
        for (int i = 0; i < p; i++) *to++ = x[t - 1 - i];
    return rows;
}

/* The least-squares AR(p), and its mean squared errors on both parts. */
static cn_tensor *fit(const double *x, int p, double *train, double *test)
{
    cn_tensor *y, *unseen_y;
    cn_tensor *rows = windows(x, p, MOST, TRAIN, &y);
    cn_tensor *unseen = windows(x, p, TRAIN, T, &unseen_y);
    cn_tensor *w = cn_linalg_lstsq(rows, y);
    *train = cn_item(cn_mse_loss(cn_matmul(rows, w), y));
    *test = cn_item(cn_mse_loss(cn_matmul(unseen, w), unseen_y));
    return w;
}

static void run(Lab *lab)
{
    static double x[T];
    double order[MOST], train[MOST], test[MOST], aic[MOST], bic[MOST];
    int best_aic = 0, best_bic = 0;
    make_process(x, lab_options(lab)->seed);
    for (int p = 1; p <= MOST; p++) {
        cn_tensor *w = fit(x, p, &train[p - 1], &test[p - 1]);
        if (p == 3) lab_values(lab, "coefficients of AR(3)", w, 0.06, 0.6, -0.5, 0.3);
        order[p - 1] = p;
        aic[p - 1] = (TRAIN - MOST) * log(train[p - 1]) + 2 * p;
        bic[p - 1] = aic[p - 1] + p * (log(TRAIN - MOST) - 2);
        if (aic[p - 1] < aic[best_aic]) best_aic = p - 1;
        if (bic[p - 1] < bic[best_bic]) best_bic = p - 1;
        lab_say(lab, "AR(%d): error %.4f, unseen %.4f, AIC %.1f, BIC %.1f", p, train[p - 1],
                test[p - 1], aic[p - 1], bic[p - 1]);
    }
    lab_at_least(lab, "the order AIC chooses: it may take more, rarely less", best_aic + 1, 3);
    lab_number(lab, "the order BIC chooses", best_bic + 1, 3, 0);
    lab_number(lab, "error of AR(3) on unseen values, of noise 1", test[2], 1, 0.12);
    lab_at_least(lab, "error of AR(2) against AR(3), unseen", test[1] / test[2], 1.05);

    cn_figure *f = cn_figure_new("Choosing the order");
    cn_figure_line(f, "train", order, train, MOST);
    cn_figure_line(f, "unseen", order, test, MOST);
    cn_figure_axes(f, .xlabel = "order p", .ylabel = "mean squared error");
    lab_figure(lab, f);
}

const Experiment experiment_c08_ar = {
    .id = "C08-AR",
    .title = "Autoregressive models",
    .title_zh = "自回归模型",
    .section = "9.1.1",
    .settings = "AR(3), 4,000 values, least squares, orders 1 to 6",
    .run = run,
};
