/* machine.c - two ways of solving the dual problem of support vector machines. */
#include "book/book.h"
#include "book/ml/svm.h"

#include <math.h>

/* ---- projected gradient ascent ---------------------------------------------------------------- */

static double largest_eigenvalue(const Svm *s)
{
    double largest = (double)NAN;
    CN_SCOPE
    {
        cn_tensor *k = cn_from(s->k, CN_SHAPE(s->n, s->n), CN_F64);
        cn_tensor *y = cn_from(s->y, CN_SHAPE(s->n), CN_F64);
        largest = cn_item(cn_amax(cn_linalg_eigh(cn_mul(k, cn_outer(y, y))).values));
    }
    return largest;
}

/* The score of point i without b. */
static double raw(const Svm *s, int i)
{
    double sum = 0;
    for (int j = 0; j < s->n; j++) sum += s->a[j] * s->y[j] * s->k[i * s->n + j];
    return sum;
}

void svm_ascent(Svm *s, int steps)
{
    const double rate = 1 / largest_eigenvalue(s);
    double gradient[SVM_MOST];
    for (int t = 0; t < steps; t++) {
        for (int i = 0; i < s->n; i++) gradient[i] = 1 - s->y[i] * raw(s, i);
        for (int i = 0; i < s->n; i++)
            s->a[i] = fmin(s->limit, fmax(0, s->a[i] + rate * gradient[i]));
    }
}

/* ---- sequential minimal optimisation ------------------------------------------------------------ */

/* May a_i grow in the direction of y_i, or shrink? */
static bool can_rise(const Svm *s, int i)
{
    return s->y[i] > 0 ? s->a[i] < s->limit : s->a[i] > 0;
}

static bool can_fall(const Svm *s, int i)
{
    return s->y[i] > 0 ? s->a[i] > 0 : s->a[i] < s->limit;
}

/* Moves a_i and a_j by the best step that both limits allow; *error: y less score, without b. */
static void move_pair(Svm *s, int i, int j, double *error)
{
    const double *ki = s->k + i * s->n, *kj = s->k + j * s->n;
    double step = (error[i] - error[j]) / fmax(ki[i] + kj[j] - 2 * ki[j], 1e-12);
    step = fmin(step, s->y[i] > 0 ? s->limit - s->a[i] : s->a[i]);
    step = fmin(step, s->y[j] > 0 ? s->a[j] : s->limit - s->a[j]);
    s->a[i] += s->y[i] * step;
    s->a[j] -= s->y[j] * step;
    for (int k = 0; k < s->n; k++) error[k] -= step * (ki[k] - kj[k]);
}

bool svm_smo(Svm *s, double tolerance)
{
    double error[SVM_MOST];
    for (int i = 0; i < s->n; i++) s->a[i] = 0, error[i] = s->y[i];
    for (int t = 0; t < 200000; t++) {
        int up = -1, down = -1;
        for (int i = 0; i < s->n; i++) {
            if (can_rise(s, i) && (up < 0 || error[i] > error[up])) up = i;
            if (can_fall(s, i) && (down < 0 || error[i] < error[down])) down = i;
        }
        if (up < 0 || down < 0) return false;
        s->b = (error[up] + error[down]) / 2;
        if (error[up] - error[down] < tolerance) return true;
        move_pair(s, up, down, error);
    }
    return false;
}

/* ---- what came out --------------------------------------------------------------------------------- */

double svm_score(const Svm *s, const double *k)
{
    double sum = s->b;
    for (int j = 0; j < s->n; j++) sum += s->a[j] * s->y[j] * k[j];
    return sum;
}

double svm_margin(const Svm *s, int i)
{
    return s->y[i] * svm_score(s, s->k + i * s->n);
}

static double squared_norm(const Svm *s)
{
    double sum = 0;
    for (int i = 0; i < s->n; i++) sum += s->a[i] * s->y[i] * raw(s, i);
    return sum;
}

double svm_dual(const Svm *s)
{
    double sum = 0;
    for (int i = 0; i < s->n; i++) sum += s->a[i];
    return sum - squared_norm(s) / 2;
}

double svm_primal(const Svm *s)
{
    double loss = 0;
    for (int i = 0; i < s->n; i++) loss += fmax(0, 1 - svm_margin(s, i));
    return squared_norm(s) / 2 + (isinf(s->limit) ? 0 : s->limit * loss);
}

double svm_slackness(const Svm *s)
{
    double worst = 0;
    for (int i = 0; i < s->n; i++) {
        const double over = svm_margin(s, i) - 1;
        if (s->a[i] < s->limit) worst = fmax(worst, -over);
        if (s->a[i] > 0) worst = fmax(worst, over);
    }
    return worst;
}
