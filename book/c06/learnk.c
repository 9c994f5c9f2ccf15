/* learnk.c - learning the kernel of an edge detector from its output (D2L 7.2.4). */
#include "book/book.h"

enum { STEPS = 10 };

static void run(Lab *lab)
{
    cn_tensor *x = cn_ones(CN_SHAPE(1, 1, 6, 8), CN_F32);
    cn_mul_(cn_narrow(x, 3, 2, 4), cn_num(0)); /* the book's X[:, 2:6] = 0 */
    cn_tensor *edge = cn_from((const float[]){ 1, -1 }, CN_SHAPE(1, 1, 1, 2), CN_F32);
    cn_tensor *y = cn_conv2d(x, edge);

    cn_module *conv = cn_conv2d_layer(1, .in = 1, .kernel_hw = { 1, 2 }, .no_bias = true);
    cn_optim *sgd = cn_sgd(conv, .lr = 3e-2);
    double loss[STEPS] = { 0 };
    for (int i = 0; i < STEPS && cn_ok(); i++) {
        CN_SCOPE
        {
            cn_zero_grad(conv);
            cn_tensor *l = cn_sum(cn_square(cn_sub(cn_forward(conv, x), y)));
            loss[i] = cn_item(l);
            if (cn_backward(l)) cn_step(sgd);
        }
        if (i % 2) lab_say(lab, "epoch %d, loss %.3f", i + 1, loss[i]);
    }
    bool falls = true;
    for (int i = 3; i < STEPS; i += 2) falls = falls && loss[i] < loss[i - 2];
    lab_values(lab, "the learned kernel", cn_module_slot(conv, "weight"), 0.1, 1, -1);
    lab_true(lab, "the loss falls from each printed step to the next", falls);
    lab_at_most(lab, "the last printed loss, against the first", loss[9] / loss[1], 0.1);

    cn_figure *f = cn_figure_new("Learning a kernel");
    cn_figure_line(f, "squared error", NULL, loss, STEPS);
    cn_figure_axes(f, .xlabel = "step", .ylog = true);
    lab_figure(lab, f);
    cn_optim_free(sgd);
    cn_module_free(conv);
}

const Experiment experiment_c06_learnk = {
    .id = "C06-LEARNK",
    .title = "Learning a kernel from data",
    .title_zh = "学习卷积核",
    .section = "7.2.4",
    .settings = "lr 3e-2, 10 steps, kernel (1, 2), no bias",
    .published = "losses 6.422 1.225 0.266 0.070 0.022, kernel [1.0010, -0.9739]",
    .run = run,
};
