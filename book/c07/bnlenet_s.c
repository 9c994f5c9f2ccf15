/* bnlenet_s.c - LeNet with batch normalisation from scratch (D2L 8.5.3). */
#include "book/book.h"

/* ---- the layer ------------------------------------------------------------------------------- */

typedef struct {
    int64_t features;
    int dims; /* of inputs: 2 after linear layers, 4 after convolutions */
} BatchNorm;

static bool build(cn_module *m, const cn_shape *input)
{
    const BatchNorm *o = cn_module_options(m);
    cn_shape shape = o->dims == 2 ? CN_SHAPE(1, o->features) : CN_SHAPE(1, o->features, 1, 1);
    (void)input;
    return cn_module_parameter(m, "gamma", &shape) && cn_module_parameter(m, "beta", &shape) &&
           cn_module_buffer(m, "moving_mean", &shape, CN_F32, 0) &&
           cn_module_buffer(m, "moving_var", &shape, CN_F32, 1) &&
           cn_add_(cn_detach(cn_module_slot(m, "gamma")), cn_num(1));
}

/* moving = 0.9 moving + 0.1 of this batch. The book takes the biased variance, PyTorch the unbiased. */
static void follow(cn_tensor *moving, cn_tensor *batch)
{
    CN_NO_GRAD
    {
        cn_copy_(moving, cn_add(cn_mul(moving, cn_num(0.9)), cn_mul(batch, cn_num(0.1))));
    }
}

static bool forward(cn_module *m, cn_io *io)
{
    const BatchNorm *o = cn_module_options(m);
    cn_tensor *x = io->in[0], *moving_mean = cn_module_slot(m, "moving_mean"),
              *moving_var = cn_module_slot(m, "moving_var"), *mean = moving_mean, *var = moving_var;
    if (cn_is_training(m)) {
        cn_shape dims = o->dims == 2 ? CN_SHAPE(0) : CN_SHAPE(0, 2, 3);
        mean = cn_mean(x, .dim = dims, .keepdim = true);
        var = cn_mean(cn_square(cn_sub(x, mean)), .dim = dims, .keepdim = true);
        follow(moving_mean, cn_detach(mean));
        follow(moving_var, cn_detach(var));
    }
    cn_tensor *standard = cn_div(cn_sub(x, mean), cn_sqrt(cn_add(var, cn_num(1e-5))));
    io->out[0] = cn_add(cn_mul(cn_module_slot(m, "gamma"), standard), cn_module_slot(m, "beta"));
    return io->out[0] != NULL;
}

static const cn_module_class batch_norm = {
    .size = sizeof(cn_module_class),
    .name = "BatchNorm",
    .doc = "The book's batch normalisation, from scratch.",
    .options_size = sizeof(BatchNorm),
    .build = build,
    .forward = forward,
};

static cn_module *batch_norm_layer(int64_t features, int dims)
{
    return cn_module_of(&batch_norm, &(BatchNorm){ features, dims });
}

/* ---- the network ------------------------------------------------------------------------------ */

static cn_module *lenet(void)
{
    /* clang-format off */
    cn_module *net = cn_sequential(
        cn_conv2d_layer(6, .in = 1, .kernel = 5), batch_norm_layer(6, 4), cn_sigmoid_layer(),
        cn_avg_pool2d_layer(2),
        cn_conv2d_layer(16, .kernel = 5), batch_norm_layer(16, 4), cn_sigmoid_layer(),
        cn_avg_pool2d_layer(2), cn_flatten_layer(),
        cn_linear_layer(120), batch_norm_layer(120, 2), cn_sigmoid_layer(),
        cn_linear_layer(84), batch_norm_layer(84, 2), cn_sigmoid_layer(),
        cn_linear_layer(10));
    /* clang-format on */
    cn_init(net, cn_xavier_uniform, NULL);
    cn_build(net, CN_SHAPE(2, 1, 28, 28));
    return net;
}

/* In training, and by what is kept, which counts from 0 and 1. */
static void beside_the_library(Lab *lab)
{
    cn_module *ours = batch_norm_layer(3, 4), *library = cn_batch_norm2d_layer();
    cn_tensor *x = cn_add(cn_mul(cn_randn(CN_SHAPE(8, 3, 6, 6), CN_F32), cn_num(2)), cn_num(1));
    lab_same(lab, "a batch, ours and the library's", cn_forward(ours, x), cn_forward(library, x),
             1e-5);
    lab_same(lab, "moving mean, ours and the library's",
             cn_reshape(cn_module_slot(ours, "moving_mean"), CN_SHAPE(3)),
             cn_module_slot(library, "running_mean"), 1e-6);
    lab_module_gradients(lab, "gradients of gamma and beta", ours, x);
    cn_module_free(ours);
    cn_module_free(library);
}

/* What the book prints at the end; during training they leave 1 and 0. */
static void show_parameters(Lab *lab, cn_module *net)
{
    double gamma[6], beta[6];
    cn_module *first = cn_module_at(net, "1");
    if (!cn_read(cn_module_slot(first, "gamma"), CN_F64, gamma, 6) ||
        !cn_read(cn_module_slot(first, "beta"), CN_F64, beta, 6))
        return;
    lab_say(lab, "gamma %.4f %.4f %.4f %.4f %.4f %.4f", gamma[0], gamma[1], gamma[2], gamma[3],
            gamma[4], gamma[5]);
    lab_say(lab, "beta  %.4f %.4f %.4f %.4f %.4f %.4f", beta[0], beta[1], beta[2], beta[3], beta[4],
            beta[5]);
    cn_tensor *moved = cn_abs(cn_sub(cn_module_slot(first, "gamma"), cn_num(1)));
    lab_at_least(lab, "gamma of the first layer has learned: largest change",
                 cn_item(cn_amax(moved)), 0.1);
    cn_figure *f = cn_figure_new("Batch norm of the first layer");
    cn_figure_bars(f, "gamma", NULL, gamma, 6);
    cn_figure_bars(f, "beta", NULL, beta, 6);
    cn_figure_axes(f, .xlabel = "channel");
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 256, .epochs = 6, .lr = 1, .accuracy = 0.85 },
        .quick = { 6400, 1000, .batch = 128, .epochs = 4, .lr = 1, .accuracy = 0.75 },
        .real = { .batch = 256, .epochs = 10, .lr = 1, .accuracy = 0.85 },
        .real_quick = { 12800, 2000, .batch = 128, .epochs = 4, .lr = 1, .accuracy = 0.7 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    beside_the_library(lab);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    cn_module *net = lenet();
    LabFit fit = lab_train(lab, net, train, test, &s);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_say(lab, "last epoch: loss %.3f, train acc %.3f, test acc %.3f, %.1f examples/s",
            lab_last(&fit, fit.train_loss), lab_last(&fit, fit.train_acc),
            lab_last(&fit, fit.test_acc), fit.examples_per_second);
    lab_figure(lab, lab_curves(&fit, "LeNet with batch normalization"));
    show_parameters(lab, net);
    cn_module_free(net);
}

const Experiment experiment_c07_bnlenet_s = {
    .id = "C07-BNLENET-S",
    .title = "LeNet with batch normalization, from scratch",
    .title_zh = "使用批量规范化层的 LeNet：从零实现",
    .section = "8.5.3",
    .settings = "SGD lr 1.0, batch 256, 10 epochs",
    .published =
        "loss 0.273, train acc 0.899, test acc 0.807 (best epoch 0.856); 32,293.9 examples/s",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
