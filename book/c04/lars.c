/* lars.c - a learning rate for each layer, by its own norms (exercise of D2L 5.4; You et al., 2017). */
#include "book/book.h"

#include <math.h>

enum { BATCH = 512, EPOCHS = 3 };

/* One step on two layers of different size, beside trust = eta |w| / (|g| + beta |w|). */
static void one_step(Lab *lab)
{
    const double lr = 0.5, eta = 0.02, beta = 0.1;
    double worst = 0, rates[2];
    cn_optim *lars = cn_optim_new("LARS", lr);
    cn_tensor *w[] = { lab_parameter(CN_SHAPE(40), 5), lab_parameter(CN_SHAPE(30), 0.01) };
    cn_tensor *before[] = { cn_detach(cn_clone(w[0])), cn_detach(cn_clone(w[1])) };
    cn_optim_add_group(lars, w, 2);
    cn_optim_set(lars, -1, "trust_coefficient", eta);
    cn_optim_set(lars, -1, "weight_decay", beta);
    for (int i = 0; i < 2; i++) cn_set_grad(w[i], cn_randn(*cn_shape_of(w[i]), CN_F32));
    cn_tensor *g[] = { cn_clone(cn_grad(w[0])), cn_clone(cn_grad(w[1])) };
    cn_step(lars);
    for (int i = 0; i < 2; i++) {
        double size = cn_item(cn_norm(before[i])), slope = cn_item(cn_norm(g[i]));
        rates[i] = lr * eta * size / (slope + beta * size);
        cn_tensor *decayed = cn_add(g[i], cn_mul(before[i], cn_num(beta)));
        cn_tensor *formula = cn_sub(before[i], cn_mul(decayed, cn_num(rates[i])));
        worst = fmax(worst, cn_item(cn_amax(cn_abs(cn_sub(cn_detach(w[i]), formula)))));
    }
    lab_at_most(lab, "a step of LARS and its formula differ by", worst, 1e-5);
    lab_at_least(lab, "the rate of large weights, in that of small ones", rates[0] / rates[1], 50);
    cn_optim_free(lars);
}

/* LeNet with ReLU at a rate beyond what plain descent bears. */
static cn_module *lenet(void)
{
    /* clang-format off */
    cn_module *net = cn_sequential(
        cn_conv2d_layer(6, .in = 1, .kernel = 5, .padding = 2), cn_relu_layer(),
        cn_max_pool2d_layer(2),
        cn_conv2d_layer(16, .in = 6, .kernel = 5), cn_relu_layer(),
        cn_max_pool2d_layer(2), cn_flatten_layer(),
        cn_linear_layer(120, .in = 400), cn_relu_layer(),
        cn_linear_layer(10, .in = 120));
    /* clang-format on */
    cn_init(net, cn_xavier_uniform, NULL);
    return net;
}

/* The best test accuracy; 0 where the loss was no longer a number. */
static double reaches(Lab *lab, const char *how, cn_dataset *train, cn_dataset *test)
{
    double best = 0;
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = lenet();
    cn_optim *optim = cn_optim_by_name(net, how);
    cn_loader *loader =
        cn_loader_new(train, .batch = BATCH, .shuffle = true, .seed = lab_options(lab)->seed);
    for (int i = 0; i < EPOCHS * (int)cn_loader_batches(loader); i++) CN_SCOPE
        {
            cn_batch b;
            bool more = cn_loader_next(loader, &b) || (cn_ok() && cn_loader_next(loader, &b));
            cn_zero_grad(net);
            if (more && cn_backward(cn_cross_entropy(cn_forward(net, b.x), b.y))) cn_step(optim);
        }
    cn_score score = { 0 };
    if (cn_evaluate(net, test, BATCH, NULL, NULL, &score)) best = score.accuracy;
    lab_say(lab, "%s: loss %.3f, test acc %.3f", how, score.loss, best);
    cn_loader_free(loader);
    cn_optim_free(optim);
    cn_module_free(net);
    return best;
}

static void run(Lab *lab)
{
    one_step(lab);
    cn_dataset *train = lab_images(lab, CN_TRAIN, 4096, 30000),
               *test = lab_images(lab, CN_TEST, 1000, 5000);
    if (!train || !test) return;
    double sgd = reaches(lab, "SGD lr=10 momentum=0.9", train, test);
    double lars = reaches(lab, "LARS lr=10 momentum=0.9 trust_coefficient=0.002", train, test);
    lab_at_most(lab, "SGD with lr 10, batch 512: test accuracy; guessing reaches 0.1", sgd, 0.15);
    lab_at_least(lab, "LARS with the same: test accuracy", lars, 0.6);
}

const Experiment experiment_c04_lars = {
    .id = "C04-LARS",
    .title = "Layer-wise adaptive rate scaling",
    .title_zh = "分层自适应速率缩放（LARS）",
    .section = "5.4.4",
    .settings = "LeNet with ReLU, batch 512, lr 10, momentum 0.9",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
