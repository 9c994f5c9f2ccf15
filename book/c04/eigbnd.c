/* eigbnd.c - how much a product of two matrices can stretch (exercise of D2L 5.4). */
#include "book/book.h"

#include <math.h>

enum { PAIRS = 20, ITERATIONS = 300 };

/* The largest |A x| / |x|: the square root of the largest eigenvalue of A^T A. */
static double stretch(cn_tensor *a)
{
    double norm = 0;
    cn_tensor *x = cn_randn(CN_SHAPE(cn_size(a, 1)), CN_F64);
    CN_SCOPE CN_NO_GRAD
    {
        for (int i = 0; i < ITERATIONS; i++) {
            x = cn_mv(cn_t(a), cn_mv(a, x));
            x = cn_div(x, cn_norm(x));
        }
        norm = cn_item(cn_norm(cn_mv(a, x)));
    }
    return norm;
}

static cn_tensor *weight(cn_module *net, const char *layer)
{
    return cn_to(cn_detach(cn_module_slot(cn_module_at(net, layer), "weight")), CN_F64);
}

/* A network that has learned y = |x|. */
static cn_module *trained(void)
{
    cn_module *net =
        cn_sequential(cn_linear_layer(12, .in = 6), cn_relu_layer(), cn_linear_layer(6, .in = 12));
    cn_optim *adam = cn_adam(net, .lr = 0.02);
    for (int i = 0; i < 200 && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *x = cn_randn(CN_SHAPE(64, 6), CN_F32);
            cn_zero_grad(net);
            if (cn_backward(cn_mse_loss(cn_forward(net, x), cn_abs(x)))) cn_step(adam);
        }
    cn_optim_free(adam);
    return net;
}

static void run(Lab *lab)
{
    double tightest = 0, error = 0;
    for (int i = 0; i < PAIRS; i++) {
        cn_tensor *w1 = cn_randn(CN_SHAPE(8, 6), CN_F64), *w2 = cn_randn(CN_SHAPE(7, 8), CN_F64);
        double product = stretch(cn_matmul(w2, w1));
        tightest = fmax(tightest, product / (stretch(w2) * stretch(w1)));
        double singular = cn_item(cn_linalg_matrix_norm(cn_matmul(w2, w1), "2"));
        error = fmax(error, fabs(product / singular - 1));
    }
    lab_at_most(lab, "random: |W2 W1| / (|W2| |W1|), the largest of 20", tightest, 1);
    lab_at_least(lab, "which is no trifle", tightest, 0.5);
    lab_at_most(lab, "power iteration and the largest singular value differ by", error, 1e-3);
    /* It is reached where what W1 stretches most is what W2 stretches most. */
    cn_tensor *w = cn_randn(CN_SHAPE(8, 6), CN_F64);
    lab_number(lab, "W^T W: the bound is reached",
               stretch(cn_matmul(cn_t(w), w)) / (stretch(w) * stretch(cn_t(w))), 1, 1e-3);

    cn_module *net = trained();
    cn_tensor *w1 = weight(net, "0"), *w2 = weight(net, "2");
    double bound = stretch(w2) * stretch(w1);
    lab_at_most(lab, "trained: |W2 W1| / (|W2| |W1|)", stretch(cn_matmul(w2, w1)) / bound, 1);
    /* So the network stretches no difference by more: ReLU stretches none. */
    cn_tensor *a = cn_randn(CN_SHAPE(500, 6), CN_F32), *b = cn_randn(CN_SHAPE(500, 6), CN_F32);
    cn_tensor *out = cn_detach(cn_sub(cn_forward(net, a), cn_forward(net, b)));
    cn_tensor *ratio =
        cn_div(cn_norm(out, .dim = CN_SHAPE(1)), cn_norm(cn_sub(a, b), .dim = CN_SHAPE(1)));
    lab_at_most(lab, "trained: |f(a) - f(b)| / |a - b|, against the bound",
                cn_item(cn_amax(ratio)) / bound, 1);
    cn_module_free(net);
}

const Experiment experiment_c04_eigbnd = {
    .id = "C04-EIGBND",
    .title = "A bound on the eigenvalues of a product",
    .title_zh = "矩阵乘积特征值的界",
    .section = "5.4.4",
    .run = run,
};
