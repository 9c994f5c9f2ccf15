/* vmath.h - exp, log, tanh and their family on vectors, to about 2 units in the last place.
   Each reduces its argument to a short interval and evaluates a minimax polynomial there. */
#ifndef CN_BACKENDS_SIMD_VMATH_H
#define CN_BACKENDS_SIMD_VMATH_H

#include "backends/simd/vec.h"

#include <math.h>

/* exp(x) = 2^n exp(r) with |r| <= log(2) / 2; log(2) comes in two parts, so that r is exact.
   Beyond the
   bounds the result is zero or infinity anyway. The polynomial is evaluated in pairs: the chain of
   dependent operations is what limits the speed. */
CN_INLINE vf v_exp(vf x)
{
    x = v_min(v_set1(89.0f), v_max(v_set1(-104.0f), x));
    const vf n = v_round(x * 1.44269504f);
    const vf r = x - n * 0.693359375f - n * -2.12194440e-4f;
    const vf z = r * r;
    const vf low = r * 1.6666665459e-1f + 5.0000001201e-1f;
    const vf middle = r * 8.3334519073e-3f + 4.1665795894e-2f;
    const vf high = r * 1.9875691500e-4f + 1.3981999507e-3f;
    const vf p = ((high * z + middle) * z + low) * z + (r + 1.0f);
    return v_scale(p, n);
}

/* exp(x) - 1 for x <= 0. The reduction leaves |x| < log(2) / 2 as it is, where nothing cancels. */
CN_INLINE vf v_expm1_negative(vf x)
{
    const vf near =
        x * (x * (x * (x * (x * (x * 1.9875691500e-4f + 1.3981999507e-3f) + 8.3334519073e-3f) +
                       4.1665795894e-2f) +
                  1.6666665459e-1f) +
             5.0000001201e-1f);
    return v_select(v_lt(v_set1(-0.34657359f), x), x + x * near, v_exp(x) - 1.0f);
}

/* log(x) = e log(2) + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
CN_INLINE vf v_log_positive(vf x)
{
    const vu half_root = (vu)v_set1(0.707106781f);
    const vi bits = (vi)((vu)x - half_root);
    const vf e = v_to_float(bits >> 23);
    const vf f = (vf)(((vu)bits & 0x7fffff) + half_root) - 1.0f;
    const vf z = f * f;
    vf p = f * 7.0376836292e-2f + -1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f + -1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f + -1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f + -2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const vf small = f * z * p + e * -2.12194440e-4f - z * 0.5f;
    return small + f + e * 0.693359375f;
}

CN_INLINE vf v_log(vf x)
{
    const vm denormal = v_lt(x, v_set1(1.17549435e-38f));
    const vf scaled = v_select(denormal, x * 8388608.0f, x);
    vf y = v_log_positive(scaled) - v_select(denormal, v_set1(15.9423851f), v_zero());
    y = v_select(v_eq(x, v_set1(INFINITY)), x, y);
    y = v_select(v_eq(x, v_zero()), v_set1(-INFINITY), y);
    return v_select(v_or(v_lt(x, v_zero()), v_is_nan(x)), v_set1(NAN), y);
}

CN_INLINE vf v_tanh(vf x)
{
    const vf a = v_abs(x), b = v_min(v_set1(20.0f), a), z = x * x;
    vf p = z * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * z + -5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z + -3.33332819422e-1f;
    const vf near = x + x * z * p;
    const vf far = v_copy_sign(1.0f - v_quotient(v_set1(2.0f), v_exp(b + b) + 1.0f), x);
    return v_select(v_lt(a, v_set1(0.625f)), near, far);
}

/* Through exp(-|x|), which cannot overflow, so that tiny results are right as well. */
CN_INLINE vf v_sigmoid(vf x)
{
    const vf e = v_exp(-v_abs(x));
    return v_quotient(v_select(v_lt(x, v_zero()), e, v_set1(1.0f)), 1.0f + e);
}

CN_INLINE vf v_relu(vf x)
{
    return v_max(v_zero(), x);
}

CN_INLINE vf v_silu(vf x)
{
    return x * v_sigmoid(x);
}

/* log(1 + e) for e in [0, 1]: the rounding of 1 + e is put back to first order. */
CN_INLINE vf v_log1p(vf e)
{
    const vf s = 1.0f + e;
    return v_log_positive(s) + (e - (s - 1.0f)) / s;
}

CN_INLINE vf v_softplus(vf x)
{
    return v_max(v_zero(), x) + v_log1p(v_exp(-v_abs(x)));
}

/* Near zero x times a polynomial in x^2; beyond 1, 1 - exp(-x^2) / x times one in 1 / x^2. */
CN_INLINE vf v_erf_far(vf a, vf e)
{
    const vf b = v_min(v_set1(4.0f), a);
    const vf t = v_quotient(v_set1(1.0f), b), u = t * t;
    vf p = u * 2.326819970068386e-2f + -1.387039388740657e-1f;
    p = p * u + 3.687424674597105e-1f;
    p = p * u + -5.824733027278666e-1f;
    p = p * u + 6.210004621745983e-1f;
    p = p * u + -4.944515323274145e-1f;
    p = p * u + 3.404879937665872e-1f;
    p = p * u + -2.741127028184656e-1f;
    p = p * u + 5.638259427386472e-1f;
    return 1.0f - e * t * p;
}

/* e: exp(-x^2), which some callers need as well. */
CN_INLINE vf v_erf_given(vf x, vf e)
{
    const vf a = v_abs(x), z = x * x;
    vf p = z * 7.853861353153693e-5f + -8.010193625184903e-4f;
    p = p * z + 5.188327685732524e-3f;
    p = p * z + -2.685381193529856e-2f;
    p = p * z + 1.128358514861418e-1f;
    p = p * z + -3.761262582423300e-1f;
    p = p * z + 1.128379165726710f;
    return v_select(v_lt(a, v_set1(1.0f)), x * p, v_copy_sign(v_erf_far(a, e), x));
}

CN_INLINE vf v_erf(vf x)
{
    return v_erf_given(x, v_exp(-(x * x)));
}

CN_INLINE vf v_gelu(vf x)
{
    return x * 0.5f * (1.0f + v_erf(x * 0.707106781f));
}

CN_INLINE vf v_gelu_tanh(vf x)
{
    const vf inner = 0.797884561f * (x + 0.044715f * x * x * x);
    return x * 0.5f * (1.0f + v_tanh(inner));
}

/* tanh(log(1 + e)) with e = exp(x) is n / (n + 2) with n = e (e + 2); it is 1 from 20 on. */
CN_INLINE vf v_mish_gate(vf x)
{
    const vf e = v_exp(v_min(v_set1(20.0f), x)), n = e * (e + 2.0f);
    return v_quotient(n, n + 2.0f);
}

CN_INLINE vf v_mish(vf x)
{
    return x * v_mish_gate(x);
}

CN_INLINE vf v_hardswish(vf x)
{
    return x * (v_min(v_set1(6.0f), v_max(v_zero(), x + 3.0f)) * (1.0f / 6));
}

/* ---- derivatives of activations, some with a parameter p ----------------------------------- */

CN_INLINE vf v_silu_slope(vf x, vf p)
{
    (void)p;
    const vf s = v_sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
}

/* Phi(x) + x phi(x) */
CN_INLINE vf v_gelu_slope(vf x, vf p)
{
    (void)p;
    const vf e = v_exp(x * x * -0.5f);
    const vf below = 0.5f * (1.0f + v_erf_given(x * 0.707106781f, e));
    return below + x * e * 0.398942280f;
}

CN_INLINE vf v_gelu_tanh_slope(vf x, vf p)
{
    (void)p;
    const vf t = v_tanh(0.797884561f * (x + 0.044715f * x * x * x));
    const vf inner = 0.797884561f * (1.0f + 0.134145f * x * x);
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner;
}

CN_INLINE vf v_softplus_slope(vf x, vf p)
{
    (void)p;
    return v_sigmoid(x);
}

CN_INLINE vf v_mish_slope(vf x, vf p)
{
    (void)p;
    const vf t = v_mish_gate(x);
    return t + x * v_sigmoid(x) * (1.0f - t * t);
}

CN_INLINE vf v_hardswish_slope(vf x, vf p)
{
    (void)p;
    const vf inside = x * (1.0f / 3) + 0.5f;
    const vf low = v_select(v_lt(v_set1(-3.0f), x), inside, v_select(v_is_nan(x), x, v_zero()));
    return v_select(v_lt(x, v_set1(3.0f)), low, v_select(v_is_nan(x), x, v_set1(1.0f)));
}

CN_INLINE vf v_elu_slope(vf x, vf alpha)
{
    return v_select(v_lt(v_zero(), x), v_set1(1.0f), alpha * v_exp(x));
}

CN_INLINE vf v_leaky_relu_slope(vf x, vf slope)
{
    return v_select(v_lt(v_zero(), x), v_set1(1.0f), slope);
}

#endif
