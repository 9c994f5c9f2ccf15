/* onednn.c - the provider of oneDNN's matrix products and convolutions. */
#include "backends/onednn/plan.h"
#include "ops/internal.h"

static cn_kernel *find(const cn_call *c, const char **why)
{
    switch (c->op->id) {
    case CN_OP_ID_mm:
    case CN_OP_ID_bmm:
    case CN_OP_ID_linear:
    case CN_OP_ID_linear_act:
    case CN_OP_ID_linear_backward: return cn_dnnl_find_product(c, why);
    case CN_OP_ID_convolution2d:
    case CN_OP_ID_conv2d_input:
    case CN_OP_ID_conv2d_weight: return cn_dnnl_find_convolution(c, why);
    default: return NULL;
    }
}

static cn_kernel *find_blocked(const cn_call *c, const char **why)
{
    int id = c->op->id;
    bool known =
        id == CN_OP_ID_convolution2d || id == CN_OP_ID_conv2d_input || id == CN_OP_ID_conv2d_weight;
    return known ? cn_dnnl_find_convolution(c, why) : NULL;
}

extern const cn_provider cn_provider_onednn;
const cn_provider cn_provider_onednn = { sizeof(cn_provider), "onednn", cn_dnnl_start, find,
                                         find_blocked };
