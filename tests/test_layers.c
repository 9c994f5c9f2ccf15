/* test_layers.c - what holds among convolutions, pooling and their counterparts, the margins of layers,
   and what they refuse. Values and gradients are in test_golden.c and test_ops.c. */
#include "ops/sample.h"

#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/functional.h>
#include <cenote/nn.h>
#include <cenote/ops.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ARGUMENTS = 8, MAX_RESULTS = 4 };

/* ---- calls by name: tensors first, then the options as in Python ------------------------------- */

typedef struct {
    cn_tensor *t[MAX_RESULTS]; /* in the current scope */
} Results;

static Results call(const char *op, const char *options, int n, cn_tensor *const *tensors)
{
    cn_ffi_arg args[MAX_ARGUMENTS] = { 0 };
    cn_ffi_value items[MAX_ARGUMENTS][CN_MAX_DIMS], outs[MAX_RESULTS];
    char text[256], words[MAX_ARGUMENTS][64];
    int count = MAX_RESULTS, at = n;
    Results r = { 0 };
    for (int i = 0; i < n; i++)
        args[i].value = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = tensors[i] };
    snprintf(text, sizeof text, "%s", options);
    for (char *piece = strtok(text, " "); piece; piece = strtok(NULL, " "), at++) {
        char *value = strchr(piece, '=');
        *value++ = 0;
        args[at].name = piece;
        assert_true(cn_value_parse(value, &args[at].value, items[at], words[at], 64));
    }
    if (cn_ffi_op_call(op, args, at, outs, &count)) fail_msg("%s", cn_ffi_last_error());
    for (int i = 0; i < count; i++) {
        r.t[i] = cn_detach(outs[i].u.t);
        cn_ffi_tensor_release(outs[i].u.t);
    }
    return r;
}

#define CALL(op, options, ...)                                                                     \
    call(op, options, (int)(sizeof((cn_tensor *[]){ __VA_ARGS__ }) / sizeof(cn_tensor *)),         \
         (cn_tensor *[]){ __VA_ARGS__ })

static double dot(cn_tensor *a, cn_tensor *b)
{
    return cn_item(cn_sum(cn_mul(a, b)));
}

static cn_tensor *like(cn_tensor *t)
{
    return cn_randn(*cn_shape_of(t), CN_F64);
}

static void expect_equal(cn_tensor *a, cn_tensor *b)
{
    assert_int_equal(cn_shape_of(a)->ndim, cn_shape_of(b)->ndim);
    cn_tensor *difference = cn_sub(a, b);
    assert_true(dot(difference, difference) < 1e-18 * (1 + dot(a, a)));
}

/* ---- counterparts --------------------------------------------------------------------------- */

/* <conv(x), y> = <x, conv_transpose(y)> with the same weight. */
static const struct {
    const char *ops[2], *options, *more; /* more: output_padding that leads back to x's size */
    cn_shape x, w;
} transposes[] = {
    { { "nn.functional.conv1d", "nn.functional.conv_transpose1d" },
      "stride=3 padding=1 dilation=2",
      " output_padding=2",
      { 3, { 2, 3, 11 } },
      { 3, { 4, 3, 3 } } },
    { { "nn.functional.conv2d", "nn.functional.conv_transpose2d" },
      "stride=(2,1) padding=(1,2) groups=2",
      " output_padding=(1,0)",
      { 4, { 2, 4, 6, 5 } },
      { 4, { 6, 2, 3, 2 } } },
    { { "nn.functional.conv3d", "nn.functional.conv_transpose3d" },
      "stride=(1,2,2) dilation=(2,1,1)",
      " output_padding=(0,1,0)",
      { 5, { 1, 2, 5, 4, 7 } },
      { 5, { 3, 2, 2, 1, 3 } } },
};

static void test_transposes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transposes / sizeof *transposes; i++) CN_SCOPE
        {
            char options[128];
            cn_tensor *x = cn_randn(transposes[i].x, CN_F64),
                      *w = cn_randn(transposes[i].w, CN_F64);
            cn_tensor *gx, *y = CALL(transposes[i].ops[0], transposes[i].options, x, w).t[0];
            cn_tensor *other = like(y);
            snprintf(options, sizeof options, "%s%s", transposes[i].options, transposes[i].more);
            gx = CALL(transposes[i].ops[1], options, other, w).t[0];
            assert_true(cn_shape_equal(cn_shape_of(gx), &transposes[i].x));
            assert_true(fabs(dot(y, other) - dot(x, gx)) < 1e-9);
        }
}

static void test_typed_transpose(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_randn(CN_SHAPE(1, 4, 3, 2), CN_F64), *b = cn_randn(CN_SHAPE(6), CN_F64);
        cn_tensor *w = cn_randn(CN_SHAPE(4, 3, 3, 2), CN_F64);
        cn_tensor *y = cn_conv_transpose2d(x, w, .bias = b, .stride = { 2 }, .padding = { 1, 0 },
                                           .output_padding = { 1, 0 }, .groups = 2);
        const char *options = "stride=2 padding=(1,0) output_padding=(1,0) groups=2";
        expect_equal(y, CALL("conv_transpose2d", options, x, w, b).t[0]);
    }
}

static void test_unfold_and_fold(void **state)
{
    (void)state;
    CN_SCOPE
    {
        const char *patches = "kernel_size=(3,2) dilation=(1,2) padding=1 stride=(2,1)";
        cn_tensor *x = cn_randn(CN_SHAPE(2, 3, 6, 5), CN_F64);
        cn_tensor *columns = CALL("nn.functional.unfold", patches, x).t[0], *y = like(columns);
        char options[128];
        snprintf(options, sizeof options, "output_size=(6,5) %s", patches);
        cn_tensor *picture = CALL("nn.functional.fold", options, y).t[0];
        assert_true(fabs(dot(columns, y) - dot(x, picture)) < 1e-9);
    }
}

/* A convolution is a product with the columns of unfold. */
static void test_convolution_is_a_product(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_randn(CN_SHAPE(2, 3, 6, 5), CN_F64);
        cn_tensor *w = cn_randn(CN_SHAPE(4, 3, 3, 2), CN_F64);
        cn_tensor *y = CALL("conv2d", "padding=1 stride=2 dilation=(1,2)", x, w).t[0];
        cn_tensor *columns =
            CALL("nn.functional.unfold", "kernel_size=(3,2) padding=1 stride=2 dilation=(1,2)", x)
                .t[0];
        cn_tensor *product = cn_matmul(cn_reshape(w, CN_SHAPE(4, 18)), columns);
        expect_equal(cn_reshape(product, *cn_shape_of(y)), y);
    }
}

static void test_inverses(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_randn(CN_SHAPE(2, 8, 3, 2), CN_F64);
        cn_tensor *large = CALL("pixel_shuffle", "upscale_factor=2", x).t[0];
        expect_equal(CALL("pixel_unshuffle", "downscale_factor=2", large).t[0], x);
        cn_tensor *mixed = CALL("channel_shuffle", "groups=2", x).t[0];
        expect_equal(CALL("channel_shuffle", "groups=4", mixed).t[0], x);
        x = cn_add(cn_mul(x, x), cn_full(cn_scalar_shape(), 1, CN_F64)); /* positive: zeros lose */
        Results pooled = CALL("max_pool2d", "kernel_size=2 padding=1 return_indices=True", x);
        cn_tensor *back =
            CALL("nn.functional.max_unpool2d", "kernel_size=2 padding=1 output_size=(3,2)",
                 pooled.t[0], pooled.t[1])
                .t[0];
        expect_equal(CALL("max_pool2d", "kernel_size=2 padding=1", back).t[0], pooled.t[0]);
    }
}

/* ---- the margins of layers ------------------------------------------------------------------- */

/* A kernel that hands on its first tap shows what stands before the line 1 2 3 4. */
static void test_padding_modes(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        float before;
    } modes[] = { { "zeros", 0 }, { "reflect", 2 }, { "replicate", 1 }, { "circular", 4 } };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) CN_SCOPE
        {
            cn_module *m;
            cn_tensor *weight;
            cn_ffi_arg args[] = {
                { "in_channels", { .kind = CN_KIND_INT, .u.i = 1 } },
                { "out_channels", { .kind = CN_KIND_INT, .u.i = 1 } },
                { "kernel_size", { .kind = CN_KIND_INT, .u.i = 3 } },
                { "padding", { .kind = CN_KIND_STR, .u.s = "same" } },
                { "bias", { .kind = CN_KIND_BOOL, .u.i = 0 } },
                { "padding_mode", { .kind = CN_KIND_STR, .u.s = modes[i].mode } },
            };
            assert_int_equal(cn_ffi_module_new("Conv1d", args, 6, &m), 0);
            assert_int_equal(cn_parameters(m, &weight, 1), 1);
            memcpy(cn_data_mut(weight), (const float[]){ 1, 0, 0 }, 3 * sizeof(float));
            cn_tensor *x = cn_from((const float[]){ 1, 2, 3, 4 }, CN_SHAPE(1, 1, 4), CN_F32);
            const float *y = cn_data(cn_forward(m, x));
            assert_true(y[0] == modes[i].before && y[1] == 1 && y[2] == 2 && y[3] == 3);
            cn_module_free(m);
        }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static const struct {
    const char *op, *sample, *word; /* the message says it */
} refused[] = {
    { "conv2d", "[1,2,4,4] [2,3,2,2]", "channels" },
    { "conv2d", "[1,2,4,4] [2,2,5,2]", "spans" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] [3]", "bias" },
    { "conv2d", "[4,4] [2,2,2,2]", "dimensions" },
    { "conv2d", "[1,2,4,4] f32[2,2,2,2]", "dtype" },
    { "conv2d", "bool[1,2,4,4] bool[2,2,2,2]", "bools" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] stride=0", "stride" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] padding=-1", "padding" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] dilation=0", "dilation" },
    { "conv2d", "[1,2,4,4] [3,1,2,2] groups=2", "groups" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] groups=0", "groups" },
    { "conv2d", "[1,2,4,4] [2,2,2,2] padding=same stride=2", "same" },
    { "conv2d", "[1,2,0,4] [2,2,1,1] padding=1", "range" },
    { "conv_transpose2d", "[1,2,4,4] [3,2,2,2]", "do not fit" },
    { "conv_transpose2d", "[1,2,4,4] [2,2,2,2] [3]", "bias" },
    { "conv_transpose2d", "[1,2,4,4] [2,2,2,2] stride=2 output_padding=2", "output_padding" },
    { "conv_transpose2d", "[1,2,4,4] [2,2,2,2] output_padding=-1", "output_padding" },
    { "conv_transpose2d", "[1,2,1,1] [2,2,2,2] padding=1", "size" },
    { "nn.grad.conv2d_input", "(1,2,5,5) [2,2,2,2] [1,2,5,5]", "grad_output" },
    { "max_pool2d", "[1,1,3,3] 4", "fit" },
    { "max_pool2d", "[1,1,3,3] 0", "kernel_size" },
    { "max_pool2d", "[1,1,3,3] 2 padding=2", "padding" },
    { "max_pool2d", "[1,1,1,4] 2 padding=(1,0) dilation=2", "fit" },
    { "max_pool2d", "[1,0,3,3] 2", "channels" },
    { "max_pool2d", "bool[1,1,3,3] 2", "bool" },
    { "avg_pool2d", "[1,1,0,3] 2 padding=1", "empty" },
    { "avg_pool2d", "[1,1,3,3] 2 divisor_override=0", "divisor" },
    { "avg_pool3d", "[1,1,1,3,3] 2 ceil_mode=True", "larger" },
    { "adaptive_avg_pool1d", "i64<9[1,1,3] 2", "int64" },
    { "adaptive_avg_pool1d", "[1,1,3] -1", "output_size" },
    { "nn.functional.adaptive_max_pool3d", "[3,3] 2", "dimensions" },
    { "nn.functional.max_unpool2d", "[1,1,1,1] i64<1[1,1,1,2] 2", "indices" },
    { "nn.functional.max_unpool2d", "[1,1,1,1] i32<1[1,1,1,1] 2", "indices" },
    { "nn.functional.max_unpool2d", "[1,1,1,1] i64<1[1,1,1,1] 2 output_size=(5,2)", "size" },
    { "nn.functional.unfold", "[1,1,2,2] 3", "fit" },
    { "nn.functional.fold", "[1,4,3] (2,2) 2", "columns" },
    { "nn.functional.fold", "[1,5,1] (2,2) 2", "rows" },
    { "pixel_shuffle", "[1,6,2,2] 2", "multiple" },
    { "pixel_unshuffle", "[1,1,3,2] 2", "multiples" },
    { "pixel_shuffle", "[1,4,2,2] 0", "factor" },
    { "channel_shuffle", "[1,4,2] 3", "groups" },
    { "nn.functional.local_response_norm", "[2,3] 2", "dimensions" },
    { "nn.functional.fractional_max_pool2d", "[1,1,4,4] 2", "output_ratio" },
    { "nn.functional.fractional_max_pool2d", "[1,1,4,4] 2 4", "fit" },
    { "nn.functional.fractional_max_pool2d", "[1,1,4,4] 2 2 _random_samples=[1,1,3]", "samples" },
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) CN_SCOPE
        {
            cn_sample s;
            cn_tensor *out[MAX_RESULTS];
            const cn_op *op = cn_op_find(refused[i].op);
            assert_non_null(op);
            bool ok = cn_sample_make(op, refused[i].sample, CN_F64, 1, &s);
            assert_true(ok);
            ok = cn_apply(op, s.bound.in, s.bound.n_in, s.bound.params, out, s.bound.n_out);
            if (ok || !strstr(cn_error(), refused[i].word))
                fail_msg("%s(%s): %s", op->name, refused[i].sample, ok ? "no error" : cn_error());
            cn_error_clear();
            cn_bound_clear(&s.bound);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transposes),      cmocka_unit_test(test_typed_transpose),
        cmocka_unit_test(test_unfold_and_fold), cmocka_unit_test(test_convolution_is_a_product),
        cmocka_unit_test(test_inverses),        cmocka_unit_test(test_padding_modes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
