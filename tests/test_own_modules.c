/* test_own_modules.c - containers, copies, modules among arguments, and classes of one's own. */
#include "core/memory.h"
#include "ops/sample.h"

#include <cenote/cenote.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_same(cn_tensor *a, cn_tensor *b)
{
    if (!a || !b) fail_msg("%s", cn_error());
    assert_true(cn_item(cn_amax(cn_abs(cn_sub(a, b)))) == 0);
}

static bool append_name(const cn_entry *e, void *context)
{
    size_t n = strlen(context);
    snprintf((char *)context + n, 512 - n, "%s ", e->name);
    return true;
}

static void assert_names(cn_module *m, const char *want)
{
    char names[512] = "";
    assert_true(cn_visit(m, append_name, names));
    assert_string_equal(names, want);
}

static void refuse(const void *result, const char *word)
{
    assert_null(result);
    if (!strstr(cn_error(), word)) fail_msg("\"%s\" does not say %s", cn_error(), word);
    cn_error_clear();
}

/* ---- a class: weighted sum of two inputs, with all that a class can have -------------------- */

typedef struct {
    double scale;
    int *counter; /* owned */
} Mix;

static int released;

static bool mix_build(cn_module *m, const cn_shape *input)
{
    if (!input) return true;
    return cn_module_parameter(m, "weight", &CN_SHAPE(input->dim[input->ndim - 1])) &&
           cn_module_buffer(m, "runs", &(cn_shape){ 0 }, CN_I64, 0) &&
           cn_module_add(m, "inner", cn_linear_layer(2));
}

static bool mix_forward(cn_module *m, cn_io *io)
{
    Mix *o = cn_module_options(m);
    ++*o->counter;
    cn_tensor *a = cn_mul(io->in[0], cn_module_slot(m, "weight"));
    cn_tensor *b = io->in[1] ? cn_mul(io->in[1], cn_num(o->scale)) : a;
    io->n_out = 2;
    io->out[0] = cn_add(a, b);
    io->out[1] = cn_forward(cn_module_child(m, 0), io->in[0]);
    return io->out[0] && io->out[1];
}

static void mix_release(cn_module *m)
{
    free(((Mix *)cn_module_options(m))->counter);
    released++;
}

static const cn_module_class mix = {
    .size = sizeof(cn_module_class),
    .name = "Mix",
    .inputs = "(Tensor input, Tensor? other=None)",
    .options_size = sizeof(Mix),
    .build = mix_build,
    .forward = mix_forward,
    .release = mix_release,
};

static void test_own_class(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    int *counter = calloc(1, sizeof *counter);
    cn_module *m = cn_module_of(&mix, &(Mix){ 3, counter });
    cn_tensor *in[] = { cn_ones(CN_SHAPE(1, 2), CN_F32), cn_full(CN_SHAPE(1, 2), 2, CN_F32) };
    cn_tensor *out[2];
    int n = 2;
    assert_true(cn_forward_all(m, in, 2, out, &n));
    assert_int_equal(n, 2);
    assert_names(m, "weight runs inner.weight inner.bias ");
    assert_same(out[0], cn_full(CN_SHAPE(1, 2), 6, CN_F32));
    assert_true(cn_backward(cn_sum(out[0])));
    assert_same(cn_grad(cn_module_slot(m, "weight")), cn_ones(CN_SHAPE(2), CN_F32));
    assert_same(cn_forward(m, in[0]), cn_zeros(CN_SHAPE(1, 2), CN_F32));
    assert_int_equal(*counter, 2);
    refuse(cn_module_clone(m), "Mix");
    assert_false(cn_module_add(m, "weight", cn_relu_layer()));
    refuse(NULL, "already");
    assert_false(cn_module_add(m, "a.b", cn_relu_layer()));
    refuse(NULL, "dots");
    cn_module_free(m);
    assert_int_equal(released, 1);
    const cn_module_class newer = { .size = 4 * sizeof(cn_module_class), .name = "Newer" };
    refuse(cn_module_of(&newer, NULL), "newer");
    cn_release(mark);
}

static void test_by_name_arguments(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_module_of(&mix, &(Mix){ 3, calloc(1, sizeof(int)) });
    cn_tensor *x = cn_ones(CN_SHAPE(1, 2), CN_F32);
    cn_ffi_arg args[] = { { "other", { .kind = CN_KIND_TENSOR, .u.t = x } },
                          { "input", { .kind = CN_KIND_TENSOR, .u.t = x } } };
    cn_ffi_value out[2];
    int n = 2;
    assert_int_equal(cn_ffi_module_forward(m, args, 2, out, &n), 0);
    assert_int_equal(n, 2);
    assert_same(out[0].u.t, cn_full(CN_SHAPE(1, 2), 3, CN_F32));
    for (int i = 0; i < n; i++) cn_ffi_tensor_release(out[i].u.t);
    n = 1;
    assert_int_equal(cn_ffi_module_forward(m, args, 2, out, &n), CN_EINVALID);
    assert_int_equal(cn_ffi_module_forward(m, args, 1, out, &n), CN_EINVALID);
    assert_non_null(strstr(cn_ffi_last_error(), "input"));
    cn_error_clear();
    cn_module_free(m);
    cn_release(mark);
}

/* Classes that an op makes take its names, and give all it gives. */
static void test_op_classes_by_name(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    const int64_t classes[] = { 0, 2 };
    cn_tensor *x = cn_randn(CN_SHAPE(2, 3), CN_F32), *y = cn_from(classes, CN_SHAPE(2), CN_I64);
    cn_ffi_arg inputs[] = { { "target", { .kind = CN_KIND_TENSOR, .u.t = y } },
                            { "input", { .kind = CN_KIND_TENSOR, .u.t = x } } };
    cn_ffi_arg pool[] = { { "kernel_size", { .kind = CN_KIND_INT, .u.i = 2 } },
                          { "return_indices", { .kind = CN_KIND_BOOL, .u.i = 1 } } };
    cn_ffi_value out[2];
    cn_module *loss, *max;
    int n = 2;
    assert_int_equal(cn_ffi_module_new("CrossEntropyLoss", NULL, 0, &loss), 0);
    assert_int_equal(cn_ffi_module_forward(loss, inputs, 2, out, &n), 0);
    assert_int_equal(n, 1);
    assert_same(out[0].u.t, cn_cross_entropy(x, y));
    cn_ffi_tensor_release(out[0].u.t);
    assert_int_equal(cn_ffi_module_new("MaxPool2d", pool, 2, &max), 0);
    inputs[1].value.u.t = cn_ones(CN_SHAPE(1, 1, 4, 4), CN_F32), n = 2;
    assert_int_equal(cn_ffi_module_forward(max, inputs + 1, 1, out, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(cn_dtype_of(out[1].u.t), CN_I64);
    for (int i = 0; i < n; i++) cn_ffi_tensor_release(out[i].u.t);
    cn_module_free(loss);
    cn_module_free(max);
    cn_release(mark);
}

/* ---- containers ------------------------------------------------------------------------------ */

static void test_containers(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *parts[] = { cn_linear_layer(2, .in = 3),
                           cn_linear_layer(1, .in = 2, .no_bias = true) };
    cn_module *list = cn_module_list(parts, 2), *dict = cn_module_dict();
    cn_tensor *tensors[] = { cn_zeros(CN_SHAPE(2), CN_F32), cn_zeros(CN_SHAPE(1), CN_F32) };
    assert_names(list, "0.weight 0.bias 1.weight ");
    assert_true(cn_module_add(dict, "list", list));
    assert_true(cn_module_add(dict, "loose", cn_parameter_list(tensors, 2)));
    assert_names(dict, "list.0.weight list.0.bias list.1.weight loose.0 loose.1 ");
    assert_true(cn_needs_grad(tensors[0]));
    assert_int_equal(cn_parameter_count(dict), 3 * 2 + 2 + 2 + 3);
    refuse(cn_forward(dict, tensors[0]), "ModuleDict");
    cn_module_free(dict);
    cn_release(mark);
}

static void test_clone(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *x = cn_randn(CN_SHAPE(2, 3), CN_F32);
    cn_module *m = cn_sequential(cn_linear_layer(4), cn_layer("GELU"), cn_linear_layer(2));
    assert_true(cn_build(m, CN_SHAPE(1, 3)));
    cn_module *copy = cn_module_clone(m);
    assert_same(cn_forward(copy, x), cn_forward(m, x));
    cn_tensor *w = cn_module_slot(cn_module_at(copy, "0"), "weight");
    assert_true(cn_needs_grad(w) && cn_is_leaf(w));
    CN_NO_GRAD cn_mul_(w, cn_num(0));
    assert_true(cn_item(cn_sum(cn_square(cn_module_slot(cn_module_at(m, "0"), "weight")))) > 0);
    cn_module_free(m);
    cn_module_free(copy);
    cn_release(mark);
}

/* ---- modules among constructor arguments --------------------------------------------------- */

static cn_ffi_value module_value(cn_module *m)
{
    return (cn_ffi_value){ .kind = CN_KIND_MODULE, .u.m = m };
}

static void test_sequential_by_name(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *a = cn_linear_layer(4, .in = 3), *b = cn_linear_layer(2, .in = 4), *m, *n;
    cn_ffi_value list[] = { module_value(a), module_value(b) };
    cn_ffi_arg each[] = { { NULL, list[0] }, { NULL, list[1] } };
    cn_ffi_arg whole = { NULL, { .kind = CN_KIND_LIST, .n = 2, .u.list = list } };
    assert_int_equal(cn_ffi_module_new("Sequential", each, 2, &m), 0);
    assert_int_equal(cn_ffi_module_new("Sequential", &whole, 1, &n), 0);
    cn_tensor *x = cn_randn(CN_SHAPE(2, 3), CN_F32);
    assert_same(cn_forward(m, x), cn_forward(b, cn_forward(a, x)));
    assert_same(cn_forward(m, x), cn_forward(n, x));
    cn_ffi_module_release(a);
    cn_ffi_module_release(b);
    cn_ffi_module_release(n);
    assert_names(m, "0.weight 0.bias 1.weight 1.bias ");
    cn_ffi_module_release(m);
    each[1].value.kind = CN_KIND_INT;
    assert_int_equal(cn_ffi_module_new("Sequential", each, 2, &m), CN_EINVALID);
    cn_error_clear();
    cn_release(mark);
}

static void test_encoder_by_name(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *layer = cn_transformer_encoder_layer(4, 2, .feedforward = 6), *m, *norm;
    norm = cn_layer_norm_layer(CN_SHAPE(4));
    cn_ffi_arg args[] = { { "encoder_layer", module_value(layer) },
                          { "num_layers", { .kind = CN_KIND_INT, .u.i = 2 } },
                          { "norm", module_value(norm) } };
    assert_int_equal(cn_ffi_module_new("TransformerEncoder", args, 3, &m), 0);
    cn_tensor *x = cn_randn(CN_SHAPE(3, 2, 4), CN_F32);
    assert_same(cn_forward(m, x), cn_forward(norm, cn_forward(layer, cn_forward(layer, x))));
    assert_non_null(cn_module_slot(cn_module_at(m, "layers.1.self_attn"), "in_proj_weight"));
    cn_ffi_module_release(m);
    args[0].value = module_value(norm);
    assert_int_equal(cn_ffi_module_new("TransformerEncoder", args, 3, &m), CN_EINVALID);
    assert_non_null(strstr(cn_ffi_last_error(), "LayerNorm"));
    cn_error_clear();
    cn_module_free(layer);
    cn_module_free(norm);
    cn_release(mark);
}

/* ---- out of memory: an error at whatever allocation, and nothing is lost -------------------- */

static bool train_once(const char *cls, const char *constructor, const char *inputs)
{
    cn_sample options, given;
    cn_ffi_value out[8];
    int n = 8;
    cn_module *m;
    bool ok = cn_sample_args(cls, constructor, CN_F32, 1, &options) &&
              cn_sample_args(cls, inputs, CN_F32, 2, &given) &&
              cn_ffi_module_new(cls, options.args, options.n_args, &m) == 0;
    if (!ok) return false;
    ok = cn_ffi_module_forward(m, given.args, given.n_args, out, &n) == 0;
    if (!ok) n = 0;
    ok = ok && cn_backward(cn_sum(out[0].u.t));
    for (int i = 0; i < n; i++)
        if (out[i].kind == CN_KIND_TENSOR) cn_drop(out[i].u.t);
    cn_module_free(m);
    return ok;
}

static void fail_at_each_allocation(const char *cls, const char *constructor, const char *inputs)
{
    int64_t before = cn_live_tensors();
    for (int n = 0;; n++) {
        size_t mark = cn_mark();
        cn_alloc_fail_after(n);
        bool ok = train_once(cls, constructor, inputs);
        cn_alloc_fail_after(-1);
        if (!ok) assert_int_equal(cn_error_code(), CN_ENOMEM);
        cn_error_clear();
        cn_release(mark);
        assert_int_equal(cn_live_tensors(), before);
        if (!ok) continue;
        assert_true(n > 20);
        return;
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    fail_at_each_allocation("GRU", "2 3", "[3,2,2]");
    fail_at_each_allocation("LSTM", "2 3 bidirectional=True proj_size=2", "{[4,2] i64(2,1,1)}");
    fail_at_each_allocation("MultiheadAttention", "4 2 add_bias_kv=True",
                            "[2,1,4] [3,1,4] [3,1,4] attn_mask=bool[2,3]");
    fail_at_each_allocation("Transformer", "4 2 1 1 4 0.0", "[2,1,4] [2,1,4]");
}

/* ---- errors say where ------------------------------------------------------------------------ */

/* A class of one's own with children that its forward() runs, and an op that may fail itself. */
static bool net_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return cn_module_add(m, "features",
                         cn_sequential(cn_flatten_layer(), cn_relu_layer(), cn_linear_layer(4))) &&
           cn_module_add(m, "head", cn_linear_layer(2));
}

static bool net_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = cn_forward(cn_module_child(m, 0), io->in[0]);
    x = cn_log(cn_add(x, cn_num(0)));
    io->out[0] = cn_forward(cn_module_child(m, 1), x);
    return io->out[0] != NULL;
}

static const cn_module_class net = {
    .size = sizeof(cn_module_class), .name = "Net", .build = net_build, .forward = net_forward
};

static void assert_says(const char *start, const char *words)
{
    if (strncmp(cn_error(), start, strlen(start)) != 0 || !strstr(cn_error(), words))
        fail_msg("'%s' instead of '%s.. %s'", cn_error(), start, words);
    cn_error_clear();
}

static void test_errors_name_the_path(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_sequential(cn_flatten_layer(), cn_module_of(&net, NULL));
    assert_non_null(cn_forward(m, cn_ones(CN_SHAPE(2, 3), CN_F32)));
    assert_null(cn_forward(m, cn_ones(CN_SHAPE(2, 5), CN_F32)));
    assert_says("1.features.2 (LazyLinear): ", "linear");
    assert_null(cn_forward(cn_module_child(m, 1), cn_ones(CN_SHAPE(2, 5), CN_F32)));
    assert_says("features.2 (LazyLinear): ", "linear");
    assert_null(cn_forward(m, cn_full(CN_SHAPE(2, 3), 1, CN_I64)));
    assert_says("1.features.2 (LazyLinear): ", "int64");
    cn_module_free(m);
    cn_release(mark);
}

/* What fails because something failed before says nothing, and is not taken for the place. */
static void test_the_first_error_stays(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_sequential(cn_linear_layer(3), cn_relu_layer());
    cn_tensor *x = cn_matmul(cn_ones(CN_SHAPE(2, 3), CN_F32), cn_ones(CN_SHAPE(4, 5), CN_F32));
    cn_tensor *y = cn_forward(m, cn_reshape(x, CN_SHAPE(-1)));
    assert_null(cn_add(y, cn_num(1)));
    assert_null(cn_add_(y, x));
    assert_false(cn_backward(cn_sum(y)));
    assert_true(cn_item(y) != cn_item(y));
    assert_says("matmul: ", "(2, 3)");
    cn_tensor *in[] = { cn_ones(CN_SHAPE(2, 3), CN_F32), NULL };
    int n = 1;
    assert_false(cn_forward_all(m, in, 2, &y, &n));
    assert_says("Sequential: ", "input 1 is NULL");
    assert_null(cn_forward(m, NULL));
    assert_says("Sequential: ", "input 0 is NULL");
    assert_null(cn_forward(NULL, in[0]));
    assert_says("forward: ", "module is NULL");
    assert_null(cn_add_(in[0], NULL));
    assert_says("add: ", "argument 1 is missing");
    assert_false(cn_backward(NULL));
    assert_says("backward: ", "NULL");
    assert_true(cn_item(NULL) != cn_item(NULL));
    assert_says("item: ", "NULL");
    cn_module_free(m);
    cn_release(mark);
}

/* Anomaly mode: which call, and the path of the module, forward and backward. */
static void test_nan_is_traced_to_a_module(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_sequential(cn_flatten_layer(), cn_module_of(&net, NULL));
    assert_non_null(cn_forward(m, cn_ones(CN_SHAPE(2, 3), CN_F32)));
    cn_tensor *weight = cn_module_slot(cn_module_at(m, "1.features.2"), "weight"),
              *bias = cn_module_slot(cn_module_at(m, "1.features.2"), "bias");
    CN_NO_GRAD cn_copy_(weight, cn_num(0)), cn_copy_(bias, cn_num(-1));
    cn_detect_anomaly(true);
    assert_null(cn_forward(m, cn_ones(CN_SHAPE(2, 3), CN_F32)));
    assert_says("1 (Net): log, called in 1 (Net): ", "NaN");
    CN_NO_GRAD cn_copy_(bias, cn_num(-(double)INFINITY)), cn_copy_(weight, cn_num(1));
    assert_null(cn_forward(m, cn_full(CN_SHAPE(2, 3), (double)INFINITY, CN_F32)));
    assert_says(
        "1.features.2 (LazyLinear): nn.functional.linear, called in 1 (Net) > features (Sequential) > 2 (LazyLinear)",
        "NaN");
    cn_detect_anomaly(false);
    cn_module_free(m);
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_class),
        cmocka_unit_test(test_by_name_arguments),
        cmocka_unit_test(test_op_classes_by_name),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_sequential_by_name),
        cmocka_unit_test(test_encoder_by_name),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_errors_name_the_path),
        cmocka_unit_test(test_the_first_error_stays),
        cmocka_unit_test(test_nan_is_traced_to_a_module),
    };
    return cmocka_run_group_tests_name("own_modules", tests, NULL, NULL);
}
