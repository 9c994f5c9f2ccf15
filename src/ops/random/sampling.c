/* sampling.c - counts and places drawn one after the other: poisson, binomial, multinomial. */
#include "ops/compose.h"

#include <cenote/rng.h>

#include <math.h>

static double uniform(void)
{
    return cn_rng_uniform(cn_default_rng());
}

/* ---- poisson ------------------------------------------------------------------------------- */

/* Waiting times add up until they exceed the rate, here as a product of uniforms. */
static double poisson_small(double rate)
{
    double limit = exp(-rate), product = uniform(), count = 0;
    for (; product > limit; count++) product *= uniform();
    return count;
}

/* Transformed rejection: W. Hoermann, The transformed rejection method for generating Poisson
   random variables (1993), algorithm PTRS. */
static double poisson_large(double rate)
{
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), accept = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = uniform() - 0.5, v = 1 - uniform(), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= accept) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        double density = k * log(rate) - rate - lgamma(k + 1);
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= density) return k;
    }
}

/* A copy in float64, contiguous: input i of the call spread over `shape`. */
static cn_tensor *wide(const cn_call *c, int i, const cn_shape *shape)
{
    return cn_rows(cn_cast_raw(cn_expand(cn_detach(c->in[i]), *shape), CN_F64));
}

static bool float_input(const cn_call *c, int i)
{
    return cn_dtype_is_float(c->in[i]->v.dtype) ||
           cn_fail(CN_EINVALID, "%s: floats are wanted, not %s", c->op->name,
                   cn_dtype_name(c->in[i]->v.dtype));
}

static bool poisson_compose(cn_call *c)
{
    const cn_shape s = c->in[0]->v.shape;
    if (!float_input(c, 0)) return false;
    cn_tensor *rates = wide(c, 0, &s), *y = rates ? cn_empty(s, CN_F64) : NULL;
    if (!y) return false;
    const double *rate = (const double *)(const void *)rates->v.data;
    double *count = (double *)(void *)y->v.data;
    for (int64_t i = 0; i < y->v.numel; i++) {
        if (!(rate[i] >= 0) || isinf(rate[i]))
            return cn_fail(CN_EINVALID, "poisson: %g is no rate", rate[i]);
        count[i] = rate[i] < 10 ? poisson_small(rate[i]) : poisson_large(rate[i]);
    }
    return cn_set_out(c, 0, cn_to(y, c->in[0]->v.dtype));
}

const cn_op cn_op_poisson = {
    CN_OP_HEAD(poisson, "poisson", "(Tensor input) -> Tensor"),
    .doc = "How often what happens input times on average happens.",
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = poisson_compose,
    .samples = "+[2,3] | +[] | [0]",
};

/* ---- binomial ------------------------------------------------------------------------------ */

/* Failures between successes are skipped at once: time goes with the rarer outcome's number. */
static double binomial(double n, double p)
{
    double rare = p > 0.5 ? 1 - p : p, tried = 0, count = 0;
    double each = rare > 0 ? log1p(-rare) : 0;
    while (rare > 0) {
        tried += floor(log(1 - uniform()) / each) + 1;
        if (tried > n) break;
        count++;
    }
    return p > 0.5 ? n - count : count;
}

static bool binomial_compose(cn_call *c)
{
    cn_shape s;
    if (!float_input(c, 0) || !float_input(c, 1)) return false;
    if (!cn_shape_broadcast(&c->in[0]->v.shape, &c->in[1]->v.shape, &s, "binomial")) return false;
    cn_tensor *counts = wide(c, 0, &s), *probs = wide(c, 1, &s), *y = cn_empty(s, CN_F64);
    if (!counts || !probs || !y) return false;
    const double *n = (const double *)(const void *)counts->v.data;
    const double *p = (const double *)(const void *)probs->v.data;
    for (int64_t i = 0; i < y->v.numel; i++) {
        if (!(n[i] >= 0) || isinf(n[i]) || !(p[i] >= 0 && p[i] <= 1))
            return cn_fail(CN_EINVALID, "binomial: %g trials with probability %g", n[i], p[i]);
        ((double *)(void *)y->v.data)[i] = binomial(floor(n[i]), p[i]);
    }
    return cn_set_out(c, 0, cn_to(y, c->in[0]->v.dtype));
}

const cn_op cn_op_binomial = {
    CN_OP_HEAD(binomial, "binomial", "(Tensor count, Tensor prob) -> Tensor"),
    .doc = "How many of count trials, each with probability prob, succeed.",
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = binomial_compose,
    .samples = "+[2,3] +[3] | +[] +[] | [0] [0]",
};

/* ---- multinomial --------------------------------------------------------------------------- */

typedef struct {
    int64_t num_samples;
    bool replacement;
} Multinomial;

static bool weights_usable(const double *w, int64_t n, const Multinomial *p)
{
    int64_t possible = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(w[i] >= 0) || isinf(w[i]))
            return cn_fail(CN_EINVALID, "multinomial: %g is no weight", w[i]);
        possible += w[i] > 0;
    }
    if (possible >= (p->replacement ? 1 : p->num_samples)) return true;
    return cn_fail(CN_EINVALID, "multinomial: %lld samples from %lld weights above 0",
                   (long long)p->num_samples, (long long)possible);
}

/* The first place whose running sum exceeds a point drawn below the total; what is taken is not
   put back. */
static void draw_row(double *w, int64_t n, const Multinomial *p, int64_t *out)
{
    for (int64_t k = 0; k < p->num_samples; k++) {
        double total = 0, sum = 0;
        for (int64_t i = 0; i < n; i++) total += w[i];
        double point = cn_rng_uniform(cn_default_rng()) * total;
        int64_t chosen = -1;
        for (int64_t i = 0; i < n && sum <= point; i++)
            if (w[i] > 0) sum += w[i], chosen = i;
        out[k] = chosen;
        if (!p->replacement) w[chosen] = 0;
    }
}

static bool multinomial_compose(cn_call *c)
{
    const Multinomial *p = c->params;
    if (!cn_want_dims(c, 0, 1, 2) || !cn_want_float("multinomial", c->in[0])) return false;
    if (p->num_samples <= 0)
        return cn_fail(CN_EINVALID, "multinomial: num_samples must be positive, not %lld",
                       (long long)p->num_samples);
    cn_shape s = c->in[0]->v.shape;
    int64_t n = s.dim[s.ndim - 1], rows = s.ndim == 2 ? s.dim[0] : 1;
    s.dim[s.ndim - 1] = p->num_samples;
    cn_tensor *w = cn_empty(c->in[0]->v.shape, CN_F64), *y = w ? cn_empty(s, CN_I64) : NULL;
    if (!y) return false;
    cn_copy_view(&w->v, &c->in[0]->v);
    for (int64_t r = 0; r < rows; r++) {
        double *row = (double *)(void *)w->v.data + r * n;
        if (!weights_usable(row, n, p)) return false;
        draw_row(row, n, p, (int64_t *)(void *)y->v.data + r * p->num_samples);
    }
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_multinomial = {
    CN_OP_HEAD(multinomial, "multinomial",
               "(Tensor input, int num_samples, bool replacement=False) -> Tensor"),
    .doc = "Places drawn with probability proportional to the weights, row by row.",
    .params_size = sizeof(Multinomial),
    .flags = CN_RANDOM | CN_NO_GRAD_OP,
    .compose = multinomial_compose,
    .samples = "+[5] 3 | +[2,4] 6 True | +[1] 1",
};

/* ---- typed ---------------------------------------------------------------------------------- */

cn_tensor *cn_poisson(cn_tensor *input)
{
    return CN_CALL(poisson, NULL, input);
}

cn_tensor *cn_multinomial(cn_tensor *input, int64_t num_samples, bool replacement)
{
    return CN_CALL(multinomial, (&(Multinomial){ num_samples, replacement }), input);
}
