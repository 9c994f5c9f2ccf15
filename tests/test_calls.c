/* test_calls.c - calls by name: what PyTorch's overloads mean, what is refused and how the message
   begins. */
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/ops.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Calls the op with arguments written as in its samples. The number of results; below 0: refused. */
static int call(const char *name, const char *text, cn_ffi_value outs[4])
{
    cn_sample s;
    int n = 4;
    assert_true(cn_sample_args(name, text, CN_F32, 1, &s));
    int code = cn_ffi_op_call(name, s.args, s.n_args, outs, &n);
    return code < 0 ? code : n;
}

/* ---- what calls give ----------------------------------------------------------------------- */

typedef struct {
    const char *op, *args;
    cn_dtype dtype;
    int n;
    double value[4];
} Case;

static const Case cases[] = {
    { "max", "i64(3,1) i64(2,5)", CN_I64, 2, { 3, 5 } },
    { "min", "i64(3,1) other=i64(2,5)", CN_I64, 2, { 2, 1 } },
    { "rsub", "i64(3,1) 10 alpha=2", CN_I64, 2, { 4, 8 } },
    { "sum", "i64(0,2,8) dtype=bool", CN_BOOL, 1, { 1 } },
    { "sum", "i64(0,0) dtype=bool", CN_BOOL, 1, { 0 } },
    { "nansum", "i64(4,4) dtype=bool", CN_BOOL, 1, { 1 } },
    { "prod", "i64(3,0) dtype=bool", CN_BOOL, 1, { 0 } },
    { "addcmul", "i64(1,5) i64(1,5) i64(1,5) value=3.14", CN_I64, 2, { 4, 80 } },
    { "nn.functional.threshold", "i64(1,5) 2.5 7.9", CN_I64, 2, { 7, 5 } },
    { "nn.functional.feature_alpha_dropout", "i64(4,5)", CN_I64, 2, { 4, 5 } },
};

static void results_are_right(void **state)
{
    (void)state;
    CN_SCOPE
    {
        for (size_t i = 0; i < CN_COUNT(cases); i++) {
            const Case *k = &cases[i];
            cn_ffi_value out[4];
            if (call(k->op, k->args, out) != 1) fail_msg("%s: %s", k->op, cn_ffi_last_error());
            cn_tensor *y = out[0].u.t;
            assert_int_equal(cn_dtype_of(y), k->dtype);
            assert_int_equal(cn_numel(y), k->n);
            cn_tensor *flat = cn_reshape(y, CN_SHAPE(k->n));
            for (int j = 0; j < k->n; j++)
                if (cn_at(flat, CN_SHAPE(j)) != k->value[j])
                    fail_msg("%s: element %d is %g", k->op, j, cn_at(flat, CN_SHAPE(j)));
            cn_ffi_tensor_release(y);
        }
    }
}

/* A bool where dim stands says whether to divide by n - 1. */
static void deviations_take_unbiased(void **state)
{
    (void)state;
    static const struct {
        const char *args;
        int ndim;
    } calls[] = { { "[2,3] True", 0 }, { "[2,3] 1 False", 1 }, { "[2,3] 1 False True", 2 } };
    for (size_t i = 0; i < CN_COUNT(calls); i++) {
        CN_SCOPE
        {
            cn_ffi_value out[4];
            assert_int_equal(call("var_mean", calls[i].args, out), 2);
            for (int j = 0; j < 2; j++) {
                assert_int_equal(cn_ndim(out[j].u.t), calls[i].ndim);
                cn_ffi_tensor_release(out[j].u.t);
            }
        }
    }
}

/* -3 does not become 253 before it is divided. */
static void small_integers_divide_as_floats(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *six = cn_full(CN_SHAPE(1), 6, CN_U8), *minus = cn_number_i64(-3);
        assert_true(cn_at(cn_div(six, minus), CN_SHAPE(0)) == -2);
        assert_true(cn_at(cn_div(minus, six), CN_SHAPE(0)) == -0.5);
        cn_tensor *b = cn_requires_grad(cn_full(CN_SHAPE(1), -8, CN_F64), true);
        cn_tensor *angle = cn_atan2(cn_full(CN_SHAPE(1), 200, CN_U8), b);
        assert_true(cn_backward(cn_sum(angle)));
        assert_true(fabs(cn_at(cn_grad(b), CN_SHAPE(0)) + 200.0 / (200 * 200 + 64)) < 1e-12);
    }
}

/* The sanitizers would say if the compiler did not know it. */
static void integers_wrap_around(void **state)
{
    (void)state;
    static const char *const calls[][2] = {
        { "add", "i64(9223372036854775807,1) 1" }, { "mul", "i64(9223372036854775807,1) 3" },
        { "neg", "i64(-9223372036854775808)" },    { "abs", "i64(-9223372036854775808)" },
        { "square", "i64(9223372036854775807)" },  { "pow", "i64(3,5) 99" },
        { "sum", "i64(9223372036854775807,9)" },   { "cumprod", "i64(9223372036854775807,9) 0" },
        { "sub", "i64(-9223372036854775808) 5" },  { "lcm", "i64(4611686018427387905) i64(3)" },
    };
    CN_SCOPE
    {
        for (size_t i = 0; i < CN_COUNT(calls); i++) {
            cn_ffi_value out[4];
            assert_int_equal(call(calls[i][0], calls[i][1], out), 1);
            cn_ffi_tensor_release(out[0].u.t);
        }
    }
}

static void zeros_have_signs(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *minus = cn_full(CN_SHAPE(1), -0.0, CN_F64);
        assert_false(signbit(cn_at(cn_abs(minus), CN_SHAPE(0))));
        cn_tensor *one = cn_full(CN_SHAPE(1), -1, CN_F64), *two = cn_full(CN_SHAPE(1), -2, CN_F64);
        assert_false(signbit(cn_at(cn_floor_divide(one, two), CN_SHAPE(0))));
    }
}

/* In float32 4.5575 times 1000 is 4557.5, and a half goes to the even neighbour. */
static void places_are_rounded_in_the_own_type(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_full(CN_SHAPE(1), 4.5575, CN_F32);
        cn_ffi_arg args[] = { { NULL, { .kind = CN_KIND_TENSOR, .u.t = x } },
                              { "decimals", { .kind = CN_KIND_INT, .u.i = 3 } } };
        cn_ffi_value out;
        int n = 1;
        assert_int_equal(cn_ffi_op_call("round", args, 2, &out, &n), 0);
        assert_true((float)cn_at(out.u.t, CN_SHAPE(0)) == 4558.0f / 1000.0f);
        cn_ffi_tensor_release(out.u.t);
    }
}

/* 0^b ln 0 is minus infinity where 0^b is infinite; the product of nothing has an empty gradient. */
static void gradients_at_the_edge(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *b = cn_requires_grad(cn_full(CN_SHAPE(1), -1, CN_F64), true);
        assert_true(cn_backward(cn_sum(cn_pow(cn_zeros(CN_SHAPE(1), CN_F64), b))));
        assert_true(cn_at(cn_grad(b), CN_SHAPE(0)) == (double)-INFINITY);
        cn_tensor *nothing = cn_requires_grad(cn_zeros(CN_SHAPE(0), CN_F64), true);
        cn_ffi_arg arg = { NULL, { .kind = CN_KIND_TENSOR, .u.t = nothing } };
        cn_ffi_value out;
        int n = 1;
        assert_int_equal(cn_ffi_op_call("prod", &arg, 1, &out, &n), 0);
        assert_true(cn_item(out.u.t) == 1 && cn_backward(out.u.t));
        assert_int_equal(cn_numel(cn_grad(nothing)), 0);
        cn_ffi_tensor_release(out.u.t);
    }
}

/* ---- what is refused ----------------------------------------------------------------------- */

static const struct {
    const char *op, *args, *word;
} refused[] = {
    { "matmul", "[2] 2", "matmul: argument 'other' must be a Tensor, not int" },
    { "sin", "2.5", "sin: argument 'input' must be a Tensor, not float" },
    { "pow", "2 3", "pow: one of the arguments must be a Tensor" },
    { "__radd__", "2 [3]", "__radd__: the first argument must be a Tensor" },
    { "isclose", "[2] [2] rtol=-1", "isclose: rtol -1" },
    { "multinomial", "i64(1,2) 2", "multinomial: floats are wanted" },
    { "multinomial", "+[2] -1", "multinomial: num_samples" },
    { "lerp", "i64(1,2) i64(3,4) 0.5", "lerp: floats are wanted" },
    { "mvlgamma", "[2] 4611686018427387904", "mvlgamma: p must be from 1" },
    { "nn.functional.glu", "i64(1,2)", "glu: floats are wanted" },
    { "nn.functional.threshold", "bool[2] 1 2", "threshold: not for bools" },
    { "nn.functional.l1_loss", "[5,4] [3]", "nn.functional.l1_loss: sub: shapes" },
    { "nn.functional.selu", "i64(1,2)", "nn.functional.selu: nn.functional.elu" },
};

static void messages_name_the_op(void **state)
{
    (void)state;
    CN_SCOPE
    {
        for (size_t i = 0; i < CN_COUNT(refused); i++) {
            cn_ffi_value out[4];
            assert_true(call(refused[i].op, refused[i].args, out) < 0);
            if (!strstr(cn_ffi_last_error(), refused[i].word))
                fail_msg("%s says: %s", refused[i].op, cn_ffi_last_error());
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_right),
        cmocka_unit_test(deviations_take_unbiased),
        cmocka_unit_test(small_integers_divide_as_floats),
        cmocka_unit_test(integers_wrap_around),
        cmocka_unit_test(zeros_have_signs),
        cmocka_unit_test(places_are_rounded_in_the_own_type),
        cmocka_unit_test(gradients_at_the_edge),
        cmocka_unit_test(messages_name_the_op),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
