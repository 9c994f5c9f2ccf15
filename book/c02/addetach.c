/* addetach.c - what is taken out of the graph counts as constant (D2L 2.5.3). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_requires_grad(cn_arange(0, 4, 1, CN_F32), true);
    cn_tensor *y = cn_mul(x, x), *u = cn_detach(y), *z = cn_mul(u, x);
    cn_backward(cn_sum(z));
    lab_same(lab, "dz/dx, and u", cn_grad(x), u, 0);
    lab_values(lab, "which is not 3 x^2", cn_grad(x), 0, 0, 1, 4, 9);

    cn_set_grad(x, NULL);
    cn_backward(cn_sum(y));
    lab_values(lab, "y itself is still recorded: dy/dx", cn_grad(x), 0, 0, 2, 4, 6);
    lab_true(lab, "u shares its memory and needs no gradient",
             cn_shares_memory(u, y) && !cn_needs_grad(u));
}

const Experiment experiment_c02_addetach = {
    .id = "C02-AD-DETACH",
    .title = "Detaching computation",
    .title_zh = "分离计算",
    .section = "2.5.3",
    .published = "x.grad == u: all True",
    .run = run,
};
