/* bnbias.c - a bias before batch normalisation does nothing (D2L 8.5, exercise 1). */
#include "book/book.h"

static cn_module *network(bool bias)
{
    cn_module *net =
        cn_sequential(cn_conv2d_layer(6, .kernel = 5, .no_bias = !bias), cn_batch_norm2d_layer(),
                      cn_relu_layer(), cn_flatten_layer(), cn_linear_layer(8, .no_bias = !bias),
                      cn_batch_norm1d_layer(), cn_relu_layer(), cn_linear_layer(3));
    cn_build(net, CN_SHAPE(1, 1, 9, 9));
    return net;
}

/* The largest element of a parameter's gradient. */
static double largest(cn_module *net, const char *layer, const char *slot)
{
    return cn_item(cn_amax(cn_abs(cn_grad(cn_module_slot(cn_module_at(net, layer), slot)))));
}

static void run(Lab *lab)
{
    enum { N = 16 };
    cn_tensor *x = cn_randn(CN_SHAPE(N, 1, 9, 9), CN_F32), *labels = cn_randint(0, 3, CN_SHAPE(N));
    cn_module *with = network(true), *without = network(false);
    cn_tensor *y = cn_forward(with, x);
    cn_backward(cn_cross_entropy(y, labels));
    double weight = largest(with, "0", "weight");
    lab_at_least(lab, "gradient of the convolution's weight", weight, 1e-3);
    lab_at_most(lab, "of its bias, against that", largest(with, "0", "bias") / weight, 1e-5);
    lab_at_most(lab, "of the linear layer's bias, against that",
                largest(with, "4", "bias") / weight, 1e-5);
    lab_at_least(lab, "of the bias of the last layer, which no norm follows",
                 largest(with, "7", "bias"), 1e-3);

    /* The same network without them. */
    cn_dict *state = cn_state_dict(with);
    if (cn_load_state_dict(without, state, false))
        lab_same(lab, "without both biases the outputs are the same", cn_forward(without, x), y,
                 1e-5);
    lab_number(lab, "parameters saved",
               (double)(cn_parameter_count(with) - cn_parameter_count(without)), 6 + 8, 0);
    cn_dict_free(state);
    cn_module_free(with);
    cn_module_free(without);
}

const Experiment experiment_c07_bnbias = {
    .id = "C07-BNBIAS",
    .title = "The bias before batch normalization can go",
    .title_zh = "批量规范化之前的偏置可以去掉",
    .section = "8.5",
    .run = run,
};
