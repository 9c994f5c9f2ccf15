/* losses.c - squared, absolute and Huber's loss, with their gradients (D2L 3.1, lecture 9). */
#include "book/book.h"

enum { POINTS = 121 };

typedef cn_tensor *Loss(cn_tensor *y_hat, cn_tensor *y);

static cn_tensor *l2(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_div(cn_mse_loss(y_hat, y, .reduction = CN_REDUCE_NONE), cn_num(2));
}

static cn_tensor *l1(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_l1_loss(y_hat, y, .reduction = CN_REDUCE_NONE);
}

static cn_tensor *huber(cn_tensor *y_hat, cn_tensor *y)
{
    return cn_huber_loss(y_hat, y, .reduction = CN_REDUCE_NONE);
}

static cn_tensor *gradient(Loss *loss, cn_tensor *y_hat, cn_tensor *y)
{
    cn_tensor *x = cn_requires_grad(cn_clone(y_hat), true), *g = NULL;
    cn_tensor *sum = cn_sum(loss(x, y));
    return cn_grad_of(&sum, NULL, 1, &x, 1, &g, NULL) ? g : NULL;
}

/* As the lecture draws them: the loss, its gradient, and the likelihood exp(-loss). */
static void draw(cn_figure *f, const char *title, Loss *loss)
{
    double at[POINTS], y[POINTS];
    cn_tensor *x = cn_linspace(-3, 3, POINTS, CN_F64), *zero = cn_zeros(CN_SHAPE(POINTS), CN_F64);
    cn_figure_panel(f, title);
    if (!cn_read(x, CN_F64, at, POINTS)) return;
    cn_tensor *value = loss(x, zero);
    if (cn_read(value, CN_F64, y, POINTS)) cn_figure_line(f, "loss", at, y, POINTS);
    if (cn_read(cn_exp(cn_neg(value)), CN_F64, y, POINTS))
        cn_figure_line(f, "likelihood", at, y, POINTS);
    if (cn_read(gradient(loss, x, zero), CN_F64, y, POINTS))
        cn_figure_line(f, "gradient", at, y, POINTS);
    cn_figure_axes(f, .xlabel = "y' - y", .width = 300, .height = 240);
}

static void run(Lab *lab)
{
    const double differences[] = { -3, -1, -0.5, 0, 0.5, 1, 3 };
    cn_tensor *x = cn_from(differences, CN_SHAPE(7), CN_F64), *y = cn_zeros(CN_SHAPE(7), CN_F64);
    lab_values(lab, "squared loss", l2(x, y), 1e-12, 4.5, 0.5, 0.125, 0, 0.125, 0.5, 4.5);
    lab_values(lab, "its gradient", gradient(l2, x, y), 1e-12, -3, -1, -0.5, 0, 0.5, 1, 3);
    lab_values(lab, "absolute loss", l1(x, y), 1e-12, 3, 1, 0.5, 0, 0.5, 1, 3);
    lab_values(lab, "its gradient", gradient(l1, x, y), 0, -1, -1, -1, 0, 1, 1, 1);
    lab_values(lab, "Huber's loss", huber(x, y), 1e-12, 2.5, 0.5, 0.125, 0, 0.125, 0.5, 2.5);
    lab_values(lab, "its gradient", gradient(huber, x, y), 1e-12, -1, -1, -0.5, 0, 0.5, 1, 1);
    cn_tensor *wide = cn_huber_loss(x, y, .reduction = CN_REDUCE_NONE, .beta = 2);
    lab_values(lab, "Huber's loss that switches at 2", wide, 1e-12, 4, 0.5, 0.125, 0, 0.125, 0.5,
               4);

    cn_figure *f = cn_figure_new(NULL);
    draw(f, "squared loss", l2);
    draw(f, "absolute loss", l1);
    draw(f, "Huber's loss", huber);
    lab_figure(lab, f);
}

const Experiment experiment_c03_losses = {
    .id = "C03-LOSSES",
    .title = "Squared, absolute and Huber's loss",
    .title_zh = "损失函数",
    .section = "3.1.1",
    .run = run,
};
