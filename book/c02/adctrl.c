/* adctrl.c - loops and branches are recorded as they ran (D2L 2.5.4). */
#include "book/book.h"

#include <math.h>

/* The book's f: linear in a, piece by piece; how often it loops depends on a. */
static cn_tensor *f(cn_tensor *a, int *doublings)
{
    cn_tensor *b = cn_mul(a, cn_num(2));
    while (cn_ok() && cn_item(cn_norm(b)) < 1000) {
        b = cn_mul(b, cn_num(2));
        ++*doublings;
    }
    return cn_item(cn_sum(b)) > 0 ? b : cn_mul(cn_num(100), b);
}

static void run(Lab *lab)
{
    int doublings = 0;
    double worst = 0;
    for (int i = 0; i < 100; i++) CN_SCOPE
        {
            cn_tensor *a = cn_requires_grad(cn_randn(cn_scalar_shape(), CN_F32), true);
            cn_tensor *d = f(a, &doublings);
            cn_backward(d);
            double slope = cn_item(cn_div(cn_detach(d), cn_detach(a)));
            worst = fmax(worst, fabs(cn_item(cn_grad(a)) / slope - 1));
        }
    lab_at_most(lab, "a.grad and d / a differ by (relative), of 100", worst, 1e-6);
    lab_at_least(lab, "the loop ran, on average", doublings / 100.0, 9);
}

const Experiment experiment_c02_adctrl = {
    .id = "C02-AD-CTRL",
    .title = "Gradients through control flow",
    .title_zh = "Python控制流的梯度计算",
    .section = "2.5.4",
    .published = "a.grad == d / a: True",
    .run = run,
};
