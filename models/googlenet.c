/* googlenet.c - GoogLeNet (D2L 8.4; Szegedy et al., 2015): the book's, the same with auxiliary
   classifiers, and torchvision's, which has batch norm. */
#include "models/blocks.h"
#include "models/heads.h"
#include "models/parts.h"

#include <stdio.h>

typedef struct {
    bool flat;        /* stages are not nested, and everything has torchvision's name */
    bool torchvision; /* batch norm, 3 x 3 where the paper has 5 x 5, pooling in ceil mode */
    bool heads;
} GoogLeNet;

static const cn_side_head side_heads[] = { { "aux2", "inception4d" }, { "aux1", "inception4a" } };

/* ---- units ------------------------------------------------------------------------------------ */

typedef struct {
    int64_t out, kernel, stride, padding;
} Unit;

static cn_module *convolution(const GoogLeNet *o, Unit u)
{
    return cn_conv2d_layer(u.out, .kernel = u.kernel, .stride = u.stride, .padding = u.padding,
                           .no_bias = o->torchvision);
}

/* torchvision's BasicConv2d. */
static cn_module *basic(const GoogLeNet *o, Unit u)
{
    cn_module *unit = cn_chain();
    cn_add_part(unit, "conv", convolution(o, u));
    if (o->torchvision)
        cn_add_part(unit, "bn",
                    cn_batch_norm2d_layer_with(&(cn_batch_norm_options){
                        .size = sizeof(cn_batch_norm_options), .eps = 1e-3 }));
    cn_add_part(unit, "relu", cn_relu_layer());
    return unit;
}

static void put_unit(cn_module *to, const GoogLeNet *o, const char *name, Unit u)
{
    if (o->flat) {
        cn_add_part(to, name, basic(o, u));
    } else {
        cn_add_part(to, NULL, convolution(o, u));
        cn_add_part(to, NULL, cn_relu_layer());
    }
}

static void put_pool(cn_module *to, const GoogLeNet *o, const char *name, int64_t kernel)
{
    cn_add_part(to, o->flat ? name : NULL,
                o->torchvision ? cn_max_pool2d_layer(kernel, .stride = 2, .ceil_mode = true)
                               : cn_max_pool2d_layer(3, .stride = 2, .padding = 1));
}

/* ---- Inception blocks -------------------------------------------------------------------------- */

cn_module *cn_inception_block(const cn_inception_widths *w)
{
    cn_module *b = cn_branches(true);
    cn_branch(b, "p1_1", CN_BLOCK_INPUT, cn_conv2d_layer(w->one, .kernel = 1));
    int two = cn_branch(b, "p2_1", CN_BLOCK_INPUT, cn_conv2d_layer(w->three[0], .kernel = 1));
    cn_branch(b, "p2_2", two, cn_conv2d_layer(w->three[1], .kernel = 3, .padding = 1));
    int three = cn_branch(b, "p3_1", CN_BLOCK_INPUT, cn_conv2d_layer(w->five[0], .kernel = 1));
    cn_branch(b, "p3_2", three, cn_conv2d_layer(w->five[1], .kernel = 5, .padding = 2));
    int pool =
        cn_branch(b, "p4_1", CN_BLOCK_INPUT, cn_max_pool2d_layer(3, .stride = 1, .padding = 1));
    cn_branch(b, "p4_2", pool, cn_conv2d_layer(w->pool, .kernel = 1));
    return cn_model_drawn(b, NULL, NULL);
}

/* A first layer, and a unit after it. */
static cn_module *pair(const GoogLeNet *o, cn_module *first, Unit second)
{
    cn_module *path = cn_chain();
    cn_add_part(path, "0", first);
    cn_add_part(path, "1", basic(o, second));
    return path;
}

static cn_module *flat_inception(const GoogLeNet *o, const cn_inception_widths *w)
{
    const Unit large = { w->five[1], 5, 1, 2 }, small = { w->five[1], 3, 1, 1 };
    cn_module *b = cn_branches(false);
    cn_branch(b, "branch1", CN_BLOCK_INPUT, basic(o, (Unit){ w->one, 1, 1, 0 }));
    cn_branch(b, "branch2", CN_BLOCK_INPUT,
              pair(o, basic(o, (Unit){ w->three[0], 1, 1, 0 }), (Unit){ w->three[1], 3, 1, 1 }));
    cn_branch(b, "branch3", CN_BLOCK_INPUT,
              pair(o, basic(o, (Unit){ w->five[0], 1, 1, 0 }), o->torchvision ? small : large));
    cn_branch(
        b, "branch4", CN_BLOCK_INPUT,
        pair(o, cn_max_pool2d_layer(3, .stride = 1, .padding = 1), (Unit){ w->pool, 1, 1, 0 }));
    return b;
}

static const struct {
    const char *name;
    cn_inception_widths widths;
} blocks[] = {
    { "3a", { 64, { 96, 128 }, { 16, 32 }, 32 } },
    { "3b", { 128, { 128, 192 }, { 32, 96 }, 64 } },
    { "4a", { 192, { 96, 208 }, { 16, 48 }, 64 } },
    { "4b", { 160, { 112, 224 }, { 24, 64 }, 64 } },
    { "4c", { 128, { 128, 256 }, { 24, 64 }, 64 } },
    { "4d", { 112, { 144, 288 }, { 32, 64 }, 64 } },
    { "4e", { 256, { 160, 320 }, { 32, 128 }, 128 } },
    { "5a", { 256, { 160, 320 }, { 32, 128 }, 128 } },
    { "5b", { 384, { 192, 384 }, { 48, 128 }, 128 } },
};

static void put_inception(cn_module *to, const GoogLeNet *o, const cn_model_request *r, int i)
{
    char name[16];
    cn_inception_widths w = blocks[i].widths;
    int64_t *width[] = { &w.one, &w.three[0], &w.three[1], &w.five[0], &w.five[1], &w.pool };
    for (size_t k = 0; k < sizeof width / sizeof *width; k++) *width[k] = cn_width(r, *width[k]);
    snprintf(name, sizeof name, "inception%s", blocks[i].name);
    cn_add_part(to, o->flat ? name : NULL,
                o->flat ? flat_inception(o, &w) : cn_inception_block(&w));
}

/* ---- the network ------------------------------------------------------------------------------- */

/* Average pooling to 4 x 4, a convolution of 1 x 1 and two linear layers. */
static cn_module *head(const GoogLeNet *o, const cn_model_request *r)
{
    cn_module *h = cn_chain();
    cn_add_part(h, "avgpool", cn_adaptive_avg_pool2d_layer(4));
    cn_add_part(h, "conv", basic(o, (Unit){ cn_width(r, 128), 1, 1, 0 }));
    cn_add_part(h, "flatten", cn_flatten_layer());
    cn_add_part(h, "fc1", cn_linear_layer(cn_width(r, 1024)));
    cn_add_part(h, "relu", cn_relu_layer());
    cn_add_part(h, "dropout", cn_dropout_layer(0.7));
    cn_add_part(h, "fc2", cn_linear_layer(r->classes));
    return h;
}

static cn_module *stage(cn_module *net, const GoogLeNet *o)
{
    return o->flat ? net : cn_chain_in(net, NULL);
}

static void put_stages(cn_module *net, const GoogLeNet *o, const cn_model_request *r)
{
    cn_module *b = stage(net, o);
    put_unit(b, o, "conv1", (Unit){ cn_width(r, 64), 7, 2, 3 });
    put_pool(b, o, "maxpool1", 3);
    b = stage(net, o);
    put_unit(b, o, "conv2", (Unit){ cn_width(r, 64), 1, 1, 0 });
    put_unit(b, o, "conv3", (Unit){ cn_width(r, 192), 3, 1, 1 });
    put_pool(b, o, "maxpool2", 3);
    b = stage(net, o);
    for (int i = 0; i < 2; i++) put_inception(b, o, r, i);
    put_pool(b, o, "maxpool3", 3);
    b = stage(net, o);
    for (int i = 2; i < 7; i++) put_inception(b, o, r, i);
    put_pool(b, o, "maxpool4", 2);
    b = stage(net, o);
    for (int i = 7; i < 9; i++) put_inception(b, o, r, i);
    if (o->heads) cn_add_part(b, "aux1", head(o, r));
    if (o->heads) cn_add_part(b, "aux2", head(o, r));
    cn_add_part(b, o->flat ? "avgpool" : NULL, cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(b, o->flat ? "flatten" : NULL, cn_flatten_layer());
}

static cn_module *make(const cn_model_request *r)
{
    static const double std = 0.01;
    const GoogLeNet *o = r->settings;
    cn_module *net = o->heads ? cn_chain_with_heads(side_heads, 2) : cn_chain();
    put_stages(net, o, r);
    if (o->torchvision) cn_add_part(net, "dropout", cn_dropout_layer(0.2));
    cn_add_part(net, o->flat ? "fc" : NULL, cn_linear_layer(r->classes));
    if (o->torchvision) return cn_model_drawn(net, cn_normal_weights, (void *)&std);
    return cn_model_drawn(net, cn_xavier_uniform, NULL);
}

#define BOOK                                                                                       \
    .section = "8.4", .input = { 3, { 1, 96, 96 } }, .batch = 128, .epochs = 10, .lr = 0.1,        \
    .data = "fashion-mnist", .make = make

const cn_model model_googlenet = {
    BOOK,
    .name = "googlenet",
    .title = "GoogLeNet",
    .about = "nine Inception blocks",
    .settings = &(const GoogLeNet){ 0 },
};

const cn_model model_googlenet_aux = {
    BOOK,
    .name = "googlenet-aux",
    .title = "GoogLeNet with auxiliary classifiers",
    .about = "nine Inception blocks and, for training, two classifiers on the way",
    .settings = &(const GoogLeNet){ .flat = true, .heads = true },
};

const cn_model model_tv_googlenet = {
    .name = "torchvision/googlenet",
    .title = "GoogLeNet of torchvision",
    .section = "8.4",
    .about = "GoogLeNet with batch norm and auxiliary classifiers, for ImageNet",
    .input = { 3, { 3, 224, 224 } },
    .classes = 1000,
    .batch = 32,
    .epochs = 90,
    .lr = 0.1,
    .data = "imagenet",
    .scaling = &cn_scaling_imagenet,
    .make = make,
    .settings = &(const GoogLeNet){ .flat = true, .torchvision = true, .heads = true },
};
