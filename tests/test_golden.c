/* test_golden.c - every op and sample of the table against what PyTorch gave: types, shapes,
   values and
   gradients, with float64 and float32 inputs. tools/golden.py made the file. */
#include "core/schema.h"
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/io.h>
#include <cenote/ops.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_TENSORS = 16, KEY = 1024 };

/* What the library has for itself: parts of composed ops (and "..._backward", gradients that are
   ops); and
   what has no defined elements or signs. */
static const char *const not_in_pytorch[] = {
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "arg_extreme",
    "attention_rows",
    "bag_winners",
    "batch_norm_train",
    "bce_terms",
    "cast",
    "choose",
    "conv_block",
    "convolution2d",
    "convolution3d",
    "cross_entropy_mean",
    "cross_entropy_rows",
    "ctc_rows",
    "dropout_at",
    "embedding_rows",
    "empty",
    "empty_like",
    "extreme",
    "gelu_erf",
    "gelu_tanh",
    "gru_gates",
    "imag_part",
    "insertion_place",
    "join_heads",
    "layer_norm_rows",
    "linalg.eig",
    "linalg.eigh",
    "linalg.eigvals",
    "linalg.svd",
    "linear_act",
    "log_softmax_along",
    "logsumexp_along",
    "lstm_gates",
    "lu_permutation",
    "median_of_all",
    "mse_mean",
    "new_empty",
    "nll_rows",
    "part_at",
    "part_set",
    "put_along",
    "real_part",
    "recurrence",
    "recurrent_layer",
    "recurrent_step",
    "reduce_along",
    "resize_along",
    "running_extreme",
    "set_places",
    "slice",
    "split_heads",
    "softmax_along",
    "solve_matrices",
    "svd",
    "trunc_divide",
};

typedef struct {
    const cn_op *op;
    const char *text; /* the sample */
    cn_dtype real;    /* of its float inputs */
    cn_sample sample;
    cn_tensor *out[CN_MAX_OUT],
        *tensors[MAX_TENSORS]; /* tensors: those of the sample, as they were made */
    int n_out, n_tensors;
    int compared, failures;
} Case;

static cn_dict *golden;

static cn_tensor *expected(const Case *c, const char *what, int number)
{
    char key[KEY];
    if (number < 0) snprintf(key, sizeof key, "%s|%s|%s", c->op->name, c->text, what);
    else snprintf(key, sizeof key, "%s|%s|%s%d", c->op->name, c->text, what, number);
    const cn_value *v = cn_dict_find(golden, key);
    return v ? v->u.t : NULL;
}

static void complain(Case *c, const char *fmt, ...) CN_PRINTF(2, 3);

static void complain(Case *c, const char *fmt, ...)
{
    va_list args;
    if (!c->failures++) printf("%s(%s):\n", c->op->name, c->text);
    printf("    ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

static bool same(double a, double b, double tolerance)
{
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* got against want, element by element; `what` and `number` name it. With float32 inputs
   everything was
   computed in it; with float64 inputs what is float32 nevertheless (of integers) was, too. */
static void compare(Case *c, const char *what, int number, cn_tensor *got, const cn_tensor *want)
{
    char a[128], b[128];
    if (cn_dtype_is_complex(cn_dtype_of(got))) got = cn_view_as_real(got);
    double tolerance = c->real == CN_F64 && cn_dtype_of(got) != CN_F32 ? 1e-10 : 2e-5;
    const cn_shape *s = cn_shape_of(got), *t = cn_shape_of(want);
    if (!cn_shape_equal(s, t)) {
        complain(c, "%s %d has shape %s, PyTorch says %s", what, number, cn_shape_text(s, a),
                 cn_shape_text(t, b));
        return;
    }
    size_t n = (size_t)cn_numel(want);
    double *x = calloc(2 * n + 1, sizeof *x), *y = x + n;
    assert_non_null(x);
    assert_true(cn_read(got, CN_F64, x, (int64_t)n) && cn_read(want, CN_F64, y, (int64_t)n));
    size_t bad = 0;
    while (bad < n && same(x[bad], y[bad], tolerance)) bad++;
    if (bad < n)
        complain(c, "%s %d, element %zu is %.12g, PyTorch says %.12g", what, number, bad, x[bad],
                 y[bad]);
    free(x);
    c->compared++;
}

static void gather(Case *c, const cn_ffi_value *v)
{
    if (v->kind == CN_KIND_TENSOR && c->n_tensors < MAX_TENSORS)
        c->tensors[c->n_tensors++] = v->u.t;
    if (v->kind != CN_KIND_LIST) return;
    for (int i = 0; i < v->n; i++) gather(c, &v->u.list[i]);
}

static bool prepare(Case *c)
{
    if (!cn_sample_make(c->op, c->text, c->real, 42, &c->sample)) return false;
    for (int i = 0; i < c->sample.n_args; i++) gather(c, &c->sample.args[i].value);
    for (int i = 0; i < c->n_tensors && !(c->op->flags & CN_NO_GRAD_OP); i++)
        if (cn_dtype_is_graded(cn_dtype_of(c->tensors[i]))) cn_requires_grad(c->tensors[i], true);
    c->n_out = c->sample.bound.n_out > 0 ? c->sample.bound.n_out : CN_MAX_OUT;
    return cn_apply(c->op, c->sample.bound.in, c->sample.bound.n_in, c->sample.bound.params, c->out,
                    c->n_out);
}

/* One number that depends on every element of the float outputs, as in tools/golden.py. */
static cn_tensor *project(const Case *c, int n_out)
{
    cn_tensor *total = NULL;
    for (int i = 0; i < n_out; i++) {
        cn_tensor *out = c->out[i];
        if (cn_dtype_is_complex(cn_dtype_of(out))) out = cn_view_as_real(out);
        if (!cn_dtype_is_float(cn_dtype_of(out))) continue;
        cn_tensor *weights = cn_empty(*cn_shape_of(out), CN_F64);
        double *w = cn_data_mut(weights);
        for (int64_t k = 0; k < cn_numel(weights); k++) w[k] = sin(1.0 + (double)k + 10 * i);
        cn_tensor *part = cn_sum(cn_mul(out, weights));
        total = total ? cn_add(total, part) : part;
    }
    return total;
}

static bool all_zero(const cn_tensor *t)
{
    bool zero = true;
    CN_SCOPE zero = cn_numel(t) == 0 || cn_item(cn_amax(cn_abs((cn_tensor *)(uintptr_t)t))) == 0;
    return zero;
}

static void compare_gradients(Case *c, int n_out)
{
    cn_tensor *total = project(c, n_out);
    if (!total || !cn_needs_grad(total)) return;
    if (!cn_backward(total)) {
        complain(c, "backward: %s", cn_error());
        return;
    }
    for (int i = 0; i < c->n_tensors; i++) {
        cn_tensor *want = expected(c, "g", i), *got = cn_grad(c->tensors[i]);
        if (want && got) compare(c, "gradient", i, got, want);
        else if (want && !all_zero(want))
            complain(c, "input %d has no gradient, but PyTorch has one", i);
    }
}

static void check_sample(Case *c)
{
    const cn_tensor *types = expected(c, "dtypes", -1);
    if (!types) {
        complain(c, "no golden values: run tools/golden.py, or list the op in not_in_pytorch");
        return;
    }
    int n = (int)cn_size(types, 1);
    if (n == 0) return; /* PyTorch does not take this call */
    if (!prepare(c)) {
        complain(c, "%s", cn_error());
        return;
    }
    for (int i = 0; i < n; i++) {
        cn_dtype type = (cn_dtype)cn_at(types, CN_SHAPE(c->real == CN_F64 ? 0 : 1, i));
        if (i >= c->n_out || !c->out[i]) complain(c, "output %d is missing", i);
        else if (cn_dtype_of(c->out[i]) != type)
            complain(c, "output %d is %s, PyTorch says %s", i,
                     cn_dtype_name(cn_dtype_of(c->out[i])), cn_dtype_name(type));
        else compare(c, "output", i, c->out[i], expected(c, "", i));
    }
    for (int i = n; i < c->n_out; i++)
        if (c->out[i]) complain(c, "output %d is more than PyTorch gives", i);
    if (!c->failures) compare_gradients(c, n);
    if (!cn_ok()) complain(c, "%s", cn_error());
}

static bool is_private(const cn_op *op)
{
    const char *end = strrchr(op->name, '_');
    if (end && strcmp(end, "_backward") == 0) return true;
    for (size_t i = 0; i < CN_COUNT(not_in_pytorch); i++)
        if (strcmp(op->name, not_in_pytorch[i]) == 0) return true;
    return false;
}

static void check_table(cn_dtype real)
{
    int failures = 0, compared = 0;
    char text[512];
    for (int i = 0; i < cn_op_count; i++) {
        if ((cn_ops[i]->flags & CN_RANDOM) || is_private(cn_ops[i])) continue;
        for (int k = 0; cn_sample_text(cn_ops[i], k, text, sizeof text); k++) {
            size_t mark = cn_mark();
            Case c = { .op = cn_ops[i], .text = text, .real = real };
            check_sample(&c);
            failures += c.failures > 0;
            compared += c.compared;
            cn_bound_clear(&c.sample.bound);
            cn_error_clear();
            cn_release(mark);
        }
    }
    assert_int_equal(failures, 0);
    assert_true(compared > 1000); /* a check that checked nothing fails */
}

static void test_float64(void **state)
{
    (void)state;
    check_table(CN_F64);
}

static void test_float32(void **state)
{
    (void)state;
    check_table(CN_F32);
}

static int read_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/ops.safetensors");
    if (!golden) printf("%s\n", cn_error());
    return golden ? 0 : -1;
}

static int free_golden(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_float64),
                                        cmocka_unit_test(test_float32) };
    return cmocka_run_group_tests_name("golden", tests, read_golden, free_golden);
}
