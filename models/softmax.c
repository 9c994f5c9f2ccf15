/* softmax.c - softmax regression (D2L 4.5). */
#include "models/parts.h"

static cn_module *make(const cn_model_request *r)
{
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(r->classes));
    return cn_model_drawn(net, cn_normal_init, NULL);
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
