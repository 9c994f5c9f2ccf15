/* test_autograd_custom.c - functions with gradients of their own, and recomputation, which is
   one. */
#include "autograd_helpers.h"
#include "core/memory.h"

#include <cenote/nn.h>
#include <cenote/rng.h>

#include <math.h>

/* ---- a custom function: (a * b, a + b), and how often it was released -------------------------- */

static bool both_forward(cn_custom_call *call, cn_tensor *const *in, cn_tensor **out, void *context)
{
    (void)context;
    assert_false(cn_set_grad_enabled(false)); /* nothing is recorded in here */
    out[0] = cn_mul(in[0], in[1]);
    out[1] = cn_add(in[0], in[1]);
    return cn_save_for_backward(call, in[0]) && cn_save_for_backward(call, in[1]);
}

static bool both_backward(cn_custom_call *call, cn_tensor *const *grad_out, cn_tensor **grad_in,
                          void *context)
{
    (void)context;
    if (cn_custom_wants(call, 0))
        grad_in[0] = cn_add(cn_mul(grad_out[0], cn_saved(call, 1)), grad_out[1]);
    if (cn_custom_wants(call, 1))
        grad_in[1] = cn_add(cn_mul(grad_out[0], cn_saved(call, 0)), grad_out[1]);
    return cn_ok();
}

static void count_release(void *context)
{
    ++*(int *)context;
}

static const cn_custom both = { "both", both_forward, both_backward, count_release };

static void test_custom_gradients(void **state)
{
    (void)state;
    int released = 0;
    cn_tensor *in[] = { leaf(3), leaf(5) }, *out[2];
    size_t mark = cn_mark();
    assert_true(cn_custom_function(&both, in, 2, out, 2, &released));
    assert_close(cn_item(out[0]), 15);
    assert_true(cn_backward(cn_add(out[0], cn_mul(out[1], cn_num(10)))));
    assert_close(cn_item(cn_grad(in[0])), 15);
    assert_close(cn_item(cn_grad(in[1])), 13);
    assert_int_equal(released, 0);
    cn_release(mark);
    assert_int_equal(released, 1);
}

static void test_custom_without_recording(void **state)
{
    (void)state;
    int released = 0;
    cn_tensor *in[] = { leaf(3), leaf(5) }, *out[2];
    CN_NO_GRAD assert_true(cn_custom_function(&both, in, 2, out, 2, &released));
    assert_int_equal(released, 1);
    assert_false(cn_needs_grad(out[0]));
    assert_false(cn_custom_function(&both, (cn_tensor *[]){ in[0], NULL }, 2, out, 2, &released));
    assert_int_equal(released, 2);
    assert_null(out[0]);
}

static void test_custom_unused_output(void **state)
{
    (void)state;
    static int released;
    cn_tensor *in[] = { leaf(3), cn_detach(leaf(5)) }, *out[2];
    assert_true(cn_custom_function(&both, in, 2, out, 2, &released));
    assert_true(cn_backward(out[1]));
    assert_close(cn_item(cn_grad(in[0])), 1);
}

static cn_tensor *product_of(cn_tensor *const *in, void *context)
{
    cn_tensor *out[2];
    return cn_custom_function(&both, in, 2, out, 2, context) ? cn_mul(out[0], out[1]) : NULL;
}

static void test_custom_second_derivatives(void **state)
{
    (void)state;
    int released = 0; /* a b (a + b) */
    cn_tensor *in[] = { leaf(3), leaf(5) }, *h[4];
    assert_true(cn_hessian(product_of, in, 2, &released, h, NULL));
    assert_close(cn_item(h[0]), 10);
    assert_close(cn_item(h[1]), 16);
    assert_close(cn_item(h[3]), 6);
    assert_int_equal(released, 1);
}

static void test_custom_saved_tensor_was_changed(void **state)
{
    (void)state;
    static int released;
    cn_tensor *a = leaf(3), *in[] = { cn_mul(a, cn_num(1)), a }, *out[2];
    assert_true(cn_custom_function(&both, in, 2, out, 2, &released));
    assert_non_null(cn_add_(in[0], cn_num(1)));
    assert_false(cn_backward(out[0]));
    assert_error("backward of both");
}

/* exp, which saves its output, and something that is neither input nor output. */
static bool exp_forward(cn_custom_call *call, cn_tensor *const *in, cn_tensor **out, void *context)
{
    (void)context;
    out[0] = cn_exp(in[0]);
    return cn_save_for_backward(call, NULL) && cn_save_for_backward(call, out[0]) &&
           cn_save_for_backward(call, cn_full(cn_scalar_shape(), 2, CN_F64));
}

static bool exp_backward(cn_custom_call *call, cn_tensor *const *grad_out, cn_tensor **grad_in,
                         void *context)
{
    (void)context;
    assert_null(cn_saved(call, 0));
    grad_in[0] = cn_mul(cn_mul(grad_out[0], cn_saved(call, 1)), cn_saved(call, 2));
    return cn_ok();
}

static const cn_custom twice_exp = { "twice_exp", exp_forward, exp_backward, NULL };

static void test_custom_saved_output(void **state)
{
    (void)state;
    cn_tensor *x = leaf(1), *y, *g, *gg;
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    assert_true(cn_custom_function(&twice_exp, &x, 1, &y, 1, NULL));
    assert_true(cn_grad_of(&y, NULL, 1, &x, 1, &g, &o));
    assert_close(cn_item(g), 2 * exp(1));
    assert_true(cn_grad_of(&g, NULL, 1, &x, 1, &gg, NULL));
    assert_close(cn_item(gg), 4 * exp(1)); /* its rule again, for the exp that was saved */
}

/* One that hands on its input, and one whose backward fails. */
static bool same_forward(cn_custom_call *call, cn_tensor *const *in, cn_tensor **out, void *context)
{
    (void)call, (void)context;
    out[0] = in[0];
    return true;
}

static bool failing_backward(cn_custom_call *call, cn_tensor *const *grad_out, cn_tensor **grad_in,
                             void *context)
{
    (void)grad_out, (void)grad_in, (void)context;
    assert_null(cn_saved(call, 0));
    return false;
}

static const cn_custom same = { "same", same_forward, failing_backward, NULL };

static void test_custom_failures(void **state)
{
    (void)state;
    cn_tensor *x = leaf(1), *y;
    assert_true(cn_custom_function(&same, &x, 1, &y, 1, NULL));
    assert_ptr_not_equal(x, y);
    assert_true(cn_is_leaf(x));
    assert_false(cn_backward(y));
    assert_error("there is no saved tensor 0");
    assert_false(cn_custom_function(&same, &x, 1, &y, 0, NULL));
    assert_error("0 outputs");
}

/* ---- recomputation ------------------------------------------------------------------------- */

typedef struct {
    cn_tensor *weight;
    int runs;
} Layer;

/* dropout(tanh(x w)), with a weight that is no input */
static cn_tensor *layer(cn_tensor *const *in, void *context)
{
    Layer *l = context;
    l->runs++;
    cn_tensor *y = cn_tanh(cn_matmul(in[0], l->weight));
    return cn_dropout(y, 0.5, cn_default_rng());
}

static Layer new_layer(double from)
{
    return (Layer){ cn_requires_grad(waves(CN_SHAPE(4, 4), from), true), 0 };
}

/* The gradients of two layers' weights: after a pass with or without recomputation. */
static double two_layers(Layer *a, Layer *b, bool again)
{
    cn_manual_seed(3);
    cn_tensor *x = waves(CN_SHAPE(8, 4), 1), *h, *y;
    h = again ? cn_checkpoint(layer, &x, 1, a) : layer(&x, a);
    y = again ? cn_checkpoint(layer, &h, 1, b) : layer(&h, b);
    double drawn = cn_rng_uniform(cn_default_rng());
    assert_true(cn_backward(cn_sum(cn_mul(y, waves(CN_SHAPE(8, 4), 2)))));
    assert_true(cn_rng_uniform(cn_default_rng()) != drawn); /* went on where it was */
    return weighed(cn_grad(a->weight)) + 7 * weighed(cn_grad(b->weight));
}

static void test_recomputed_gradients_are_the_same(void **state)
{
    (void)state;
    Layer a = new_layer(0), b = new_layer(5), c = new_layer(0), d = new_layer(5);
    double plain = two_layers(&a, &b, false);
    assert_true(two_layers(&c, &d, true) == plain);
    assert_int_equal(a.runs, 1);
    assert_int_equal(c.runs, 2);
    assert_int_equal(d.runs, 2);
}

/* Two layers, each in a recomputation within one more. */
typedef struct {
    Layer *a, *b;
} Pair;

static cn_tensor *nested(cn_tensor *const *in, void *context)
{
    const Pair *p = context;
    cn_tensor *h = cn_checkpoint(layer, in, 1, p->a);
    return h ? cn_checkpoint(layer, &h, 1, p->b) : NULL;
}

static void test_nested(void **state)
{
    (void)state;
    Layer a = new_layer(0), b = new_layer(5), c = new_layer(0), d = new_layer(5);
    double plain = two_layers(&a, &b, false);
    cn_manual_seed(3);
    cn_tensor *x = waves(CN_SHAPE(8, 4), 1), *y = cn_checkpoint(nested, &x, 1, &(Pair){ &c, &d });
    assert_true(cn_backward(cn_sum(cn_mul(y, waves(CN_SHAPE(8, 4), 2)))));
    assert_true(weighed(cn_grad(c.weight)) + 7 * weighed(cn_grad(d.weight)) == plain);
}

static cn_tensor *cube(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_mul(in[0], cn_square(in[0]));
}

static cn_tensor *recomputed_cube(cn_tensor *const *in, void *context)
{
    return cn_checkpoint(cube, in, 1, context);
}

static void test_higher_derivatives_of_recomputed(void **state)
{
    (void)state;
    cn_tensor *x = leaf(2), *h, *y, *g;
    assert_true(cn_hessian(recomputed_cube, &x, 1, NULL, &h, NULL));
    assert_close(cn_item(h), 12);
    y = recomputed_cube(&x, NULL);
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    const double want[] = { 12, 12, 6 };
    for (int i = 0; i < 3; i++, y = g) {
        assert_true(cn_grad_of(&y, NULL, 1, &x, 1, &g, &o));
        assert_close(cn_item(g), want[i]);
    }
}

/* Its context is a result of recorded calls, and also what it returns at the side of them. */
static cn_tensor *times_context(cn_tensor *const *in, void *context)
{
    return cn_mul(in[0], context);
}

static cn_tensor *only_context(cn_tensor *const *in, void *context)
{
    (void)in;
    return context;
}

static void test_context_within_a_graph(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *square = cn_square(x), *y;
    y = cn_checkpoint(times_context, &x, 1, square); /* x^3 */
    y = cn_add(y, cn_checkpoint(only_context, &x, 1, square));
    y = cn_add(y, square); /* x^3 + 2 x^2 */
    cn_backward_options o = { .size = sizeof o, .retain_graph = true };
    assert_true(cn_backward_of(&y, NULL, 1, &o));
    assert_close(cn_item(cn_grad(x)), 39);
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 78);
    assert_false(cn_backward(y));
    assert_error("retain_graph");
}

static cn_tensor *fickle(cn_tensor *const *in, void *context)
{
    cn_tensor **next = context;
    return cn_mul(in[0], *next++);
}

static void test_recomputation_that_differs(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *other = leaf(5), *seen = x, *y = cn_checkpoint(fickle, &x, 1, &seen);
    seen = other;
    assert_false(cn_backward(y));
    assert_error("first run did not");
    y = cn_checkpoint(times_context, &x, 1, other);
    CN_NO_GRAD assert_non_null(cn_add_(other, cn_num(1)));
    assert_false(cn_backward(y));
    assert_error("changed in place");
}

static void test_nothing_to_recompute(void **state)
{
    (void)state;
    Layer l = new_layer(0);
    cn_tensor *x = waves(CN_SHAPE(2, 4), 0), *y = NULL, *none = NULL;
    CN_NO_GRAD y = cn_checkpoint(layer, &x, 1, &l);
    assert_non_null(y);
    assert_false(cn_needs_grad(y));
    cn_requires_grad(l.weight, false);
    assert_false(cn_needs_grad(cn_checkpoint(layer, &x, 1, &l)));
    assert_null(cn_checkpoint(layer, &none, 1, &l));
}

/* ---- modules ------------------------------------------------------------------------------- */

static cn_module *network(void)
{
    cn_manual_seed(1);
    cn_module *m = cn_sequential(cn_linear_layer(8), cn_batch_norm1d_layer(), cn_relu_layer(),
                                 cn_dropout_layer(0.5), cn_linear_layer(8), cn_batch_norm1d_layer(),
                                 cn_tanh_layer(), cn_dropout_layer(0.5), cn_linear_layer(3));
    assert_true(cn_build(m, CN_SHAPE(4, 5)));
    return m;
}

typedef struct {
    double sum;
    int count;
} Sum;

static bool add_up(const cn_entry *e, void *context)
{
    Sum *s = context;
    s->sum = s->sum * 1.1 + weighed(e->tensor);
    if (!e->is_buffer) s->sum = s->sum * 1.1 + weighed(cn_grad(e->tensor)), s->count++;
    return true;
}

/* One number for all parameters, gradients and statistics after a step. */
static double step(int segments)
{
    cn_module *m = network();
    cn_tensor *x = cn_to(waves(CN_SHAPE(6, 5), 0), CN_F32), *y;
    y = segments ? cn_checkpoint_sequential(m, segments, x) : cn_forward(m, x);
    assert_true(cn_backward(cn_sum(cn_square(y))));
    Sum s = { 0 };
    assert_true(cn_visit(m, add_up, &s));
    assert_int_equal(s.count, 10);
    cn_module_free(m);
    return s.sum;
}

static void test_sequential_in_segments(void **state)
{
    (void)state;
    double plain = step(0);
    for (int segments = 1; segments <= 9; segments++) assert_close(step(segments), plain);
}

static void test_modules_are_kept_by_the_graph(void **state)
{
    (void)state;
    cn_module *m = network();
    cn_tensor *x = cn_ones(CN_SHAPE(2, 5), CN_F32), *y = cn_checkpoint_module(m, x);
    assert_null(cn_checkpoint_sequential(m, 10, x));
    assert_error("10 segments");
    cn_module_free(m);
    assert_true(cn_backward(cn_sum(y)));
}

static void test_out_of_memory(void **state)
{
    (void)state;
    Layer a = new_layer(0), b = new_layer(5);
    Pair p = { &a, &b };
    cn_tensor *x = waves(CN_SHAPE(8, 4), 1);
    bool passed = false;
    for (int64_t n = 0; n < 10000 && !passed; n++) {
        size_t mark = cn_mark();
        int64_t live = cn_live_tensors();
        cn_alloc_fail_after(n);
        cn_tensor *y = cn_checkpoint(nested, &x, 1, &p);
        passed = y && cn_backward(cn_sum(y));
        cn_alloc_fail_after(-1);
        assert_int_equal(passed, cn_ok());
        cn_error_clear();
        cn_release(mark);
        cn_set_grad(a.weight, NULL);
        cn_set_grad(b.weight, NULL);
        assert_int_equal(cn_live_tensors(), live);
    }
    assert_true(passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_custom_gradients),
        TEST(test_custom_without_recording),
        TEST(test_custom_unused_output),
        TEST(test_custom_second_derivatives),
        TEST(test_custom_saved_tensor_was_changed),
        TEST(test_custom_saved_output),
        TEST(test_custom_failures),
        TEST(test_recomputed_gradients_are_the_same),
        TEST(test_nested),
        TEST(test_higher_derivatives_of_recomputed),
        TEST(test_context_within_a_graph),
        TEST(test_recomputation_that_differs),
        TEST(test_nothing_to_recompute),
        TEST(test_sequential_in_segments),
        TEST(test_modules_are_kept_by_the_graph),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("autograd custom", tests, NULL, NULL);
}
