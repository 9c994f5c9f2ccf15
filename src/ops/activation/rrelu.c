/* rrelu.c - leaky ReLU whose slope is drawn anew for each element (Xu et al., 2015). */
#include "ops/compose.h"

typedef struct {
    double lower, upper;
    bool training;
} RReLU;

static bool rrelu_compose(cn_call *c)
{
    const RReLU *p = c->params;
    cn_tensor *x = c->in[0];
    if (!cn_want_float("rrelu", x)) return false;
    if (!(p->lower <= p->upper))
        return cn_fail(CN_EINVALID, "rrelu: lower must not be above upper, but %g is above %g",
                       p->lower, p->upper);
    if (!p->training) return cn_set_out(c, 0, cn_leaky_relu(x, (p->lower + p->upper) / 2));
    cn_tensor *slope = cn_rand(x->v.shape, x->v.dtype);
    slope = cn_add(cn_mul(slope, cn_number(p->upper - p->lower)), cn_number(p->lower));
    cn_tensor *factor = cn_where(cn_gt(x, cn_number_i64(0)), cn_number_i64(1), slope);
    return cn_set_out(c, 0, cn_mul(x, factor));
}

const cn_op cn_op_rrelu = {
    CN_OP_HEAD(rrelu, "nn.functional.rrelu",
               "(Tensor input, float lower=0.125, float upper=0.3333333333333333, "
               "bool training=False, bool inplace=False) -> Tensor"),
    .aliases = "rrelu",
    .doc = "input where it is positive, a slope times input elsewhere: uniform between lower and "
           "upper in training, else their mean.",
    .params_size = sizeof(RReLU),
    .flags = CN_RANDOM,
    .compose = rrelu_compose,
    .samples = "[5] training=True | [2,3] | [4] 0.1 0.3 | [] | [0]",
};
