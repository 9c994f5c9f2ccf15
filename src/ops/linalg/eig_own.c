/* eig_own.c - eigenvalues and eigenvectors of a general real matrix: Householder's reduction to Hessenberg
   form, QR steps with Wilkinson's shift, back substitution; all in complex double. Golub, Van Loan,
   sections 7.4 to 7.6. */
#include "core/memory.h"
#include "ops/linalg/decompose.h"

#include <complex.h>
#include <float.h>
#include <math.h>

typedef double complex Number;

enum { MOST_STEPS = 60 }; /* for one eigenvalue; a few are enough */

/* a = q t q^H: t is a at first, and triangular in the end. */
typedef struct {
    int64_t n;
    Number *t, *q; /* row-major */
    Number *work;  /* 2 n */
    double size;   /* the Frobenius norm of a */
} Schur;

/* ---- Hessenberg form ----------------------------------------------------------------------- */

/* The rows (or columns) from `first` on, `step` apart, minus 2 v (v^H them). */
static void reflect(const Schur *s, Number *a, int64_t row, int64_t col, int64_t first, bool left)
{
    for (int64_t j = 0; j < s->n; j++) {
        Number along = 0;
        for (int64_t i = first; i < s->n; i++) {
            Number v = left ? conj(s->work[i]) : s->work[i];
            along += v * a[i * row + j * col];
        }
        for (int64_t i = first; i < s->n; i++)
            a[i * row + j * col] -= 2 * along * (left ? s->work[i] : conj(s->work[i]));
    }
}

/* The unit vector of the reflection that empties column k below row k + 1; false: it is empty. */
static bool reflector(const Schur *s, int64_t k)
{
    double below = 0, length = 0;
    for (int64_t i = k + 1; i < s->n; i++) s->work[i] = s->t[i * s->n + k];
    for (int64_t i = k + 2; i < s->n; i++) below = hypot(below, cabs(s->work[i]));
    if (below == 0) return false;
    Number head = s->work[k + 1];
    double norm = hypot(below, cabs(head));
    s->work[k + 1] += head == 0 ? norm : head / cabs(head) * norm;
    length = hypot(below, cabs(s->work[k + 1]));
    for (int64_t i = k + 1; i < s->n; i++) s->work[i] /= length;
    return true;
}

static void to_hessenberg(const Schur *s)
{
    for (int64_t k = 0; k + 2 < s->n; k++) {
        if (!reflector(s, k)) continue;
        reflect(s, s->t, s->n, 1, k + 1, true);
        reflect(s, s->t, 1, s->n, k + 1, false);
        reflect(s, s->q, 1, s->n, k + 1, false);
        for (int64_t i = k + 2; i < s->n; i++) s->t[i * s->n + k] = 0;
    }
}

/* ---- QR steps ------------------------------------------------------------------------------ */

/* The eigenvalue of the last 2 x 2 block that is closer to its last element. */
static Number shift_of(const Schur *s, int64_t hi, int step)
{
    const Number *end = s->t + hi * s->n + hi;
    Number d = *end, c = end[-1], b = end[-s->n], a = end[-s->n - 1];
    if (step % 10 == 9) return d + cabs(c); /* out of a cycle */
    Number half = (a - d) / 2, root = csqrt(half * half + b * c);
    Number one = half + root, other = half - root;
    return d + (cabs(one) < cabs(other) ? one : other);
}

/* (x, y) becomes (p x + q y, r x + s y), for count pairs. */
static void combine(Number *x, Number *y, int64_t count, int64_t step, const Number by[4])
{
    for (int64_t i = 0; i < count * step; i += step) {
        Number a = x[i], b = y[i];
        x[i] = by[0] * a + by[1] * b;
        y[i] = by[2] * a + by[3] * b;
    }
}

/* t - shift = q r in rows lo .. hi; then t = r q + shift. */
static void qr_step(const Schur *s, int64_t lo, int64_t hi, Number shift)
{
    int64_t n = s->n;
    for (int64_t i = lo; i <= hi; i++) s->t[i * n + i] -= shift;
    for (int64_t k = lo; k < hi; k++) {
        Number *at = s->t + k * n + k, f = at[0], g = at[n];
        double r = hypot(cabs(f), cabs(g));
        Number c = r > 0 ? f / r : 1, d = r > 0 ? g / r : 0;
        s->work[2 * k] = c, s->work[2 * k + 1] = d;
        combine(at, at + n, n - k, 1, (Number[]){ conj(c), conj(d), -d, c });
    }
    for (int64_t k = lo; k < hi; k++) {
        Number c = s->work[2 * k], d = s->work[2 * k + 1], by[] = { c, d, -conj(d), conj(c) };
        combine(s->t + k, s->t + k + 1, k + 2, n, by);
        combine(s->q + k, s->q + k + 1, n, n, by);
    }
    for (int64_t i = lo; i <= hi; i++) s->t[i * n + i] += shift;
}

/* The first row of the last block that does not fall apart: what is negligible becomes 0. */
static int64_t block_start(const Schur *s, int64_t hi)
{
    for (int64_t k = hi; k > 0; k--) {
        Number *at = s->t + k * s->n + k;
        double near = cabs(at[0]) + cabs(at[-s->n - 1]);
        if (cabs(at[-1]) > DBL_EPSILON * (near > 0 ? near : s->size)) continue;
        at[-1] = 0;
        return k;
    }
    return 0;
}

static bool to_triangle(const Schur *s)
{
    int step = 0;
    for (int64_t hi = s->n - 1; hi > 0;) {
        int64_t lo = block_start(s, hi);
        if (lo == hi) hi--, step = 0;
        else if (step == MOST_STEPS) return false;
        else qr_step(s, lo, hi, shift_of(s, hi, step++));
    }
    return true;
}

/* ---- eigenvectors -------------------------------------------------------------------------- */

/* Of t, for its k-th eigenvalue, in work: 0 after k. Where eigenvalues agree the divisor is as small as
   rounding makes it. */
static void solve_triangle(const Schur *s, int64_t k)
{
    double least = DBL_EPSILON * (s->size > 0 ? s->size : 1);
    Number *x = s->work, value = s->t[k * s->n + k];
    x[k] = 1;
    for (int64_t i = k - 1; i >= 0; i--) {
        Number sum = 0, gap = s->t[i * s->n + i] - value;
        for (int64_t j = i + 1; j <= k; j++) sum += s->t[i * s->n + j] * x[j];
        x[i] = -sum / (cabs(gap) < least ? least : gap);
        if (cabs(x[i]) < 1e100) continue;
        for (int64_t j = k; j >= i; j--) x[j] *= 1e-100;
    }
}

/* q times work, of length 1 and with its largest element real, in column `col` of v. */
static void place_vector(const Schur *s, int64_t k, Number *v, int64_t col)
{
    Number largest = 0, *to = v + col;
    double length = 0;
    for (int64_t i = 0; i < s->n; i++) {
        Number sum = 0;
        for (int64_t j = 0; j <= k; j++) sum += s->q[i * s->n + j] * s->work[j];
        to[i * s->n] = sum;
        length = hypot(length, cabs(sum));
        if (cabs(sum) > cabs(largest)) largest = sum;
    }
    Number by = cabs(largest) / largest / length;
    for (int64_t i = 0; i < s->n; i++) to[i * s->n] *= by;
}

/* Rounding splits what comes in conjugate pairs: the partner of eigenvalue k among those after it. */
static int64_t partner(const Schur *s, int64_t k)
{
    int64_t best = k;
    double least = fabs(cimag(s->t[k * s->n + k])); /* alone: it is real */
    for (int64_t j = k + 1; j < s->n; j++) {
        double gap = cabs(s->t[j * s->n + j] - conj(s->t[k * s->n + k]));
        if (!isnan(creal(s->work[s->n + j])) && gap < least) best = j, least = gap;
    }
    return best;
}

/* A real eigenvalue with its vector, or one with positive imaginary part and its conjugate after it. */
static void collect(const Schur *s, Number *w, Number *v)
{
    int64_t n = s->n, at = 0;
    for (int64_t k = 0; k < n; k++) s->work[n + k] = 0;
    for (int64_t k = 0; k < n; k++) {
        if (isnan(creal(s->work[n + k]))) continue; /* a partner */
        int64_t other = partner(s, k);
        s->work[n + other] = (double)NAN;
        Number value = s->t[k * n + k];
        bool turned = other != k && cimag(value) < 0, pair = other != k;
        solve_triangle(s, k);
        place_vector(s, k, v, at);
        w[at] = !pair ? creal(value) : turned ? conj(value) : value;
        if (pair) w[at + 1] = conj(w[at]);
        for (int64_t i = 0; i < n; i++) {
            Number *x = v + i * n + at;
            if (!pair) x[0] = creal(x[0]);
            else if (turned) x[1] = x[0], x[0] = conj(x[1]);
            else x[1] = conj(x[0]);
        }
        at += pair ? 2 : 1;
    }
}

/* ---- of one matrix ------------------------------------------------------------------------- */

typedef double Element(const void *a, int64_t i);

static int64_t eig(int64_t n, const void *a, Element *element, Number *w, Number *v)
{
    Schur s = { .n = n, .t = cn_alloc((size_t)(2 * n * n + 2 * n) * sizeof(Number)) };
    if (!s.t) return CN_NO_WORKSPACE;
    s.q = s.t + n * n, s.work = s.q + n * n;
    for (int64_t i = 0; i < n * n; i++) {
        double x = element(a, i);
        s.t[i] = x, s.q[i] = i / n == i % n;
        s.size = hypot(s.size, x);
    }
    to_hessenberg(&s);
    bool ok = to_triangle(&s);
    if (ok) collect(&s, w, v);
    cn_free(s.t);
    return !ok;
}

static double element_f64(const void *a, int64_t i)
{
    return ((const double *)a)[i];
}

static double element_f32(const void *a, int64_t i)
{
    return (double)((const float *)a)[i];
}

int64_t cn_own_eig_f64(int64_t n, void *a, void *w, void *v)
{
    return eig(n, a, element_f64, w, v);
}

static void narrow(float complex *to, const Number *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = (float complex)from[i];
}

int64_t cn_own_eig_f32(int64_t n, void *a, void *w, void *v)
{
    Number *wide = cn_alloc((size_t)(n * n + n) * sizeof *wide);
    if (!wide) return CN_NO_WORKSPACE;
    int64_t status = eig(n, a, element_f32, wide, wide + n);
    if (status == 0) {
        narrow(w, wide, n);
        narrow(v, wide + n, n * n);
    }
    cn_free(wide);
    return status;
}
