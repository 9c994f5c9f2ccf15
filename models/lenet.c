/* lenet.c - LeNet-5 with sigmoids and average pooling (D2L 7.6; LeCun et al., 1998). */
#include "models/models.h"

static cn_module *make(int64_t classes)
{
    /* clang-format off */
    cn_module *net = cn_sequential(
        cn_conv2d_layer(6, .kernel = 5, .padding = 2), cn_sigmoid_layer(), cn_avg_pool2d_layer(2),
        cn_conv2d_layer(16, .kernel = 5),              cn_sigmoid_layer(), cn_avg_pool2d_layer(2),
        cn_flatten_layer(),
        cn_linear_layer(120), cn_sigmoid_layer(),
        cn_linear_layer(84),  cn_sigmoid_layer(),
        cn_linear_layer(classes));
    /* clang-format on */
    return cn_model_drawn(net, cn_xavier_uniform);
}

const cn_model model_lenet = {
    .name = "lenet",
    .title = "LeNet",
    .section = "7.6",
    .about = "two convolutions and three linear layers, with sigmoids",
    .input = { 3, { 1, 28, 28 } },
    .batch = 256,
    .epochs = 10,
    .lr = 0.9,
    .data = "fashion-mnist",
    .make = make,
};
