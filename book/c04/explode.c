/* explode.c - a product of a hundred random matrices (D2L 5.4.1). */
#include "book/book.h"

#include <math.h>

enum { N = 100, RUNS = 20 };

static cn_tensor *product(double norms[N])
{
    cn_tensor *m = cn_randn(CN_SHAPE(4, 4), CN_F32);
    for (int i = 0; i < N; i++) {
        m = cn_matmul(m, cn_randn(CN_SHAPE(4, 4), CN_F32));
        norms[i] = cn_item(cn_norm(cn_to(m, CN_F64))); /* squares leave float32 */
    }
    return m;
}

static void run(Lab *lab)
{
    double norms[N], growth = 0, entry = 0;
    for (int k = 0; k < RUNS; k++) {
        cn_tensor *m = product(norms);
        if (!k) entry = cn_item(cn_amax(cn_abs(m)));
        growth += log(norms[N - 1] / norms[0]) / (N - 1) / RUNS;
    }
    lab_at_least(lab, "largest entry after 100 matrices", entry, 1e20);
    lab_true(lab, "which float32 can still hold", isfinite(entry));
    /* The exponent of Gaussian products: (log 2 + digamma(4/2)) / 2 per factor (Newman, 1986). */
    lab_number(lab, "growth of the logarithm of the norm per matrix", growth,
               (log(2) + 1 - 0.5772156649) / 2, 0.05);
    cn_figure *f = cn_figure_new("Norm of the product");
    cn_figure_line(f, NULL, NULL, norms, N);
    cn_figure_axes(f, .xlabel = "matrices", .ylog = true);
    lab_figure(lab, f);
}

const Experiment experiment_c04_explode = {
    .id = "C04-EXPLODE",
    .title = "Exploding gradients",
    .title_zh = "梯度爆炸",
    .section = "5.4.1",
    .settings = "100 matrices 4 x 4 of N(0, 1)",
    .published = "entries of about 1e23 to 1e26",
    .run = run,
};
