/* resnet_cifar.c - the ResNets for CIFAR-10 of He et al. (2015), section 4.2: 6 n + 2 layers in three
   stages of 16, 32 and 64 channels, shortcuts without parameters; and the same without shortcuts. Keys
   are those of the weights that are commonly passed around: layer1.0.conv1.weight, linear.weight. */
#include "models/blocks.h"
#include "models/parts.h"

#include <stdio.h>

typedef struct {
    int depth;
    bool plain; /* no shortcuts */
} CifarResNet;

static void put_stage(cn_module *net, const CifarResNet *o, const cn_model_request *r, int stage)
{
    char name[24];
    snprintf(name, sizeof name, "layer%d", stage + 1);
    cn_module *to = cn_chain_in(net, name);
    for (int i = 0; i < (o->depth - 2) / 6; i++)
        cn_add_part(to, NULL,
                    cn_residual_block(&(cn_residual_options){
                        .out = cn_width(r, 16 << stage),
                        .stride = i == 0 && stage > 0 ? 2 : 1,
                        .shortcut = o->plain ? CN_SHORTCUT_NONE : CN_SHORTCUT_PAD,
                        .torchvision = true }));
}

static cn_module *make(const cn_model_request *r)
{
    const CifarResNet *o = r->settings;
    if (o->depth < 8 || (o->depth - 2) % 6)
        return cn_fail(CN_EINVALID, "ResNet for CIFAR: %d layers; 6 n + 2 are wanted", o->depth),
               NULL;
    cn_module *net = cn_chain();
    cn_add_part(net, "conv1",
                cn_conv2d_layer(cn_width(r, 16), .kernel = 3, .padding = 1, .no_bias = true));
    cn_add_part(net, "bn1", cn_batch_norm2d_layer());
    cn_add_part(net, "relu", cn_relu_layer());
    for (int i = 0; i < 3; i++) put_stage(net, o, r, i);
    cn_add_part(net, "avgpool", cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(net, "flatten", cn_flatten_layer());
    cn_add_part(net, "linear", cn_linear_layer(r->classes));
    return cn_model_drawn(net, cn_kaiming_normal, NULL);
}

cn_module *cn_cifar_resnet(int depth, bool plain, int64_t classes)
{
    return make(&(cn_model_request){ .classes = classes,
                                     .settings = &(const CifarResNet){ depth, plain } });
}

#define RESNET(depth_)                                                                             \
    {                                                                                              \
        .name = "resnet" #depth_, .title = "ResNet-" #depth_ " for CIFAR-10", .section = "8.6",    \
        .about = #depth_ " layers of 16, 32 and 64 channels, shortcuts without parameters",        \
        .input = { 3, { 3, 32, 32 } }, .batch = 128, .epochs = 200, .lr = 0.1, .data = "cifar-10", \
        .scaling = &cn_scaling_imagenet, .make = make,                                             \
        .settings = &(const CifarResNet){ .depth = depth_ },                                       \
    }
#define PLAIN(depth_)                                                                              \
    {                                                                                              \
        .name = "plain" #depth_, .title = "Plain network of " #depth_ " layers for CIFAR-10",      \
        .section = "8.6", .about = "ResNet-" #depth_ " without shortcuts",                         \
        .input = { 3, { 3, 32, 32 } }, .batch = 128, .epochs = 200, .lr = 0.1, .data = "cifar-10", \
        .scaling = &cn_scaling_imagenet, .make = make,                                             \
        .settings = &(const CifarResNet){ .depth = depth_, .plain = true },                        \
    }

const cn_model model_resnet20 = RESNET(20), model_resnet32 = RESNET(32),
               model_resnet44 = RESNET(44), model_resnet56 = RESNET(56),
               model_resnet110 = RESNET(110), model_resnet1202 = RESNET(1202),
               model_plain20 = PLAIN(20), model_plain32 = PLAIN(32), model_plain44 = PLAIN(44),
               model_plain56 = PLAIN(56), model_plain110 = PLAIN(110);
