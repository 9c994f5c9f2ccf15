/* linreg.c - linear regression (D2L 3.5). */
#include "models/models.h"

static cn_module *make(int64_t outputs)
{
    cn_module *net = cn_sequential(cn_linear_layer(outputs));
    if (cn_init(net, cn_normal_init, NULL)) return net;
    cn_module_free(net);
    return NULL;
}

const cn_model model_linreg = {
    .name = "linreg",
    .title = "Linear regression",
    .section = "3.5",
    .about = "one linear unit and the squared error",
    .input = { 1, { 2 } },
    .regression = true,
    .batch = 10,
    .epochs = 3,
    .lr = 0.03,
    .data = "linear",
    .make = make,
};
