/* test_parity.c - every provider of kernels against the reference: outputs and gradients of all
   samples of the
   table, and of larger calls that the faster kernels wait for. */
#include "core/provider.h"
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/ops.h>
#include <cenote/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_RESULTS = 32 };

static const struct {
    const char *op, *text;
} large[] = {
    { "mm", "[128,96] [96,160]" },
    { "mm", "[67,131] [131,70]" },
    { "bmm", "[5,64,48] [5,48,65]" },
    { "nn.functional.linear", "[256,784] [256,784] [256]" },
    { "nn.functional.linear", "[65,130] [70,130] [70]" },
    { "nn.functional.conv2d", "[18,16,14,14] [32,16,3,3] [32] padding=1" },
    { "nn.functional.conv2d", "[3,32,17,15] [16,32,3,2] [16] stride=2" },
    { "nn.functional.conv2d", "[2,32,9,9] [32,16,3,3] [32] groups=2" },
    { "conv_block", "[33,1,28,28] [6,1,5,5] [6] padding=2 activation=sigmoid pool=avg" },
    { "conv_block", "[33,6,14,14] [16,6,5,5] [16] padding=0 activation=sigmoid pool=avg" },
    { "nn.functional.max_pool2d", "[4,16,33,31] 2" },
    { "nn.functional.avg_pool2d", "[4,16,33,31] 3 2 1" },
    { "nn.functional.softmax", "[70,130] dim=1" },
    { "nn.functional.cross_entropy", "[256,10] i64<10[256]" },
    { "nn.functional.batch_norm", "[8,16,9,9] None None [16] [16] True" },
    { "add", "[300,70] [70]" },
    { "mul", "[300,1] [300,70]" },
    { "exp", "[5000]" },
    { "tanh", "[5001]" },
    { "sum", "[130,70] dim=0" },
    { "sum", "[130,70] dim=1" },
    { "nn.functional.relu", "[10007]" },
    { "linalg.lu_factor_ex", "#[2,40,40]" },
    { "linalg.lu_factor_ex", "#[48,40]" },
    { "linalg.cholesky", "#[2,48,48] upper=True" },
    { "linalg.cholesky", "#[48,48]" },
    { "linalg.qr", "#[48,40]" },
    { "linalg.qr", "#[33,40] complete" },
    { "linalg.eigvalsh", "[2,40,40] U" },
    { "linalg.svdvals", "f64[50,40]" },
    { "linalg.svdvals", "f64[2,33,50]" },
    { "linalg.matrix_norm", "[33,40] nuc" },
    { "linalg.solve", "#[2,40,40] [40,3]" },
};

typedef struct {
    cn_tensor *t[MAX_RESULTS]; /* outputs, then gradients; kept */
    int n;
} Results;

static void keep(Results *r, cn_tensor *t)
{
    if (r->n < MAX_RESULTS) r->t[r->n++] = cn_keep(t);
}

static void drop(Results *r)
{
    for (int i = 0; i < r->n; i++) cn_drop(r->t[i]);
}

static cn_tensor *project(cn_tensor *const *out, int n)
{
    cn_tensor *total = NULL;
    for (int i = 0; i < n; i++) {
        if (!out[i] || !cn_dtype_is_float(cn_dtype_of(out[i])) || !cn_needs_grad(out[i])) continue;
        cn_tensor *weights = cn_empty(*cn_shape_of(out[i]), CN_F32);
        float *w = cn_data_mut(weights);
        for (int64_t k = 0; k < cn_numel(weights); k++) w[k] = (float)sin(1.0 + (double)k + 10 * i);
        cn_tensor *part = cn_sum(cn_mul(out[i], weights));
        total = total ? cn_add(total, part) : part;
    }
    return total;
}

/* The sample's outputs and gradients by the allowed providers. */
static bool run(const cn_op *op, const char *text, unsigned allowed, Results *r)
{
    cn_sample s;
    cn_tensor *out[CN_MAX_OUT] = { NULL };
    if (!cn_sample_make(op, text, CN_F32, 42, &s)) return false;
    int n = s.bound.n_out > 0 ? s.bound.n_out : CN_MAX_OUT;
    for (int i = 0; i < s.bound.n_in && !(op->flags & CN_NO_GRAD_OP); i++) {
        cn_tensor *t = s.bound.in[i];
        if (t && !t->is_number && cn_dtype_is_float(cn_dtype_of(t))) cn_requires_grad(t, true);
    }
    cn_restrict_providers(allowed);
    cn_manual_seed(7);
    bool ok = cn_apply(op, s.bound.in, s.bound.n_in, s.bound.params, out, n);
    cn_tensor *total = ok ? project(out, n) : NULL;
    if (total) ok = cn_backward(total);
    cn_restrict_providers(~0u);
    for (int i = 0; i < n; i++) keep(r, out[i]);
    for (int i = 0; i < s.bound.n_in; i++) keep(r, s.bound.in[i] ? cn_grad(s.bound.in[i]) : NULL);
    cn_bound_clear(&s.bound);
    return ok && cn_ok();
}

/* Sums of n terms in another order differ by about sqrt(n) roundings of the largest element. */
static int64_t first_difference(const cn_tensor *a, const cn_tensor *b, double *x, double *y)
{
    int64_t n = cn_numel(a), at = 0;
    double *p = calloc((size_t)(2 * n) + 1, sizeof *p), *q = p + n, scale = 0;
    assert_non_null(p);
    assert_true(cn_read(a, CN_F64, p, n) && cn_read(b, CN_F64, q, n));
    for (int64_t i = 0; i < n; i++)
        if (isfinite(q[i])) scale = fmax(scale, fabs(q[i]));
    for (; at < n; at++) {
        *x = p[at], *y = q[at];
        bool equal =
            *x == *y || (isnan(*x) && isnan(*y)) || fabs(*x - *y) <= 2e-5 * fmax(scale, 1e-3);
        if (!equal) break;
    }
    free(p);
    return at < n ? at : -1;
}

/* What conv_block saves for its gradient is laid out as its kernel likes. */
static bool is_private(const char *op, int result)
{
    return strcmp(op, "conv_block") == 0 && result == 1;
}

static int compare(const char *op, const char *text, const char *provider, const Results *got,
                   const Results *want)
{
    for (int i = 0; i < want->n; i++) {
        const cn_tensor *a = got->t[i], *b = want->t[i];
        double x, y;
        if ((!a && !b) || is_private(op, i)) continue;
        if (!a || !b || cn_dtype_of(a) != cn_dtype_of(b) ||
            !cn_shape_equal(cn_shape_of(a), cn_shape_of(b)))
            return printf("%s(%s), %s: result %d is of another kind\n", op, text, provider, i), 1;
        int64_t at = first_difference(a, b, &x, &y);
        if (at < 0) continue;
        printf("%s(%s): result %d, element %lld: %s says %.9g, the reference %.9g\n", op, text, i,
               (long long)at, provider, x, y);
        return 1;
    }
    return 0;
}

static int check_call(const cn_op *op, const char *text)
{
    size_t mark = cn_mark();
    Results reference = { .n = 0 };
    int failures = 0;
    if (!run(op, text, 0, &reference))
        failures++, printf("%s(%s): %s\n", op->name, text, cn_error());
    cn_error_clear();
    for (int place = 0; cn_providers[place] && !failures; place++) {
        const char *name = cn_providers[place]->name;
        if (!cn_providers[place]->probe()) continue;
        Results r = { .n = 0 };
        if (!run(op, text, 1u << place, &r))
            failures++, printf("%s(%s), %s: %s\n", op->name, text, name, cn_error());
        else failures += compare(op->name, text, name, &r, &reference);
        cn_error_clear();
        drop(&r);
    }
    drop(&reference);
    cn_release(mark);
    return failures;
}

static void test_samples(void **state)
{
    (void)state;
    int failures = 0, calls = 0;
    char text[512];
    for (int i = 0; i < cn_op_count; i++) {
        if (strncmp(cn_ops[i]->name, "empty", 5) == 0 || strcmp(cn_ops[i]->name, "new_empty") == 0)
            continue;
        for (int k = 0; cn_sample_text(cn_ops[i], k, text, sizeof text); k++, calls++)
            failures += check_call(cn_ops[i], text);
    }
    assert_int_equal(failures, 0);
    assert_true(calls > 300);
}

static void test_large(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < CN_COUNT(large); i++) {
        const cn_op *op = cn_op_find(large[i].op);
        if (!op) fail_msg("there is no op '%s'", large[i].op);
        failures += check_call(op, large[i].text);
    }
    assert_int_equal(failures, 0);
}

/* A parity that no kernel took part in proves nothing. */
static void test_providers_took_part(void **state)
{
    (void)state;
    int place = 0;
    for (; cn_providers[place]; place++) {
        bool present = cn_providers[place]->probe();
        printf("%s: %s, chosen %lld times\n", cn_providers[place]->name,
               present ? "present" : "not here", (long long)cn_provider_uses(place));
        assert_true(!present || cn_provider_uses(place) > 0);
    }
    assert_true(cn_provider_uses(place) > 0); /* the reference */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_samples),
                                        cmocka_unit_test(test_large),
                                        cmocka_unit_test(test_providers_took_part) };
    unsetenv("CENOTE_PROVIDERS");
    return cmocka_run_group_tests_name("parity", tests, NULL, NULL);
}
