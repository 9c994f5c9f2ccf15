/* vanish.c - gradients that vanish behind sigmoids (D2L 5.4.1). */
#include "book/book.h"

#include <math.h>

enum { POINTS = 160, DEEPEST = 10, WIDTH = 64 };

static void draw_sigmoid(Lab *lab)
{
    double at[POINTS], y[POINTS], slope[POINTS];
    cn_tensor *x = cn_requires_grad(cn_arange(-8, 8, 0.1, CN_F64), true), *s = cn_sigmoid(x);
    if (!cn_backward(cn_sum(s)) || !cn_read(x, CN_F64, at, POINTS) ||
        !cn_read(s, CN_F64, y, POINTS) || !cn_read(cn_grad(x), CN_F64, slope, POINTS))
        return;
    cn_figure *f = cn_figure_new(NULL);
    cn_figure_line(f, "sigmoid", at, y, POINTS);
    cn_figure_line(f, "gradient", at, slope, POINTS);
    lab_figure(lab, f);
    lab_at_most(lab, "gradient of sigmoid at -8", slope[0], 3.4e-4);
    lab_at_most(lab, "and at 7.9", slope[POINTS - 1], 3.8e-4);
    lab_number(lab, "at 0", slope[80], 0.25, 1e-6);
}

typedef cn_tensor *Activation(cn_tensor *x);

/* The norm of the gradient by the input of so many layers, of weights N(0, gain / width). */
static double gradient_norm(Activation *f, double gain, int depth)
{
    double norm = 0;
    CN_SCOPE
    {
        cn_tensor *x = cn_requires_grad(cn_randn(CN_SHAPE(32, WIDTH), CN_F64), true), *h = x;
        for (int i = 0; i < depth; i++) {
            cn_tensor *w = cn_randn(CN_SHAPE(WIDTH, WIDTH), CN_F64);
            h = f(cn_matmul(h, cn_mul(w, cn_num(sqrt(gain / WIDTH)))));
        }
        if (cn_backward(cn_sum(cn_mul(h, cn_randn(CN_SHAPE(32, WIDTH), CN_F64)))))
            norm = cn_item(cn_norm(cn_grad(x)));
    }
    return norm;
}

static void run(Lab *lab)
{
    double depth[DEEPEST], sigmoid[DEEPEST], relu[DEEPEST], slowest = 0;
    draw_sigmoid(lab);
    for (int i = 0; i < DEEPEST; i++) {
        depth[i] = i + 1;
        sigmoid[i] = gradient_norm(cn_sigmoid, 1, i + 1);
        relu[i] = gradient_norm(cn_relu, 2, i + 1);
        if (i) slowest = fmax(slowest, sigmoid[i] / sigmoid[i - 1]);
    }
    /* Each sigmoid multiplies by at most 1/4, the weights by about 1. */
    lab_at_most(lab, "sigmoid: from a depth to the next the gradient's norm changes by at most",
                slowest, 0.4);
    lab_at_most(lab, "sigmoid: with 10 layers, against 1", sigmoid[DEEPEST - 1] / sigmoid[0], 1e-5);
    lab_number(lab, "relu: the logarithm of the same", log(relu[DEEPEST - 1] / relu[0]), 0, 1.5);
    cn_figure *f = cn_figure_new("Norm of the gradient by the input");
    cn_figure_line(f, "sigmoid", depth, sigmoid, DEEPEST);
    cn_figure_line(f, "relu", depth, relu, DEEPEST);
    cn_figure_axes(f, .xlabel = "layers", .ylog = true);
    lab_figure(lab, f);
}

const Experiment experiment_c04_vanish = {
    .id = "C04-VANISH",
    .title = "Vanishing gradients",
    .title_zh = "梯度消失",
    .section = "5.4.1",
    .run = run,
};
