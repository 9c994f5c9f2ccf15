/* bessel.c - modified Bessel functions of the first kind, of order 0 and 1, plain and scaled.

   NIST Digital Library of Mathematical Functions, 10.25 (power series, all of whose terms are
   positive) and 10.40 (asymptotic series, for large |x|). */
#include "ops/elementwise/unary_op.h"

#include <math.h>

enum { FAR = 30 }; /* where the smallest term of the asymptotic series is below 1e-16 */

/* exp(-x) I_n(x) for x >= 0. */
static double scaled_bessel(int n, double x)
{
    double term = 1, sum = 1;
    if (x < FAR) {
        for (int k = 1; term > sum * 1e-17; k++) term *= x * x / 4 / k / (k + n), sum += term;
        return sum * (n ? x / 2 : 1) * exp(-x);
    }
    for (int k = 1; k < 60 && fabs(term) > 1e-17; k++) {
        double odd = 2 * k - 1;
        term *= (odd * odd - 4 * n) / (8 * x * k);
        sum += term;
    }
    return sum / sqrt(2 * 3.14159265358979323846 * x);
}

static double bessel0e(double x)
{
    return isinf(x) ? 0 : scaled_bessel(0, fabs(x));
}

static double bessel1e(double x)
{
    return isinf(x) ? 0 : copysign(scaled_bessel(1, fabs(x)), x);
}

#define OP i0
#define EXPR (T)(isinf(x) ? (double)INFINITY : bessel0e((double)x) * exp(fabs((double)x)))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(i0, "i0", "special.i0", "The modified Bessel function of order 0.", CN_SAMPLES_ANY,
            CN_CALL(i1, NULL, x));

#define OP i0e
#define EXPR (T) bessel0e((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"
CN_OF_INPUT(i0e, "special.i0e", NULL, "exp(-|input|) i0(input).", CN_SAMPLES_ANY,
            cn_sub(CN_CALL(i1e, NULL, x), cn_mul(cn_sign(x), CN_CALL(i0e, NULL, x))));

#define OP i1
#define EXPR (T)(isinf(x) ? (double)x : bessel1e((double)x) * exp(fabs((double)x)))
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

/* i0(x) - i1(x) / x, 1/2 at 0; the scaled functions have such a derivative, too. */
static cn_tensor *over_x(cn_tensor *x, cn_tensor *order1)
{
    cn_tensor *zero = cn_eq(x, cn_number_i64(0));
    return cn_where(zero, cn_number(0.5), cn_div(order1, cn_add(x, zero)));
}

CN_OF_INPUT(i1, "special.i1", NULL, "The modified Bessel function of order 1.", CN_SAMPLES_ANY,
            cn_sub(CN_CALL(i0, NULL, x), over_x(x, CN_CALL(i1, NULL, x))));

#define OP i1e
#define EXPR (T) bessel1e((double)x)
#define FLOAT_ONLY
#include "ops/elementwise/unary.inc"

static cn_tensor *i1e_slope(cn_tensor *x)
{
    cn_tensor *y = CN_CALL(i1e, NULL, x);
    cn_tensor *rest = cn_add(cn_mul(cn_sign(x), y), over_x(x, y));
    return cn_sub(CN_CALL(i0e, NULL, x), rest);
}

CN_OF_INPUT(i1e, "special.i1e", NULL, "exp(-|input|) special.i1(input).", CN_SAMPLES_ANY,
            i1e_slope(x));
