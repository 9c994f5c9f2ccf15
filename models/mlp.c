/* mlp.c - a perceptron with one hidden layer of 256 units (D2L 5.2). */
#include "models/parts.h"

static cn_module *make(const cn_model_request *r)
{
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(cn_width(r, 256)),
                                   cn_relu_layer(), cn_linear_layer(r->classes));
    return cn_model_drawn(net, cn_normal_init, NULL);
}

const cn_model model_mlp = {
    .name = "mlp",
    .title = "Multilayer perceptron",
    .section = "5.2",
    .about = "784 - 256 - 10, with ReLU",
    .input = { 3, { 1, 28, 28 } },
    .batch = 256,
    .epochs = 10,
    .lr = 0.1,
    .data = "fashion-mnist",
    .make = make,
};
