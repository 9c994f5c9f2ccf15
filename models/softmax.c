/* softmax.c - softmax regression (D2L 4.5). */
#include "models/models.h"

static cn_module *make(int64_t classes)
{
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(classes));
    if (cn_init(net, cn_normal_init, NULL)) return net;
    cn_module_free(net);
    return NULL;
}

const cn_model model_softmax = {
    .name = "softmax",
    .title = "Softmax regression",
    .section = "4.5",
    .about = "one linear layer and cross-entropy",
    .input = { 3, { 1, 28, 28 } },
    .batch = 256,
    .epochs = 10,
    .lr = 0.1,
    .data = "fashion-mnist",
    .make = make,
};
