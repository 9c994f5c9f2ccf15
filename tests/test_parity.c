/* test_parity.c - every provider of kernels against the reference: outputs and gradients of all
   samples of the
   table, and of larger calls that the faster kernels wait for. */
#include "core/provider.h"
#include "ops/internal.h"
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/functional.h>
#include <cenote/ops.h>
#include <cenote/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_RESULTS = 32, MAX_PROVIDERS = 8 };

static const struct {
    const char *op, *text;
} large[] = {
    { "mm", "[128,96] [96,160]" },
    { "mm", "[67,131] [131,70]" },
    { "bmm", "[5,64,48] [5,48,65]" },
    { "bmm", "[3,160,128] [3,128,96]" },
    { "linear_act", "[256,130] [70,130] [70] relu" },
    { "linear_act", "[130,70] [130,70] None tanh" },
    { "nn.functional.linear", "[256,784] [256,784] [256]" },
    { "nn.functional.linear", "[65,130] [70,130] [70]" },
    { "nn.functional.conv2d", "[3,32,17,15] [16,32,3,2] [16] stride=2" },
    { "nn.functional.conv2d", "[2,32,9,9] [32,16,3,3] [32] groups=2" },
    { "nn.functional.conv2d", "[3,3,21,20] [16,3,7,7] None stride=2 padding=3" },
    { "nn.functional.conv2d", "[2,24,13,12] [10,24,3,3] [10] dilation=2" },
    { "nn.functional.conv2d", "[2,40,9,9] [40,1,3,3] None groups=40" },
    { "conv_block", "[33,1,28,28] [6,1,5,5] [6] padding=2 activation=sigmoid pool=avg" },
    { "conv_block", "[33,6,14,14] [16,6,5,5] [16] padding=0 activation=sigmoid pool=avg" },
    { "nn.functional.max_pool2d", "[4,16,33,31] 2" },
    { "nn.functional.max_pool2d", "[2,9,66] 2" },
    { "nn.functional.max_pool2d", "[3,5,17,73] 3 2 1" },
    { "nn.functional.max_pool2d", "[2,3,20,41] 3 1 1" },
    { "nn.functional.max_pool2d", "[2,3,31,70] (2,3) (3,2) (1,0) ceil_mode=True" },
    { "nn.functional.max_pool2d", "[2,2,9,9] 2 ceil_mode=True return_indices=True" },
    { "nn.functional.max_pool2d", "[2,2,19,40] 3 2 1 2" },
    { "nn.functional.avg_pool2d", "[4,16,33,31] 3 2 1" },
    { "nn.functional.avg_pool2d", "[4,5,34,66] 2" },
    { "nn.functional.avg_pool2d", "[3,5,17,73] 3 2 1 True count_include_pad=False" },
    { "nn.functional.avg_pool2d", "[2,3,20,41] (3,5) 1 (1,2) count_include_pad=True" },
    { "nn.functional.avg_pool2d", "[2,3,20,41] 2 divisor_override=3" },
    { "softmax", "[70,130] dim=1" },
    { "softmax", "[20000,3] dim=-1" },
    { "softmax", "[4,33,9] dim=1" },
    { "softmax", "[257] dim=0" },
    { "softmax", "[33,3] dim=0" },
    { "softmax", "[3,70,301] dim=1" },
    { "softmax", "[2000,40] dim=0" },
    { "softmax", "[40,1031] dim=0" },
    { "log_softmax", "[3,70,301] dim=1" },
    { "log_softmax", "[2000,19] dim=0" },
    { "index_select", "[70,33] 1 i64<33[50]" },
    { "index_select", "[70,33] 0 i64<70[50]" },
    { "nn.functional.embedding", "i64<70[500] [70,21]" },
    { "log_softmax", "[70,130] dim=1" },
    { "log_softmax", "[3,2,1000] dim=2" },
    { "log_softmax", "[9,1] dim=1" },
    { "nn.functional.cross_entropy", "[256,10] i64<10[256]" },
    { "cross_entropy_rows", "[257,201] i64<201[257] ignore_index=3" },
    { "nn.functional.layer_norm", "[70,130] (130,) [130] [130]" },
    { "nn.functional.layer_norm", "[33,5,13] (5,13) [5,13]" },
    { "nn.functional.layer_norm", "[5,5000] (5000,)" },
    { "nn.functional.layer_norm", "[3000,40] (40,) [40] [40]" },
    { "nn.functional.group_norm", "[9,12,7,5] 3 [12] [12]" },
    { "nn.functional.batch_norm", "[8,16,9,9] None None [16] [16] True" },
    { "nn.functional.batch_norm", "[300,70] None None [70] [70] True" },
    { "nn.functional.batch_norm", "[40,5,1,1] None None None None True" },
    { "nn.functional.batch_norm", "[600,130] None None [130] None True" },
    { "nn.functional.batch_norm", "[3,5,40,60] None None None [5] True" },
    { "nn.functional.batch_norm", "[5,64,3] None None [64] [64] True" },
    { "dropout_at", "[333] 0.3 1 2 3" },
    { "dropout_at", "[70,1003] 0.5 -7 -9 4294967290" },
    { "nn.functional.dropout", "[130,40] 0.1" },
    { "add", "[300,70] [70]" },
    { "add", "[8,16,9,9] [16,1,1]" },
    { "sub", "[16,1,1] [8,16,9,9]" },
    { "mul", "[300,1] [300,70]" },
    { "mul", "[1,70] [300,70]" },
    { "mul", "[2,3,1,1] [2,3,40,7]" },
    { "div", "[70] +[300,70]" },
    { "div", "[4,5,6] +[5,6]" },
    { "add", "[5,1,7] [1,6,1]" },
    { "mul", "[5,6,7] [5,1,7]" },
    { "mul", "[3,1] [1,3]" },
    { "add", "[1,1,1] [40]" },
    { "add", "[300,70] [300,70] alpha=0.5" },
    { "sub", "[300,70] [300,70] alpha=3" },
    { "maximum", "[300,70] [70]" },
    { "minimum", "[40001] [40001]" },
    { "exp", "[5000]" },
    { "tanh", "[5001]" },
    { "erf", "[40001]" },
    { "nn.functional.relu", "[10007]" },
    { "nn.functional.gelu", "[5003]" },
    { "nn.functional.gelu", "[5003] approximate=tanh" },
    { "nn.functional.silu", "[40001]" },
    { "nn.functional.mish", "[5003]" },
    { "nn.functional.hardswish", "[5003]" },
    { "nn.functional.elu", "[5003] 0.3" },
    { "nn.functional.leaky_relu", "[5003] 0.2" },
    { "nn.functional.softplus", "[5003]" },
    { "nn.functional.softplus", "[5003] 2.0 5.0" },
    { "sum", "[130,70] dim=0" },
    { "sum", "[130,70] dim=1" },
    { "sum", "[40001]" },
    { "sum", "[8,16,9,9] dim=(0,2,3)" },
    { "sum", "[8,16,9,9] dim=1 keepdim=True" },
    { "sum", "[4,5,6,7] dim=(0,2)" },
    { "sum", "[4,5,6,7] dim=(1,3)" },
    { "sum", "[2,3,2,3,2] dim=(0,2,4)" },
    { "sum", "[2,140001] dim=1" },
    { "sum", "[70001,3] dim=0" },
    { "sum", "[40] dtype=float64" },
    { "mean", "[40001]" },
    { "mean", "[8,16,9,9] dim=(0,2,3)" },
    { "mean", "[3,1,70] dim=(0,1)" },
    { "mean", "[33,70] dim=-1 keepdim=True" },
    { "nn.functional.relu", "[10007]" },
};

/* Finite numbers only: Winograd's algorithm adds inf to -inf where a plain sum would not, and so
   spreads NaN to the neighbours of a pixel; decompositions spread it over the whole matrix. */
static const struct {
    const char *op, *text;
} finite_only[] = {
    { "attention_rows", "[2,3,130,20] [2,3,260,20] [2,3,260,20] None 0.3 False 0.4 3 1 7" },
    { "attention_rows", "[5,4,10,8] [5,4,11,8] [5,4,11,9] None 0.3 False 0.4 3 1 7" },
    { "attention_rows", "[5,4,10,8] [5,4,11,8] [5,4,11,9] bool[5,4,10,11] 0.3 True" },
    { "attention_rows", "[7,3,1,17] [7,3,20,17] [7,3,20,3] [7,3,1,20]" },
    { "nn.functional.conv2d", "[18,16,14,14] [32,16,3,3] [32] padding=1" },
    { "nn.functional.conv2d", "[4,32,12,11] [48,32,3,3] [48] padding=1" },
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

/* The outputs, weighted and added up. The weights do not cancel: a sum of them that is nearly 0 would
   be all rounding. */
static cn_tensor *project(cn_tensor *const *out, int n)
{
    cn_tensor *total = NULL;
    for (int i = 0; i < n; i++) {
        if (!out[i] || !cn_dtype_is_float(cn_dtype_of(out[i])) || !cn_needs_grad(out[i])) continue;
        cn_tensor *weights = cn_empty(*cn_shape_of(out[i]), CN_F32);
        float *w = cn_data_mut(weights);
        for (int64_t k = 0; k < cn_numel(weights); k++)
            w[k] = (float)(0.5 + sin(1.0 + (double)k + 10 * i));
        cn_tensor *part = cn_sum(cn_mul(out[i], weights));
        total = total ? cn_add(total, part) : part;
    }
    return total;
}

/* Puts NaN twice, inf and -inf among the numbers. */
static void spoil(cn_tensor *t)
{
    static const float odd[] = { NAN, INFINITY, NAN, -INFINITY };
    if (!t || t->is_number || cn_dtype_of(t) != CN_F32) return;
    float *x = cn_data_mut(t);
    int64_t n = cn_numel(t);
    for (int64_t i = 0; i < 4 && n > 20; i++) x[(n / 3 + (1 + i / 2) * i) % n] = odd[i];
}

/* The sample's outputs and gradients by the allowed providers; with `spoilt`, of a first input that
   holds special numbers. (Weights would meet the zeros of padding, which kernels may skip.) */
static bool run(const cn_op *op, const char *text, bool spoilt, unsigned allowed, Results *r)
{
    cn_sample s;
    cn_tensor *out[CN_MAX_OUT] = { NULL };
    if (!cn_sample_make(op, text, CN_F32, 42, &s)) return false;
    int n = s.bound.n_out > 0 ? s.bound.n_out : CN_MAX_OUT;
    for (int i = 0; i < s.bound.n_in && !(op->flags & CN_NO_GRAD_OP); i++) {
        cn_tensor *t = s.bound.in[i];
        if (spoilt && i == 0) spoil(t);
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
static int64_t first_difference(const cn_tensor *a, const cn_tensor *b, double tol, double *x,
                                double *y)
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
            *x == *y || (isnan(*x) && isnan(*y)) || fabs(*x - *y) <= tol * fmax(scale, 1e-3);
        if (!equal) break;
    }
    free(p);
    return at < n ? at : -1;
}

/* What selects and scales, but adds nothing, gives the same bits from every provider. */
static bool is_exact(const char *op)
{
    static const char *const exact[] = { "dropout_at", "nn.functional.dropout",
                                         "nn.functional.max_pool2d" };
    for (size_t i = 0; i < CN_COUNT(exact); i++)
        if (strcmp(op, exact[i]) == 0) return true;
    return false;
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
        int64_t at = first_difference(a, b, is_exact(op) ? 0 : 2e-5, &x, &y);
        if (at < 0) continue;
        printf("%s(%s): result %d, element %lld: %s says %.9g, the reference %.9g\n", op, text, i,
               (long long)at, provider, x, y);
        return 1;
    }
    return 0;
}

static int check_call(const cn_op *op, const char *text, bool spoilt)
{
    size_t mark = cn_mark();
    Results reference = { .n = 0 };
    int failures = 0;
    if (!run(op, text, spoilt, 0, &reference))
        failures++, printf("%s(%s): %s\n", op->name, text, cn_error());
    cn_error_clear();
    for (int place = 0; cn_providers[place] && !failures; place++) {
        const char *name = cn_providers[place]->name;
        if (!cn_providers[place]->probe()) continue;
        Results r = { .n = 0 };
        if (!run(op, text, spoilt, 1u << place, &r))
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
            failures += check_call(cn_ops[i], text, false);
    }
    assert_int_equal(failures, 0);
    assert_true(calls > 300);
}

static const cn_op *op_called(const char *name)
{
    const cn_op *op = cn_op_find(name);
    if (!op) fail_msg("there is no op '%s'", name);
    return op;
}

static void test_large(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < CN_COUNT(large); i++) {
        const cn_op *op = op_called(large[i].op);
        failures += check_call(op, large[i].text, false) + check_call(op, large[i].text, true);
    }
    for (size_t i = 0; i < CN_COUNT(finite_only); i++)
        failures += check_call(op_called(finite_only[i].op), finite_only[i].text, false);
    assert_int_equal(failures, 0);
}

/* ---- parameters that stay the same --------------------------------------------------------- */

static double largest_difference(cn_tensor *a, cn_tensor *b)
{
    return cn_item(cn_amax(cn_abs(cn_sub(a, b))));
}

/* Products with one parameter, before and after it changes; none of them is recorded. */
static void test_packed(void **state)
{
    static const int64_t rows[] = { 1, 4, 14, 32, 64 };
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *w = cn_randn(CN_SHAPE(830, 70), CN_F32), *b = cn_randn(CN_SHAPE(830), CN_F32);
    cn_requires_grad(w, true);
    CN_NO_GRAD
    {
        for (size_t i = 0; i < 2 * CN_COUNT(rows); i++) {
            const int64_t m = rows[i / 2];
            cn_tensor *x = cn_randn(CN_SHAPE(m, 70), CN_F32),
                      *g = cn_randn(CN_SHAPE(m, 830), CN_F32);
            cn_tensor *forward = cn_linear(x, w, b), *back = cn_mm(g, w);
            cn_restrict_providers(0);
            assert_true(largest_difference(forward, cn_linear(x, w, b)) < 1e-4);
            assert_true(largest_difference(back, cn_mm(g, w)) < 1e-3);
            cn_restrict_providers(~0u);
            cn_add_(w, cn_num(0.1));
        }
        (void)CN_CALL(linear_act, &(const char *){ "relu" }, cn_randn(CN_SHAPE(3, 70), CN_F32), w,
                      b);
    }
    assert_true(cn_ok());
    cn_release(mark);
}

/* A column, which is the same numbers turned: as many outputs, or as many inputs. */
static void test_packed_column(void **state)
{
    enum { LENGTH = 5000 };
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *w = cn_randn(CN_SHAPE(LENGTH, 1), CN_F32);
    cn_requires_grad(w, true);
    CN_NO_GRAD
    {
        cn_tensor *x = cn_randn(CN_SHAPE(3, 1), CN_F32), *g = cn_randn(CN_SHAPE(3, LENGTH), CN_F32);
        cn_tensor *out = cn_linear(x, w, NULL), *in = cn_mm(g, w);
        cn_restrict_providers(0);
        assert_true(largest_difference(out, cn_linear(x, w, NULL)) < 1e-5);
        assert_true(largest_difference(in, cn_mm(g, w)) < 1e-3);
        cn_restrict_providers(~0u);
    }
    assert_true(cn_ok());
    cn_release(mark);
}

/* ---- did they take part? ------------------------------------------------------------------- */

/* Per op and provider: has it a kernel, and did that ever run? */
static struct {
    bool provided, ran;
} part[CN_NUM_OPS][MAX_PROVIDERS];

static int place_of(const char *name)
{
    for (int i = 0; cn_providers[i]; i++)
        if (strcmp(cn_providers[i]->name, name) == 0) return i;
    return -1;
}

/* Reads lines like "cenote: mm: simd runs" and "cenote: mm: simd not float32". */
static void note_choice(const char *line, void *context)
{
    char op[64], provider[32], outcome[64];
    (void)context;
    if (sscanf(line, "cenote: %63[^:]: %31s %63[^\n]", op, provider, outcome) != 3) return;
    const int place = place_of(provider);
    if (place < 0 || place >= MAX_PROVIDERS || strcmp(outcome, "not provided") == 0) return;
    part[cn_op_find(op)->id][place].provided = true;
    part[cn_op_find(op)->id][place].ran |= strcmp(outcome, "runs") == 0;
}

/* A parity that no kernel took part in proves nothing. */
static void test_providers_took_part(void **state)
{
    (void)state;
    int place = 0, idle = 0;
    for (; cn_providers[place]; place++) {
        if (!cn_providers[place]->probe()) continue;
        if (!cn_providers[place]->find) continue; /* images in blocks only: see test_layout */
        const char *name = cn_providers[place]->name;
        printf("%s: chosen %lld times\n", name, (long long)cn_provider_uses(place));
        assert_true(cn_provider_uses(place) > 0);
        for (int i = 0; i < cn_op_count; i++) {
            if (!part[i][place].provided || part[i][place].ran) continue;
            if (cn_ops[i] == &cn_op_linalg_eig) continue; /* order is free: see test_complex */
            idle++, printf("%s never took a call of %s\n", name, cn_ops[i]->name);
        }
    }
    assert_true(cn_provider_uses(place) > 0); /* the reference */
    assert_int_equal(idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_samples),
                                        cmocka_unit_test(test_large), cmocka_unit_test(test_packed),
                                        cmocka_unit_test(test_packed_column),
                                        cmocka_unit_test(test_providers_took_part) };
    unsetenv("CENOTE_PROVIDERS");
    setenv("CENOTE_VERBOSE", "1", 1);
    cn_set_log(note_choice, NULL);
    return cmocka_run_group_tests_name("parity", tests, NULL, NULL);
}
