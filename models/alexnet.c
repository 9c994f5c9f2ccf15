/* alexnet.c - AlexNet (D2L 8.1; Krizhevsky, Sutskever and Hinton, 2012), and torchvision's. */
#include "models/parts.h"

typedef struct {
    int64_t channels[5];
    int64_t padding;  /* of the first convolution */
    bool torchvision; /* its groups of layers; dropout before the linear layers instead of after */
} AlexNet;

static void put_convolutions(cn_module *to, const AlexNet *o, const cn_model_request *r)
{
    for (int i = 0; i < 5; i++) {
        int64_t out = cn_width(r, o->channels[i]);
        if (i == 0)
            cn_add_part(to, NULL,
                        cn_conv2d_layer(out, .kernel = 11, .stride = 4, .padding = o->padding));
        else
            cn_add_part(to, NULL,
                        cn_conv2d_layer(out, .kernel = i == 1 ? 5 : 3, .padding = i == 1 ? 2 : 1));
        cn_add_part(to, NULL, cn_relu_layer());
        if (i != 2 && i != 3) cn_add_part(to, NULL, cn_max_pool2d_layer(3, .stride = 2));
    }
}

static void put_linear(cn_module *to, const AlexNet *o, const cn_model_request *r)
{
    for (int i = 0; i < 2; i++) {
        if (o->torchvision) cn_add_part(to, NULL, cn_dropout_layer(0.5));
        cn_add_part(to, NULL, cn_linear_layer(cn_width(r, 4096)));
        cn_add_part(to, NULL, cn_relu_layer());
        if (!o->torchvision) cn_add_part(to, NULL, cn_dropout_layer(0.5));
    }
    cn_add_part(to, NULL, cn_linear_layer(r->classes));
}

static cn_module *make(const cn_model_request *r)
{
    const AlexNet *o = r->settings;
    cn_module *net = cn_chain();
    put_convolutions(o->torchvision ? cn_chain_in(net, "features") : net, o, r);
    if (o->torchvision) cn_add_part(net, "avgpool", cn_adaptive_avg_pool2d_layer(6));
    cn_add_part(net, o->torchvision ? "flatten" : NULL, cn_flatten_layer());
    put_linear(o->torchvision ? cn_chain_in(net, "classifier") : net, o, r);
    return cn_model_drawn(net, o->torchvision ? NULL : cn_xavier_uniform, NULL);
}

const cn_model model_alexnet = {
    .name = "alexnet",
    .title = "AlexNet",
    .section = "8.1",
    .about = "five convolutions and three linear layers, with ReLU and dropout",
    .input = { 3, { 1, 224, 224 } },
    .batch = 128,
    .epochs = 10,
    .lr = 0.01,
    .data = "fashion-mnist",
    .make = make,
    .settings = &(const AlexNet){ .channels = { 96, 256, 384, 384, 256 }, .padding = 1 },
};

const cn_model model_tv_alexnet = {
    .name = "torchvision/alexnet",
    .title = "AlexNet of torchvision",
    .section = "8.1",
    .about = "AlexNet in the widths of Krizhevsky (2014), for ImageNet",
    .input = { 3, { 3, 224, 224 } },
    .classes = 1000,
    .batch = 128,
    .epochs = 90,
    .lr = 0.01,
    .data = "imagenet",
    .scaling = &cn_scaling_imagenet,
    .make = make,
    .settings = &(
        const AlexNet){ .channels = { 64, 192, 384, 256, 256 }, .padding = 2, .torchvision = true },
};
