/* onednn.c - the provider of oneDNN's matrix products and convolutions. */
#include "backends/onednn/plan.h"
#include "ops/internal.h"

#include <stdlib.h>
#include <string.h>

typedef cn_kernel *Finder(const cn_call *c, const char **why);

static Finder *finder_of(int op)
{
    switch (op) {
    case CN_OP_ID_mm:
    case CN_OP_ID_bmm:
    case CN_OP_ID_linear:
    case CN_OP_ID_linear_act:
    case CN_OP_ID_linear_backward: return cn_dnnl_find_product;
    case CN_OP_ID_convolution2d:
    case CN_OP_ID_conv2d_input:
    case CN_OP_ID_conv2d_weight: return cn_dnnl_find_convolution;
    default: return NULL;
    }
}

static bool knows(int op)
{
    return finder_of(op) != NULL;
}

static cn_kernel *find(const cn_call *c, const char **why)
{
    return finder_of(c->op->id)(c, why);
}

static cn_kernel *find_blocked(const cn_call *c, const char **why)
{
    Finder *finder = finder_of(c->op->id);
    return finder == cn_dnnl_find_convolution ? finder(c, why) : NULL;
}

/* CENOTE_ISA asks for no more than these instructions: our vector kernels and oneDNN's must agree on how
   wide a block of channels is. */
static bool probe(void)
{
    const char *wish = getenv("CENOTE_ISA");
    if (wish && strcmp(wish, "avx2") == 0) (void)dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    if (wish && strcmp(wish, "none") == 0) (void)dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
    return cn_dnnl_start();
}

extern const cn_provider cn_provider_onednn;
const cn_provider cn_provider_onednn = { sizeof(cn_provider), "onednn", probe, knows, find,
                                         find_blocked };
