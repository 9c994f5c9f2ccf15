/* test_complex.c - complex tensors: what they hold, share and refuse; Fourier transforms of every kind of
   length; eigenvalues by our own routine and by LAPACK. The values of single ops are in test_golden. */
#include "core/schema.h"

#include <cenote/autograd.h>
#include <cenote/ops.h>
#include <cenote/rng.h>

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef double complex Number;

#define J ((Number)I)

static cn_tensor *numbers(int64_t n, const Number *x)
{
    return cn_from(x, CN_SHAPE(n), CN_C128);
}

static cn_tensor *random_numbers(cn_shape shape)
{
    return cn_complex(cn_randn(shape, CN_F64), cn_randn(shape, CN_F64));
}

/* The largest |a - b|. */
static double distance(cn_tensor *a, cn_tensor *b)
{
    cn_tensor *gap = cn_abs(cn_sub(a, b));
    return cn_numel(gap) ? cn_item(cn_amax(gap)) : 0;
}

static cn_tensor *by_name(const char *name, cn_tensor *input)
{
    cn_tensor *out = NULL;
    return cn_apply(cn_op_find(name), &input, 1, NULL, &out, 1) ? out : NULL;
}

/* ---- memory and types ---------------------------------------------------------------------- */

static void parts_share_memory(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *z = numbers(2, (Number[]){ 1 + 2 * J, 3 - 4 * J });
        const double nine[] = { 9, 8 };
        assert_true(cn_write(cn_imag(z), CN_F64, nine, 2));
        const Number *got = cn_data(z);
        assert_true(got[0] == 1 + 9 * J && got[1] == 3 + 8 * J);
        assert_int_equal(cn_dtype_of(cn_view_as_real(z)), CN_F64);
        assert_ptr_equal(cn_data(cn_view_as_complex(cn_view_as_real(z))), got);
    }
}

static void conversions_keep_what_fits(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *z = numbers(3, (Number[]){ 1.5 + 2 * J, 2 * J, 0 });
        double real[3];
        uint8_t truth[3];
        Number back[3];
        assert_true(cn_read(cn_to(z, CN_F64), CN_F64, real, 3));
        assert_true(real[0] == 1.5 && real[1] == 0);
        assert_true(cn_read(cn_to(z, CN_BOOL), CN_BOOL, truth, 3));
        assert_true(truth[0] && truth[1] && !truth[2]);
        assert_true(cn_read(cn_to(z, CN_C64), CN_C128, back, 3));
        assert_true(back[0] == 1.5 + 2 * J);
        assert_int_equal(cn_dtype_of(cn_add(cn_to(z, CN_C64), cn_ones(CN_SHAPE(3), CN_F64))),
                         CN_C128);
    }
}

/* Nothing reads complex memory as if it held floats. */
static void what_has_no_complex_form_is_refused(void **state)
{
    (void)state;
    const char *const names[] = { "nn.functional.relu", "erf",        "floor",    "sort", "amax",
                                  "logsumexp",          "linalg.inv", "isposinf", "std" };
    for (size_t i = 0; i < CN_COUNT(names); i++) {
        CN_SCOPE
        {
            char params[CN_MAX_PARAM_BYTES] = { 0 };
            cn_tensor *z = random_numbers(CN_SHAPE(2, 2)), *out[4];
            assert_false(cn_apply(cn_op_find(names[i]), &z, 1, params, out, 2));
            assert_non_null(strstr(cn_error(), "complex"));
        }
        cn_error_clear();
    }
    CN_SCOPE assert_true(isnan(cn_item(random_numbers(CN_SHAPE(1)))));
    assert_non_null(strstr(cn_error(), "complex128"));
    cn_error_clear();
}

static void division_does_not_overflow(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *a = numbers(2, (Number[]){ 1e200 + 1e200 * J, 3e-200 });
        cn_tensor *b = numbers(2, (Number[]){ 1e200 - 1e200 * J, 1e-200 * J });
        assert_true(distance(cn_div(a, b), numbers(2, (Number[]){ J, -3 * J })) < 1e-15);
    }
}

/* The gradient of |z|^2 is 2 z; that of a function of conj(z) is the conjugate. */
static void gradients_follow_the_convention(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *z = cn_requires_grad(random_numbers(CN_SHAPE(5)), true), *size = cn_abs(z);
        assert_true(cn_backward(cn_sum(cn_mul(size, size))));
        assert_true(distance(cn_grad(z), cn_mul(cn_detach(z), cn_number(2))) < 1e-14);
        cn_tensor *zero = cn_requires_grad(cn_zeros(CN_SHAPE(2), CN_C128), true);
        assert_true(cn_backward(cn_sum(cn_add(cn_abs(zero), cn_angle(zero)))));
        assert_true(distance(cn_grad(zero), cn_zeros(CN_SHAPE(2), CN_C128)) == 0);
        assert_false(cn_backward_of(&z, NULL, 1, NULL)); /* of a complex number: no direction */
    }
    cn_error_clear();
}

/* ---- Fourier transforms -------------------------------------------------------------------- */

/* Powers of 2, small and large primes, and their products. */
static void transforms_of_every_length(void **state)
{
    (void)state;
    const int64_t lengths[] = { 1, 2, 3, 4, 5, 6, 8, 31, 32, 37, 60, 74, 97, 121, 128, 1009 };
    for (size_t i = 0; i < CN_COUNT(lengths); i++) CN_SCOPE
        {
            int64_t n = lengths[i];
            cn_tensor *x = random_numbers(CN_SHAPE(2, n)), *y = cn_fft(x);
            assert_true(distance(cn_ifft(y), x) < 1e-14 * (double)n);
            cn_tensor *line = cn_arange(0, (double)n, 1, CN_F64);
            cn_tensor *turns = cn_outer(line, cn_mul(line, cn_number(-2 * acos(-1.0) / (double)n)));
            cn_tensor *table = cn_complex(cn_cos(turns), cn_sin(turns));
            assert_true(distance(y, cn_matmul(x, table)) < 1e-13 * (double)(n * n));
            cn_tensor *r = cn_real(x), *half = cn_rfft(r);
            assert_int_equal(cn_size(half, -1), n / 2 + 1);
            assert_true(distance(cn_irfft(half, n), r) < 1e-14 * (double)n);
        }
}

/* ---- eigenvalues --------------------------------------------------------------------------- */

static void check_eig(cn_tensor *a, double tolerance)
{
    cn_tensor *w, *v;
    assert_true(cn_linalg_eig(a, &w, &v));
    cn_tensor *product = cn_matmul(cn_to(a, cn_dtype_of(v)), v);
    assert_true(distance(product, cn_mul(v, cn_unsqueeze(w, -2))) < tolerance);
    cn_tensor *size = cn_abs(v);
    cn_tensor *lengths = cn_sum(cn_mul(size, size), .dim = CN_SHAPE(-2));
    assert_true(distance(lengths, cn_ones(*cn_shape_of(lengths), cn_dtype_of(size))) < tolerance);
    assert_true(distance(cn_sum(w, .dim = CN_SHAPE(-1)), by_name("trace", a)) < tolerance);
    cn_tensor *imaginary = cn_sum(cn_imag(w));
    assert_true(fabs(cn_item(imaginary)) < tolerance); /* it comes in conjugate pairs */
}

static void eigenvectors_of_every_size(void **state)
{
    (void)state;
    cn_manual_seed(3);
    for (int64_t n = 1; n < 40; n += n < 8 ? 1 : 6)
        for (int k = 0; k < 2; k++)
            CN_SCOPE check_eig(cn_randn(CN_SHAPE(n, n), k ? CN_F32 : CN_F64), k ? 2e-4 : 1e-12);
}

static void special_matrices(void **state)
{
    (void)state;
    const double turn[] = { 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
    const double defective[] = { 2, 1, 0, 2 };
    CN_SCOPE
    {
        check_eig(cn_zeros(CN_SHAPE(3, 3), CN_F64), 1e-15);
        check_eig(cn_eye(5, CN_F64), 1e-15);
        check_eig(cn_from(turn, CN_SHAPE(4, 4), CN_F64), 1e-14);
        check_eig(cn_from(defective, CN_SHAPE(2, 2), CN_F64), 1e-14);
        cn_tensor *w, *v;
        assert_false(cn_linalg_eig(cn_full(CN_SHAPE(2, 2), (double)NAN, CN_F64), &w, &v));
    }
    cn_error_clear();
}

static int close_test(void **state)
{
    (void)state;
    return cn_ok() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(parts_share_memory, close_test),
        cmocka_unit_test_teardown(conversions_keep_what_fits, close_test),
        cmocka_unit_test_teardown(what_has_no_complex_form_is_refused, close_test),
        cmocka_unit_test_teardown(division_does_not_overflow, close_test),
        cmocka_unit_test_teardown(gradients_follow_the_convention, close_test),
        cmocka_unit_test_teardown(transforms_of_every_length, close_test),
        cmocka_unit_test_teardown(eigenvectors_of_every_size, close_test),
        cmocka_unit_test_teardown(special_matrices, close_test),
    };
    return cmocka_run_group_tests_name("complex", tests, NULL, NULL);
}
