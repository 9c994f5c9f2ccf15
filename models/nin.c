/* nin.c - network in network (D2L 8.3; Lin, Chen and Yan, 2013). */
#include "models/blocks.h"
#include "models/parts.h"

cn_module *cn_nin_block(int64_t out, int64_t kernel, int64_t stride, int64_t padding)
{
    return cn_sequential(
        cn_conv2d_layer(out, .kernel = kernel, .stride = stride, .padding = padding),
        cn_relu_layer(), cn_conv2d_layer(out, .kernel = 1), cn_relu_layer(),
        cn_conv2d_layer(out, .kernel = 1), cn_relu_layer());
}

static cn_module *make(const cn_model_request *r)
{
    /* clang-format off */
    cn_module *net = cn_sequential(
        cn_nin_block(cn_width(r, 96), 11, 4, 0), cn_max_pool2d_layer(3, .stride = 2),
        cn_nin_block(cn_width(r, 256), 5, 1, 2), cn_max_pool2d_layer(3, .stride = 2),
        cn_nin_block(cn_width(r, 384), 3, 1, 1), cn_max_pool2d_layer(3, .stride = 2),
        cn_dropout_layer(0.5),
        cn_nin_block(r->classes, 3, 1, 1),
        cn_adaptive_avg_pool2d_layer(1), cn_flatten_layer());
    /* clang-format on */
    return cn_model_drawn(net, cn_xavier_uniform, NULL);
}

const cn_model model_nin = {
    .name = "nin",
    .title = "NiN",
    .section = "8.3",
    .about = "four convolutions with two of 1 x 1 after each; an average instead of linear layers",
    .input = { 3, { 1, 224, 224 } },
    .batch = 128,
    .epochs = 10,
    .lr = 0.1,
    .data = "fashion-mnist",
    .make = make,
};
