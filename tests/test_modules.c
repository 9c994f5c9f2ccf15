/* test_modules.c - every module class by its name: it can be made, run, and differentiated. */
#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/nn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {
#define MODULE(ident) #ident,
#define FUNCTIONAL(ident, arguments, op) #ident,
#include "nn/modules.def"
#undef MODULE
#undef FUNCTIONAL
};

/* Those that test_recurrent and test_attention try, and containers, are not for one tensor. */
static const char *const elsewhere[] = {
#define CASE(cls, constructor, inputs) cls,
#include "attention_cases.def"
#include "recurrent_cases.def"
#undef CASE
    "ModuleDict", "ModuleList",         "ParameterList",
    "Sequential", "TransformerDecoder", "TransformerEncoder",
};

static bool tried_elsewhere(const char *name)
{
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (strcmp(elsewhere[i], name) == 0) return true;
    return false;
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* The arguments that a class cannot do without, as its constructor takes them; the first entry whose
   text the name contains. */
static const struct {
    const char *part;
    int n;
    int64_t values[3];
} needed[] = {
    { "Fractional", 2, { 2, 2 } }, { "LazyConv", 2, { 2, 3 } }, { "Conv", 3, { 3, 2, 3 } },
    { "LazyLinear", 1, { 2 } },    { "Linear", 2, { 6, 2 } },   { "BatchNorm", 1, { 3 } },
    { "LPPool", 2, { 2, 2 } },     { "Pool", 1, { 2 } },        { "Unpool", 1, { 2 } },
    { "oftmax", 1, { 1 } },        { "ConstantPad", 2, { 1 } }, { "Pad", 1, { 1 } },
    { "Unfold", 1, { 2 } },        { "Fold", 2, { 3, 2 } },     { "ChannelShuffle", 1, { 2 } },
    { "Pixel", 1, { 2 } },         { "Response", 1, { 3 } },
};

static int arguments_for(const char *name, cn_ffi_arg args[3])
{
    size_t k = 0;
    while (k < sizeof needed / sizeof *needed && !strstr(name, needed[k].part)) k++;
    if (k == sizeof needed / sizeof *needed) return 0;
    for (int i = 0; i < needed[k].n; i++)
        args[i] = (cn_ffi_arg){ NULL, { .kind = CN_KIND_INT, .u.i = needed[k].values[i] } };
    return needed[k].n;
}

static cn_tensor *numbers(cn_shape shape)
{
    cn_tensor *t = cn_empty(shape, CN_F32);
    float *x = cn_data_mut(t);
    for (int64_t i = 0; i < cn_numel(t); i++) x[i] = 0.05f + 0.9f * (float)((7 * i + 3) % 11) / 11;
    return cn_requires_grad(t, true);
}

static cn_shape input_shape(const char *name)
{
    if (ends_in(name, "Unpool1d")) return CN_SHAPE(2, 3, 1);
    if (ends_in(name, "Unpool2d")) return CN_SHAPE(2, 3, 1, 1);
    if (ends_in(name, "Unpool3d")) return CN_SHAPE(2, 3, 1, 1, 1);
    if (ends_in(name, "1d")) return CN_SHAPE(2, 3, 6);
    if (ends_in(name, "3d")) return CN_SHAPE(2, 3, 4, 4, 4);
    if (ends_in(name, "Loss")) return CN_SHAPE(4, 3);
    if (strcmp(name, "Fold") == 0) return CN_SHAPE(2, 8, 4);
    if (ends_in(name, "Shuffle")) return CN_SHAPE(2, 4, 3, 3);
    return CN_SHAPE(2, 3, 6, 6);
}

static bool has_two_inputs(const char *name)
{
    return ends_in(name, "Loss") || strstr(name, "Unpool");
}

static cn_tensor *second_input(const char *name, cn_tensor *x)
{
    if (strcmp(name, "CrossEntropyLoss") == 0 || strcmp(name, "NLLLoss") == 0)
        return cn_from((const int64_t[]){ 0, 2, 1, 1 }, CN_SHAPE(4), CN_I64);
    if (strstr(name, "Unpool")) return cn_zeros(*cn_shape_of(x), CN_I64);
    return cn_detach(x);
}

static void run(const char *name)
{
    cn_ffi_arg args[3], inputs[2] = { 0 };
    cn_module *m;
    cn_ffi_value out[4];
    int count = 4, n = arguments_for(name, args);
    if (cn_ffi_module_new(name, args, n, &m)) fail_msg("%s: %s", name, cn_ffi_last_error());
    cn_tensor *x = numbers(input_shape(name));
    inputs[0].value = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = x };
    inputs[1].value = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = second_input(name, x) };
    if (cn_ffi_module_forward(m, inputs, has_two_inputs(name) ? 2 : 1, out, &count))
        fail_msg("%s: %s", name, cn_ffi_last_error());
    assert_int_equal(count, 1);
    if (out[0].u.t != x) {
        cn_tensor *ones = cn_ones(*cn_shape_of(out[0].u.t), CN_F32);
        if (cn_ffi_backward(&out[0].u.t, &ones, 1)) fail_msg("%s: %s", name, cn_ffi_last_error());
        assert_non_null(cn_grad(x));
    }
    cn_ffi_tensor_release(out[0].u.t);
    cn_ffi_module_release(m);
}

static void test_every_class(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (tried_elsewhere(names[i])) continue;
        CN_SCOPE run(names[i]);
        tried++;
    }
    assert_true(tried > 30);
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    cn_module *m;
    cn_ffi_arg negative[] = { { NULL, { .kind = CN_KIND_INT, .u.i = -4 } },
                              { NULL, { .kind = CN_KIND_INT, .u.i = 2 } } };
    assert_int_equal(cn_ffi_module_new("Nonsense", NULL, 0, &m), CN_ENOTFOUND);
    assert_int_equal(cn_ffi_module_new("Linear", negative, 2, &m), CN_EINVALID);
    assert_int_equal(cn_ffi_module_new("Linear", NULL, 0, &m), CN_EINVALID);
    assert_null(m);
    assert_non_null(strstr(cn_ffi_last_error(), "in_features"));
    cn_error_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_class),
                                        cmocka_unit_test(test_wrong_arguments) };
    return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
