/* lenet.c - LeNet-5 with sigmoids and average pooling (D2L 7.6; LeCun et al., 1998), and the same with
   batch normalisation (D2L 8.5). */
#include "models/parts.h"

typedef struct {
    bool batch_norm;
    int64_t padding; /* of the first convolution */
} LeNet;

/* A layer, its normalisation if wanted, and the sigmoid. */
static void put_layer(cn_module *net, const LeNet *o, cn_module *layer, bool flat)
{
    cn_add_part(net, NULL, layer);
    if (o->batch_norm)
        cn_add_part(net, NULL, flat ? cn_batch_norm1d_layer() : cn_batch_norm2d_layer());
    cn_add_part(net, NULL, cn_sigmoid_layer());
}

static cn_module *make(const cn_model_request *r)
{
    const LeNet *o = r->settings;
    cn_module *net = cn_chain();
    put_layer(net, o, cn_conv2d_layer(cn_width(r, 6), .kernel = 5, .padding = o->padding), false);
    cn_add_part(net, NULL, cn_avg_pool2d_layer(2));
    put_layer(net, o, cn_conv2d_layer(cn_width(r, 16), .kernel = 5), false);
    cn_add_part(net, NULL, cn_avg_pool2d_layer(2));
    cn_add_part(net, NULL, cn_flatten_layer());
    put_layer(net, o, cn_linear_layer(cn_width(r, 120)), true);
    put_layer(net, o, cn_linear_layer(cn_width(r, 84)), true);
    cn_add_part(net, NULL, cn_linear_layer(r->classes));
    return cn_model_drawn(net, cn_xavier_uniform, NULL);
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
    .settings = &(const LeNet){ .padding = 2 },
};

const cn_model model_lenet_bn = {
    .name = "lenet-bn",
    .title = "LeNet with batch normalisation",
    .section = "8.5",
    .about = "LeNet with batch normalisation before each sigmoid",
    .input = { 3, { 1, 28, 28 } },
    .batch = 256,
    .epochs = 10,
    .lr = 1.0,
    .data = "fashion-mnist",
    .make = make,
    .settings = &(const LeNet){ .batch_norm = true },
};
