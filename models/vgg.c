/* vgg.c - VGG (D2L 8.2; Simonyan and Zisserman, 2014), and torchvision's. */
#include "models/blocks.h"
#include "models/parts.h"

enum { BLOCKS = 5 };

typedef struct {
    int convolutions[BLOCKS];
    int64_t ratio;    /* all channels are divided by it */
    bool torchvision; /* its groups of layers */
} Vgg;

static const int64_t channels[BLOCKS] = { 64, 128, 256, 512, 512 };

static void put_block(cn_module *to, int convolutions, int64_t out)
{
    for (int i = 0; i < convolutions; i++) {
        cn_add_part(to, NULL, cn_conv2d_layer(out, .kernel = 3, .padding = 1));
        cn_add_part(to, NULL, cn_relu_layer());
    }
    cn_add_part(to, NULL, cn_max_pool2d_layer(2));
}

cn_module *cn_vgg_block(int convolutions, int64_t out)
{
    cn_module *block = cn_chain();
    put_block(block, convolutions, out);
    return cn_model_drawn(block, NULL, NULL);
}

static void put_linear(cn_module *to, const cn_model_request *r)
{
    for (int i = 0; i < 2; i++) {
        cn_add_part(to, NULL, cn_linear_layer(cn_width(r, 4096)));
        cn_add_part(to, NULL, cn_relu_layer());
        cn_add_part(to, NULL, cn_dropout_layer(0.5));
    }
    cn_add_part(to, NULL, cn_linear_layer(r->classes));
}

/* The book nests the blocks; torchvision puts the layers of all into one group. */
static cn_module *make(const cn_model_request *r)
{
    const Vgg *o = r->settings;
    cn_module *net = cn_chain(), *features = o->torchvision ? cn_chain_in(net, "features") : net;
    for (int i = 0; i < BLOCKS; i++)
        put_block(o->torchvision ? features : cn_chain_in(features, NULL), o->convolutions[i],
                  cn_width(r, channels[i] / (o->ratio ? o->ratio : 1)));
    if (o->torchvision) cn_add_part(net, "avgpool", cn_adaptive_avg_pool2d_layer(7));
    cn_add_part(net, o->torchvision ? "flatten" : NULL, cn_flatten_layer());
    put_linear(o->torchvision ? cn_chain_in(net, "classifier") : net, r);
    return cn_model_drawn(net, o->torchvision ? cn_init_vgg : cn_xavier_uniform, NULL);
}

#define BOOK                                                                                       \
    .section = "8.2", .input = { 3, { 1, 224, 224 } }, .batch = 128, .epochs = 10, .lr = 0.05,     \
    .data = "fashion-mnist", .make = make
#define TORCHVISION                                                                                \
    .section = "8.2", .input = { 3, { 3, 224, 224 } }, .classes = 1000, .batch = 32, .epochs = 90, \
    .lr = 0.01, .data = "imagenet", .scaling = &cn_scaling_imagenet, .make = make
#define VGG(...) (&(const Vgg){ .convolutions = { __VA_ARGS__ } })
#define TORCHVISION_VGG(...) (&(const Vgg){ .convolutions = { __VA_ARGS__ }, .torchvision = true })

/* clang-format off */
const cn_model
    model_vgg11 = { BOOK, .name = "vgg11", .title = "VGG-11",
        .about = "eight 3 x 3 convolutions in five blocks, three linear layers",
        .settings = VGG(1, 1, 2, 2, 2) },
    model_vgg11_quarter = { BOOK, .name = "vgg11-quarter", .title = "VGG-11 with a quarter of the channels",
        .about = "VGG-11 as the book trains it, with a quarter of the channels",
        .settings = &(const Vgg){ .convolutions = { 1, 1, 2, 2, 2 }, .ratio = 4 } },
    model_vgg13 = { BOOK, .name = "vgg13", .title = "VGG-13",
        .about = "ten 3 x 3 convolutions in five blocks, three linear layers",
        .settings = VGG(2, 2, 2, 2, 2) },
    model_vgg16 = { BOOK, .name = "vgg16", .title = "VGG-16",
        .about = "thirteen 3 x 3 convolutions in five blocks, three linear layers",
        .settings = VGG(2, 2, 3, 3, 3) },
    model_vgg19 = { BOOK, .name = "vgg19", .title = "VGG-19",
        .about = "sixteen 3 x 3 convolutions in five blocks, three linear layers",
        .settings = VGG(2, 2, 4, 4, 4) },
    model_tv_vgg11 = { TORCHVISION, .name = "torchvision/vgg11", .title = "VGG-11 of torchvision",
        .about = "VGG-11 for ImageNet", .settings = TORCHVISION_VGG(1, 1, 2, 2, 2) },
    model_tv_vgg13 = { TORCHVISION, .name = "torchvision/vgg13", .title = "VGG-13 of torchvision",
        .about = "VGG-13 for ImageNet", .settings = TORCHVISION_VGG(2, 2, 2, 2, 2) },
    model_tv_vgg16 = { TORCHVISION, .name = "torchvision/vgg16", .title = "VGG-16 of torchvision",
        .about = "VGG-16 for ImageNet", .settings = TORCHVISION_VGG(2, 2, 3, 3, 3) },
    model_tv_vgg19 = { TORCHVISION, .name = "torchvision/vgg19", .title = "VGG-19 of torchvision",
        .about = "VGG-19 for ImageNet", .settings = TORCHVISION_VGG(2, 2, 4, 4, 4) };
/* clang-format on */
