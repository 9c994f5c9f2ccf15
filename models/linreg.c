/* linreg.c - linear regression (D2L 3.5). */
#include "models/parts.h"

static cn_module *make(const cn_model_request *r)
{
    cn_module *net = cn_sequential(cn_linear_layer(r->classes));
    return cn_model_drawn(net, cn_normal_init, NULL);
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
