/* test_modules.c - every module class by its name: it can be made, run, and differentiated. */
#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/functional.h>
#include <cenote/nn.h>

#include <math.h>
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
    { "Fractional", 2, { 2, 2 } }, { "LazyConv", 2, { 2, 3 } },    { "Conv", 3, { 3, 2, 3 } },
    { "LazyLinear", 1, { 2 } },    { "Lazy", 0, { 0 } },           { "InstanceNorm", 1, { 3 } },
    { "EmbeddingLoss", 0, { 0 } }, { "Embedding", 2, { 3, 2 } },   { "Threshold", 2, { 3, 2 } },
    { "GroupNorm", 2, { 3, 3 } },  { "Bilinear", 3, { 6, 6, 2 } }, { "RMSNorm", 1, { 6 } },
    { "Softmax2d", 0, { 0 } },     { "Linear", 2, { 6, 2 } },      { "BatchNorm", 1, { 3 } },
    { "LPPool", 2, { 2, 2 } },     { "Pool", 1, { 2 } },           { "Unpool", 1, { 2 } },
    { "oftmax", 1, { 1 } },        { "ConstantPad", 2, { 1 } },    { "Pad", 1, { 1 } },
    { "Unfold", 1, { 2 } },        { "Fold", 2, { 3, 2 } },        { "ChannelShuffle", 1, { 2 } },
    { "Pixel", 1, { 2 } },         { "Response", 1, { 3 } },       { "LRN", 1, { 3 } },
    { "Unflatten", 2, { 1, 3 } },
};

static int arguments_for(const char *name, cn_ffi_arg args[3])
{
    if (strncmp(name, "Upsampl", 7) == 0)
        return args[0] = (cn_ffi_arg){ "scale_factor", { .kind = CN_KIND_FLOAT, .u.f = 2 } }, 1;
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
    if (strcmp(name, "CTCLoss") == 0) return CN_SHAPE(5, 4, 3);
    if (ends_in(name, "Loss")) return CN_SHAPE(4, 3);
    if (strcmp(name, "Fold") == 0) return CN_SHAPE(2, 8, 4);
    if (ends_in(name, "Shuffle")) return CN_SHAPE(2, 4, 3, 3);
    return CN_SHAPE(2, 3, 6, 6);
}

static cn_tensor *integers(cn_shape shape, int64_t first, int64_t step)
{
    cn_tensor *t = cn_empty(shape, CN_I64);
    for (int64_t i = 0; i < cn_numel(t); i++) ((int64_t *)cn_data_mut(t))[i] = first + i % 2 * step;
    return t;
}

/* Everything after the first input. */
static int other_inputs(const char *name, cn_tensor *x, cn_tensor *in[4])
{
    static const char *const three[] = { "TripletMarginLoss", "TripletMarginWithDistanceLoss",
                                         "GaussianNLLLoss", "MarginRankingLoss" };
    if (strcmp(name, "CTCLoss") == 0)
        return in[1] = integers(CN_SHAPE(4, 2), 1, 1), in[2] = integers(CN_SHAPE(4), 5, -1),
               in[3] = integers(CN_SHAPE(4), 2, -1), 4;
    if (strcmp(name, "CrossEntropyLoss") == 0 || strcmp(name, "NLLLoss") == 0 ||
        strcmp(name, "MultiMarginLoss") == 0)
        return in[1] = integers(CN_SHAPE(4), 0, 2), 2;
    if (strcmp(name, "MultiLabelMarginLoss") == 0) return in[1] = integers(CN_SHAPE(4, 3), 0, 2), 2;
    if (strstr(name, "Unpool")) return in[1] = cn_zeros(*cn_shape_of(x), CN_I64), 2;
    in[1] = cn_mul(cn_detach(x), cn_num(0.9));
    if (strcmp(name, "CosineEmbeddingLoss") == 0) return in[2] = integers(CN_SHAPE(4), -1, 2), 3;
    in[2] = cn_mul(cn_detach(x), cn_num(0.5));
    for (size_t i = 0; i < sizeof three / sizeof *three; i++)
        if (strcmp(name, three[i]) == 0) return 3;
    bool pair = ends_in(name, "Loss") || strcmp(name, "CosineSimilarity") == 0 ||
                strcmp(name, "PairwiseDistance") == 0 || strcmp(name, "Bilinear") == 0;
    return pair ? 2 : 1;
}

/* Whose gradient to look for: indices have none, so the table's is. */
static cn_tensor *first_input(const char *name)
{
    bool looks_up = strncmp(name, "Embedding", 9) == 0;
    return looks_up ? integers(CN_SHAPE(2, 3), 0, 1) : numbers(input_shape(name));
}

static void run(const char *name)
{
    cn_ffi_arg args[3], inputs[4] = { 0 };
    cn_module *m;
    cn_ffi_value out[4];
    int count = 4, n = arguments_for(name, args);
    if (cn_ffi_module_new(name, args, n, &m)) fail_msg("%s: %s", name, cn_ffi_last_error());
    cn_tensor *in[4] = { first_input(name) }, *x = in[0];
    int n_in = other_inputs(name, x, in);
    for (int i = 0; i < n_in; i++)
        inputs[i].value = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = in[i] };
    if (cn_ffi_module_forward(m, inputs, n_in, out, &count))
        fail_msg("%s: %s", name, cn_ffi_last_error());
    assert_int_equal(count, 1);
    if (out[0].u.t != x) {
        cn_tensor *ones = cn_ones(*cn_shape_of(out[0].u.t), CN_F32);
        if (cn_ffi_backward(&out[0].u.t, &ones, 1)) fail_msg("%s: %s", name, cn_ffi_last_error());
        cn_tensor *weight = NULL;
        cn_parameters(m, &weight, 1);
        assert_non_null(cn_grad(cn_dtype_is_float(cn_dtype_of(x)) ? x : weight));
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

/* The weights of a loss are buffers of its state, and count. */
static void test_weights_of_losses(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *w = cn_from((const float[]){ 1, 2, 4 }, CN_SHAPE(3), CN_F32);
        cn_ffi_arg weight = { "weight", { .kind = CN_KIND_TENSOR, .u.t = w } };
        cn_module *m;
        cn_ffi_value key;
        cn_dict *dict;
        assert_int_equal(cn_ffi_module_new("CrossEntropyLoss", &weight, 1, &m), 0);
        assert_int_equal(cn_ffi_module_state(m, &dict), 0);
        assert_int_equal(cn_ffi_dict_count(dict), 1);
        assert_string_equal(cn_ffi_dict_key(dict, 0), "weight");
        assert_int_equal(cn_ffi_dict_get(dict, 0, &key), 0);
        assert_true(cn_at(key.u.t, CN_SHAPE(2)) == 4);
        cn_tensor *in[] = { cn_zeros(CN_SHAPE(4, 3), CN_F32), integers(CN_SHAPE(4), 0, 2) }, *loss;
        float *x = cn_data_mut(in[0]);
        x[0] = 1, x[3] = 3;
        int n = 1;
        assert_true(cn_forward_all(m, in, 2, &loss, &n));
        double expected = cn_item(cn_cross_entropy(in[0], in[1], .weight = w));
        assert_true(cn_item(loss) == expected &&
                    expected != cn_item(cn_cross_entropy(in[0], in[1])));
        cn_ffi_tensor_release(key.u.t);
        cn_ffi_dict_release(dict);
        cn_ffi_module_release(m);
    }
}

/* What the state gives are the parameters: they have the gradients, and an optimiser takes them. */
static void test_training_by_name(void **state)
{
    (void)state;
    cn_ffi_arg sizes[] = { { NULL, { .kind = CN_KIND_INT, .u.i = 2 } },
                           { NULL, { .kind = CN_KIND_INT, .u.i = 1 } } };
    cn_ffi_arg lr = { "lr", { .kind = CN_KIND_FLOAT, .u.f = 0.5 } };
    cn_module *m;
    cn_dict *dict;
    cn_optim *o;
    cn_ffi_value weight, y;
    int group = 0, n = 1;
    assert_int_equal(cn_ffi_module_new("Linear", sizes, 2, &m), 0);
    assert_int_equal(cn_ffi_module_state(m, &dict), 0);
    assert_int_equal(cn_ffi_dict_get(dict, 0, &weight), 0);
    assert_int_equal(cn_ffi_optim_new("SGD", &weight.u.t, &group, 1, NULL, NULL, 1, &lr, 1, &o), 0);
    CN_SCOPE
    {
        cn_tensor *x = cn_ones(CN_SHAPE(1, 2), CN_F32), *grad;
        cn_ffi_arg in = { NULL, { .kind = CN_KIND_TENSOR, .u.t = x } };
        double before = cn_at(weight.u.t, CN_SHAPE(0, 0));
        assert_int_equal(cn_ffi_module_forward(m, &in, 1, &y, &n), 0);
        cn_tensor *cotangent = cn_ones(CN_SHAPE(1, 1), CN_F32);
        assert_int_equal(cn_ffi_backward(&y.u.t, &cotangent, 1), 0);
        assert_int_equal(cn_ffi_tensor_grad(weight.u.t, &grad), 0);
        assert_non_null(grad);
        assert_int_equal(cn_ffi_optim_step(o), 0);
        assert_true(fabs(cn_at(weight.u.t, CN_SHAPE(0, 0)) - (before - 0.5)) < 1e-6);
        cn_ffi_tensor_release(grad);
    }
    cn_ffi_tensor_release(y.u.t);
    cn_ffi_tensor_release(weight.u.t);
    cn_ffi_optim_release(o);
    cn_ffi_dict_release(dict);
    cn_ffi_module_release(m);
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
                                        cmocka_unit_test(test_weights_of_losses),
                                        cmocka_unit_test(test_training_by_name),
                                        cmocka_unit_test(test_wrong_arguments) };
    return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
