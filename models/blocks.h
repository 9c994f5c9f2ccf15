/* blocks.h - the blocks that the networks of the book are made of, each a module on its own. */
#ifndef MODELS_BLOCKS_H
#define MODELS_BLOCKS_H

#include <cenote/cenote.h>

/* So many 3 x 3 convolutions with ReLU, and a pooling that halves the picture (D2L 8.2). */
cn_module *cn_vgg_block(int convolutions, int64_t out);

/* A convolution and two of 1 x 1, with ReLU (D2L 8.3). */
cn_module *cn_nin_block(int64_t out, int64_t kernel, int64_t stride, int64_t padding);

/* ---- layers side by side ------------------------------------------------------------------- */

/* An empty block of layers that feed one another. What no other layer takes is concatenated along
   the channels. With `relu`, every convolution is followed by one. */
cn_module *cn_branches(bool relu);
enum { CN_BLOCK_INPUT = -1, CN_MAX_BRANCHES = 16 };
/* Adds a layer that takes the input of the block, or the output of layer number `from`: it is given a
   number itself, from 0 on; -1 on errors. */
int cn_branch(cn_module *block, const char *name, int from, cn_module *layer);

/* Channels of the four paths of an Inception block: 1 x 1; 1 x 1 then 3 x 3; 1 x 1 then 5 x 5;
   pooling then 1 x 1 (D2L 8.4). */
typedef struct cn_inception_widths {
    int64_t one, three[2], five[2], pool;
} cn_inception_widths;
cn_module *cn_inception_block(const cn_inception_widths *w);

/* Fire of SqueezeNet: 1 x 1 to `squeeze` channels, then 1 x 1 and 3 x 3 side by side. */
cn_module *cn_fire_block(int64_t squeeze, int64_t expand);

/* ---- residual blocks (D2L 8.6) --------------------------------------------------------------- */

typedef enum cn_shortcut {
    CN_SHORTCUT_IDENTITY,
    CN_SHORTCUT_CONV, /* 1 x 1, with the stride; in the book's blocks without, in torchvision's with
                              batch norm */
    CN_SHORTCUT_PAD,  /* every stride-th pixel, and channels of zeros on both sides: option A of
                              He et al. */
    CN_SHORTCUT_NONE  /* no residual at all, to compare */
} cn_shortcut;

/* Keys are the book's (conv1, conv2, conv3, bn1, bn2), or torchvision's with downsample.0 and .1. */
typedef struct cn_residual_options {
    int64_t out, stride; /* stride 0: 1 */
    cn_shortcut shortcut;
    int64_t bottleneck;  /* 1 x 1 to so many channels, 3 x 3, 1 x 1; 0: two of 3 x 3 */
    bool pre_activation; /* batch norm and ReLU before each convolution (He et al., 2016) */
    bool torchvision;    /* its keys; convolutions have no bias */
} cn_residual_options;
cn_module *cn_residual_block(const cn_residual_options *o);
/* Residual(out, use_1x1conv=project, strides=stride) of the book. */
cn_module *cn_residual(int64_t out, bool project, int64_t stride);

/* The ResNet for CIFAR of any depth 6 n + 2, or the plain network without its shortcuts. */
cn_module *cn_cifar_resnet(int depth, bool plain, int64_t classes);

/* ---- dense blocks (D2L 8.7) ------------------------------------------------------------------ */

typedef struct cn_dense_options {
    int layers;
    int64_t growth;
    int64_t bottleneck; /* 1 x 1 to so many channels before each 3 x 3; 0: none */
    bool torchvision;   /* its keys; convolutions have no bias */
} cn_dense_options;
cn_module *cn_dense_block(const cn_dense_options *o);
/* To so many channels, and half the picture. */
cn_module *cn_transition_block(int64_t out, bool torchvision);

#endif
