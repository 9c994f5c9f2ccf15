/* resnet.c - ResNet (D2L 8.6; He et al., 2015), with activation first (He et al., 2016), and
   torchvision's. */
#include "models/blocks.h"
#include "models/parts.h"

#include <stdio.h>

enum { STAGES = 4 };

typedef struct {
    int blocks[STAGES];
    bool bottleneck, pre_activation;
    bool torchvision; /* its names; convolutions without bias */
} ResNet;

static void put_stage(cn_module *net, const ResNet *o, const cn_model_request *r, int stage)
{
    char name[24];
    int64_t width = cn_width(r, 64 << stage),
            out = o->bottleneck ? cn_width(r, 256 << stage) : width;
    snprintf(name, sizeof name, "layer%d", stage + 1);
    cn_module *to = cn_chain_in(net, o->torchvision ? name : NULL);
    for (int i = 0; i < o->blocks[stage]; i++) {
        bool project = i == 0 && (stage > 0 || o->bottleneck);
        cn_add_part(to, NULL,
                    cn_residual_block(&(cn_residual_options){
                        .out = out,
                        .stride = i == 0 && stage > 0 ? 2 : 1,
                        .shortcut = project ? CN_SHORTCUT_CONV : CN_SHORTCUT_IDENTITY,
                        .bottleneck = o->bottleneck ? width : 0,
                        .pre_activation = o->pre_activation,
                        .torchvision = o->torchvision }));
    }
}

/* The book nests the first layers and has no names. Blocks with activation first leave the last norm
   to the network, and do the first one themselves. */
static cn_module *make(const cn_model_request *r)
{
    const ResNet *o = r->settings;
    bool named = o->torchvision;
    cn_module *net = cn_chain(), *stem = named ? net : cn_chain_in(net, NULL);
    cn_add_part(stem, named ? "conv1" : NULL,
                cn_conv2d_layer(cn_width(r, 64), .kernel = 7, .stride = 2, .padding = 3,
                                .no_bias = o->torchvision));
    if (!o->pre_activation) {
        cn_add_part(stem, named ? "bn1" : NULL, cn_batch_norm2d_layer());
        cn_add_part(stem, named ? "relu" : NULL, cn_relu_layer());
    }
    cn_add_part(stem, named ? "maxpool" : NULL, cn_max_pool2d_layer(3, .stride = 2, .padding = 1));
    for (int i = 0; i < STAGES; i++) put_stage(net, o, r, i);
    if (o->pre_activation) {
        cn_add_part(net, NULL, cn_batch_norm2d_layer());
        cn_add_part(net, NULL, cn_relu_layer());
    }
    cn_add_part(net, named ? "avgpool" : NULL, cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(net, named ? "flatten" : NULL, cn_flatten_layer());
    cn_add_part(net, named ? "fc" : NULL, cn_linear_layer(r->classes));
    return cn_model_drawn(net, o->torchvision ? cn_init_resnet : cn_xavier_uniform, NULL);
}

#define BOOK(...)                                                                                  \
    .section = "8.6", .input = { 3, { 1, 96, 96 } }, .batch = 256, .epochs = 10, .lr = 0.05,       \
    .data = "fashion-mnist", .make = make, .settings = &(const ResNet)                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define TORCHVISION(...)                                                                           \
    .section = "8.6", .input = { 3, { 3, 224, 224 } }, .classes = 1000, .batch = 32, .epochs = 90, \
    .lr = 0.1, .data = "imagenet", .scaling = &cn_scaling_imagenet, .make = make,                  \
    .settings = &(const ResNet)                                                                    \
    {                                                                                              \
        __VA_ARGS__, .torchvision = true                                                           \
    }
#define BASIC_18 .blocks = { 2, 2, 2, 2 }
#define BASIC_34 .blocks = { 3, 4, 6, 3 }
#define BOTTLENECK(...) .blocks = { __VA_ARGS__ }, .bottleneck = true

/* clang-format off */
const cn_model
    model_resnet18 = { BOOK(BASIC_18), .name = "resnet18", .title = "ResNet-18",
        .about = "eight residual blocks of two convolutions" },
    model_resnet34 = { BOOK(BASIC_34), .name = "resnet34", .title = "ResNet-34",
        .about = "16 residual blocks of two convolutions" },
    model_resnet50 = { BOOK(BOTTLENECK(3, 4, 6, 3)), .name = "resnet50", .title = "ResNet-50",
        .about = "16 residual blocks of three convolutions" },
    model_resnet101 = { BOOK(BOTTLENECK(3, 4, 23, 3)), .name = "resnet101", .title = "ResNet-101",
        .about = "33 residual blocks of three convolutions" },
    model_resnet152 = { BOOK(BOTTLENECK(3, 8, 36, 3)), .name = "resnet152", .title = "ResNet-152",
        .about = "50 residual blocks of three convolutions" },
    model_resnet18_pre = { BOOK(BASIC_18, .pre_activation = true), .name = "resnet18-preact",
        .title = "ResNet-18 with activation first", .about = "batch norm and ReLU before each convolution" },
    model_tv_resnet18 = { TORCHVISION(BASIC_18), .name = "torchvision/resnet18",
        .title = "ResNet-18 of torchvision", .about = "ResNet-18 for ImageNet" },
    model_tv_resnet34 = { TORCHVISION(BASIC_34), .name = "torchvision/resnet34",
        .title = "ResNet-34 of torchvision", .about = "ResNet-34 for ImageNet" },
    model_tv_resnet50 = { TORCHVISION(BOTTLENECK(3, 4, 6, 3)), .name = "torchvision/resnet50",
        .title = "ResNet-50 of torchvision", .about = "ResNet-50 for ImageNet" },
    model_tv_resnet101 = { TORCHVISION(BOTTLENECK(3, 4, 23, 3)), .name = "torchvision/resnet101",
        .title = "ResNet-101 of torchvision", .about = "ResNet-101 for ImageNet" },
    model_tv_resnet152 = { TORCHVISION(BOTTLENECK(3, 8, 36, 3)), .name = "torchvision/resnet152",
        .title = "ResNet-152 of torchvision", .about = "ResNet-152 for ImageNet" };
/* clang-format on */
