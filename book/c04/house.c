/* house.c - prices of houses: from a table to a file for Kaggle (D2L 5.7). */
#include "book/c04/house.h"

#include <math.h>

enum { K = 5, EPOCHS = 100, BATCH = 64 };

/* The root mean square of log price - log prediction, so that errors are relative. */
static double log_rmse(cn_tensor *prediction, cn_tensor *price)
{
    cn_tensor *clipped = cn_clamp_min(prediction, cn_num(1));
    return sqrt(cn_item(cn_mse_loss(cn_log(clipped), cn_log(price))));
}

/* Of each epoch, on what is trained on and on what is not. */
typedef struct {
    double train[EPOCHS], valid[EPOCHS];
} Curves;

/* A way to learn from rows of d and to predict the prices of all rows of x. */
typedef cn_tensor *Model(const LabData *d, cn_tensor *x, double lr, Curves *curves,
                         const LabData *valid);

/* The book's: one linear layer, trained on prices with Adam. */
static cn_tensor *linear_network(const LabData *d, cn_tensor *x, double lr, Curves *curves,
                                 const LabData *valid)
{
    cn_module *net = cn_linear_layer(1, .in = cn_size(x, 1));
    cn_optim *adam = cn_adam(net, .lr = lr);
    for (int i = 0; i < EPOCHS && cn_ok(); i++) CN_SCOPE
        {
            for (LabBatches b = lab_batches(d->x, d->y, BATCH); lab_next(&b);) {
                cn_zero_grad(net);
                if (cn_backward(cn_mse_loss(cn_forward(net, b.x), b.y))) cn_step(adam);
            }
            if (curves) {
                curves->train[i] = log_rmse(cn_detach(cn_forward(net, d->x)), d->y);
                curves->valid[i] = log_rmse(cn_detach(cn_forward(net, valid->x)), valid->y);
            }
        }
    cn_tensor *prices = cn_detach(cn_forward(net, x));
    cn_optim_free(adam);
    cn_module_free(net);
    return prices;
}

/* A stronger one: least squares of log prices with a penalty on all weights but the bias. */
static cn_tensor *log_ridge(const LabData *d, cn_tensor *x, double lambda, Curves *curves,
                            const LabData *valid)
{
    (void)curves;
    (void)valid;
    cn_tensor *features = cn_to(d->x, CN_F64), *y = cn_log(cn_to(d->y, CN_F64));
    cn_tensor *mean = cn_mean(features, .dim = CN_SHAPE(0)), *level = cn_mean(y);
    cn_tensor *centred = cn_sub(features, mean), *xt = cn_t(centred);
    cn_tensor *penalty = cn_mul(cn_eye(cn_size(x, 1), CN_F64), cn_num(lambda));
    cn_tensor *w = cn_linalg_solve(cn_add(cn_matmul(xt, centred), penalty),
                                   cn_matmul(xt, cn_sub(y, level)));
    cn_tensor *log_price = cn_add(cn_matmul(cn_sub(cn_to(x, CN_F64), mean), w), level);
    return cn_to(cn_exp(log_price), CN_F32);
}

static LabData without_fold(const LabData *d, int64_t start, int64_t n)
{
    int64_t after = start + n, left = cn_size(d->x, 0) - after;
    cn_tensor *x[] = { cn_narrow(d->x, 0, 0, start), cn_narrow(d->x, 0, after, left) };
    cn_tensor *y[] = { cn_narrow(d->y, 0, 0, start), cn_narrow(d->y, 0, after, left) };
    return (LabData){ cn_cat(x, 2, 0), cn_cat(y, 2, 0) };
}

/* The mean log error of validation; *on_train: that of training. */
static double k_fold(Lab *lab, const LabData *d, Model *model, double setting, Curves *curves,
                     double *on_train)
{
    int64_t fold = cn_size(d->x, 0) / K;
    double mean = 0;
    *on_train = 0;
    for (int i = 0; i < K && cn_ok(); i++) CN_SCOPE
        {
            LabData train = without_fold(d, i * fold, fold);
            LabData valid = { cn_narrow(d->x, 0, i * fold, fold),
                              cn_narrow(d->y, 0, i * fold, fold) };
            cn_tensor *x = cn_cat((cn_tensor *[]){ train.x, valid.x }, 2, 0);
            cn_tensor *price = model(&train, x, setting, i ? NULL : curves, &valid);
            int64_t n = cn_size(train.x, 0);
            double a = log_rmse(cn_narrow(price, 0, 0, n), train.y),
                   b = log_rmse(cn_narrow(price, 0, n, fold), valid.y);
            lab_say(lab, "fold %d: train log rmse %f, valid log rmse %f", i + 1, a, b);
            *on_train += a / K;
            mean += b / K;
        }
    return mean;
}

static void draw(Lab *lab, const Curves *curves)
{
    double epochs[EPOCHS];
    for (int i = 0; i < EPOCHS; i++) epochs[i] = i + 1;
    cn_figure *f = cn_figure_new("First fold");
    cn_figure_line(f, "train", epochs, curves->train, EPOCHS);
    cn_figure_line(f, "valid", epochs, curves->valid, EPOCHS);
    cn_figure_axes(f, .xlabel = "epoch", .ylabel = "log rmse", .ylog = true);
    lab_figure(lab, f);
}

/* What holds on the book's data, and on the generated table, whose noise is 0.1. */
typedef struct {
    double lr, linear, lambda, ridge;
} Bounds;

static void predict_prices(Lab *lab, const Houses *h)
{
    static const Bounds book = { 5, 0.171, 10, 0.135 }, ours = { 400, 0.3, 1, 0.12 };
    const Bounds *b = lab_options(lab)->real ? &book : &ours;
    LabData plain = house_features(h, false), logs = house_features(h, true);
    int64_t n = cn_size(h->price, 0), rows = cn_size(plain.x, 0);
    if (lab_options(lab)->real)
        lab_shape(lab, "features", plain.x, CN_SHAPE(1460 + 1459, 331));
    LabData train = { cn_narrow(plain.x, 0, 0, n), h->price };
    LabData train_logs = { cn_narrow(logs.x, 0, 0, n), h->price };

    static Curves curves;
    double on_train, linear = k_fold(lab, &train, linear_network, b->lr, &curves, &on_train);
    draw(lab, &curves);
    lab_at_most(lab, "one linear layer: 5-fold log rmse", linear, b->linear);
    lab_number(lab, "that of training data", on_train, linear, 0.02);
    double ridge = k_fold(lab, &train_logs, log_ridge, b->lambda, NULL, &on_train);
    lab_at_most(lab, "ridge regression of log prices", ridge, b->ridge);

    /* All training data; a file for Kaggle. */
    cn_tensor *test = cn_narrow(logs.x, 0, n, rows - n);
    house_submit(lab, h, log_ridge(&train_logs, test, b->lambda, NULL, NULL));
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
    .published = "log rmse 0.165458 on training, 0.170293 on validation data",
    .data = "house-prices",
    .trains = true,
    .run = run,
};
