/* inception_v3.c - Inception v3 (Szegedy et al., 2016): n x n convolutions as 1 x n and n x 1, with
   torchvision's names. */
#include "models/blocks.h"
#include "models/heads.h"
#include "models/parts.h"

/* A unit of a block: what it takes, and a convolution with batch norm and ReLU. */
typedef struct {
    const char *name;
    int from;                                   /* the input, or the unit of that number */
    int64_t out, kernel[2], padding[2], stride; /* without a kernel: pooling, see below */
} Unit;

enum { INPUT = CN_BLOCK_INPUT };

/* clang-format off */
#define ONE       { 1, 1 }, { 0, 0 }, 1
#define THREE     { 3, 3 }, { 1, 1 }, 1
#define FIVE      { 5, 5 }, { 2, 2 }, 1
#define ROW(n)    { 1, n }, { 0, (n) / 2 }, 1
#define COLUMN(n) { n, 1 }, { (n) / 2, 0 }, 1
#define HALF      { 3, 3 }, { 0, 0 }, 2

static const Unit block_a[] = {
    { "branch1x1", INPUT, 64, ONE },
    { "branch5x5_1", INPUT, 48, ONE }, { "branch5x5_2", 1, 64, FIVE },
    { "branch3x3dbl_1", INPUT, 64, ONE }, { "branch3x3dbl_2", 3, 96, THREE },
    { "branch3x3dbl_3", 4, 96, THREE },
    { "pool", INPUT, .stride = 1 }, { "branch_pool", 6, 64, ONE }, { .name = NULL } };
static const Unit block_b[] = {
    { "branch3x3", INPUT, 384, HALF },
    { "branch3x3dbl_1", INPUT, 64, ONE }, { "branch3x3dbl_2", 1, 96, THREE },
    { "branch3x3dbl_3", 2, 96, HALF },
    { "pool", INPUT, .stride = 2 }, { .name = NULL } };
static const Unit block_c[] = {
    { "branch1x1", INPUT, 192, ONE },
    { "branch7x7_1", INPUT, 0, ONE }, { "branch7x7_2", 1, 0, ROW(7) }, { "branch7x7_3", 2, 192, COLUMN(7) },
    { "branch7x7dbl_1", INPUT, 0, ONE }, { "branch7x7dbl_2", 4, 0, COLUMN(7) },
    { "branch7x7dbl_3", 5, 0, ROW(7) }, { "branch7x7dbl_4", 6, 0, COLUMN(7) },
    { "branch7x7dbl_5", 7, 192, ROW(7) },
    { "pool", INPUT, .stride = 1 }, { "branch_pool", 9, 192, ONE }, { .name = NULL } };
static const Unit block_d[] = {
    { "branch3x3_1", INPUT, 192, ONE }, { "branch3x3_2", 0, 320, HALF },
    { "branch7x7x3_1", INPUT, 192, ONE }, { "branch7x7x3_2", 2, 192, ROW(7) },
    { "branch7x7x3_3", 3, 192, COLUMN(7) }, { "branch7x7x3_4", 4, 192, HALF },
    { "pool", INPUT, .stride = 2 }, { .name = NULL } };
static const Unit block_e[] = {
    { "branch1x1", INPUT, 320, ONE },
    { "branch3x3_1", INPUT, 384, ONE }, { "branch3x3_2a", 1, 384, ROW(3) }, { "branch3x3_2b", 1, 384, COLUMN(3) },
    { "branch3x3dbl_1", INPUT, 448, ONE }, { "branch3x3dbl_2", 4, 384, THREE },
    { "branch3x3dbl_3a", 5, 384, ROW(3) }, { "branch3x3dbl_3b", 5, 384, COLUMN(3) },
    { "pool", INPUT, .stride = 1 }, { "branch_pool", 8, 192, ONE }, { .name = NULL } };

/* The first convolutions; what block A pools and block C puts between its 7 x 1 are of other widths. */
static const struct {
    const char *name;
    const Unit *block;
    int64_t width; /* of the unit "branch_pool" of A, and of those with none of C */
} blocks[] = {
    { "Mixed_5b", block_a, 32 }, { "Mixed_5c", block_a, 64 }, { "Mixed_5d", block_a, 64 },
    { "Mixed_6a", block_b, 0 },
    { "Mixed_6b", block_c, 128 }, { "Mixed_6c", block_c, 160 }, { "Mixed_6d", block_c, 160 },
    { "Mixed_6e", block_c, 192 },
    { "Mixed_7a", block_d, 0 }, { "Mixed_7b", block_e, 0 }, { "Mixed_7c", block_e, 0 },
};
/* clang-format on */

static cn_module *unit(int64_t out, const int64_t kernel[2], const int64_t padding[2],
                       int64_t stride)
{
    cn_module *u = cn_chain();
    cn_add_part(u, "conv",
                cn_conv2d_layer(out, .kernel_hw = { kernel[0], kernel[1] },
                                .padding_hw = { padding[0], padding[1] }, .stride = stride,
                                .no_bias = true));
    cn_add_part(u, "bn",
                cn_batch_norm2d_layer_with(&(cn_batch_norm_options){
                    .size = sizeof(cn_batch_norm_options), .eps = 1e-3 }));
    cn_add_part(u, "relu", cn_relu_layer());
    return u;
}

static cn_module *pooling(int64_t stride)
{
    return stride > 1 ? cn_max_pool2d_layer(3, .stride = stride)
                      : cn_avg_pool2d_layer(3, .stride = 1, .padding = 1);
}

static cn_module *mixed(const cn_model_request *r, const Unit *units, int64_t width)
{
    cn_module *b = cn_branches(false);
    for (const Unit *u = units; u->name; u++) {
        bool own = !u->out || (units == block_a && !u[1].name);
        cn_branch(b, u->name, u->from,
                  !u->kernel[0]
                      ? pooling(u->stride)
                      : unit(cn_width(r, own ? width : u->out), u->kernel, u->padding, u->stride));
    }
    return b;
}

static void put_stem(cn_module *net, const cn_model_request *r)
{
    static const int64_t one[2] = { 1, 1 }, three[2] = { 3, 3 }, none[2] = { 0, 0 };
    cn_add_part(net, "Conv2d_1a_3x3", unit(cn_width(r, 32), three, none, 2));
    cn_add_part(net, "Conv2d_2a_3x3", unit(cn_width(r, 32), three, none, 1));
    cn_add_part(net, "Conv2d_2b_3x3", unit(cn_width(r, 64), three, one, 1));
    cn_add_part(net, "maxpool1", cn_max_pool2d_layer(3, .stride = 2));
    cn_add_part(net, "Conv2d_3b_1x1", unit(cn_width(r, 80), one, none, 1));
    cn_add_part(net, "Conv2d_4a_3x3", unit(cn_width(r, 192), three, none, 1));
    cn_add_part(net, "maxpool2", cn_max_pool2d_layer(3, .stride = 2));
}

static cn_module *head(const cn_model_request *r)
{
    static const int64_t one[2] = { 1, 1 }, five[2] = { 5, 5 }, none[2] = { 0, 0 };
    cn_module *h = cn_chain();
    cn_add_part(h, "pool", cn_avg_pool2d_layer(5, .stride = 3));
    cn_add_part(h, "conv0", unit(cn_width(r, 128), one, none, 1));
    cn_add_part(h, "conv1", unit(cn_width(r, 768), five, none, 1));
    cn_add_part(h, "avgpool", cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(h, "flatten", cn_flatten_layer());
    cn_add_part(h, "fc", cn_linear_layer(r->classes));
    return h;
}

/* The head's last layers start smaller. */
static bool draw(cn_module *net)
{
    static const double std = 0.1, of_conv1 = 0.01, of_fc = 0.001;
    return net && cn_init(net, cn_normal_weights, (void *)&std) &&
           cn_init(cn_module_at(net, "AuxLogits.conv1"), cn_normal_weights, (void *)&of_conv1) &&
           cn_init(cn_module_at(net, "AuxLogits.fc"), cn_normal_weights, (void *)&of_fc);
}

static cn_module *make(const cn_model_request *r)
{
    static const cn_side_head heads[] = { { "AuxLogits", "Mixed_6e" } };
    cn_module *net = cn_chain_with_heads(heads, 1);
    put_stem(net, r);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        if (blocks[i].block == block_d) cn_add_part(net, "AuxLogits", head(r));
        cn_add_part(net, blocks[i].name, mixed(r, blocks[i].block, blocks[i].width));
    }
    cn_add_part(net, "avgpool", cn_adaptive_avg_pool2d_layer(1));
    cn_add_part(net, "dropout", cn_dropout_layer(0.5));
    cn_add_part(net, "flatten", cn_flatten_layer());
    cn_add_part(net, "fc", cn_linear_layer(r->classes));
    net = cn_model_drawn(net, NULL, NULL);
    if (draw(net)) return net;
    cn_module_free(net);
    return NULL;
}

const cn_model model_tv_inception_v3 = {
    .name = "torchvision/inception_v3",
    .title = "Inception v3 of torchvision",
    .section = "8.4",
    .about = "eleven Inception blocks with 1 x 7 and 7 x 1 convolutions, for ImageNet",
    .input = { 3, { 3, 299, 299 } },
    .classes = 1000,
    .batch = 32,
    .epochs = 90,
    .lr = 0.1,
    .data = "imagenet",
    .scaling = &cn_scaling_inception,
    .make = make,
};
