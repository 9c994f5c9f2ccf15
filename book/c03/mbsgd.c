/* mbsgd.c - minibatch stochastic gradient descent, and its learning rate (D2L 3.1.1.4). */
#include "book/book.h"

#include <math.h>

enum { N = 1000, BATCH = 10, EPOCHS = 10 };

static cn_tensor *loss(cn_tensor *x, cn_tensor *y, cn_tensor *w)
{
    return cn_div(cn_mean(cn_square(cn_sub(cn_matmul(x, w), y))), cn_num(2));
}

/* The loss of all examples after each epoch. */
static void descend(const LabData *d, double lr, double curve[EPOCHS])
{
    cn_tensor *w = cn_requires_grad(cn_zeros(CN_SHAPE(2, 1), CN_F64), true);
    for (int i = 0; i < EPOCHS; i++) {
        for (LabBatches b = lab_batches(d->x, d->y, BATCH); lab_next(&b);)
            if (cn_backward(loss(b.x, b.y, w))) lab_sgd(&w, 1, lr);
        curve[i] = cn_item(loss(d->x, d->y, w));
    }
}

static cn_tensor *gradient(cn_tensor *x, cn_tensor *y, cn_tensor *w)
{
    cn_tensor *l = loss(x, y, w), *g = NULL;
    return cn_grad_of(&l, NULL, 1, &w, 1, &g, NULL) ? g : NULL;
}

/* The gradients of the minibatches of an epoch: their mean is that of all examples. */
static void is_unbiased(Lab *lab, const LabData *d)
{
    cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(2, 1), CN_F64), true);
    cn_tensor *mean = cn_zeros(CN_SHAPE(2, 1), CN_F64), *all = gradient(d->x, d->y, w);
    double spread = 0;
    int batches = 0;
    for (LabBatches b = lab_batches(d->x, d->y, BATCH); lab_next(&b); batches++) {
        cn_tensor *g = gradient(b.x, b.y, w);
        cn_add_(mean, cn_div(g, cn_num((double)N / BATCH)));
        spread = fmax(spread, cn_item(cn_norm(cn_sub(g, all))));
    }
    lab_number(lab, "minibatches in an epoch", batches, (double)N / BATCH, 0);
    lab_same(lab, "the mean of their gradients and the gradient of all", mean, all, 1e-12);
    lab_at_least(lab, "but one of them is off by", spread, 0.1);
}

static void run(Lab *lab)
{
    static const double rates[] = { 0.0003, 0.03, 2.5 };
    static const char *const names[] = { "lr 0.0003", "lr 0.03", "lr 2.5" };
    cn_tensor *true_w = cn_from((const double[]){ 2, -3.4 }, CN_SHAPE(2, 1), CN_F64);
    LabData d = lab_linear_data(true_w, 0, 0.01, N);
    is_unbiased(lab, &d);

    double curves[3][EPOCHS];
    cn_figure *f = cn_figure_new("Learning rates");
    for (int i = 0; i < 3; i++) {
        descend(&d, rates[i], curves[i]);
        cn_figure_line(f, names[i], NULL, curves[i], EPOCHS);
    }
    cn_figure_axes(f, .xlabel = "epoch", .ylabel = "loss", .ylog = true, .ymin = 1e-6,
                   .ymax = 1e60);
    lab_figure(lab, f);
    double untrained = 0.5 * (2 * 2 + 3.4 * 3.4);
    lab_at_most(lab, "lr 0.03: the loss in the end", curves[1][EPOCHS - 1], 1e-4);
    lab_at_least(lab, "lr 0.0003: still", curves[0][EPOCHS - 1], 0.3);
    lab_at_most(lab, "but less than at first", curves[0][EPOCHS - 1] / untrained, 0.9);
    lab_true(lab, "lr 2.5 diverges",
             !(curves[2][0] <= untrained) && !(curves[2][EPOCHS - 1] <= curves[2][0]));
}

const Experiment experiment_c03_mbsgd = {
    .id = "C03-MBSGD",
    .title = "Minibatch stochastic gradient descent",
    .title_zh = "随机梯度下降",
    .section = "3.1.1",
    .settings = "lr 0.03, batch 10",
    .run = run,
};
