/* plan.c - fast Fourier transforms: mixed radix after Cooley and Tukey where the prime factors of the
   length are small, Bluestein's convolution where one is not. Van Loan, Computational Frameworks for the
   FFT, sections 1.4, 2.1 and 4.2. */
#include "ops/fft/fft.h"

#include "core/memory.h"

#include <math.h>

typedef cn_fft_number Number;

enum {
    MOST_FACTORS = 64,
    LARGEST_PRIME = 31 /* beyond it, p operations for each number cost more than a convolution */
};

struct cn_fft_plan {
    int64_t n;
    int64_t factor[MOST_FACTORS]; /* their product is n; none for Bluestein */
    Number *root;                 /* exp(-2 pi i k / n), k < n */
    /* Bluestein's: x_j chirp_j is convolved with the conjugate chirp by transforms of a power of 2. */
    cn_fft_plan *wide;
    Number *chirp, *kernel, *line, *image;
};

static Number times(Number a, Number b)
{
    return (Number){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static Number plus(Number a, Number b)
{
    return (Number){ a.re + b.re, a.im + b.im };
}

static Number minus(Number a, Number b)
{
    return (Number){ a.re - b.re, a.im - b.im };
}

/* exp(-2 pi i k / n), 0 <= k < n, from an angle of at most pi / 4, where sine and cosine are exact to
   rounding. */
static Number root_of_unity(int64_t k, int64_t n)
{
    int64_t octant = 8 * k / n, rest = 8 * k - octant * n;
    double angle = acos(-1.0) / 4 * (double)(octant % 2 ? n - rest : rest) / (double)n;
    double c = cos(angle), s = sin(angle);
    double x = (octant + 1) % 4 < 2 ? c : s, y = (octant + 1) % 4 < 2 ? s : c;
    return (Number){ octant >= 2 && octant < 6 ? -x : x, octant < 4 ? -y : y };
}

/* ---- mixed radix --------------------------------------------------------------------------- */

/* Transforms of 2 numbers, m apart, the second turned; `step` is n / (2 m). */
static void radix2(const Number *root, int64_t step, int64_t m, Number *y)
{
    for (int64_t k = 0; k < m; k++) {
        Number a = y[k], b = times(y[m + k], root[k * step]);
        y[k] = plus(a, b), y[m + k] = minus(a, b);
    }
}

static void radix4(const Number *root, int64_t step, int64_t m, Number *y)
{
    for (int64_t k = 0; k < m; k++) {
        Number a = y[k], b = times(y[m + k], root[k * step]);
        Number c = times(y[2 * m + k], root[2 * k * step]);
        Number d = times(y[3 * m + k], root[3 * k * step]);
        Number even = plus(a, c), odd = minus(a, c), sum = plus(b, d), gap = minus(b, d);
        Number turned = { gap.im, -gap.re };
        y[k] = plus(even, sum), y[m + k] = plus(odd, turned);
        y[2 * m + k] = minus(even, sum), y[3 * m + k] = minus(odd, turned);
    }
}

static void any_radix(const cn_fft_plan *plan, int64_t p, int64_t step, int64_t m, Number *y)
{
    Number x[LARGEST_PRIME];
    for (int64_t k = 0; k < m; k++) {
        for (int64_t r = 0; r < p; r++) x[r] = times(y[r * m + k], plan->root[r * k * step]);
        for (int64_t q = 0; q < p; q++) {
            Number sum = x[0];
            for (int64_t r = 1; r < p; r++)
                sum = plus(sum, times(x[r], plan->root[r * q % p * (plan->n / p)]));
            y[q * m + k] = sum;
        }
    }
}

/* The transform of x_0, x_step, x_2step, ..: n / step numbers, first each p-th of them. As deep as
   there are factors. */
static void mixed(const cn_fft_plan *plan, const int64_t *factor, int64_t step, const Number *x,
                  Number *y)
{
    int64_t n = plan->n / step;
    if (n == 1) {
        *y = *x;
        return;
    }
    int64_t p = *factor, m = n / p;
    for (int64_t r = 0; r < p; r++) mixed(plan, factor + 1, step * p, x + r * step, y + r * m);
    if (p == 2) radix2(plan->root, step, m, y);
    else if (p == 4) radix4(plan->root, step, m, y);
    else any_radix(plan, p, step, m, y);
}

/* ---- Bluestein: j k = (j^2 + k^2 - (k - j)^2) / 2 ------------------------------------------ */

/* The convolution's inverse transform is a transform with real and imaginary parts exchanged. */
static void convolve(cn_fft_plan *plan, const Number *x, Number *y)
{
    int64_t n = plan->n, m = plan->wide->n;
    for (int64_t j = 0; j < m; j++)
        plan->line[j] = j < n ? times(x[j], plan->chirp[j]) : (Number){ 0, 0 };
    cn_fft_run(plan->wide, plan->line, plan->image);
    for (int64_t k = 0; k < m; k++) {
        Number product = times(plan->image[k], plan->kernel[k]);
        plan->image[k] = (Number){ product.im, product.re };
    }
    cn_fft_run(plan->wide, plan->image, plan->line);
    for (int64_t k = 0; k < n; k++) {
        Number sum = { plan->line[k].im / (double)m, plan->line[k].re / (double)m };
        y[k] = times(sum, plan->chirp[k]);
    }
}

static bool prepare_bluestein(cn_fft_plan *plan)
{
    int64_t n = plan->n, m = 1;
    while (m < 2 * n - 1) m *= 2;
    plan->wide = cn_fft_plan_new(m);
    plan->chirp = cn_alloc((size_t)(n + 3 * m) * sizeof(Number));
    if (!plan->wide || !plan->chirp) return false;
    plan->kernel = plan->chirp + n, plan->line = plan->kernel + m, plan->image = plan->line + m;
    for (int64_t j = 0; j < m; j++) plan->line[j] = (Number){ 0, 0 };
    for (int64_t j = 0, square = 0; j < n; square = (square + 2 * j + 1) % (2 * n), j++) {
        Number c = plan->chirp[j] = root_of_unity(square, 2 * n);
        plan->line[j] = plan->line[(m - j) % m] = (Number){ c.re, -c.im };
    }
    cn_fft_run(plan->wide, plan->line, plan->kernel);
    return true;
}

/* ---- plans --------------------------------------------------------------------------------- */

/* False when a prime is too large. */
static bool factorise(int64_t n, int64_t *factor)
{
    for (; n % 4 == 0; n /= 4) *factor++ = 4;
    for (int64_t p = 2; p <= LARGEST_PRIME && n > 1; p++)
        for (; n % p == 0; n /= p) *factor++ = p;
    return n == 1;
}

static bool prepare_roots(cn_fft_plan *plan)
{
    plan->root = cn_alloc((size_t)plan->n * sizeof(Number));
    for (int64_t k = 0; plan->root && k < plan->n; k++) plan->root[k] = root_of_unity(k, plan->n);
    return plan->root != NULL;
}

cn_fft_plan *cn_fft_plan_new(int64_t n)
{
    cn_fft_plan *plan = cn_alloc_zeroed(sizeof *plan);
    if (!plan) return NULL;
    plan->n = n;
    if (factorise(n, plan->factor) ? prepare_roots(plan) : prepare_bluestein(plan)) return plan;
    cn_fft_plan_free(plan);
    return NULL;
}

void cn_fft_plan_free(cn_fft_plan *plan)
{
    if (!plan) return;
    cn_fft_plan_free(plan->wide); /* a power of 2, which has no other below it */
    cn_free(plan->root);
    cn_free(plan->chirp);
    cn_free(plan);
}

void cn_fft_run(cn_fft_plan *plan, const Number *x, Number *y)
{
    if (plan->wide) convolve(plan, x, y);
    else mixed(plan, plan->factor, 1, x, y);
}
