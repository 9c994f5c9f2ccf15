/* autograd_helpers.c - what the tests of autograd have in common. */
#include "autograd_helpers.h"

#include "core/memory.h"

#include <math.h>

void assert_close(double got, double want)
{
    if (fabs(got - want) <= 1e-6 * (1 + fabs(want))) return;
    fail_msg("%.9g instead of %.9g (%s)", got, want, cn_error());
}

void assert_error(const char *words)
{
    if (!strstr(cn_error(), words)) fail_msg("'%s' does not say '%s'", cn_error(), words);
    cn_error_clear();
}

void assert_elements(const cn_tensor *t, const double *want, int64_t n)
{
    double got[64];
    assert_true(n <= 64 && cn_read(t, CN_F64, got, n));
    for (int64_t i = 0; i < n; i++) assert_close(got[i], want[i]);
}

cn_tensor *vector(int n, const double *values)
{
    cn_tensor *t = cn_empty(CN_SHAPE(n), CN_F64);
    assert_true(cn_write(t, CN_F64, values, n));
    return t;
}

cn_tensor *leaf(double value)
{
    return cn_requires_grad(cn_full(cn_scalar_shape(), value, CN_F64), true);
}

double at(const cn_tensor *t, int64_t i)
{
    return cn_at(t, CN_SHAPE(i));
}

double weighed(const cn_tensor *t)
{
    double sum = 0, *x = calloc((size_t)cn_numel(t) + 1, sizeof *x);
    assert_true(x && cn_read(t, CN_F64, x, cn_numel(t)));
    for (int64_t k = 0; k < cn_numel(t); k++) sum += sin((double)k + 1) * x[k];
    free(x);
    return sum;
}

cn_tensor *waves(cn_shape shape, double from)
{
    cn_tensor *t = cn_empty(shape, CN_F64);
    double *x = cn_data_mut(t);
    for (int64_t k = 0; k < cn_numel(t); k++) x[k] = cos(from + (double)k);
    return t;
}

static size_t mark;
static int64_t live;

int open_scope(void **state)
{
    (void)state;
    mark = cn_mark();
    live = cn_live_tensors();
    return cn_ok() ? 0 : -1;
}

int close_scope(void **state)
{
    (void)state;
    cn_release(mark);
    bool clean = cn_ok() && cn_live_tensors() == live;
    if (!clean)
        printf("left: %lld tensors, error '%s'\n", (long long)(cn_live_tensors() - live),
               cn_error());
    cn_error_clear();
    return clean ? 0 : -1;
}
