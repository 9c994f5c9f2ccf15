/* likelihoods.c - negative log-likelihoods of counts and of normal numbers. */
#include "ops/loss/loss.h"

#include <cenote/autograd.h>

#include <math.h>

#define TWO_PI 6.28318530717958647692

typedef struct {
    bool log_input, full;
    double eps;
    const char *reduction;
} Poisson;

/* Stirling's approximation of log target!, used above 1. */
static cn_tensor *log_factorial(cn_tensor *t)
{
    cn_tensor *half_log = cn_mul(cn_log(cn_mul(t, cn_number(TWO_PI))), cn_number(0.5));
    cn_tensor *value = cn_add(cn_sub(cn_mul(t, cn_log(t)), t), half_log);
    return cn_where(cn_le(t, cn_number(1)), cn_number(0), value);
}

static bool poisson_nll_compose(cn_call *c)
{
    const Poisson *p = c->params;
    cn_tensor *x = c->in[0], *t = c->in[1], *terms;
    if (p->log_input) terms = cn_sub(cn_exp(x), cn_mul(t, x));
    else terms = cn_sub(x, cn_mul(t, cn_log(cn_add(x, cn_number(p->eps)))));
    if (p->full) terms = cn_add(terms, log_factorial(t));
    return cn_finish_loss(c, terms, p->reduction);
}

const cn_op cn_op_poisson_nll_loss = {
    CN_OP_HEAD(poisson_nll_loss, "nn.functional.poisson_nll_loss",
               "(Tensor input, Tensor target, bool log_input=True, bool full=False, "
               "float eps=1e-08, str reduction='mean') -> Tensor"),
    .doc = "exp(input) - target input, for counts of a Poisson distribution; of its rate itself: "
           "input - target log(input + eps). full adds Stirling's log target!.",
    .params_size = sizeof(Poisson),
    .compose = poisson_nll_compose,
    .samples = "[2,3] +[2,3] | +[4] +[4] False | [4] i64<9[4] full=True | [3] [3] reduction=sum",
};

typedef struct {
    bool full;
    double eps;
    const char *reduction;
} Gaussian;

/* One variance for each element, or for each but the last dimension: the latter gets it back. */
static cn_tensor *fitting_variance(cn_tensor *var, const cn_shape *s)
{
    char given[128], wanted[128];
    const cn_shape *v = &var->v.shape;
    cn_shape lead = *s, column = *s;
    if (var->is_number || cn_shape_equal(v, s)) return var;
    if (s->ndim) lead.ndim--, column.dim[s->ndim - 1] = 1;
    if (s->ndim && cn_shape_equal(v, &lead)) return cn_unsqueeze(var, -1);
    if (s->ndim && cn_shape_equal(v, &column)) return var;
    cn_fail(CN_EINVALID, "gaussian_nll_loss: var has shape %s, input %s", cn_shape_text(v, given),
            cn_shape_text(s, wanted));
    return NULL;
}

static bool none_negative(cn_tensor *var)
{
    size_t mark = cn_mark();
    cn_tensor *low = NULL;
    CN_NO_GRAD low = cn_sum(cn_lt(var, cn_number(0)));
    bool ok = low && cn_load_i64(low->v.data, CN_I64) == 0;
    if (low && !ok) cn_fail(CN_EINVALID, "gaussian_nll_loss: var has negative elements");
    cn_release(mark);
    return ok;
}

/* var, at least eps; the gradient passes as if nothing was changed. */
static cn_tensor *at_least(cn_tensor *var, double eps)
{
    cn_tensor *raise = NULL;
    CN_NO_GRAD raise = cn_sub(cn_clamp_min(var, cn_number(eps)), var);
    return cn_add(var, raise);
}

static bool gaussian_nll_compose(cn_call *c)
{
    const Gaussian *p = c->params;
    cn_tensor *var = fitting_variance(c->in[2], &c->in[0]->v.shape);
    if (!var || !none_negative(var)) return false;
    var = at_least(var, p->eps);
    cn_tensor *d = cn_sub(c->in[0], c->in[1]);
    cn_tensor *terms = cn_add(cn_log(var), cn_div(cn_mul(d, d), var));
    if (p->full) terms = cn_add(terms, cn_number(log(TWO_PI)));
    return cn_finish_loss(c, cn_mul(terms, cn_number(0.5)), p->reduction);
}

const cn_op cn_op_gaussian_nll_loss = {
    CN_OP_HEAD(gaussian_nll_loss, "nn.functional.gaussian_nll_loss",
               "(Tensor input, Tensor target, Tensor|Scalar var, bool full=False, float eps=1e-06, "
               "str reduction='mean') -> Tensor"),
    .doc = "(log var + (input - target)^2 / var) / 2, var at least eps; full adds log(2 pi) / 2.",
    .params_size = sizeof(Gaussian),
    .compose = gaussian_nll_compose,
    .samples = "[2,3] [2,3] +[2,3] | [2,3] [2,3] +[2] True | [2,3] [2,3] +[2,1] reduction=none",
};
