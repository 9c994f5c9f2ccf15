/* split.c - training, validation and test data, and k folds (D2L 3.6.3). */
#include "book/book.h"

#include <math.h>

enum { N = 200, D = 30, K = 5, LAMBDAS = 5 };

/* The examples that are left for the very end: they answer once. */
typedef struct {
    LabData data;
    bool used;
} TestSet;

static double error(const LabData *d, cn_tensor *w)
{
    return cn_item(cn_mse_loss(cn_matmul(d->x, w), d->y));
}

static double evaluate(TestSet *test, cn_tensor *w, bool force)
{
    if (test->used && !force) {
        cn_fail(CN_EINVALID, "the test data were used before: choose on the validation data, or "
                             "force it");
        return (double)NAN;
    }
    test->used = true;
    return error(&test->data, w);
}

static LabData rows(const LabData *d, cn_tensor *order, int64_t start, int64_t n)
{
    cn_tensor *index = cn_narrow(order, 0, start, n);
    return (LabData){ cn_index_select(d->x, 0, index), cn_index_select(d->y, 0, index) };
}

/* (X^T X + lambda n) w = X^T y. */
static cn_tensor *ridge(const LabData *d, double lambda)
{
    cn_tensor *xt = cn_t(d->x);
    cn_tensor *penalty =
        cn_mul(cn_eye(cn_size(d->x, 1), CN_F64), cn_num(lambda * (double)cn_size(d->x, 0)));
    return cn_linalg_solve(cn_add(cn_matmul(xt, d->x), penalty), cn_matmul(xt, d->y));
}

static void three_parts(Lab *lab, const LabData *d)
{
    cn_manual_seed(lab_options(lab)->seed);
    cn_tensor *order = cn_randperm(N);
    cn_manual_seed(lab_options(lab)->seed);
    lab_same(lab, "the same seed splits alike", cn_randperm(N), order, 0);
    lab_same(lab, "each example is in one part", cn_sort(order, 0, false).values,
             cn_arange(0, N, 1, CN_I64), 0);
    LabData train = rows(d, order, 0, 140), validation = rows(d, order, 140, 30);
    TestSet test = { rows(d, order, 170, 30), false };
    double best = HUGE_VAL, chosen = 0;
    for (int i = 0; i < LAMBDAS; i++) {
        double lambda = pow(10, i - 3), e = error(&validation, ridge(&train, lambda));
        lab_say(lab, "lambda %g: validation error %.4f", lambda, e);
        if (e < best) chosen = lambda;
        best = fmin(best, e);
    }
    cn_tensor *w = ridge(&train, chosen);
    double answer = evaluate(&test, w, false);
    lab_at_most(lab, "test error of what validation chose; without a model it is 1",
                answer / cn_item(cn_mean(cn_square(test.data.y))), 0.7);
    double again = evaluate(&test, w, false);
    lab_refused(lab, "asking the test data twice", "used before");
    lab_true(lab, "which gives no number", isnan(again));
    lab_number(lab, "forced, they answer the same", evaluate(&test, w, true), answer, 0);
}

/* get_k_fold_data: fold i is for validation, the others for training. */
static void k_folds(Lab *lab, const LabData *d)
{
    cn_tensor *all = cn_arange(0, N, 1, CN_I64), *counts = cn_zeros(CN_SHAPE(N), CN_F32);
    double train_error = 0, valid_error = 0, least = HUGE_VAL, most = 0;
    bool disjoint = true;
    for (int i = 0; i < K; i++) {
        int64_t fold = N / K;
        cn_tensor *before = cn_narrow(all, 0, 0, i * fold);
        cn_tensor *valid = cn_narrow(all, 0, i * fold, fold);
        cn_tensor *after = cn_narrow(all, 0, (i + 1) * fold, N - (i + 1) * fold);
        cn_tensor *train = cn_cat((cn_tensor *[]){ before, after }, 2, 0);
        disjoint = disjoint && cn_numel(train) == N - fold &&
                   cn_item(cn_sum(cn_eq(cn_unsqueeze(train, 1), cn_unsqueeze(valid, 0)))) == 0;
        cn_copy_(counts, cn_index_add(counts, 0, valid, cn_ones(CN_SHAPE(fold), CN_F32)));
        LabData t = rows(d, train, 0, N - fold), v = rows(d, valid, 0, fold);
        cn_tensor *w = ridge(&t, 0.01);
        double e = error(&v, w);
        train_error += error(&t, w) / K;
        valid_error += e / K;
        least = fmin(least, e);
        most = fmax(most, e);
        lab_say(lab, "fold %d: valid %.4f", i + 1, e);
    }
    lab_true(lab, "no fold is trained on what it is judged by", disjoint);
    lab_same(lab, "each example is in one fold's validation part", counts,
             cn_ones(CN_SHAPE(N), CN_F32), 0);
    LabData fresh = lab_linear_data(cn_full(CN_SHAPE(D, 1), 0.2, CN_F64), 0, 0.8, 4000);
    lab_number(lab, "mean validation error, against the error on fresh data",
               valid_error / error(&fresh, ridge(d, 0.01)), 1, 0.35);
    lab_at_most(lab, "mean training error, against it", train_error / valid_error, 1);
    lab_true(lab, "single folds scatter around the mean",
             least < valid_error && valid_error < most);
}

static void run(Lab *lab)
{
    LabData d = lab_linear_data(cn_full(CN_SHAPE(D, 1), 0.2, CN_F64), 0, 0.8, N);
    three_parts(lab, &d);
    k_folds(lab, &d);
}

const Experiment experiment_c04_split = {
    .id = "C04-SPLIT C04-KFOLD",
    .title = "Validation, test data and k-fold cross-validation",
    .title_zh = "验证集与 K 折交叉验证",
    .section = "3.6.3",
    .settings = "70 / 15 / 15 percent; k = 5",
    .run = run,
};
