/* poly.c - polynomials that fit, fit too little and fit too well (D2L 3.6, Chinese edition 4.4.4). */
#include "book/book.h"

enum { N = 100, FEATURES = 20, MOST_EPOCHS = 1500, BATCH = 10 };

/* x^i / i! for i < 20, and y = 5 + 1.2 x - 3.4 x^2/2! + 5.6 x^3/3! + noise. */
static LabData polynomials(int64_t n)
{
    cn_tensor *x = cn_randn(CN_SHAPE(n, 1), CN_F32);
    cn_tensor *i = cn_arange(0, FEATURES, 1, CN_F32);
    cn_tensor *features = cn_div(cn_pow(x, i), cn_exp(cn_lgamma(cn_add(i, cn_num(1)))));
    cn_tensor *w = cn_from((const float[]){ 5, 1.2f, -3.4f, 5.6f }, CN_SHAPE(4, 1), CN_F32);
    cn_tensor *y = cn_matmul(cn_narrow(features, 1, 0, 4), w);
    return (LabData){ features, cn_add(y, cn_mul(cn_randn(CN_SHAPE(n, 1), CN_F32), cn_num(0.1))) };
}

typedef struct {
    double train[MOST_EPOCHS], test[MOST_EPOCHS]; /* mean squared error after each epoch */
    int epochs;
    cn_tensor *w;
} Fit;

static double loss(const LabData *d, int64_t features, cn_tensor *w)
{
    double l = 0;
    CN_SCOPE CN_NO_GRAD
    {
        l = cn_item(cn_mse_loss(cn_matmul(cn_narrow(d->x, 1, 0, features), w), d->y));
    }
    return l;
}

/* With the first so many features; the bias is the weight of x^0. */
static void fit(Fit *f, const LabData *train, const LabData *test, int64_t features, int epochs)
{
    cn_tensor *x = cn_contiguous(cn_narrow(train->x, 1, 0, features));
    f->w = lab_parameter(CN_SHAPE(features, 1), 0.1);
    f->epochs = epochs;
    for (int i = 0; i < epochs && cn_ok(); i++) CN_SCOPE
        {
            for (LabBatches b = lab_batches(x, train->y, BATCH); lab_next(&b);)
                if (cn_backward(cn_mse_loss(cn_matmul(b.x, f->w), b.y))) lab_sgd(&f->w, 1, 0.01);
            f->train[i] = loss(train, features, f->w);
            f->test[i] = loss(test, features, f->w);
        }
}

static void draw(Lab *lab, const Fit *f, const char *title)
{
    cn_figure *figure = cn_figure_new(title);
    cn_figure_line(figure, "train", NULL, f->train, (size_t)f->epochs);
    cn_figure_line(figure, "test", NULL, f->test, (size_t)f->epochs);
    cn_figure_axes(figure, .xlabel = "epoch", .ylabel = "loss", .ylog = true, .ymin = 1e-3,
                   .ymax = 1e2);
    lab_figure(lab, figure);
    lab_say(lab, "%s: train %.4f, test %.4f", title, f->train[f->epochs - 1],
            f->test[f->epochs - 1]);
}

/* How much more this fit loses on test than on training data, in the mean with four others on other
   points: how far single points lie out decides much. */
static double overfits(const Fit *first)
{
    static Fit f;
    double mean = first->test[MOST_EPOCHS - 1] / first->train[MOST_EPOCHS - 1] / 5;
    for (int i = 1; i < 5; i++) {
        LabData train = polynomials(N), test = polynomials(N);
        fit(&f, &train, &test, FEATURES, MOST_EPOCHS);
        mean += f.test[MOST_EPOCHS - 1] / f.train[MOST_EPOCHS - 1] / 5;
    }
    return mean;
}

static void run(Lab *lab)
{
    LabData train = polynomials(N), test = polynomials(N);
    cn_tensor *x = cn_select(train.x, 1, 1);
    lab_same(lab, "the fifth feature and x^4 / 24", cn_select(train.x, 1, 4),
             cn_div(cn_square(cn_square(x)), cn_num(24)), 1e-5);
    static Fit normal, under, over;
    fit(&normal, &train, &test, 4, 400);
    fit(&under, &train, &test, 2, 400);
    fit(&over, &train, &test, FEATURES, MOST_EPOCHS);
    draw(lab, &normal, "normal");
    draw(lab, &under, "underfitting");
    draw(lab, &over, "overfitting");

    lab_values(lab, "weights of the cubic", cn_detach(normal.w), 0.4, 5, 1.2, -3.4, 5.6);
    lab_at_most(lab, "cubic: train loss; the variance of the noise is 0.01", normal.train[399],
                0.03);
    lab_at_most(lab, "cubic: test loss", normal.test[399], 0.03);
    lab_at_least(lab, "line: train loss stays at", under.train[399], 1);
    lab_at_least(lab, "line: test loss, in those of the cubic", under.test[399] / normal.test[399],
                 50);
    lab_at_least(lab, "degree 19: test loss, in train losses, in the mean of five", overfits(&over),
                 1.05);

    /* Its minimum, which gradient descent is still far from: what 20 weights can do to 100 points. */
    cn_tensor *few = cn_to(cn_narrow(train.x, 0, 0, 25), CN_F64);
    cn_tensor *scale = cn_amax(cn_abs(few), .dim = CN_SHAPE(0), .keepdim = true);
    cn_tensor *y = cn_to(cn_narrow(train.y, 0, 0, 25), CN_F64);
    cn_tensor *best = cn_linalg_lstsq(cn_div(few, scale), y);
    double exact = cn_item(cn_mse_loss(cn_matmul(cn_div(few, scale), best), y));
    cn_tensor *tx = cn_div(cn_to(test.x, CN_F64), scale);
    double unseen = cn_item(cn_mse_loss(cn_matmul(tx, best), cn_to(test.y, CN_F64)));
    lab_at_most(lab, "degree 19 fitted exactly to 25 points: train loss", exact, 0.008);
    lab_at_least(lab, "and on the test points", unseen, 1);
}

const Experiment experiment_c04_poly = {
    .id = "C04-POLY",
    .title = "Polynomial regression: normal, underfitting, overfitting",
    .title_zh = "多项式回归",
    .section = "3.6",
    .settings = "100 + 100 examples, batch 10, SGD lr 0.01, 400 epochs (1500 with 20 features)",
    .published = "cubic w [5.010, 1.235, -3.423, 5.503], train 0.0108, test 0.0106; line 8.43 and "
                 "15.6; degree 19: 0.0121 and 0.0178",
    .run = run,
};
