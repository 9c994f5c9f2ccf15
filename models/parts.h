/* parts.h - what the networks are put together with.

   A chain is a Sequential that is filled part by part, under the names that PyTorch's state_dict has.
   Errors stick: who fills it need not look, cn_model_drawn() does at the end. */
#ifndef MODELS_PARTS_H
#define MODELS_PARTS_H

#include "models/models.h"

cn_module *cn_chain(void);
/* A chain within another one, which owns it. NULL as a name, here and below: the next number. */
cn_module *cn_chain_in(cn_module *chain, const char *name);
void cn_add_part(cn_module *chain, const char *name, cn_module *part); /* takes it over */

/* The width that a request makes of this one. */
int64_t cn_width(const cn_model_request *r, int64_t width);

cn_module *cn_adaptive_avg_pool2d_layer(int64_t side);
cn_module *cn_embedding_layer(int64_t rows, int64_t width);

/* The network with its parameters drawn; NULL, and nothing left of it, on failure. */
cn_module *cn_model_drawn(cn_module *net, cn_initialiser *init, void *context);

/* torchvision's: convolutions N(0, 2 / fan_out), linear layers N(0, 0.01) or, for ResNet, PyTorch's
   default; biases of the former 0. */
cn_initialiser cn_init_vgg, cn_init_resnet;
/* N(0, std) for weights as cn_normal_init, but biases keep PyTorch's default. */
cn_initialiser cn_normal_weights;

#endif
