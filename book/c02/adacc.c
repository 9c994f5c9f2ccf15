/* adacc.c - gradients add up until they are cleared (D2L 2.5.1). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_requires_grad(cn_arange(1, 5, 1, CN_F32), true);
    cn_tensor *y = cn_mul(cn_num(2), cn_dot(x, x));
    const cn_backward_options retain = { .size = sizeof retain, .retain_graph = true };
    cn_backward_of(&y, NULL, 1, &retain);
    lab_values(lab, "backward with retain_graph", cn_grad(x), 0, 4, 8, 12, 16);
    cn_backward(y);
    lab_values(lab, "once more: gradients add up", cn_grad(x), 0, 8, 16, 24, 32);
    cn_backward(y);
    lab_refused(lab, "a third time, when the graph is gone", "retain_graph");

    cn_backward(cn_mul(cn_num(2), cn_dot(x, x)));
    lab_values(lab, "a new graph adds to the same gradient", cn_grad(x), 0, 12, 24, 36, 48);
    cn_set_grad(x, NULL);
    cn_backward(cn_mul(cn_num(2), cn_dot(x, x)));
    lab_values(lab, "after zeroing it begins anew", cn_grad(x), 0, 4, 8, 12, 16);
}

const Experiment experiment_c02_adacc = {
    .id = "C02-AD-ACC",
    .title = "Accumulating gradients",
    .title_zh = "梯度累积与清零",
    .section = "2.5.1",
    .published = "[4, 8, 12, 16], then [8, 16, 24, 32]",
    .run = run,
};
