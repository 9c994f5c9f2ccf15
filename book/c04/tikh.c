/* tikh.c - noise added to inputs is a penalty on weights (D2L 5.6.1; Bishop, 1995). */
#include "book/book.h"

enum { N = 50, D = 5, COPIES = 4000 };

static cn_tensor *solve(cn_tensor *gram, cn_tensor *moment, double lambda)
{
    cn_tensor *penalty = cn_mul(cn_eye(D, CN_F64), cn_num(lambda));
    return cn_linalg_solve(cn_add(gram, penalty), moment);
}

static void run(Lab *lab)
{
    const double sigma = 0.8;
    LabData d = lab_linear_data(
        cn_from((const double[]){ 2, -3.4, 1, 0.5, -1 }, CN_SHAPE(D, 1), CN_F64), 0, 0.1, N);
    cn_tensor *xt = cn_t(d.x), *gram = cn_matmul(xt, d.x), *moment = cn_matmul(xt, d.y);
    cn_tensor *ridge = solve(gram, moment, N * sigma * sigma), *plain = solve(gram, moment, 0);

    /* Least squares on 4000 noisy copies of the data, and gradient descent with new noise in each
       step, averaged over its second half. */
    cn_tensor *noisy_gram = cn_zeros(CN_SHAPE(D, D), CN_F64);
    cn_tensor *noisy_moment = cn_zeros(CN_SHAPE(D, 1), CN_F64);
    cn_tensor *w = cn_zeros(CN_SHAPE(D, 1), CN_F64), *mean = cn_zeros(CN_SHAPE(D, 1), CN_F64);
    for (int i = 0; i < COPIES && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *noise = cn_mul(cn_randn(CN_SHAPE(N, D), CN_F64), cn_num(sigma));
            cn_tensor *x = cn_add(d.x, noise), *t = cn_t(x);
            cn_add_(noisy_gram, cn_matmul(t, x));
            cn_add_(noisy_moment, cn_matmul(t, d.y));
            cn_tensor *gradient = cn_div(cn_matmul(t, cn_sub(cn_matmul(x, w), d.y)), cn_num(N));
            cn_sub_(w, cn_mul(gradient, cn_num(0.03)));
            if (i >= COPIES / 2) cn_add_(mean, cn_div(w, cn_num(COPIES / 2)));
        }
    double far = cn_item(cn_norm(cn_sub(plain, ridge)));
    lab_say(lab, "|w| without noise %.3f, ridge %.3f", cn_item(cn_norm(plain)),
            cn_item(cn_norm(ridge)));
    lab_at_least(lab, "ridge is away from least squares by", far, 1);
    cn_tensor *exact = solve(noisy_gram, noisy_moment, 0);
    lab_at_most(lab, "least squares on noisy copies, from ridge with n sigma^2, in that distance",
                cn_item(cn_norm(cn_sub(exact, ridge))) / far, 0.02);
    lab_at_most(lab, "gradient descent with noisy inputs, in that distance",
                cn_item(cn_norm(cn_sub(mean, ridge))) / far, 0.06);
}

const Experiment experiment_c04_tikh = {
    .id = "C04-TIKH",
    .title = "Noise in the inputs and Tikhonov's penalty",
    .title_zh = "输入噪声与 Tikhonov 正则化",
    .section = "5.6.1",
    .run = run,
};
