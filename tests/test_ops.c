/* test_ops.c - checks every op of the table because it is in the table: documentation, schema,
   samples,
   gradients by finite differences, gradients of gradients, layouts, and every allocation failing.
   */
#include "autograd/grads.h"
#include "core/provider.h"
#include "core/schema.h"
#include "core/tape.h"
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/functional.h>
#include <cenote/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_INPUTS = 16 };

typedef struct {
    const cn_op *op;
    const char *text;
    cn_sample sample;
    cn_tensor *out[CN_MAX_OUT];
    int n_out;
} Case;

static bool call(Case *c)
{
    c->n_out = c->sample.bound.n_out > 0 ? c->sample.bound.n_out : 1;
    if (c->sample.bound.n_out < 0) c->n_out = CN_MAX_OUT; /* a list: the op says how many */
    cn_manual_seed(7);
    return cn_apply(c->op, c->sample.bound.in, c->sample.bound.n_in, c->sample.bound.params, c->out,
                    c->n_out);
}

static bool prepare(Case *c, cn_dtype real)
{
    return cn_sample_make(c->op, c->text, real, 42, &c->sample);
}

static bool differentiable_input(const cn_tensor *t)
{
    return t && !t->is_number && cn_dtype_is_graded(t->v.dtype);
}

/* Complex numbers are checked as the pairs of reals that they are in memory. */
static cn_tensor *as_reals(cn_tensor *t)
{
    return t && cn_dtype_is_complex(t->v.dtype) ? cn_view_as_real(t) : t;
}

static int64_t real_count(const cn_tensor *t)
{
    return cn_numel(t) * (cn_dtype_is_complex(t->v.dtype) ? 2 : 1);
}

/* A random projection of all float outputs: one number that depends on every element. */
static cn_tensor *project(Case *c)
{
    cn_tensor *total = NULL;
    for (int i = 0; i < c->n_out; i++) {
        cn_tensor *out = as_reals(c->out[i]);
        if (!out || !cn_dtype_is_float(cn_dtype_of(out))) continue;
        if (!cn_op_grades(c->op, i)) continue;
        cn_tensor *weights = cn_empty(*cn_shape_of(out), CN_F64);
        double *w = cn_data_mut(weights);
        for (int64_t k = 0; k < cn_numel(weights); k++) w[k] = sin(1.0 + (double)k + 10 * i);
        cn_tensor *part = cn_sum(cn_mul(out, weights));
        total = total ? cn_add(total, part) : part;
    }
    return total;
}

static double value_at(Case *c)
{
    double v = (double)NAN;
    CN_NO_GRAD CN_SCOPE
    {
        if (call(c)) v = cn_item(project(c));
    }
    return v;
}

static bool close_enough(double a, double b, double tolerance)
{
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}

/* Marks the float inputs; false when there are none to differentiate by. */
static bool require_gradients(Case *c)
{
    bool any = false;
    for (int i = 0; i < c->sample.bound.n_in; i++) {
        if (!differentiable_input(c->sample.bound.in[i])) continue;
        cn_requires_grad(c->sample.bound.in[i], true);
        any = true;
    }
    return any;
}

/* The element that stands for the same one of a symmetric matrix; itself where there is none. */
static int64_t mirrored(const Case *c, int input, int64_t k)
{
    const cn_shape *s = cn_shape_of(c->sample.bound.in[input]);
    if (input > 0 || !(c->op->flags & CN_ONE_TRIANGLE) || s->ndim < 2) return k;
    int64_t n = s->dim[s->ndim - 1], row = k / n % n, col = k % n;
    return k + (col - row) * (n - 1);
}

/* The central difference of value(c) by element k of an input, and its mirror with it. */
static double difference(Case *c, int input, int64_t k, double (*value)(Case *c))
{
    double *x = (double *)(void *)c->sample.bound.in[input]->v.data, h = 1e-5, y[2];
    int64_t m = mirrored(c, input, k);
    double keep = x[k], keep_mirrored = x[m];
    for (int up = 0; up < 2; up++) {
        double step = up ? h : -h;
        x[m] = keep_mirrored + step;
        x[k] = keep + step;
        y[up] = value(c);
    }
    x[m] = keep_mirrored, x[k] = keep;
    return (y[1] - y[0]) / (2 * h);
}

/* What backward says about the same change. */
static double derivative(const Case *c, int input, int64_t k)
{
    cn_tensor *g = as_reals(cn_grad(c->sample.bound.in[input]));
    int64_t m = mirrored(c, input, k);
    if (!g) return 0;
    const double *values = cn_data(cn_contiguous(g));
    return m == k ? values[k] : values[k] + values[m];
}

/* Central differences against backward, for every element of every float input. */
static int check_gradient(Case *c, int *compared)
{
    int failures = 0;
    cn_tensor **in = c->sample.bound.in;
    if (!require_gradients(c)) return 0;
    if (!call(c) || !cn_backward(project(c))) return 1;
    for (int i = 0; i < c->sample.bound.n_in; i++) {
        if (!differentiable_input(in[i])) continue;
        for (int64_t k = 0; k < real_count(in[i]); k++) {
            double expected = difference(c, i, k, value_at), got = derivative(c, i, k);
            ++*compared;
            if (close_enough(got, expected, 2e-6)) continue;
            if (!failures++)
                printf("  %s(%s): d/d(input %d)[%lld] is %g, finite differences say %g\n",
                       c->op->name, c->text, i, (long long)k, got, expected);
        }
    }
    return failures;
}

/* The gradient of a projection of the gradient, against differences of the gradient. */
static double gradient_projection(Case *c, int skip_graph, cn_tensor **out)
{
    cn_tensor *wanted[MAX_INPUTS], *grads[MAX_INPUTS], *total = NULL;
    int n = 0;
    for (int i = 0; i < c->sample.bound.n_in; i++)
        if (differentiable_input(c->sample.bound.in[i])) wanted[n++] = c->sample.bound.in[i];
    cn_tensor *loss = call(c) ? project(c) : NULL;
    cn_backward_options o = { .size = sizeof o, .create_graph = !skip_graph, .allow_unused = true };
    if (!loss || !cn_grad_of(&loss, NULL, 1, wanted, n, grads, &o)) return (double)NAN;
    for (int i = 0; i < n; i++) {
        if (!grads[i]) continue;
        grads[i] = as_reals(grads[i]);
        cn_tensor *weights = cn_empty(*cn_shape_of(grads[i]), CN_F64);
        double *w = cn_data_mut(weights);
        for (int64_t k = 0; k < cn_numel(weights); k++) w[k] = cos(2.0 + (double)k + 7 * i);
        cn_tensor *part = cn_sum(cn_mul(grads[i], weights));
        total = total ? cn_add(total, part) : part;
    }
    *out = total;
    return total ? cn_item(total) : 0;
}

static double gradient_value(Case *c)
{
    double v = (double)NAN;
    cn_tensor *ignored;
    CN_SCOPE v = gradient_projection(c, 1, &ignored);
    return v;
}

static int check_double_backward(Case *c, int *compared)
{
    cn_tensor *total = NULL, **in = c->sample.bound.in;
    if (!require_gradients(c)) return 0;
    if (isnan(gradient_projection(c, 0, &total))) return 1;
    if (!total || !cn_needs_grad(total)) return 0; /* linear: the second derivative is 0 */
    if (!cn_backward(total)) return 1;
    int failures = 0;
    for (int i = 0; i < c->sample.bound.n_in; i++) {
        if (!differentiable_input(in[i])) continue;
        for (int64_t k = 0; k < real_count(in[i]); k++) {
            double expected = difference(c, i, k, gradient_value), got = derivative(c, i, k);
            ++*compared;
            if (close_enough(got, expected, 5e-6)) continue;
            if (!failures++)
                printf(
                    "  %s(%s): second derivative for input %d [%lld] is %g, differences say %g\n",
                    c->op->name, c->text, i, (long long)k, got, expected);
        }
    }
    return failures;
}

/* ---- forward mode -------------------------------------------------------------------------- */

/* All differentiable results of the call, in one row; in[] are its float inputs. */
static cn_tensor *all_results(cn_tensor *const *in, void *context)
{
    Case *c = context;
    cn_tensor *given[MAX_INPUTS], *parts[CN_MAX_OUT], **inputs = c->sample.bound.in;
    int n = 0, at = 0;
    memcpy(given, inputs, sizeof given);
    for (int i = 0; i < c->sample.bound.n_in; i++)
        if (differentiable_input(inputs[i])) inputs[i] = in[at++];
    bool ok = call(c);
    memcpy(inputs, given, sizeof given);
    for (int i = 0; ok && i < c->n_out; i++) {
        if (!c->out[i] || !cn_dtype_is_float(cn_dtype_of(c->out[i]))) continue;
        if (!cn_op_grades(c->op, i)) continue;
        parts[n++] = cn_reshape(c->out[i], CN_SHAPE(-1));
    }
    return n ? cn_cat(parts, n, 0) : cn_zeros(CN_SHAPE(0), CN_F64);
}

/* The results at a point that lies h along the direction. */
static cn_tensor *results_along(Case *c, cn_tensor *const *x, cn_tensor *const *v, int n, double h)
{
    cn_tensor *moved[MAX_INPUTS], *y = NULL;
    for (int i = 0; i < n; i++) moved[i] = cn_add(x[i], cn_mul(v[i], cn_num(h)));
    CN_NO_GRAD y = all_results(moved, c);
    return y;
}

/* J v, of all float inputs at once, against differences along v. */
static int check_jvp(Case *c, int *compared)
{
    cn_tensor *x[MAX_INPUTS], *v[MAX_INPUTS], *jvp, **in = c->sample.bound.in;
    int n = 0;
    for (int i = 0; i < c->sample.bound.n_in; i++) {
        if (!differentiable_input(in[i])) continue;
        x[n] = in[i];
        v[n] = cn_empty(*cn_shape_of(in[i]), CN_F64);
        double *direction = cn_data_mut(v[n]);
        for (int64_t k = 0; k < cn_numel(v[n]); k++) /* symmetric where the input is */
            direction[k] = cos(3.0 + (double)(k + mirrored(c, i, k)) + 5 * n);
        n++;
    }
    if (!n) return 0;
    const double h = 1e-5;
    cn_tensor *up = results_along(c, x, v, n, h), *down = results_along(c, x, v, n, -h);
    if (!up || !down || !cn_jvp(all_results, x, n, c, v, NULL, &jvp, NULL)) return 1;
    const double *a = cn_data(up), *b = cn_data(down), *got = cn_data(cn_contiguous(jvp));
    for (int64_t k = 0; k < cn_numel(up); k++) {
        double expected = (a[k] - b[k]) / (2 * h);
        ++*compared;
        if (close_enough(got[k], expected, 5e-6) || isnan(a[k])) continue;
        return printf("  %s(%s): (J v)[%lld] is %g, differences say %g\n", c->op->name, c->text,
                      (long long)k, got[k], expected);
    }
    return 0;
}

/* ---- enumeration --------------------------------------------------------------------------- */

typedef int Check(Case *c, int *compared);

static void for_each_sample(Check *check, cn_dtype real, unsigned skip_flags, int least)
{
    int failures = 0, compared = 0;
    char text[512];
    for (int i = 0; i < cn_op_count; i++) {
        if (cn_ops[i]->flags & skip_flags) continue;
        for (int k = 0; cn_sample_text(cn_ops[i], k, text, sizeof text); k++) {
            size_t mark = cn_mark();
            Case c = { .op = cn_ops[i], .text = text };
            int failed = !prepare(&c, real);
            if (!failed) failed = check(&c, &compared), cn_bound_clear(&c.sample.bound);
            if (failed || !cn_ok()) {
                printf("FAIL %s(%s): %s\n", cn_ops[i]->name, text, cn_error());
                failures++;
            }
            cn_error_clear();
            cn_release(mark);
        }
    }
    assert_int_equal(failures, 0);
    assert_true(compared >= least); /* a check that checked nothing fails */
}

static void test_entries_are_complete(void **state)
{
    (void)state;
    for (int i = 0; i < cn_op_count; i++) {
        const cn_op *op = cn_ops[i];
        cn_schema schema;
        if (!op->doc || !op->samples || op->id != i)
            fail_msg("%s: doc, samples or id missing", op->name);
        if (!!op->infer + !!op->view + !!op->compose != 1)
            fail_msg("%s: not exactly one way to run", op->name);
        if (op->infer && !op->kernel) fail_msg("%s: no reference kernel", op->name);
        if (!op->compose && !op->backward && !(op->flags & CN_NO_GRAD_OP))
            fail_msg("%s: neither a gradient nor CN_NO_GRAD_OP", op->name);
        if (!cn_schema_parse(op->schema, &schema)) fail_msg("%s", cn_error());
        if (schema.params_size != op->params_size)
            fail_msg("%s: the parameter struct has %zu bytes, the schema says %zu", op->name,
                     op->params_size, schema.params_size);
        assert_ptr_equal(cn_op_find(op->name), op);
    }
}

static void test_gradients(void **state)
{
    (void)state;
    for_each_sample(check_gradient, CN_F64, CN_NO_GRAD_OP | CN_AGREED_GRAD, 1000);
}

static void test_double_backward(void **state)
{
    (void)state;
    for_each_sample(check_double_backward, CN_F64, CN_NO_GRAD_OP, 500);
}

static void test_forward_mode(void **state)
{
    (void)state;
    for_each_sample(check_jvp, CN_F64, CN_NO_GRAD_OP | CN_AGREED_GRAD, 1000);
}

/* The same values through views with other strides must give the same results. */
static int check_layouts(Case *c, int *compared)
{
    cn_tensor *plain[CN_MAX_OUT], **in = c->sample.bound.in;
    if (!call(c)) return 1;
    memcpy(plain, c->out, sizeof plain);
    for (int i = 0; i < c->sample.bound.n_in; i++) {
        if (!in[i] || in[i]->v.shape.ndim < 2) continue;
        cn_tensor *turned = cn_transpose(cn_clone(cn_transpose(in[i], 0, -1)), 0, -1);
        in[i] = turned; /* same values, transposed memory */
    }
    if (!call(c)) return 1;
    for (int i = 0; i < c->n_out; i++) {
        if (!plain[i]) continue;
        cn_tensor *a = cn_contiguous(as_reals(plain[i])), *b = cn_contiguous(as_reals(c->out[i]));
        for (int64_t k = 0; k < cn_numel(a); k++) {
            size_t at = (size_t)k * cn_dtype_size(cn_dtype_of(a));
            double x = cn_load_f64(a->v.data + at, a->v.dtype),
                   y = cn_load_f64(b->v.data + at, b->v.dtype);
            ++*compared;
            if (!close_enough(x, y, 1e-5) && !(isnan(x) && isnan(y))) {
                printf("  element %lld: %g contiguous, %g transposed\n", (long long)k, x, y);
                return 1;
            }
        }
    }
    return 0;
}

static void test_layouts(void **state)
{
    (void)state;
    for_each_sample(check_layouts, CN_F32, CN_RANDOM | CN_ON_STRIDES, 300);
}

/* Lets the 1st, 2nd, 3rd .. allocation of a whole step fail: an error every time, never a leak. */
static int check_out_of_memory(Case *c, int *compared)
{
    cn_tensor **in = c->sample.bound.in;
    bool graded = !(c->op->flags & CN_NO_GRAD_OP) && require_gradients(c);
    for (int64_t n = 0; n < 10000; n++) {
        size_t mark = cn_mark();
        int64_t live = cn_live_tensors();
        cn_alloc_fail_after(n);
        bool passed = call(c);
        cn_tensor *loss = passed && graded ? project(c) : NULL;
        if (passed && graded) passed = loss && (!cn_needs_grad(loss) || cn_backward(loss));
        cn_alloc_fail_after(-1);
        cn_release(mark);
        for (int i = 0; i < c->sample.bound.n_in; i++) cn_set_grad(in[i], NULL);
        ++*compared;
        if (passed != cn_ok())
            return printf("  allocation %lld: result and error disagree\n", (long long)n), 1;
        if (cn_live_tensors() != live) return printf("  allocation %lld: leak\n", (long long)n), 1;
        cn_error_clear();
        if (passed) return 0;
    }
    return 1;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for_each_sample(check_out_of_memory, CN_F64, 0, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_are_complete),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_double_backward),
        cmocka_unit_test(test_forward_mode),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
