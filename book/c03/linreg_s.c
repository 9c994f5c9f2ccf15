/* linreg_s.c - linear regression from scratch, and the data for it (D2L 3.3, 3.4). */
#include "book/book.h"

#include <math.h>

enum { N = 1000, BATCH = 10, EPOCHS = 3 };

static cn_tensor *linreg(cn_tensor *x, cn_tensor *w, cn_tensor *b)
{
    return cn_add(cn_matmul(x, w), b);
}

static cn_tensor *squared_loss(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_div(cn_square(cn_sub(y_hat, cn_reshape(y, *cn_shape_of(y_hat)))), cn_num(2));
}

static void draw(Lab *lab, const LabData *d)
{
    double x[N], y[N];
    cn_figure *f = cn_figure_new(NULL);
    if (cn_read(cn_select(d->x, 1, 1), CN_F64, x, N) && cn_read(d->y, CN_F64, y, N))
        cn_figure_scatter(f, NULL, x, y, N);
    cn_figure_axes(f, .xlabel = "features[:, 1]", .ylabel = "labels");
    lab_figure(lab, f);
}

/* What the generator and the iterator promise. */
static void look_at_data(Lab *lab, const LabData *d, cn_tensor *true_w)
{
    lab_shape(lab, "features", d->x, CN_SHAPE(N, 2));
    lab_shape(lab, "labels", d->y, CN_SHAPE(N, 1));
    cn_tensor *noise = cn_sub(d->y, linreg(d->x, true_w, cn_num(4.2)));
    lab_number(lab, "standard deviation of the noise", cn_item(cn_std(noise)), 0.01, 0.001);
    int batches = 0;
    bool shapes = true;
    cn_tensor *seen = cn_zeros(CN_SHAPE(N), CN_F32), *numbers = cn_arange(0, N, 1, CN_I64);
    for (LabBatches b = lab_batches(d->x, numbers, BATCH); lab_next(&b); batches++) {
        cn_copy_(seen, cn_index_add(seen, 0, b.y, cn_ones(CN_SHAPE(BATCH), CN_F32)));
        shapes = shapes && cn_size(b.x, 0) == BATCH && cn_size(b.x, 1) == 2;
    }
    lab_true(lab, "batches are (10, 2)", shapes);
    lab_number(lab, "batches", batches, (double)N / BATCH, 0);
    lab_same(lab, "they have each example once", seen, cn_ones(CN_SHAPE(N), CN_F32), 0);
}

static void run(Lab *lab)
{
    cn_tensor *true_w = cn_from((const float[]){ 2, -3.4f }, CN_SHAPE(2, 1), CN_F32);
    LabData d = lab_linear_data(true_w, 4.2, 0.01, N);
    look_at_data(lab, &d, true_w);
    draw(lab, &d);

    cn_tensor *w = lab_parameter(CN_SHAPE(2, 1), 0.01), *b = lab_parameter(CN_SHAPE(1), 0);
    double loss[EPOCHS];
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (LabBatches it = lab_batches(d.x, d.y, BATCH); lab_next(&it);) {
            cn_tensor *l = cn_mean(squared_loss(linreg(it.x, w, b), it.y));
            if (cn_backward(l)) lab_sgd((cn_tensor *[]){ w, b }, 2, 0.03);
        }
        loss[epoch] = cn_item(cn_mean(squared_loss(linreg(d.x, w, b), d.y)));
        lab_say(lab, "epoch %d, loss %f", epoch + 1, loss[epoch]);
    }
    lab_number(lab, "loss after the first epoch", loss[0], 0.035, 0.02);
    lab_at_most(lab, "loss after the third; half the variance of the noise is 5e-5", loss[2], 7e-5);
    lab_values(lab, "w", cn_detach(w), 5e-3, 2, -3.4);
    lab_values(lab, "b", cn_detach(b), 5e-3, 4.2);
}

const Experiment experiment_c03_linreg_s = {
    .id = "C03-LINREG-S C03-SYNTH",
    .title = "Linear regression from scratch, with synthetic data",
    .title_zh = "线性回归的从零开始实现",
    .section = "3.4",
    .settings = "lr 0.03, 3 epochs, batch 10",
    .published = "loss 0.042790, 0.000162, 0.000051; error of w [-1.4e-4, 5.8e-5], of b 6e-4",
    .run = run,
};
