/* test_autograd.c - the tape: accumulation, several passes, hooks, in-place changes, lifetimes
   and scopes. */
#include "autograd_helpers.h"
#include "core/memory.h"

#include <math.h>
#include <sys/resource.h>

/* ---- gradients of leaves ------------------------------------------------------------------- */

static void test_accumulation(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    assert_null(cn_grad(x));
    assert_true(cn_backward(cn_mul(x, x)));
    assert_close(cn_item(cn_grad(x)), 6);
    assert_true(cn_backward(cn_mul(x, cn_num(4))));
    assert_close(cn_item(cn_grad(x)), 10);
    cn_set_grad(x, NULL);
    assert_null(cn_grad(x));
}

static void test_input_used_twice(void **state)
{
    (void)state;
    cn_tensor *x = leaf(2);
    assert_true(cn_backward(cn_add(cn_mul(x, x), cn_mul(x, cn_exp(x)))));
    assert_close(cn_item(cn_grad(x)), 4 + exp(2) + 2 * exp(2));
}

static void test_diamond_runs_each_call_once(void **state)
{
    (void)state;
    cn_tensor *x = leaf(1), *y = x;
    for (int i = 0; i < 40; i++) y = cn_add(y, y); /* 2^40 paths */
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 0x1p40);
}

static void test_broadcasting(void **state)
{
    (void)state;
    cn_tensor *row = cn_requires_grad(vector(3, (double[]){ 1, 2, 3 }), true);
    cn_tensor *column = cn_requires_grad(cn_full(CN_SHAPE(2, 1), 5, CN_F64), true),
              *number = leaf(7);
    assert_true(cn_backward(cn_sum(cn_mul(cn_add(row, column), number))));
    assert_int_equal(cn_ndim(cn_grad(row)), 1);
    for (int i = 0; i < 3; i++) assert_close(at(cn_grad(row), i), 14);
    assert_int_equal(cn_size(cn_grad(column), 0), 2);
    assert_int_equal(cn_size(cn_grad(column), 1), 1);
    assert_close(cn_at(cn_grad(column), CN_SHAPE(1, 0)), 21);
    assert_int_equal(cn_ndim(cn_grad(number)), 0);
    assert_close(cn_item(cn_grad(number)), 2 * 6 + 6 * 5);
}

static void test_gradients_have_the_type_of_their_leaf(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(cn_ones(CN_SHAPE(2), CN_F32), true),
              *y = cn_requires_grad(cn_ones(CN_SHAPE(2), CN_F64), true);
    assert_true(cn_backward(cn_sum(cn_mul(x, y))));
    assert_int_equal(cn_dtype_of(cn_grad(x)), CN_F32);
    assert_int_equal(cn_dtype_of(cn_grad(y)), CN_F64);
}

static void test_gradients_survive_their_scope(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    CN_SCOPE assert_true(cn_backward(cn_mul(x, cn_mul(x, x))));
    CN_SCOPE cn_zeros(CN_SHAPE(100), CN_F64); /* would take the memory of what was freed */
    assert_close(cn_item(cn_grad(x)), 27);
}

/* ---- several passes ------------------------------------------------------------------------ */

static void test_second_pass_needs_retain_graph(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, x);
    assert_true(cn_backward(y));
    assert_false(cn_backward(y));
    assert_error("retain_graph");
    assert_close(cn_item(cn_grad(x)), 6);
}

static void test_retain_graph(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, x);
    cn_backward_options o = { .size = sizeof o, .retain_graph = true };
    assert_true(cn_backward_of(&y, NULL, 1, &o));
    assert_true(cn_backward_of(&y, NULL, 1, &o));
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 18);
}

static void test_cotangents(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 2, 3 }), true), *y = cn_mul(x, x);
    assert_false(cn_backward(y));
    assert_error("cotangent");
    cn_tensor *wrong = cn_ones(CN_SHAPE(3), CN_F64), *v = vector(2, (double[]){ 10, 100 });
    assert_false(cn_backward_of(&y, &wrong, 1, NULL));
    assert_error("(3,)");
    assert_true(cn_backward_of(&y, &v, 1, NULL));
    assert_close(at(cn_grad(x), 0), 40);
    assert_close(at(cn_grad(x), 1), 600);
}

static void test_derivatives_of_derivatives(void **state)
{
    (void)state;
    cn_tensor *x = leaf(2), *y = cn_mul(x, cn_mul(x, x)), *g;
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    const double want[] = { 12, 12, 6 };
    for (int i = 0; i < 3; i++, y = g) {
        assert_true(cn_grad_of(&y, NULL, 1, &x, 1, &g, &o));
        assert_close(cn_item(g), want[i]);
    }
    assert_null(cn_grad(x)); /* grad_of touches no leaf */
}

static void test_unused_input(void **state)
{
    (void)state;
    cn_tensor *in[] = { leaf(2), leaf(5) }, *y = cn_exp(in[0]), *grads[2];
    cn_backward_options o = { .size = sizeof o, .allow_unused = true, .retain_graph = true };
    assert_true(cn_grad_of(&y, NULL, 1, in, 2, grads, &o));
    assert_close(cn_item(grads[0]), exp(2));
    assert_null(grads[1]);
    assert_false(cn_grad_of(&y, NULL, 1, in, 2, grads, NULL));
    assert_error("allow_unused");
}

static void test_grad_of_inner_tensor(void **state)
{
    (void)state;
    cn_tensor *x = leaf(2), *inner = cn_mul(x, x), *y = cn_mul(inner, inner), *g;
    assert_true(cn_grad_of(&y, NULL, 1, &inner, 1, &g, NULL));
    assert_close(cn_item(g), 8);
    assert_null(cn_grad(x));
}

/* ---- what is not recorded ------------------------------------------------------------------ */

static void test_detach(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, x), *cut = cn_detach(y);
    assert_false(cn_needs_grad(cut));
    assert_true(cn_is_leaf(cut));
    assert_true(cn_backward(cn_mul(x, cut)));
    assert_close(cn_item(cn_grad(x)), 9);
}

static void test_no_grad(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = NULL;
    CN_NO_GRAD y = cn_mul(x, x);
    assert_false(cn_needs_grad(y));
    assert_true(cn_needs_grad(cn_mul(x, x)));
    assert_false(cn_backward(y));
    assert_error("does not depend");
}

static void test_integers_have_no_gradients(void **state)
{
    (void)state;
    assert_null(cn_requires_grad(cn_zeros(CN_SHAPE(2), CN_I64), true));
    assert_error("int64");
    cn_tensor *y = cn_mul(leaf(1), leaf(2));
    assert_null(cn_requires_grad(y, false));
    assert_error("cn_detach");
}

/* ---- hooks --------------------------------------------------------------------------------- */

typedef struct {
    int calls;
    double seen;
} Seen;

static cn_tensor *tenfold(cn_tensor *grad, void *context)
{
    Seen *s = context;
    s->calls++, s->seen = cn_item(grad);
    return cn_mul(grad, cn_num(10));
}

static cn_tensor *refuse(cn_tensor *grad, void *context)
{
    (void)grad, (void)context;
    cn_fail(CN_EINVALID, "the hook refuses");
    return NULL;
}

static void test_hook_of_a_leaf_sees_the_sum(void **state)
{
    (void)state;
    Seen s = { 0 };
    cn_tensor *x = leaf(3);
    assert_true(cn_register_hook(x, tenfold, &s));
    assert_true(cn_backward(cn_mul(x, x))); /* x is used twice: one call, with the whole gradient */
    assert_int_equal(s.calls, 1);
    assert_close(s.seen, 6);
    assert_close(cn_item(cn_grad(x)), 60);
}

static void test_hook_of_an_inner_tensor(void **state)
{
    (void)state;
    Seen s = { 0 };
    cn_tensor *x = leaf(3), *y = cn_mul(x, cn_num(2));
    assert_true(cn_register_hook(y, tenfold, &s));
    assert_true(cn_backward(cn_add(cn_mul(y, y), y)));
    assert_int_equal(s.calls, 1);
    assert_close(s.seen, 13);
    assert_close(cn_item(cn_grad(x)), 260);
}

static void test_hook_that_fails(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    assert_true(cn_register_hook(x, refuse, NULL));
    assert_false(cn_backward(cn_exp(x)));
    assert_error("the hook refuses");
    assert_null(cn_grad(x));
    assert_false(cn_register_hook(cn_zeros(CN_SHAPE(1), CN_F64), refuse, NULL));
    assert_error("register_hook");
}

/* ---- changes in place ---------------------------------------------------------------------- */

static void test_changing_what_backward_needs(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, cn_num(1)), *z = cn_mul(y, y);
    assert_non_null(cn_add_(y, cn_num(1)));
    assert_false(cn_backward(z));
    assert_error("in place");
}

static void test_changing_what_backward_does_not_need(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *y = cn_mul(x, cn_num(2));
    assert_ptr_equal(cn_add_(y, cn_num(1)), y);
    assert_ptr_equal(cn_mul_(y, cn_num(5)), y);
    assert_close(cn_item(y), 35);
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 10);
}

static void test_leaf_in_place_is_refused(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3);
    assert_null(cn_add_(x, cn_num(1)));
    assert_error("leaf");
    assert_close(cn_item(x), 3);
    CN_NO_GRAD assert_non_null(cn_add_(x, cn_num(1)));
    assert_close(cn_item(x), 4);
}

/* ---- deep graphs --------------------------------------------------------------------------- */

/* The stack is kept far too small for recursion through the chain. */
static void test_deep_chain(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    struct rlimit was, small;
    assert_int_equal(getrlimit(RLIMIT_STACK, &was), 0);
    small = was, small.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
    cn_tensor *x = leaf(1), *y = x;
    for (int i = 0; i < DEPTH; i++) y = cn_add(y, cn_num(1));
    assert_close(cn_item(y), 1 + DEPTH);
    assert_true(cn_backward(y));
    assert_close(cn_item(cn_grad(x)), 1);
    y = x;
    for (int i = 0; i < DEPTH; i++) { /* freed without a backward, all from its last tensor */
        size_t step = cn_mark();
        y = cn_return(step, cn_mul(y, cn_num(1)));
    }
    assert_int_equal(setrlimit(RLIMIT_STACK, &was), 0);
}

/* ---- scopes -------------------------------------------------------------------------------- */

static void test_release(void **state)
{
    (void)state;
    int64_t before = cn_live_tensors();
    size_t inner = cn_mark();
    for (int i = 0; i < 100; i++) cn_zeros(CN_SHAPE(3), CN_F32);
    assert_int_equal(cn_live_tensors(), before + 100);
    cn_release(inner);
    assert_int_equal(cn_live_tensors(), before);
}

static void test_return(void **state)
{
    (void)state;
    int64_t before = cn_live_tensors();
    double sum = 0;
    cn_tensor *results[1000];
    for (int i = 0; i < 1000; i++) {
        size_t inner = cn_mark();
        cn_tensor *x = cn_full(CN_SHAPE(2), i, CN_F64);
        cn_mul(x, x);
        results[i] = cn_return(inner, cn_add(x, x));
    }
    assert_int_equal(cn_live_tensors(), before + 1000);
    for (int i = 0; i < 1000; i++) sum += at(results[i], 1);
    assert_close(sum, 999000);
    assert_null(cn_return(cn_mark(), NULL));
}

static void test_keep(void **state)
{
    (void)state;
    cn_tensor *kept = NULL;
    int64_t before = cn_live_tensors();
    CN_SCOPE kept = cn_keep(cn_full(CN_SHAPE(2), 5, CN_F64));
    assert_int_equal(cn_live_tensors(), before + 1);
    assert_close(at(kept, 0), 5);
    cn_drop(kept);
    assert_int_equal(cn_live_tensors(), before);
    assert_null(cn_keep(NULL));
    cn_drop(NULL);
}

static void test_views_outlive_their_base(void **state)
{
    (void)state;
    cn_tensor *part = NULL;
    CN_SCOPE part = cn_keep(cn_select(cn_full(CN_SHAPE(4, 2), 5, CN_F64), 0, 2));
    assert_close(at(part, 1), 5);
    cn_drop(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_accumulation),
        TEST(test_input_used_twice),
        TEST(test_diamond_runs_each_call_once),
        TEST(test_broadcasting),
        TEST(test_gradients_have_the_type_of_their_leaf),
        TEST(test_gradients_survive_their_scope),
        TEST(test_second_pass_needs_retain_graph),
        TEST(test_retain_graph),
        TEST(test_cotangents),
        TEST(test_derivatives_of_derivatives),
        TEST(test_unused_input),
        TEST(test_grad_of_inner_tensor),
        TEST(test_detach),
        TEST(test_no_grad),
        TEST(test_integers_have_no_gradients),
        TEST(test_hook_of_a_leaf_sees_the_sum),
        TEST(test_hook_of_an_inner_tensor),
        TEST(test_hook_that_fails),
        TEST(test_changing_what_backward_needs),
        TEST(test_changing_what_backward_does_not_need),
        TEST(test_leaf_in_place_is_refused),
        TEST(test_deep_chain),
        TEST(test_release),
        TEST(test_return),
        TEST(test_keep),
        TEST(test_views_outlive_their_base),
    };
    return cmocka_run_group_tests_name("autograd", tests, NULL, NULL);
}
