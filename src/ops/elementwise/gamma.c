/* gamma.c - the gamma function's kin: lgamma, digamma, polygamma, zeta, igamma, mvlgamma.

   Formulas: NIST Digital Library of Mathematical Functions, chapters 5, 8 and 25. */
#include "ops/elementwise/unary_op.h"

#include <float.h>
#include <math.h>

static const double PI = 3.14159265358979323846;

/* Bernoulli numbers B2, B4, .. */
static const double bernoulli[] = { 1.0 / 6,       -1.0 / 30,       1.0 / 42,      -1.0 / 30,
                                    5.0 / 66,      -691.0 / 2730,   7.0 / 6,       -3617.0 / 510,
                                    43867.0 / 798, -174611.0 / 330, 854513.0 / 138 };

/* Up to 10 by digamma(x) = digamma(x + 1) - 1 / x, then by the asymptotic series; reflected below
   0. */
static double digamma_of(double x)
{
    if (x == 0) return copysign((double)INFINITY, -x);
    if (x < 0) {
        double whole, part = modf(x, &whole);
        return part == 0 ? (double)NAN : digamma_of(1 - x) - PI / tan(PI * part);
    }
    double shift = 0;
    while (x < 10) shift -= 1 / x, x += 1;
    double power = 1, tail = 0;
    for (int k = 0; k < (int)CN_COUNT(bernoulli); k++) {
        power /= x * x;
        tail += bernoulli[k] / (2 * k + 2) * power;
    }
    return shift + log(x) - 0.5 / x - tail;
}

/* Sum over k of (q + k)^-s, by Euler and Maclaurin from q + k = 10 on. Terms that many below 0 would
   take for ever are not summed. */
static double zeta_of(double s, double q)
{
    if (s == 1) return (double)INFINITY;
    if (!(s > 1) || isnan(q) || q < -1e6) return (double)NAN;
    if (q <= 0 && q == floor(q)) return (double)INFINITY;
    if (q <= 0 && s != floor(s)) return (double)NAN;
    double sum = 0;
    for (int k = 0; k < 10 || q < 10; k++, q++) sum += pow(q, -s);
    double power = pow(q, -s), factor = s * power / q / 2;
    sum += power * q / (s - 1) + power / 2;
    for (int k = 0; k < (int)CN_COUNT(bernoulli); k++) {
        double term = bernoulli[k] * factor;
        sum += term;
        if (fabs(term) < fabs(sum) * 1e-17) break;
        double m = 2 * k + 1; /* to the next of s (s + 1) .. (s + 2k) / (2k + 2)! */
        factor *= (s + m) * (s + m + 1) / ((m + 2) * (m + 3) * q * q);
    }
    return sum;
}

static double polygamma_of(int64_t n, double x)
{
    if (n == 0) return digamma_of(x);
    return (n % 2 ? 1 : -1) * tgamma((double)n + 1) * zeta_of((double)n + 1, x);
}

static double lgamma_of(double x)
{
    int sign; /* lgamma would put it into a global */
    return lgamma_r(x, &sign);
}

/* ---- of one number ------------------------------------------------------------------------- */

#define OP lgamma
#define EXPR (T) lgamma_of((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(lgamma, "lgamma", "special.gammaln", "log |gamma(input)|.", CN_SAMPLES_ANY,
            CN_CALL(digamma, NULL, x));

#define OP digamma
#define EXPR (T) digamma_of((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(digamma, "digamma", "special.digamma special.psi",
            "The derivative of log gamma(input).", CN_SAMPLES_ANY,
            CN_CALL(polygamma, &(int64_t){ 1 }, x));

#define OP polygamma
#define EXPR (T) polygamma_of(order, (double)x)
#define PRELUDE const int64_t order = *(const int64_t *)params
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static void polygamma_backward(cn_grads *g)
{
    int64_t next = *(const int64_t *)cn_grad_params(g) + 1;
    cn_give(g, 0, cn_mul(cn_gout(g, 0), CN_CALL(polygamma, &next, cn_saved_in(g, 0))));
}

static bool polygamma_infer(const cn_call *c, cn_spec out[])
{
    int64_t n = *(const int64_t *)c->params;
    if (n < 0) return cn_fail(CN_EINVALID, "polygamma: the order %lld is negative", (long long)n);
    return cn_infer_pointwise(c, out);
}

/* Inside the library the tensor comes first, as in Tensor.polygamma. */
const cn_op cn_op_polygamma = {
    CN_OP_HEAD(polygamma, "polygamma", "(int n, Tensor input) -> Tensor"),
    .aliases = "special.polygamma",
    .doc = "The n-th derivative of digamma(input).",
    .params_size = sizeof(int64_t),
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = polygamma_infer,
    .kernel = polygamma_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = polygamma_backward,
    .samples = "0 +[2,3] | 1 [4] | 2 +[] | 3 [0]",
};

/* ---- of two -------------------------------------------------------------------------------- */

#define OP zeta
#define EXPR (T) zeta_of((double)a, (double)b)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* A plain number in the result's type: computed with alone it would be rounded to float32. */
static cn_tensor *typed(cn_tensor *t, cn_dtype type)
{
    return t && t->is_number ? cn_full(cn_scalar_shape(), cn_item(t), type) : t;
}

/* Only the second argument has a gradient known in closed form: -s zeta(s + 1, q). */
static void zeta_backward(cn_grads *g)
{
    cn_tensor *s = cn_saved_in(g, 0), *q = cn_saved_in(g, 1);
    if (cn_wants(g, 0)) {
        cn_fail(CN_EUNSUPPORTED, "special.zeta: the derivative by input is not known");
        return;
    }
    s = typed(s, cn_in_dtype(g, 1));
    cn_tensor *next = CN_CALL(zeta, NULL, cn_one_plus(s), q);
    cn_give(g, 1, cn_mul(cn_gout(g, 0), cn_neg(cn_mul(s, next))));
}

const cn_op cn_op_zeta = {
    CN_OP_HEAD(zeta, "special.zeta", "(Tensor|Scalar input, Tensor|Scalar other) -> Tensor"),
    .doc = "Hurwitz's zeta function: the sum over k = 0, 1, .. of (other + k)^-input.",
    .flags = CN_POINTWISE | CN_TO_FLOAT,
    .infer = cn_infer_pointwise,
    .kernel = zeta_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = zeta_backward,
    .samples = "2 +[2,3] | 3.5 +[] | 2 +[0] | i64<5[4] i64<5[4]",
};

/* ---- the incomplete gamma function --------------------------------------------------------- */

/* x - log(1 + x), without the cancellation near 0. */
static double log1p_gap(double x)
{
    if (fabs(x) > 0.01) return x - log1p(x);
    double power = x, sum = 0;
    for (int k = 2; k < 12; k++) power *= -x, sum -= power / k;
    return sum;
}

/* x^a exp(-x) / gamma(a); large a: Stirling's formula, whose large parts cancel on paper. */
static double gamma_density(double a, double x)
{
    if (a < 30) return exp(a * log(x) - x - lgamma_of(a));
    double series = 1 / (12 * a) - 1 / (360 * a * a * a) + 1 / (1260 * pow(a, 5));
    return sqrt(a / (2 * PI)) * exp(-a * log1p_gap((x - a) / a) - series);
}

/* P(a, x) by its power series, for x < a + 1. */
static double lower_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (double n = a + 1; term > sum * DBL_EPSILON / 4; n++) term *= x / n, sum += term;
    return sum * gamma_density(a, x);
}

/* Q(a, x) by its continued fraction, evaluated by Lentz's method, for x >= a + 1. */
static double upper_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d, change = 0;
    for (int i = 1; i < 100000 && fabs(change - 1) > DBL_EPSILON; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b, c = b + an / c;
        d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        if (fabs(c) < DBL_MIN) c = DBL_MIN;
        change = c * d;
        h *= change;
    }
    return h * gamma_density(a, x);
}

/* Temme's uniform expansion with its first correction: Q(a, x) for a in the millions. */
static double upper_uniform(double a, double x)
{
    double mu = (x - a) / a, eta = copysign(sqrt(2 * log1p_gap(mu)), mu);
    double correction = fabs(mu) < 1e-4 ? -1.0 / 3 + mu / 12 : 1 / mu - 1 / eta;
    return erfc(eta * sqrt(a / 2)) / 2 + correction * exp(-a * eta * eta / 2) / sqrt(2 * PI * a);
}

static double incomplete(double a, double x, bool upper)
{
    if (!(a >= 0) || !(x >= 0) || (a == 0 && x == 0) || (isinf(a) && isinf(x))) return (double)NAN;
    if (x == 0 || isinf(a)) return upper ? 1 : 0;
    if (a == 0 || isinf(x)) return upper ? 0 : 1;
    if (a > 1e6) {
        double q = upper_uniform(a, x);
        return upper ? q : 1 - q;
    }
    if (x < a + 1) return upper ? 1 - lower_series(a, x) : lower_series(a, x);
    return upper ? upper_fraction(a, x) : 1 - upper_fraction(a, x);
}

#define OP igamma
#define EXPR (T) incomplete((double)a, (double)b, false)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

#define OP igammac
#define EXPR (T) incomplete((double)a, (double)b, true)
#define FLOAT_ONLY
#include "ops/elementwise/binary.inc"

/* dP/dx = x^(a-1) exp(-x) / gamma(a), dQ/dx = -dP/dx. */
static void incomplete_backward(cn_grads *g, const char *what, double sign)
{
    if (cn_wants(g, 0)) {
        cn_fail(CN_EUNSUPPORTED, "%s: the derivative by input is not known", what);
        return;
    }
    cn_tensor *a = typed(cn_saved_in(g, 0), cn_in_dtype(g, 1)), *x = cn_saved_in(g, 1);
    cn_tensor *power = CN_CALL(xlogy, NULL, cn_add(a, cn_number_i64(-1)), x);
    cn_tensor *density = cn_exp(cn_sub(cn_sub(power, x), CN_CALL(lgamma, NULL, a)));
    cn_give(g, 1, cn_mul(cn_gout(g, 0), cn_times(density, sign)));
}

static void igamma_backward(cn_grads *g)
{
    incomplete_backward(g, "igamma", 1);
}

static void igammac_backward(cn_grads *g)
{
    incomplete_backward(g, "igammac", -1);
}

#define INCOMPLETE_OP(ident, words, text)                                                          \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor other) -> Tensor"),                       \
        .aliases = words,                                                                          \
        .doc = text,                                                                               \
        .flags = CN_POINTWISE,                                                                     \
        .infer = cn_infer_floats,                                                                  \
        .kernel = ident##_kernel,                                                                  \
        .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),                                                    \
        .backward = ident##_backward,                                                              \
        .samples = "i64<9[3] +[2,3] | i64<5[1] +[2] | i64<2[] +[0]",                               \
    }

INCOMPLETE_OP(igamma, "special.gammainc",
              "The integral of t^(input-1) exp(-t) from 0 to other, over gamma(input).");
INCOMPLETE_OP(igammac, "special.gammaincc", "1 - igamma(input, other), exact where that is small.");

/* ---- mvlgamma ------------------------------------------------------------------------------ */

enum { MOST_TERMS = 10000 }; /* each is a tensor */

/* The sum over j < p of lgamma(x - j / 2), plus log(pi) p (p - 1) / 4. */
static bool mvlgamma_compose(cn_call *c)
{
    int64_t p = *(const int64_t *)c->params;
    cn_tensor *x = c->in[0];
    if (p < 1 || p > MOST_TERMS)
        return cn_fail(CN_EINVALID, "mvlgamma: p must be from 1 to %d, not %lld", MOST_TERMS,
                       (long long)p);
    if (!cn_dtype_is_float(x->v.dtype)) x = cn_to(x, CN_F32);
    cn_tensor *sum = CN_CALL(lgamma, NULL, x);
    for (int64_t j = 1; sum && j < p; j++)
        sum = cn_add(sum, CN_CALL(lgamma, NULL, cn_add(x, cn_number(-(double)j / 2))));
    return cn_set_out(c, 0, cn_add(sum, cn_number((double)(p * (p - 1)) * log(PI) / 4)));
}

const cn_op cn_op_mvlgamma = {
    CN_OP_HEAD(mvlgamma, "mvlgamma", "(Tensor input, int p) -> Tensor"),
    .aliases = "special.multigammaln",
    .doc = "The logarithm of the gamma function of p dimensions.",
    .params_size = sizeof(int64_t),
    .compose = mvlgamma_compose,
    .samples = "+[2,3] 1 | [4] 1 | i64<9[3] 1 | [0] 2",
};
