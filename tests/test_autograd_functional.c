/* test_autograd_functional.c - derivatives of functions: values against PyTorch's
   torch.autograd.functional, shapes, constants, and functions of functions. */
#include "autograd_helpers.h"
#include "core/memory.h"

#include <math.h>

/* ---- the two functions whose derivatives PyTorch gave ---------------------------------------- */

static cn_tensor *product(cn_tensor *const *in)
{
    return cn_mul(cn_mul(cn_select(in[1], 0, 0), cn_select(in[1], 0, 1)), cn_select(in[1], 0, 2));
}

static cn_tensor *tanh_of(cn_tensor *const *in)
{
    return cn_tanh(cn_matmul(in[0], in[1]));
}

/* tanh(x w) exp(w[:2]), x (2, 3), w (3,) */
static cn_tensor *pair(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_mul(tanh_of(in), cn_exp(cn_narrow(in[1], 0, 0, 2)));
}

/* sum(tanh(x w)^2) w[0] w[1] w[2] */
static cn_tensor *number(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_mul(cn_sum(cn_square(tanh_of(in))), product(in));
}

typedef struct {
    cn_tensor *in[2], *v[2];
} Sample;

static Sample sample(void)
{
    const double x[] = { 0.5, -1, 2, 1.5, 0.25, -0.75 }, w[] = { 1, 2, -0.5 };
    return (Sample){ { cn_from(x, CN_SHAPE(2, 3), CN_F64), vector(3, w) },
                     { waves(CN_SHAPE(2, 3), 0), vector(3, (double[]){ 1, -2, 0.5 }) } };
}

static void test_vjp(void **state)
{
    (void)state;
    Sample s = sample();
    cn_tensor *y, *g[2], *v = vector(2, (double[]){ 0.3, -0.7 });
    assert_true(cn_vjp(pair, s.in, 2, NULL, v, &y, g, NULL));
    assert_elements(y, (double[]){ -2.681895718363, 7.262297057111 }, 2);
    const double gx[] = { 0.021685549971,  0.043371099943,  -0.010842774986,
                          -0.175940475182, -0.351880950364, 0.087970237591 };
    assert_elements(g[0], gx, 6);
    assert_elements(g[1], (double[]){ -1.057636653296, -5.149278608745, 0.175326456329 }, 3);
    assert_false(cn_needs_grad(y) || cn_needs_grad(g[0]));
    assert_false(cn_needs_grad(s.in[0]));
}

static void test_jvp(void **state)
{
    (void)state;
    Sample s = sample();
    cn_tensor *y, *jv;
    assert_true(cn_jvp(pair, s.in, 2, NULL, s.v, &y, &jv, NULL));
    assert_elements(y, (double[]){ -2.681895718363, 7.262297057111 }, 2);
    assert_elements(jv, (double[]){ -2.263460162737, -14.980559145150 }, 2);
}

static void assert_shape(const cn_tensor *t, cn_shape want)
{
    assert_int_equal(cn_ndim(t), want.ndim);
    for (int i = 0; i < want.ndim; i++) assert_int_equal(cn_size(t, i), want.dim[i]);
}

static void test_jacobian(void **state)
{
    (void)state;
    Sample s = sample();
    cn_tensor *j[2];
    assert_true(cn_jacobian(pair, s.in, 2, NULL, j, NULL));
    assert_shape(j[0], CN_SHAPE(2, 2, 3));
    assert_shape(j[1], CN_SHAPE(2, 3));
    assert_close(weighed(j[0]), -0.3848034107258954);
    assert_close(weighed(j[1]), -9.528553401189361);
}

static void test_hessian(void **state)
{
    (void)state;
    Sample s = sample();
    cn_tensor *h[4];
    assert_true(cn_hessian(number, s.in, 2, NULL, h, NULL));
    assert_shape(h[0], CN_SHAPE(2, 3, 2, 3));
    assert_shape(h[1], CN_SHAPE(2, 3, 3));
    assert_shape(h[2], CN_SHAPE(3, 2, 3));
    assert_shape(h[3], CN_SHAPE(3, 3));
    assert_close(weighed(h[0]), 0.33738399404758723);
    assert_close(weighed(h[1]), 0.08053239627897103);
    assert_close(weighed(h[2]), 0.20122961280975127);
    assert_close(weighed(h[3]), 4.5513394602862265);
}

static void test_products_with_the_hessian(void **state)
{
    (void)state;
    Sample s = sample();
    const double hx[] = { 0.591174692335,  0.972459216147,  -0.243114804037,
                          -0.234238368590, -0.201019847813, 0.050254961953 };
    const double hw[] = { 4.440787487412, -0.295966397975, 0.312040252701 };
    cn_tensor *y, *right[2], *left[2];
    assert_true(cn_hvp(number, s.in, 2, NULL, s.v, &y, right, NULL));
    assert_close(cn_item(y), -1.939392124686);
    assert_true(cn_vhp(number, s.in, 2, NULL, s.v, NULL, left, NULL));
    assert_elements(right[0], hx, 6);
    assert_elements(right[1], hw, 3);
    assert_elements(left[0], hx, 6);
    assert_elements(left[1], hw, 3);
}

/* ---- constants and empty ones -------------------------------------------------------------- */

static cn_tensor *first_doubled(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_mul(in[0], cn_num(2));
}

static cn_tensor *constant(cn_tensor *const *in, void *context)
{
    (void)in;
    return context;
}

static void test_constants_have_zero_derivatives(void **state)
{
    (void)state;
    cn_tensor *in[] = { vector(2, (double[]){ 1, 2 }), vector(3, (double[]){ 1, 2, 3 }) };
    cn_tensor *j[2], *h[4], *jv, *fixed = cn_full(cn_scalar_shape(), 5, CN_F64);
    assert_true(cn_jacobian(first_doubled, in, 2, NULL, j, NULL));
    assert_elements(j[0], (double[]){ 2, 0, 0, 2 }, 4);
    assert_elements(j[1], (double[]){ 0, 0, 0, 0, 0, 0 }, 6);
    assert_true(cn_hessian(constant, in, 2, fixed, h, NULL));
    assert_elements(h[1], (double[]){ 0, 0, 0, 0, 0, 0 }, 6);
    assert_true(cn_jvp(constant, in, 2, fixed, in, NULL, &jv, NULL));
    assert_close(cn_item(jv), 0);
    assert_true(cn_hvp(constant, in, 2, fixed, in, NULL, j, NULL));
    assert_elements(j[1], (double[]){ 0, 0, 0 }, 3);
}

static void test_empty_ones(void **state)
{
    (void)state;
    cn_tensor *in = cn_zeros(CN_SHAPE(0, 3), CN_F64), *j;
    assert_true(cn_jacobian(first_doubled, &in, 1, NULL, &j, NULL));
    assert_shape(j, CN_SHAPE(0, 3, 0, 3));
}

/* ---- derivatives of derivatives ------------------------------------------------------------- */

static cn_tensor *cubes(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_mul(in[0], cn_square(in[0]));
}

/* The derivative of the one before, in direction one: 3 x^2, then 6 x. */
static cn_tensor *slope(cn_tensor *const *in, void *context)
{
    const int *order = context;
    int less = *order - 1;
    cn_tensor *one = cn_ones(*cn_shape_of(in[0]), CN_F64), *jv = NULL;
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    cn_function *f = less ? slope : cubes;
    return cn_jvp(f, in, 1, less ? &less : NULL, &one, NULL, &jv, &o) ? jv : NULL;
}

static void test_forward_over_forward(void **state)
{
    (void)state;
    int order = 2;
    cn_tensor *x = vector(3, (double[]){ 1, -2, 0.5 }), *y, *j;
    y = slope(&x, &order);
    assert_elements(y, (double[]){ 6, -12, 3 }, 3);
    assert_true(cn_jacobian(slope, &x, 1, &order, &j, NULL));
    assert_elements(j, (double[]){ 6, 0, 0, 0, 6, 0, 0, 0, 6 }, 9);
}

static void test_create_graph_reaches_the_inputs(void **state)
{
    (void)state;
    cn_backward_options o = { .size = sizeof o, .create_graph = true };
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true), *j;
    assert_true(cn_jacobian(cubes, &x, 1, NULL, &j, &o));
    assert_true(cn_backward(cn_sum(j))); /* d(3 x^2)/dx */
    assert_elements(cn_grad(x), (double[]){ 6, 12 }, 2);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static cn_tensor *failing(cn_tensor *const *in, void *context)
{
    (void)in, (void)context;
    return NULL;
}

static void test_what_is_refused(void **state)
{
    (void)state;
    cn_tensor *x = vector(2, (double[]){ 1, 2 }), *v = vector(3, (double[]){ 1, 2, 3 }), *out;
    cn_tensor *whole = cn_zeros(CN_SHAPE(2), CN_I64);
    assert_false(cn_jvp(cubes, &x, 1, NULL, &v, NULL, &out, NULL));
    assert_error("(3,)");
    assert_null(out);
    assert_false(cn_jvp(cubes, &x, 1, NULL, NULL, NULL, &out, NULL));
    assert_error("one element");
    assert_false(cn_vjp(cubes, &x, 1, NULL, NULL, NULL, &out, NULL));
    assert_error("one number");
    assert_false(cn_hessian(cubes, &x, 1, NULL, &out, NULL));
    assert_error("one number");
    assert_false(cn_jacobian(failing, &x, 1, NULL, &out, NULL));
    assert_error("returned NULL");
    assert_false(cn_jacobian(cubes, &whole, 1, NULL, &out, NULL));
    assert_error("int64");
    assert_false(cn_jacobian(cubes, NULL, 0, NULL, NULL, NULL));
    assert_error("without inputs");
    cn_tensor *cube = cn_zeros(CN_SHAPE(1, 1, 1, 1, 1), CN_F64);
    assert_false(cn_jacobian(cubes, &cube, 1, NULL, &out, NULL));
    assert_error("dimensions");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    Sample s = sample();
    bool passed = false;
    for (int64_t n = 0; n < 10000 && !passed; n++) {
        cn_tensor *h[4], *jv;
        size_t mark = cn_mark();
        int64_t live = cn_live_tensors();
        cn_alloc_fail_after(n);
        passed = cn_hessian(number, s.in, 2, NULL, h, NULL);
        passed = passed && cn_jvp(pair, s.in, 2, NULL, s.v, NULL, &jv, NULL);
        cn_alloc_fail_after(-1);
        assert_int_equal(passed, cn_ok());
        cn_error_clear();
        cn_release(mark);
        assert_int_equal(cn_live_tensors(), live);
    }
    assert_true(passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vjp),
        TEST(test_jvp),
        TEST(test_jacobian),
        TEST(test_hessian),
        TEST(test_products_with_the_hessian),
        TEST(test_constants_have_zero_derivatives),
        TEST(test_empty_ones),
        TEST(test_forward_over_forward),
        TEST(test_create_graph_reaches_the_inputs),
        TEST(test_what_is_refused),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("autograd functional", tests, NULL, NULL);
}
