/* test_autograd_hooks.c - looking into a graph: hooks, retained gradients, anomaly mode, pictures. */
#include "autograd_helpers.h"

#include <cenote/nn.h>

#include <math.h>

/* ---- hooks --------------------------------------------------------------------------------- */

static cn_tensor *doubled(cn_tensor *grad, void *context)
{
    ++*(int *)context;
    return cn_mul(grad, cn_num(2));
}

static void test_hooks_can_be_removed(void **state)
{
    (void)state;
    int calls = 0, others = 0;
    cn_tensor *x = leaf(3), *y = cn_mul(x, cn_num(5));
    assert_true(cn_register_hook(x, doubled, &calls));
    assert_true(cn_register_hook(x, doubled, &others));
    assert_true(cn_register_hook(y, doubled, &calls));
    assert_true(cn_remove_hook(x, doubled, &calls));
    assert_true(cn_remove_hook(y, doubled, &calls));
    assert_false(cn_remove_hook(y, doubled, &calls));
    assert_false(cn_remove_hook(x, doubled, &calls));
    assert_true(cn_backward(y));
    assert_int_equal(calls, 0);
    assert_int_equal(others, 1);
    assert_close(cn_item(cn_grad(x)), 10);
}

typedef struct {
    cn_tensor *on;
    int calls;
} Once;

static cn_tensor *once(cn_tensor *grad, void *context)
{
    Once *o = context;
    o->calls++;
    assert_true(cn_remove_hook(o->on, once, o));
    return grad;
}

static void test_a_hook_that_removes_itself(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    Once o = { .on = x };
    assert_true(cn_register_hook(x, once, &o));
    assert_true(cn_backward(cn_exp(x)));
    assert_true(cn_backward(cn_exp(x)));
    assert_int_equal(o.calls, 1);
}

static void note_gradient(cn_tensor *leaf, void *context)
{
    double *seen = context;
    *seen = cn_item(cn_grad(leaf));
    cn_set_grad(leaf, NULL); /* an optimiser in the hook, for instance, is done with it */
}

static void test_accumulated_hook(void **state)
{
    (void)state;
    double seen = 0;
    int calls = 0;
    cn_tensor *x = leaf(3), *y = cn_mul(x, x), *g;
    assert_true(cn_register_hook(x, doubled, &calls));
    assert_true(cn_register_accumulated_hook(x, note_gradient, &seen));
    cn_backward_options o = { .size = sizeof o, .retain_graph = true };
    assert_true(cn_grad_of(&y, NULL, 1, &x, 1, &g, &o));
    assert_close(seen, 0);
    assert_true(cn_backward_of(&y, NULL, 1, &o));
    assert_close(seen, 12);
    assert_null(cn_grad(x));
    assert_true(cn_remove_accumulated_hook(x, note_gradient, &seen));
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 12);
    assert_false(cn_register_accumulated_hook(y, note_gradient, &seen));
    assert_error("not a leaf");
}

/* ---- retained gradients --------------------------------------------------------------------- */

static void test_retain_grad(void **state)
{
    (void)state;
    int calls = 0;
    cn_tensor *x = leaf(3), *y = cn_mul(x, x), *z = cn_mul(y, cn_num(5));
    assert_true(cn_retain_grad(y));
    assert_true(cn_retain_grad(x)); /* a leaf does anyway */
    assert_true(cn_register_hook(y, doubled, &calls));
    cn_backward_options o = { .size = sizeof o, .retain_graph = true };
    assert_true(cn_backward_of(&z, NULL, 1, &o));
    assert_close(cn_item(cn_grad(y)), 10); /* as the hook left it */
    assert_close(cn_item(cn_grad(x)), 60);
    assert_true(cn_backward(z));
    assert_close(cn_item(cn_grad(y)), 20);
    assert_null(cn_grad(z));
    cn_set_grad(y, NULL);
    assert_null(cn_grad(y));
    assert_false(cn_retain_grad(cn_detach(y)));
    assert_error("retain_grad");
}

static void test_retain_grad_follows_changes_in_place(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, cn_num(2));
    assert_true(cn_retain_grad(y));
    assert_non_null(cn_mul_(y, cn_num(5)));
    assert_true(cn_backward(cn_mul(y, cn_num(7))));
    assert_close(cn_item(cn_grad(y)), 7);
    assert_close(cn_item(cn_grad(x)), 70);
}

/* ---- leaves and modes ------------------------------------------------------------------------ */

static void test_modes_nest(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    CN_NO_GRAD
    {
        assert_false(cn_needs_grad(cn_exp(x)));
        CN_ENABLE_GRAD
        {
            assert_true(cn_needs_grad(cn_exp(x)));
            CN_NO_GRAD assert_false(cn_needs_grad(cn_exp(x)));
        }
        assert_false(cn_needs_grad(cn_exp(x)));
    }
    assert_true(cn_needs_grad(cn_exp(x)));
}

static void test_a_view_as_a_leaf(void **state)
{
    (void)state;
    cn_tensor *base = vector(3, (double[]){ 1, 2, 3 }), *view = cn_narrow(base, 0, 1, 2);
    cn_requires_grad(view, true);
    assert_true(cn_backward(cn_sum(cn_mul(cn_square(view), cn_narrow(base, 0, 0, 2)))));
    assert_elements(cn_grad(view), (double[]){ 4, 12 }, 2);
    assert_null(cn_grad(base));
}

/* ---- anomaly mode ---------------------------------------------------------------------------- */

static int watch(void **state)
{
    if (open_scope(state) != 0) return -1;
    cn_detect_anomaly(true);
    return 0;
}

static int unwatch(void **state)
{
    cn_detect_anomaly(false);
    return close_scope(state);
}

static void test_nan_in_forward(void **state)
{
    (void)state;
    cn_tensor *x = cn_full(CN_SHAPE(2, 3), -1, CN_F32),
              *nan = cn_full(CN_SHAPE(2), (double)NAN, CN_F32);
    CN_LABEL("encoder")
    {
        CN_LABEL("step 3") assert_null(cn_log(cn_transpose(x, 0, 1)));
    }
    assert_error("log, called in encoder > step 3: the result has NaN");
    assert_null(cn_sqrt(x));
    assert_error("sqrt: the result");
    assert_non_null(cn_log(cn_add(nan, cn_num(1)))); /* not their doing */
    assert_non_null(cn_exp(cn_full(CN_SHAPE(2), 1e9, CN_F32)));
}

/* sqrt(x * 0) has an infinite slope, and 0 * infinity is NaN. */
static cn_tensor *steep(cn_tensor *const *in, void *context)
{
    (void)context;
    cn_tensor *y = NULL;
    CN_LABEL("steep") y = cn_sqrt(cn_mul(in[0], cn_num(0)));
    return y;
}

static void test_nan_in_backward(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    assert_false(cn_backward(steep(&x, NULL)));
    assert_error("backward of mul, called in steep: the gradient of input 0 has NaN");
    assert_false(cn_backward(cn_checkpoint(steep, &x, 1, NULL)));
    assert_error("backward of mul, called in steep");
    assert_true(cn_detect_anomaly(false));
    assert_true(cn_backward(steep(&x, NULL)));
    assert_true(isnan(cn_item(cn_grad(x))));
}

static void test_nan_of_others(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_exp(x), *v = cn_full(cn_scalar_shape(), (double)NAN, CN_F64);
    assert_true(cn_backward_of(&y, &v, 1, NULL)); /* what came in is to blame */
    assert_true(cn_detect_anomaly(true));
}

static void test_modules_have_labels(void **state)
{
    (void)state;
    cn_module *m = cn_sequential(cn_flatten_layer(),
                                 cn_sequential(cn_flatten_layer(), cn_batch_norm1d_layer()));
    assert_null(cn_forward(m, cn_full(CN_SHAPE(2, 2), (double)INFINITY, CN_F32)));
    assert_error("called in 1 (Sequential) > 1 (BatchNorm1d)");
    cn_module_free(m);
}

/* ---- pictures ---------------------------------------------------------------------------------- */

static void test_graph_as_text(void **state)
{
    (void)state;
    char text[1024], cut[16];
    cn_tensor *x = cn_requires_grad(cn_zeros(CN_SHAPE(2, 3), CN_F32), true), *y = cn_mul(x, x);
    size_t n = cn_graph_dot(cn_exp(y), text, sizeof text);
    assert_string_equal(text, "digraph recorded {\n"
                              "  node [shape=box];\n"
                              "  n0 [label=\"exp\\n(2, 3) float32\"];\n"
                              "  n1 [label=\"mul\\n(2, 3) float32\"];\n"
                              "  n2 [label=\"leaf\\n(2, 3) float32\", shape=ellipse];\n"
                              "  n1 -> n0;\n"
                              "  n2 -> n1;\n"
                              "  n2 -> n1;\n"
                              "}\n");
    assert_int_equal(n, strlen(text));
    assert_int_equal(cn_graph_dot(cn_exp(y), cut, sizeof cut), n);
    assert_int_equal(strlen(cut), sizeof cut - 1);
    assert_int_equal(cn_graph_dot(cn_exp(y), NULL, 0), n);
    assert_true(cn_graph_dot(x, text, sizeof text) > 0);
    assert_non_null(strstr(text, "n0 [label=\"leaf"));
    assert_int_equal(cn_graph_dot(NULL, text, sizeof text), 0);
    assert_true(cn_backward(cn_sum(y))); /* looking has changed nothing */
}

static void test_large_graph_as_text(void **state)
{
    (void)state;
    cn_tensor *x = leaf(1), *y = x;
    for (int i = 0; i < 50000; i++) y = cn_add(y, x);
    assert_true(cn_graph_dot(y, NULL, 0) > 50000);
}

#define WATCHED(name) cmocka_unit_test_setup_teardown(name, watch, unwatch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hooks_can_be_removed),
        TEST(test_a_hook_that_removes_itself),
        TEST(test_accumulated_hook),
        TEST(test_retain_grad),
        TEST(test_retain_grad_follows_changes_in_place),
        TEST(test_modes_nest),
        TEST(test_a_view_as_a_leaf),
        WATCHED(test_nan_in_forward),
        WATCHED(test_nan_in_backward),
        WATCHED(test_nan_of_others),
        WATCHED(test_modules_have_labels),
        TEST(test_graph_as_text),
        TEST(test_large_graph_as_text),
    };
    return cmocka_run_group_tests_name("autograd hooks", tests, NULL, NULL);
}
