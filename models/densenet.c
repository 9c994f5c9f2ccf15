/* densenet.c - DenseNet (D2L 8.7; Huang et al., 2017), and torchvision's DenseNet-121. */
#include "models/blocks.h"
#include "models/parts.h"

#include <stdio.h>

enum { BLOCKS = 4 };

typedef struct {
    int layers[BLOCKS];
    bool torchvision; /* its names; 1 x 1 before each 3 x 3; convolutions without bias */
} DenseNet;

/* ---- blocks ------------------------------------------------------------------------------------ */

/* Norm, ReLU, convolution. */
static void put_unit(cn_module *to, const char *const names[3], cn_module *convolution)
{
    cn_add_part(to, names ? names[0] : NULL, cn_batch_norm2d_layer());
    cn_add_part(to, names ? names[1] : NULL, cn_relu_layer());
    cn_add_part(to, names ? names[2] : NULL, convolution);
}

static cn_module *dense_layer(const cn_dense_options *o)
{
    static const char *const first[] = { "norm1", "relu1", "conv1" };
    static const char *const second[] = { "norm2", "relu2", "conv2" };
    cn_module *layer = cn_chain();
    if (o->bottleneck)
        put_unit(layer, o->torchvision ? first : NULL,
                 cn_conv2d_layer(o->bottleneck, .kernel = 1, .no_bias = o->torchvision));
    put_unit(layer, o->torchvision ? second : NULL,
             cn_conv2d_layer(o->growth, .kernel = 3, .padding = 1, .no_bias = o->torchvision));
    return layer;
}

/* The book keeps the layers in a list of the block's. */
static cn_module *layers_of(cn_module *m, const cn_dense_options *o)
{
    return o->torchvision ? m : cn_module_at(m, "net");
}

static bool dense_build(cn_module *m, const cn_shape *input)
{
    char name[24];
    const cn_dense_options *o = cn_module_options(m);
    (void)input;
    if (!o->torchvision) cn_add_part(m, "net", cn_module_list(NULL, 0));
    for (int i = 0; i < o->layers; i++) {
        snprintf(name, sizeof name, "denselayer%d", i + 1);
        cn_add_part(layers_of(m, o), o->torchvision ? name : NULL, dense_layer(o));
    }
    return cn_ok();
}

static bool dense_forward(cn_module *m, cn_io *io)
{
    cn_module *layers = layers_of(m, cn_module_options(m));
    cn_tensor *x = io->in[0];
    const size_t mark = cn_mark();
    for (int i = 0; x && i < cn_module_children(layers); i++) {
        cn_tensor *more = cn_forward(cn_module_child(layers, i), x);
        x = cn_return(mark, cn_cat((cn_tensor *[]){ x, more }, 2, 1));
    }
    io->out[0] = x;
    return x != NULL;
}

static const cn_module_class dense_class = {
    .size = sizeof(cn_module_class),
    .name = "DenseBlock",
    .doc = "Each layer takes all that came before it, and adds some channels (D2L 8.7).",
    .options_size = sizeof(cn_dense_options),
    .build = dense_build,
    .forward = dense_forward,
};

cn_module *cn_dense_block(const cn_dense_options *o)
{
    return cn_module_of(&dense_class, o);
}

cn_module *cn_transition_block(int64_t out, bool torchvision)
{
    static const char *const names[] = { "norm", "relu", "conv" };
    cn_module *block = cn_chain();
    put_unit(block, torchvision ? names : NULL,
             cn_conv2d_layer(out, .kernel = 1, .no_bias = torchvision));
    cn_add_part(block, torchvision ? "pool" : NULL, cn_avg_pool2d_layer(2));
    return cn_model_drawn(block, NULL, NULL);
}

/* ---- the network ------------------------------------------------------------------------------- */

static void put_stem(cn_module *to, const DenseNet *o, const cn_model_request *r)
{
    bool named = o->torchvision;
    cn_add_part(to, named ? "conv0" : NULL,
                cn_conv2d_layer(cn_width(r, 64), .kernel = 7, .stride = 2, .padding = 3,
                                .no_bias = o->torchvision));
    cn_add_part(to, named ? "norm0" : NULL, cn_batch_norm2d_layer());
    cn_add_part(to, named ? "relu0" : NULL, cn_relu_layer());
    cn_add_part(to, named ? "pool0" : NULL, cn_max_pool2d_layer(3, .stride = 2, .padding = 1));
}

static void put_blocks(cn_module *to, const DenseNet *o, const cn_model_request *r)
{
    char name[24];
    int64_t channels = cn_width(r, 64), growth = cn_width(r, 32);
    for (int i = 0; i < BLOCKS; i++) {
        snprintf(name, sizeof name, "denseblock%d", i + 1);
        cn_add_part(
            to, o->torchvision ? name : NULL,
            cn_dense_block(&(cn_dense_options){ .layers = o->layers[i],
                                                .growth = growth,
                                                .bottleneck = o->torchvision ? 4 * growth : 0,
                                                .torchvision = o->torchvision }));
        channels += growth * o->layers[i];
        if (i == BLOCKS - 1) break;
        channels /= 2;
        snprintf(name, sizeof name, "transition%d", i + 1);
        cn_add_part(to, o->torchvision ? name : NULL,
                    cn_transition_block(channels, o->torchvision));
    }
}

static cn_module *make(const cn_model_request *r)
{
    const DenseNet *o = r->settings;
    bool named = o->torchvision;
    cn_module *net = cn_chain(), *features = named ? cn_chain_in(net, "features") : net;
    put_stem(named ? features : cn_chain_in(net, NULL), o, r);
    put_blocks(features, o, r);
    cn_add_part(features, named ? "norm5" : NULL, cn_batch_norm2d_layer());
    cn_add_part(net, named ? "relu" : NULL, cn_relu_layer());
    cn_add_part(net, named ? "avgpool" : NULL, cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(net, named ? "flatten" : NULL, cn_flatten_layer());
    cn_add_part(net, named ? "classifier" : NULL, cn_linear_layer(r->classes));
    return cn_model_drawn(net, o->torchvision ? cn_kaiming_normal : cn_xavier_uniform, NULL);
}

const cn_model model_densenet = {
    .name = "densenet",
    .title = "DenseNet",
    .section = "8.7",
    .about = "four dense blocks of four layers",
    .input = { 3, { 1, 96, 96 } },
    .batch = 256,
    .epochs = 10,
    .lr = 0.1,
    .data = "fashion-mnist",
    .make = make,
    .settings = &(const DenseNet){ .layers = { 4, 4, 4, 4 } },
};

const cn_model model_tv_densenet121 = {
    .name = "torchvision/densenet121",
    .title = "DenseNet-121 of torchvision",
    .section = "8.7",
    .about = "four dense blocks of 6, 12, 24 and 16 layers, for ImageNet",
    .input = { 3, { 3, 224, 224 } },
    .classes = 1000,
    .batch = 256,
    .epochs = 90,
    .lr = 0.1,
    .data = "imagenet",
    .scaling = &cn_scaling_imagenet,
    .make = make,
    .settings = &(const DenseNet){ .layers = { 6, 12, 24, 16 }, .torchvision = true },
};
