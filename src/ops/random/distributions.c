/* distributions.c - distributions that are functions of uniform or normal numbers. Each op fills the
   shape and type of its input; with an underscore, the input itself. */
#include "ops/compose.h"

#include <math.h>

/* Uniform numbers in [0, 1) for an op that computes with them: in float64 unless float32 will do. */
static cn_tensor *uniforms(const cn_call *c)
{
    cn_dtype own = c->in[0]->v.dtype;
    return cn_rand(c->in[0]->v.shape, cn_dtype_is_float(own) && own != CN_F64 ? CN_F32 : CN_F64);
}

static cn_tensor *normals(const cn_call *c)
{
    cn_dtype own = c->in[0]->v.dtype;
    return cn_randn(c->in[0]->v.shape, own == CN_F64 ? CN_F64 : CN_F32);
}

static bool give(cn_call *c, cn_tensor *y)
{
    return cn_set_out(c, 0, cn_to(y, c->in[0]->v.dtype));
}

static bool float_input(const cn_call *c)
{
    return cn_dtype_is_float(c->in[0]->v.dtype) ||
           cn_fail(CN_EINVALID, "%s: floats are wanted, not %s", c->op->name,
                   cn_dtype_name(c->in[0]->v.dtype));
}

/* a x + b */
static cn_tensor *scaled(cn_tensor *x, double a, double b)
{
    return cn_add(cn_mul(x, cn_number(a)), cn_number(b));
}

/* Is every element between least and most? */
static bool all_between(const cn_call *c, cn_tensor *t, double least, double most)
{
    cn_tensor *wide = cn_rows(cn_cast_raw(t, CN_F64));
    for (int64_t i = 0; wide && i < wide->v.numel; i++) {
        double x = ((const double *)(const void *)wide->v.data)[i];
        if (!(x >= least && x <= most))
            return cn_fail(CN_EINVALID, "%s: %g is not between %g and %g", c->op->name, x, least,
                           most);
    }
    return wide != NULL;
}

/* ---- bernoulli ----------------------------------------------------------------------------- */

/* 1 with these chances, which broadcast. */
static cn_tensor *coins(const cn_call *c, cn_tensor *chance)
{
    return all_between(c, chance, 0, 1) ? cn_lt(uniforms(c), chance) : NULL;
}

static bool bernoulli_compose(cn_call *c)
{
    const cn_opt_float *p = c->params;
    if (!p->given && !float_input(c)) return false;
    return give(c, coins(c, p->given ? cn_number(p->value) : c->in[0]));
}

const cn_op cn_op_bernoulli = {
    CN_OP_HEAD(bernoulli, "bernoulli", "(Tensor input, float? p=None) -> Tensor"),
    .doc = "1 with probability input (or p, for all), else 0.",
    .params_size = sizeof(cn_opt_float),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = bernoulli_compose,
    .samples = "+[2,3] | [4] 0.5 | [0]",
};

cn_tensor *cn_bernoulli(cn_tensor *input)
{
    return CN_CALL(bernoulli, &(cn_opt_float){ 0 }, input);
}

/* Into the input itself, whatever that was computed from. */
static bool fill_input(cn_call *c, cn_tensor *y)
{
    cn_tensor *in[] = { c->in[0], cn_to(y, c->in[0]->v.dtype) };
    return in[1] && cn_set_out(c, 0, cn_apply_inplace(&cn_op_copy, in, 2, NULL));
}

static bool fill_bernoulli_compose(cn_call *c)
{
    return fill_input(c, coins(c, c->in[1]));
}

const cn_op cn_op_fill_bernoulli = {
    CN_OP_HEAD(fill_bernoulli, "bernoulli_", "(Tensor input, Tensor|float p=0.5) -> Tensor"),
    .doc = "In place: 1 with probability p, a number or a tensor, else 0.",
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = fill_bernoulli_compose,
    .samples = "[2,3] | i64<5[4] 0.25 | [2,3] +[3]",
};

/* ---- normal, log_normal -------------------------------------------------------------------- */

/* Sizes from the tensors among mean and std, or from size when both are numbers. */
static bool normal_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    cn_tensor *mean = c->in[0], *std = c->in[1];
    cn_shape s;
    if (!all_between(c, std, 0, (double)INFINITY)) return false;
    if (!cn_shape_broadcast(&mean->v.shape, &std->v.shape, &s, "normal")) return false;
    if (size->n >= 0) s = cn_shape_from((int)size->n, size->v);
    cn_dtype dtype = cn_result_type(c->in, 2);
    cn_tensor *z = cn_randn(s, cn_dtype_is_float(dtype) ? dtype : CN_F32);
    return cn_set_out(c, 0, cn_add(mean, cn_mul(std, z)));
}

const cn_op cn_op_normal = {
    CN_OP_HEAD(normal, "normal",
               "(Tensor|float mean, Tensor|float std=1.0, int[]? size=None) -> Tensor"),
    .doc = "Normal, with these means and standard deviations; size when both are numbers.",
    .params_size = sizeof(cn_ints),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = normal_compose,
    .samples = "[2,3] +[3] | [4] 2.0 | 0.5 2.0 size=(2,3) | [3]",
};

typedef struct {
    double mean, std;
} Normal;

static cn_tensor *normal_like(cn_call *c)
{
    const Normal *p = c->params;
    if (p->std >= 0) return float_input(c) ? scaled(normals(c), p->std, p->mean) : NULL;
    cn_fail(CN_EINVALID, "%s: a standard deviation of %g", c->op->name, p->std);
    return NULL;
}

static bool fill_normal_compose(cn_call *c)
{
    return fill_input(c, normal_like(c));
}

const cn_op cn_op_fill_normal = {
    CN_OP_HEAD(fill_normal, "normal_", "(Tensor input, float mean=0.0, float std=1.0) -> Tensor"),
    .doc = "In place: normal, with this mean and standard deviation.",
    .params_size = sizeof(Normal),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = fill_normal_compose,
    .samples = "[2,3] | [4] -1 0.5 | [0]",
};

static bool log_normal_compose(cn_call *c)
{
    const double std = ((const Normal *)c->params)->std;
    if (!(std > 0)) return cn_fail(CN_EINVALID, "log_normal: std is %g, but must be above 0", std);
    return give(c, cn_exp(normal_like(c)));
}

const cn_op cn_op_log_normal = {
    CN_OP_HEAD(log_normal, "log_normal", "(Tensor input, float mean=1.0, float std=2.0) -> Tensor"),
    .doc = "Numbers whose logarithms are normal, with this mean and standard deviation.",
    .params_size = sizeof(Normal),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = log_normal_compose,
    .samples = "[2,3] | [4] 0 0.5 | [0]",
};

/* ---- from uniform numbers ------------------------------------------------------------------ */

typedef struct {
    double from, to;
} Interval;

static bool uniform_compose(cn_call *c)
{
    const Interval *p = c->params;
    if (!float_input(c)) return false;
    if (!(p->from <= p->to))
        return cn_fail(CN_EINVALID, "uniform: nothing lies between %g and %g", p->from, p->to);
    return give(c, scaled(uniforms(c), p->to - p->from, p->from));
}

const cn_op cn_op_uniform = {
    CN_OP_HEAD(uniform, "uniform", "(Tensor input, float from=0.0, float to=1.0) -> Tensor"),
    .doc = "Uniform between from and to, in the input's shape and type.",
    .params_size = sizeof(Interval),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = uniform_compose,
    .samples = "[2,3] | [4] -1 2.5 | [0]",
};

/* -log(1 - u) / rate */
static bool exponential_compose(cn_call *c)
{
    double rate = *(const double *)c->params;
    if (!float_input(c)) return false;
    if (!(rate > 0)) return cn_fail(CN_EINVALID, "exponential: a rate of %g", rate);
    return give(c, cn_mul(cn_log1p(cn_neg(uniforms(c))), cn_number(-1 / rate)));
}

const cn_op cn_op_exponential = {
    CN_OP_HEAD(exponential, "exponential", "(Tensor input, float lambd=1.0) -> Tensor"),
    .doc = "Exponential, with rate lambd: mean 1 / lambd.",
    .params_size = sizeof(double),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = exponential_compose,
    .samples = "[2,3] | [4] 2.5 | [0]",
};

/* The number of trials up to the first success: the waiting time, in whole trials. */
static bool geometric_compose(cn_call *c)
{
    double p = *(const double *)c->params;
    if (!(p > 0 && p < 1))
        return cn_fail(CN_EINVALID, "geometric: a probability of %g; above 0 and below 1", p);
    cn_tensor *trials = cn_mul(cn_log1p(cn_neg(uniforms(c))), cn_number(1 / log1p(-p)));
    return give(c, cn_clamp_min(cn_ceil(trials), cn_number_i64(1)));
}

const cn_op cn_op_geometric = {
    CN_OP_HEAD(geometric, "geometric", "(Tensor input, float p) -> Tensor"),
    .doc = "The number of trials with probability p until one succeeds.",
    .params_size = sizeof(double),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = geometric_compose,
    .samples = "[2,3] 0.5 | i64<5[4] 0.1 | [0] 0.9",
};

typedef struct {
    double median, sigma;
} Cauchy;

static bool cauchy_compose(cn_call *c)
{
    const Cauchy *p = c->params;
    static const double pi = 3.14159265358979323846;
    if (!float_input(c)) return false;
    if (!(p->sigma > 0)) return cn_fail(CN_EINVALID, "cauchy: a width of %g", p->sigma);
    return give(c, scaled(cn_tan(scaled(uniforms(c), pi, -pi / 2)), p->sigma, p->median));
}

const cn_op cn_op_cauchy = {
    CN_OP_HEAD(cauchy, "cauchy", "(Tensor input, float median=0.0, float sigma=1.0) -> Tensor"),
    .doc = "Cauchy: median + sigma tan(pi (u - 1/2)), u uniform.",
    .params_size = sizeof(Cauchy),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = cauchy_compose,
    .samples = "[2,3] | [4] 1 0.5 | [0]",
};

/* ---- random: integers in any type ---------------------------------------------------------- */

/* The number of integers from 0 on that the type holds exactly. */
static int64_t whole_range(cn_dtype d)
{
    static const uint8_t bits[] = {
        [CN_BOOL] = 1, [CN_U8] = 8,   [CN_I8] = 7,   [CN_I16] = 15, [CN_I32] = 31,
        [CN_I64] = 62, [CN_F16] = 11, [CN_BF16] = 8, [CN_F32] = 24, [CN_F64] = 53,
    };
    return INT64_C(1) << bits[d];
}

typedef struct {
    cn_opt_int from, to;
} Between;

/* One bound alone is the upper one. */
static bool random_compose(cn_call *c)
{
    const Between *p = c->params;
    const cn_tensor *t = c->in[0];
    int64_t low = p->from.given && p->to.given ? p->from.value : 0;
    int64_t high = p->to.given     ? p->to.value
                   : p->from.given ? p->from.value
                                   : whole_range(t->v.dtype);
    return give(c, cn_randint(low, high, t->v.shape));
}

const cn_op cn_op_random = {
    CN_OP_HEAD(random, "random", "(Tensor input, int? from=None, int? to=None) -> Tensor"),
    .doc =
        "Integers from `from` to `to` - 1 in the input's type; one bound alone is `to`, none: all "
        "that the type holds exactly.",
    .params_size = sizeof(Between),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = random_compose,
    .samples = "[2,3] | i64<5[4] -3 4 | u8<5[3] 10 | bool[5]",
};
