/* squeezenet.c - SqueezeNet 1.1 (Iandola et al., 2016), with torchvision's names. */
#include "models/blocks.h"
#include "models/parts.h"

cn_module *cn_fire_block(int64_t squeeze, int64_t expand)
{
    cn_module *b = cn_branches(true);
    int narrow = cn_branch(b, "squeeze", CN_BLOCK_INPUT, cn_conv2d_layer(squeeze, .kernel = 1));
    cn_branch(b, "expand1x1", narrow, cn_conv2d_layer(expand, .kernel = 1));
    cn_branch(b, "expand3x3", narrow, cn_conv2d_layer(expand, .kernel = 3, .padding = 1));
    return cn_model_drawn(b, NULL, NULL);
}

/* Pairs of Fire blocks of 16, 32, 48 and 64 channels, which expand to eight times as many; a pooling
   before the first three pairs. */
static void put_features(cn_module *to, const cn_model_request *r)
{
    cn_add_part(to, NULL, cn_conv2d_layer(cn_width(r, 64), .kernel = 3, .stride = 2));
    cn_add_part(to, NULL, cn_relu_layer());
    for (int64_t squeeze = 16; squeeze <= 64; squeeze += 16) {
        if (squeeze < 64)
            cn_add_part(to, NULL, cn_max_pool2d_layer(3, .stride = 2, .ceil_mode = true));
        for (int i = 0; i < 2; i++)
            cn_add_part(to, NULL, cn_fire_block(cn_width(r, squeeze), cn_width(r, 4 * squeeze)));
    }
}

static cn_module *make(const cn_model_request *r)
{
    cn_module *net = cn_chain();
    put_features(cn_chain_in(net, "features"), r);
    cn_module *classifier = cn_chain_in(net, "classifier");
    cn_add_part(classifier, NULL, cn_dropout_layer(0.5));
    cn_add_part(classifier, NULL, cn_conv2d_layer(r->classes, .kernel = 1));
    cn_add_part(classifier, NULL, cn_relu_layer());
    cn_add_part(classifier, NULL, cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(net, "flatten", cn_flatten_layer());
    net = cn_model_drawn(net, cn_kaiming_uniform, NULL);
    if (!net || cn_init(cn_module_at(net, "classifier.1"), cn_normal_init, NULL)) return net;
    cn_module_free(net);
    return NULL;
}

const cn_model model_tv_squeezenet1_1 = {
    .name = "torchvision/squeezenet1_1",
    .title = "SqueezeNet 1.1 of torchvision",
    .section = "8.4",
    .about = "eight Fire blocks, for ImageNet",
    .input = { 3, { 3, 224, 224 } },
    .classes = 1000,
    .batch = 128,
    .epochs = 90,
    .lr = 0.01,
    .data = "imagenet",
    .scaling = &cn_scaling_imagenet,
    .make = make,
};
