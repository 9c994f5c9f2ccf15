/* parts.c - putting networks together. */
#include "models/parts.h"

#include <cenote/ffi.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

cn_module *cn_chain(void)
{
    return cn_sequential_n(NULL, 0);
}

void cn_add_part(cn_module *chain, const char *name, cn_module *part)
{
    char number[16];
    snprintf(number, sizeof number, "%d", cn_module_children(chain));
    cn_module_add(chain, name ? name : number, part);
}

cn_module *cn_chain_in(cn_module *chain, const char *name)
{
    cn_module *inner = cn_chain();
    cn_add_part(chain, name, inner);
    return cn_ok() ? inner : NULL; /* what could not be added is gone */
}

int64_t cn_width(const cn_model_request *r, int64_t width)
{
    if (r->shrink < 2) return width;
    return width < r->shrink ? 1 : width / r->shrink;
}

cn_module *cn_adaptive_avg_pool2d_layer(int64_t side)
{
    cn_module *m = NULL;
    const cn_ffi_arg size = { "output_size", { .kind = CN_KIND_INT, .u.i = side } };
    return cn_ffi_module_new("AdaptiveAvgPool2d", &size, 1, &m) ? NULL : m;
}

cn_module *cn_embedding_layer(int64_t rows, int64_t width)
{
    cn_module *m = NULL;
    const cn_ffi_arg args[] = {
        { "num_embeddings", { .kind = CN_KIND_INT, .u.i = rows } },
        { "embedding_dim", { .kind = CN_KIND_INT, .u.i = width } },
    };
    return cn_ffi_module_new("Embedding", args, 2, &m) ? NULL : m;
}

cn_module *cn_model_drawn(cn_module *net, cn_initialiser *init, void *context)
{
    if (cn_ok() && (!init || cn_init(net, init, context))) return net;
    cn_module_free(net);
    return NULL;
}

bool cn_init_resnet(cn_tensor *t, const char *name, void *context)
{
    const cn_shape *s = cn_shape_of(t);
    (void)context;
    if (s->ndim != 4 || strcmp(name, "weight") != 0) return true;
    double std = sqrt(2 / ((double)s->dim[0] * (double)s->dim[2] * (double)s->dim[3]));
    return cn_normal_init(t, name, &std);
}

bool cn_init_vgg(cn_tensor *t, const char *name, void *context)
{
    return cn_ndim(t) == 4 ? cn_init_resnet(t, name, context) : cn_normal_init(t, name, NULL);
}

bool cn_normal_weights(cn_tensor *t, const char *name, void *context)
{
    return strcmp(name, "bias") == 0 || cn_normal_init(t, name, context);
}
