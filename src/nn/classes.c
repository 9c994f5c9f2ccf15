/* classes.c - the table of module classes. */
#include "nn/module.h"

#include <string.h>

#define MODULE(ident) extern const cn_module_class cn_class_##ident;
#define FUNCTIONAL(ident, arguments, qualified)                                                    \
    static const cn_module_class cn_class_##ident = {                                              \
        .name = #ident, .schema = #ident arguments, .doc = "See " qualified ".", .op = qualified   \
    };
#include "nn/modules.def"
#undef MODULE
#undef FUNCTIONAL

static const cn_module_class *const classes[] = {
#define MODULE(ident) &cn_class_##ident,
#define FUNCTIONAL(ident, arguments, qualified) &cn_class_##ident,
#include "nn/modules.def"
#undef MODULE
#undef FUNCTIONAL
};

const cn_module_class *cn_module_class_find(const char *name)
{
    for (size_t i = 0; i < CN_COUNT(classes); i++)
        if (strcmp(classes[i]->name, name) == 0) return classes[i];
    return NULL;
}

cn_module *cn_layer(const char *cls)
{
    const cn_module_class *c = cn_module_class_find(cls);
    if (c) return cn_module_create(c, NULL, 0);
    cn_fail(CN_ENOTFOUND, "layer: there is no module class %s", cls);
    return NULL;
}

cn_module *cn_relu_layer(void)
{
    return cn_layer("ReLU");
}

cn_module *cn_sigmoid_layer(void)
{
    return cn_layer("Sigmoid");
}

cn_module *cn_tanh_layer(void)
{
    return cn_layer("Tanh");
}

cn_module *cn_flatten_layer(void)
{
    return cn_layer("Flatten");
}

/* ---- layers with options ------------------------------------------------------------------- */

static cn_module *pool_layer(const char *cls, const cn_pool_options *o)
{
    int64_t stride = o->stride ? o->stride : o->kernel;
    const cn_ffi_arg args[] = {
        { "kernel_size", { .kind = CN_KIND_INT, .u.i = o->kernel } },
        { "stride", { .kind = CN_KIND_INT, .u.i = stride } },
        { "padding", { .kind = CN_KIND_INT, .u.i = o->padding } },
        { "ceil_mode", { .kind = CN_KIND_BOOL, .u.i = o->ceil_mode } },
    };
    return cn_module_create(cn_module_class_find(cls), args, (int)CN_COUNT(args));
}

cn_module *cn_max_pool2d_layer_with(const cn_pool_options *o)
{
    return pool_layer("MaxPool2d", o);
}

cn_module *cn_avg_pool2d_layer_with(const cn_pool_options *o)
{
    return pool_layer("AvgPool2d", o);
}
