/* wd_s.c - weight decay from scratch: more inputs than examples (D2L 3.7.2). */
#include "book/book.h"

#include <math.h>

enum { TRAIN = 20, TEST = 100, D = 200, BATCH = 5, EPOCHS = 100 };

static cn_tensor *linreg(cn_tensor *x, cn_tensor *const *p)
{
    return cn_add(cn_matmul(x, p[0]), p[1]);
}

static cn_tensor *squared_loss(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_mean(cn_div(cn_square(cn_sub(y_hat, y)), cn_num(2)));
}

static cn_tensor *l2_penalty(cn_tensor *w)
{
    return cn_div(cn_sum(cn_square(w)), cn_num(2));
}

typedef struct {
    double train[EPOCHS], test[EPOCHS], norm;
} Result;

/* As in the book, where the sum of the losses, each with the penalty, is divided by the batch. */
static Result train(const LabData *data, const LabData *test, double lambda)
{
    Result r = { 0 };
    cn_tensor *p[] = { lab_parameter(CN_SHAPE(D, 1), 1), lab_parameter(CN_SHAPE(1), 0) };
    for (int i = 0; i < EPOCHS && cn_ok(); i++) CN_SCOPE
        {
            for (LabBatches b = lab_batches(data->x, data->y, BATCH); lab_next(&b);) {
                cn_tensor *l = cn_add(squared_loss(linreg(b.x, p), b.y),
                                      cn_mul(l2_penalty(p[0]), cn_num(lambda)));
                if (cn_backward(l)) lab_sgd(p, 2, 0.003);
            }
            r.train[i] = cn_item(squared_loss(linreg(data->x, p), data->y));
            r.test[i] = cn_item(squared_loss(linreg(test->x, p), test->y));
        }
    r.norm = cn_item(cn_norm(cn_detach(p[0])));
    return r;
}

static void draw(Lab *lab, const Result *r, double lambda)
{
    cn_figure *f = cn_figure_new(lambda > 0 ? "lambda = 3" : "lambda = 0");
    cn_figure_line(f, "train", NULL, r->train, EPOCHS);
    cn_figure_line(f, "test", NULL, r->test, EPOCHS);
    cn_figure_axes(f, .xlabel = "epochs", .ylabel = "loss", .ylog = true);
    lab_figure(lab, f);
    lab_say(lab, "lambda %g: |w| %.4f, train %.2e, test %.4f", lambda, r->norm,
            r->train[EPOCHS - 1], r->test[EPOCHS - 1]);
}

static void run(Lab *lab)
{
    cn_tensor *true_w = cn_full(CN_SHAPE(D, 1), 0.01, CN_F32);
    LabData data = lab_linear_data(true_w, 0.05, 0.01, TRAIN),
            test = lab_linear_data(true_w, 0.05, 0.01, TEST);
    Result without = train(&data, &test, 0), with = train(&data, &test, 3);
    draw(lab, &without, 0);
    draw(lab, &with, 3);
    lab_number(lab, "lambda 0: |w|", without.norm, 13.5, 2.8);
    lab_at_most(lab, "lambda 0: train loss", without.train[EPOCHS - 1], 1e-3);
    lab_at_least(lab, "lambda 0: test loss", without.test[EPOCHS - 1], 30);
    lab_number(lab, "lambda 3: |w|", with.norm, 0.37, 0.1);
    lab_at_most(lab, "lambda 3: train loss", with.train[EPOCHS - 1], 5e-3);
    lab_at_most(lab, "lambda 3: test loss", with.test[EPOCHS - 1], 0.3);
    /* What shrinks without data: (1 - lr lambda)^steps. */
    cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(D, 1), CN_F32), true);
    for (int i = 0; i < 10; i++)
        if (cn_backward(cn_mul(l2_penalty(w), cn_num(3)))) lab_sgd(&w, 1, 0.003);
    lab_number(lab, "ten steps of the penalty alone shrink w to", cn_item(cn_mean(cn_detach(w))),
               pow(1 - 0.009, 10), 1e-5);
}

const Experiment experiment_c04_wd_s = {
    .id = "C04-WD-S",
    .title = "Weight decay from scratch",
    .title_zh = "权重衰减的从零开始实现",
    .section = "3.7.2",
    .settings = "20 + 100 examples, d 200, w 0.01, b 0.05, batch 5, lr 0.003, 100 epochs",
    .published = "lambda 0: |w| 12.963, train 5.3e-6, test 98.1; lambda 3: 0.3557, 7.1e-4, 0.0795",
    .run = run,
};
