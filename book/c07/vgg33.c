/* vgg33.c - deep and narrow: stacks of 3 x 3 against large kernels that see as much (D2L 8.2.1; Simonyan
   and Zisserman, 2014). */
#include "book/book.h"

enum { SIDE = 28, CHANNELS = 16 };

/* `layers` convolutions, each with ReLU. Two of 3 x 3 see 5 x 5 pixels, three 7 x 7. */
static cn_module *stack(int layers, int64_t kernel, int64_t channels)
{
    cn_module *convolutions[6];
    for (int i = 0; i < layers; i++) {
        convolutions[2 * i] =
            cn_conv2d_layer(channels, .in = channels, .kernel = kernel, .padding = kernel / 2);
        convolutions[2 * i + 1] = cn_relu_layer();
    }
    return cn_sequential_n(convolutions, 2 * layers);
}

/* The same for both: 1 x 1 to the channels, the stack, pooling; twice. */
static cn_module *network(int layers, int64_t kernel)
{
    cn_module *net = cn_sequential(cn_conv2d_layer(CHANNELS, .kernel = 1), cn_max_pool2d_layer(2),
                                   stack(layers, kernel, CHANNELS), cn_max_pool2d_layer(2),
                                   stack(layers, kernel, CHANNELS), cn_max_pool2d_layer(2),
                                   cn_flatten_layer(), cn_linear_layer(10));
    cn_init(net, cn_kaiming_uniform, NULL);
    cn_build(net, CN_SHAPE(1, 1, SIDE, SIDE));
    return net;
}

/* Rows of pixels that the gradient of one output reaches, kernels being ones. */
static double field(int layers, int64_t kernel)
{
    enum { WIDE = 21 };
    cn_tensor *x = cn_requires_grad(cn_zeros(CN_SHAPE(1, 1, WIDE, WIDE), CN_F32), true), *y = x;
    for (int i = 0; i < layers; i++)
        y = cn_conv2d(y, cn_ones(CN_SHAPE(1, 1, kernel, kernel), CN_F32), .same = true);
    cn_tensor *one = cn_narrow(cn_narrow(y, 2, WIDE / 2, 1), 3, WIDE / 2, 1);
    if (!cn_backward(cn_sum(one))) return -1;
    cn_tensor *rows = cn_amax(cn_grad(x), .dim = CN_SHAPE(0, 1, 3));
    return cn_item(cn_sum(cn_to(cn_gt(rows, cn_num(0)), CN_F32)));
}

static void costs(Lab *lab)
{
    cn_module *deep = stack(3, 3, CHANNELS), *wide = stack(1, 7, CHANNELS);
    const cn_shape input = CN_SHAPE(1, CHANNELS, SIDE, SIDE);
    lab_number(lab, "three of 3 x 3 see", field(3, 3), 7, 0);
    lab_number(lab, "one of 7 x 7 sees", field(1, 7), 7, 0);
    lab_number(lab, "parameters of three 3 x 3", (double)cn_parameter_count(deep),
               3 * (9 * CHANNELS * CHANNELS + CHANNELS), 0);
    lab_number(lab, "parameters of one 7 x 7", (double)cn_parameter_count(wide),
               49 * CHANNELS * CHANNELS + CHANNELS, 0);
    /* Of the stack's first layer there is no gradient for the input, so steps compare a little
       better than 27 to 49. */
    lab_at_most(lab, "operations of a step, 3 x 3 against 7 x 7",
                cn_step_flops(deep, input) / cn_step_flops(wide, input), 0.85);
    cn_module_free(deep);
    cn_module_free(wide);
}

static double accuracy(Lab *lab, cn_module *net, const LabSchedule *s, cn_dataset *train,
                       cn_dataset *test)
{
    LabFit fit = lab_train(lab, net, train, test, s);
    lab_say(lab, "%lld parameters: loss %.3f, best test acc %.3f, %.1f examples/s",
            (long long)cn_parameter_count(net), lab_last(&fit, fit.train_loss), fit.best_test_acc,
            fit.examples_per_second);
    lab_figure(lab,
               lab_curves(&fit, cn_parameter_count(net) > 20000 ? "7 x 7" : "3 x 3, three times"));
    cn_module_free(net);
    return fit.best_test_acc;
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 8000, 2000, .batch = 32, .epochs = 6, .lr = 0.05, .accuracy = 0.9 },
        .quick = { 4000, 1000, .batch = 32, .epochs = 4, .lr = 0.05, .accuracy = 0.8 },
        .real = { 30000, 0, .batch = 64, .epochs = 6, .lr = 0.05, .accuracy = 0.85 },
        .real_quick = { 6000, 1000, .batch = 32, .epochs = 4, .lr = 0.05, .accuracy = 0.75 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    costs(lab);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    double deep = accuracy(lab, network(3, 3), &s, train, test);
    double wide = accuracy(lab, network(1, 7), &s, train, test);
    lab_at_least(lab, "test accuracy, deep and narrow", deep, s.accuracy);
    lab_at_least(lab, "deep and narrow against shallow and wide", deep - wide, -0.01);
}

const Experiment experiment_c07_vgg33 = {
    .id = "C07-VGG33",
    .title = "Deep and narrow 3 x 3 against shallow and wide",
    .title_zh = "VGG 块：更深更窄的 3×3 卷积更有效",
    .section = "8.2.1",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
