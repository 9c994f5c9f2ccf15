/* house.c - prices of houses: from a table to a file for Kaggle (D2L 5.7). */
#include "book/c04/house.h"

#include <math.h>

enum { K = 5, EPOCHS = 100, BATCH = 64, LAMBDAS = 5 };

/* Root mean squares of log price - log prediction, so that errors are relative. */
static double log_rmse(cn_tensor *prediction, cn_tensor *price)
{
    cn_tensor *clipped = cn_clamp_min(prediction, cn_num(1));
    return sqrt(cn_item(cn_mse_loss(cn_log(clipped), cn_log(price))));
}

/* Of each epoch, on what is trained on and on what is not. */
typedef struct {
    double train[EPOCHS], valid[EPOCHS];
} Curves;

/* A model learns from `known`. Curves are drawn where they are wanted; valid.x may be NULL. */
typedef struct {
    LabData known, valid;
    Curves *curves;
} Task;

/* The prices of the rows of x, by a model with a learning rate or a penalty. */
typedef cn_tensor *Model(const Task *t, cn_tensor *x, double setting);

/* ---- models ---------------------------------------------------------------------------------- */

/* The book's: one linear layer, trained on prices with Adam. */
static cn_tensor *linear_network(const Task *t, cn_tensor *x, double lr)
{
    cn_module *net = cn_linear_layer(1, .in = cn_size(x, 1));
    cn_optim *adam = cn_adam(net, .lr = lr);
    for (int i = 0; i < EPOCHS && cn_ok(); i++) CN_SCOPE
        {
            for (LabBatches b = lab_batches(t->known.x, t->known.y, BATCH); lab_next(&b);) {
                cn_zero_grad(net);
                if (cn_backward(cn_mse_loss(cn_forward(net, b.x), b.y))) cn_step(adam);
            }
            if (!t->curves) continue;
            t->curves->train[i] = log_rmse(cn_detach(cn_forward(net, t->known.x)), t->known.y);
            if (t->valid.x)
                t->curves->valid[i] = log_rmse(cn_detach(cn_forward(net, t->valid.x)), t->valid.y);
        }
    cn_tensor *prices = cn_detach(cn_forward(net, x));
    cn_optim_free(adam);
    cn_module_free(net);
    return prices;
}

/* Least squares of log prices with a penalty on all weights but the bias; it bears that products of
   float32 are solved for. */
static cn_tensor *log_ridge(const Task *t, cn_tensor *x, double lambda)
{
    cn_tensor *y = cn_log(t->known.y), *level = cn_mean(y);
    cn_tensor *mean = cn_mean(t->known.x, .dim = CN_SHAPE(0));
    cn_tensor *centred = cn_sub(t->known.x, mean), *xt = cn_t(centred);
    cn_tensor *gram = cn_to(cn_matmul(xt, centred), CN_F64);
    cn_tensor *penalty = cn_mul(cn_eye(cn_size(x, 1), CN_F64), cn_num(lambda));
    cn_tensor *w =
        cn_linalg_solve(cn_add(gram, penalty), cn_to(cn_matmul(xt, cn_sub(y, level)), CN_F64));
    return cn_exp(cn_add(cn_matmul(cn_sub(x, mean), cn_to(w, CN_F32)), level));
}

/* ---- k-fold cross-validation ----------------------------------------------------------------- */

typedef struct {
    double train[K], valid[K], mean_train, mean_valid;
} Errors;

static LabData rows(const LabData *d, int64_t start, int64_t n)
{
    return (LabData){ cn_narrow(d->x, 0, start, n), cn_narrow(d->y, 0, start, n) };
}

static LabData without(const LabData *d, int64_t start, int64_t n)
{
    int64_t after = start + n;
    LabData a = rows(d, 0, start), b = rows(d, after, cn_size(d->x, 0) - after);
    return (LabData){ cn_cat((cn_tensor *[]){ a.x, b.x }, 2, 0),
                      cn_cat((cn_tensor *[]){ a.y, b.y }, 2, 0) };
}

/* The curves, where they are wanted, are the first fold's. */
static Errors k_fold(const LabData *d, Model *model, double setting, Curves *curves)
{
    int64_t fold = cn_size(d->x, 0) / K;
    Errors e = { 0 };
    for (int i = 0; i < K && cn_ok(); i++) CN_SCOPE
        {
            Task t = { without(d, i * fold, fold), rows(d, i * fold, fold), i ? NULL : curves };
            int64_t n = cn_size(t.known.x, 0);
            cn_tensor *x = cn_cat((cn_tensor *[]){ t.known.x, t.valid.x }, 2, 0);
            cn_tensor *price = model(&t, x, setting);
            e.train[i] = log_rmse(cn_narrow(price, 0, 0, n), t.known.y);
            e.valid[i] = log_rmse(cn_narrow(price, 0, n, fold), t.valid.y);
            e.mean_train += e.train[i] / K;
            e.mean_valid += e.valid[i] / K;
        }
    return e;
}

/* A stronger model: the penalty, too, is learned, by folds of what is known. */
static cn_tensor *tuned_ridge(const Task *t, cn_tensor *x, double smallest)
{
    double best = smallest, least = HUGE_VAL, lambda = smallest;
    for (int i = 0; i < LAMBDAS; i++, lambda *= 3) {
        double error = k_fold(&t->known, log_ridge, lambda, NULL).mean_valid;
        if (error < least) least = error, best = lambda;
    }
    return log_ridge(t, x, best);
}

static void say_folds(Lab *lab, const char *model, const Errors *e)
{
    for (int i = 0; i < K; i++)
        lab_say(lab, "%s, fold %d: train log rmse %f, valid log rmse %f", model, i + 1, e->train[i],
                e->valid[i]);
}

/* ---- what must hold --------------------------------------------------------------------------- */

static void draw(Lab *lab, const char *title, const Curves *curves, bool valid)
{
    double epochs[EPOCHS];
    for (int i = 0; i < EPOCHS; i++) epochs[i] = i + 1;
    cn_figure *f = cn_figure_new(title);
    cn_figure_line(f, "train", epochs, curves->train, EPOCHS);
    if (valid) cn_figure_line(f, "valid", epochs, curves->valid, EPOCHS);
    cn_figure_axes(f, .xlabel = "epoch", .ylabel = "log rmse", .ylog = true);
    lab_figure(lab, f);
}

/* As the book does it: folds, then all training data. */
static void book_model(Lab *lab, const LabData *train)
{
    bool real = lab_options(lab)->real;
    double lr = real ? 5 : 400;
    Curves curves;
    Errors e = k_fold(train, linear_network, lr, &curves);
    say_folds(lab, "one linear layer", &e);
    draw(lab, "One linear layer, the first fold", &curves, true);
    Task all = { .known = *train, .curves = &curves };
    double trained = log_rmse(linear_network(&all, train->x, lr), train->y);
    draw(lab, "One linear layer, all training data", &curves, false);
    if (real) {
        lab_values(lab, "one linear layer: valid log rmse of the folds",
                   cn_from(e.valid, CN_SHAPE(K), CN_F64), 0.003, 0.156864, 0.188812, 0.168171,
                   0.154694, 0.182928);
        lab_number(lab, "their mean", e.mean_valid, 0.170293, 0.001);
        lab_number(lab, "mean train log rmse", e.mean_train, 0.165458, 0.001);
        lab_number(lab, "all training data: log rmse", trained, 0.162354, 0.001);
    } else {
        lab_at_most(lab, "one linear layer: mean valid log rmse", e.mean_valid, 0.2);
        lab_number(lab, "mean train log rmse", e.mean_train, e.mean_valid, 0.03);
        lab_number(lab, "all training data: log rmse", trained, e.mean_valid, 0.03);
    }
}

/* The noise of the generated table is 0.1. */
static void our_model(Lab *lab, const Houses *h, const LabData *train, cn_tensor *test)
{
    Errors e = k_fold(train, tuned_ridge, 1, NULL);
    say_folds(lab, "ridge regression of log prices", &e);
    lab_at_most(lab, "ridge regression of log prices: mean valid log rmse", e.mean_valid,
                lab_options(lab)->real ? 0.13 : 0.115);
    house_submit(lab, h, tuned_ridge(&(Task){ .known = *train }, test, 1));
}

static void predict_prices(Lab *lab, const Houses *h)
{
    LabData plain = house_features(h, false), logs = house_features(h, true);
    int64_t n = cn_size(h->price, 0), all = cn_size(plain.x, 0);
    if (lab_options(lab)->real) lab_shape(lab, "features", plain.x, CN_SHAPE(1460 + 1459, 331));
    LabData train = { cn_narrow(plain.x, 0, 0, n), h->price };
    LabData train_logs = { cn_narrow(logs.x, 0, 0, n), h->price };
    if (!cn_ok()) return;
    book_model(lab, &train);
    our_model(lab, h, &train_logs, cn_narrow(logs.x, 0, n, all - n));
}

static void run(Lab *lab)
{
    Houses h = { 0 };
    if (house_tables(lab, &h)) predict_prices(lab, &h);
    cn_dict_free(h.train);
    cn_dict_free(h.test);
}

const Experiment experiment_c04_house = {
    .id = "C04-HOUSE",
    .title = "Predicting the prices of houses",
    .title_zh = "实战 Kaggle 比赛：预测房价",
    .section = "5.7",
    .settings = "Adam lr 5, no weight decay, batch 64, 100 epochs, 5 folds",
    .published = "5 folds: mean train log rmse 0.165458, valid 0.170293; all data, train 0.162354",
    .data = "house-prices",
    .trains = true,
    .run = run,
};
