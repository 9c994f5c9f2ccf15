/* test_networks.c - whole networks against PyTorch: output, loss, gradients, three steps of each
   optimiser;
   and the learning rates of schedules. tools/golden.py made the numbers, with the same drawn
   parameters. */
#include <cenote/cenote.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 17, STEPS = 3, EPOCHS = 12, HEAD = 255, KEY = 128 };

static cn_dict *golden;
static double tolerance = 3e-5;

/* ---- networks ------------------------------------------------------------------------------ */

static cn_module *make_linreg(void)
{
    return cn_sequential(cn_linear_layer(1));
}

static cn_module *make_softmax(void)
{
    return cn_sequential(cn_flatten_layer(), cn_linear_layer(10));
}

static cn_module *make_mlp(void)
{
    return cn_sequential(cn_flatten_layer(), cn_linear_layer(32), cn_relu_layer(),
                         cn_linear_layer(10));
}

static cn_module *make_lenet(void)
{
    return cn_sequential(cn_conv2d_layer(6, .kernel = 5, .padding = 2), cn_sigmoid_layer(),
                         cn_avg_pool2d_layer(2), cn_conv2d_layer(16, .kernel = 5),
                         cn_sigmoid_layer(), cn_avg_pool2d_layer(2), cn_flatten_layer(),
                         cn_linear_layer(120), cn_sigmoid_layer(), cn_linear_layer(84),
                         cn_sigmoid_layer(), cn_linear_layer(10));
}

static cn_module *make_conv_bn(void)
{
    return cn_sequential(cn_conv2d_layer(4, .kernel = 3, .padding = 1, .no_bias = true),
                         cn_batch_norm2d_layer(), cn_relu_layer(), cn_max_pool2d_layer(2),
                         cn_dropout_layer(0), cn_flatten_layer(), cn_linear_layer(10));
}

typedef struct {
    const char *name;
    cn_shape input;
    cn_module *(*make)(void);
} Network;

static const Network networks[] = {
    { "linreg", { 2, { BATCH, 2 } }, make_linreg },
    { "softmax", { 4, { BATCH, 1, 8, 8 } }, make_softmax },
    { "mlp", { 4, { BATCH, 1, 8, 8 } }, make_mlp },
    { "lenet", { 4, { BATCH, 1, 28, 28 } }, make_lenet },
    { "conv_bn", { 4, { BATCH, 1, 12, 12 } }, make_conv_bn },
};

static cn_optim *make_sgd(cn_module *net)
{
    return cn_sgd(net, .lr = 0.05, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true);
}

static cn_optim *make_adam(cn_module *net)
{
    return cn_adam(net, .lr = 0.01, .eps = 1e-4, .weight_decay = 1e-3);
}

static cn_optim *make_adamw(cn_module *net)
{
    return cn_adamw(net, .lr = 0.01, .eps = 1e-4, .weight_decay = 0.1);
}

static const struct {
    const char *name;
    cn_optim *(*make)(cn_module *net);
} optimisers[] = { { "sgd", make_sgd }, { "adam", make_adam }, { "adamw", make_adamw } };

/* ---- numbers that both sides draw ---------------------------------------------------------- */

static float drawn(uint64_t seed, uint64_t stream, int64_t i)
{
    uint32_t r[4];
    cn_philox(seed, stream, (uint64_t)i, r);
    return (float)(2 * (double)r[0] * 0x1p-32 - 1);
}

static bool draw_parameter(const cn_entry *e, void *context)
{
    int *stream = context;
    if (e->is_buffer) return true;
    const cn_shape *s = cn_shape_of(e->tensor);
    size_t n = strlen(e->name);
    bool is_scale = s->ndim == 1 && n > 6 && strcmp(e->name + n - 6, "weight") == 0;
    int64_t count = cn_numel(e->tensor);
    double gain = s->ndim > 1 ? (double)(float)pow((double)(count / s->dim[0]), -0.5) : 0.125;
    float *x = malloc((size_t)count * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)((double)drawn(7, (uint64_t)*stream, i) * gain + (is_scale ? 1 : 0));
    bool ok = false;
    CN_NO_GRAD ok = cn_write(e->tensor, CN_F32, x, count);
    free(x);
    ++*stream;
    return ok;
}

static cn_module *build(const Network *n)
{
    int stream = 0;
    cn_module *net = n->make();
    bool ok = cn_build(net, n->input) && cn_visit(net, draw_parameter, &stream);
    if (!ok) printf("%s: %s\n", n->name, cn_error());
    assert_true(ok);
    return net;
}

static bool is_regression(const Network *n)
{
    return strcmp(n->name, "linreg") == 0;
}

static cn_tensor *input_of(const Network *n)
{
    cn_tensor *t = cn_empty(n->input, CN_F32);
    float *x = cn_data_mut(t);
    for (int64_t i = 0; i < cn_numel(t); i++) x[i] = drawn(8, 0, i);
    return t;
}

static cn_tensor *target_of(const Network *n)
{
    if (is_regression(n)) {
        cn_tensor *t = cn_empty(CN_SHAPE(BATCH, 1), CN_F32);
        float *y = cn_data_mut(t);
        for (int i = 0; i < BATCH; i++) y[i] = drawn(8, 1, i);
        return t;
    }
    cn_tensor *t = cn_empty(CN_SHAPE(BATCH), CN_I64);
    int64_t *y = cn_data_mut(t);
    for (int i = 0; i < BATCH; i++) {
        uint32_t r[4];
        cn_philox(8, 1, (uint64_t)i, r);
        y[i] = r[0] % 10;
    }
    return t;
}

static cn_tensor *loss_of(const Network *n, cn_tensor *output)
{
    return is_regression(n) ? cn_mse_loss(output, target_of(n))
                            : cn_cross_entropy(output, target_of(n));
}

/* ---- comparing ----------------------------------------------------------------------------- */

/* Large tensors are stored as their first elements and a sum that depends on all of them. */
static int compare(const char *key, const cn_tensor *got)
{
    const cn_tensor *want = cn_dict_tensor(golden, key);
    int64_t n = cn_numel(got), stored = n > HEAD + 1 ? HEAD + 1 : n;
    if (!want || !got || cn_numel(want) != stored)
        return printf("%s: not stored, or of another size\n", key), 1;
    double *x = calloc((size_t)(n + stored), sizeof *x), *y = x + n;
    assert_non_null(x);
    assert_true(cn_read(got, CN_F64, x, n) && cn_read(want, CN_F64, y, stored));
    double sum = 0, size = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * sin(1.0 + (double)i), size += fabs(x[i]);
    if (stored < n) x[HEAD] = sum;
    int failures = 0;
    for (int64_t i = 0; i < stored && !failures; i++) {
        double scale = stored < n && i == HEAD ? size : fmax(fabs(y[i]), 0.1);
        if (fabs(x[i] - y[i]) <= tolerance * scale) continue;
        printf("%s: element %lld is %.9g, PyTorch says %.9g\n", key, (long long)i, x[i], y[i]);
        failures++;
    }
    free(x);
    return failures;
}

typedef struct {
    char prefix[KEY];
    bool gradients; /* of the parameters, rather than the state */
    int failures, compared;
} Comparison;

static bool compare_entry(const cn_entry *e, void *context)
{
    Comparison *c = context;
    char key[2 * KEY];
    if (c->gradients && e->is_buffer) return true;
    snprintf(key, sizeof key, "%s|%s", c->prefix, e->name);
    c->failures += compare(key, c->gradients ? cn_grad(e->tensor) : e->tensor);
    c->compared++;
    return true;
}

static int compare_state(cn_module *net, const char *network, const char *what)
{
    Comparison c = { .gradients = strcmp(what, "grad") == 0 };
    snprintf(c.prefix, sizeof c.prefix, "%s|%s", network, what);
    cn_visit(net, compare_entry, &c);
    assert_true(c.compared > 0);
    return c.failures;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Sums may be rounded to bfloat16, which has 8 bits, in another order: sometimes by one more. */
static void test_autocast(void **state)
{
    static const char *const names[] = { "mlp", "lenet" };
    (void)state;
    cn_dict *whole = golden;
    int failures = 0;
    golden = cn_load("tests/golden/autocast.safetensors");
    tolerance = 0x1p-7;
    assert_non_null(golden);
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        const Network *n = &networks[i];
        if (strcmp(n->name, names[0]) != 0 && strcmp(n->name, names[1]) != 0) continue;
        cn_module *net = build(n);
        size_t mark = cn_mark();
        cn_tensor *output = NULL, *loss = NULL;
        CN_AUTOCAST(CN_BF16) output = cn_forward(net, input_of(n)), loss = loss_of(n, output);
        assert_int_equal(cn_dtype_of(output), CN_BF16);
        assert_int_equal(cn_dtype_of(loss), CN_F32);
        assert_true(cn_backward(loss));
        char key[KEY];
        snprintf(key, sizeof key, "%s|output", n->name);
        failures += compare(key, output);
        snprintf(key, sizeof key, "%s|loss", n->name);
        failures += compare(key, loss) + compare_state(net, n->name, "grad");
        cn_release(mark);
        cn_module_free(net);
    }
    cn_dict_free(golden);
    golden = whole, tolerance = 3e-5;
    assert_int_equal(failures, 0);
}

static int check_forward_and_backward(const Network *n)
{
    char key[KEY];
    cn_module *net = build(n);
    size_t mark = cn_mark();
    cn_tensor *output = cn_forward(net, input_of(n)), *loss = loss_of(n, output);
    if (!cn_backward(loss)) fail_msg("%s: %s", n->name, cn_error());
    snprintf(key, sizeof key, "%s|output", n->name);
    int failures = compare(key, output);
    snprintf(key, sizeof key, "%s|loss", n->name);
    failures += compare(key, loss) + compare_state(net, n->name, "grad");
    cn_release(mark);
    cn_module_free(net);
    return failures;
}

static void test_gradients(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        failures += check_forward_and_backward(&networks[i]);
    assert_int_equal(failures, 0);
}

static int check_steps(const Network *n, size_t which)
{
    cn_module *net = build(n);
    cn_optim *optim = optimisers[which].make(net);
    for (int i = 0; i < STEPS; i++) {
        size_t mark = cn_mark();
        cn_optim_zero_grad(optim);
        cn_backward(loss_of(n, cn_forward(net, input_of(n))));
        if (!cn_step(optim)) fail_msg("%s: %s", n->name, cn_error());
        cn_release(mark);
    }
    int failures = compare_state(net, n->name, optimisers[which].name);
    cn_optim_free(optim);
    cn_module_free(net);
    return failures;
}

static void test_optimisers(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        for (size_t k = 0; k < sizeof optimisers / sizeof *optimisers; k++)
            failures += check_steps(&networks[i], k);
    assert_int_equal(failures, 0);
}

static int check_schedule(const char *name, cn_optim *o, cn_sched *s)
{
    char key[KEY];
    double want[EPOCHS];
    int failures = 0;
    snprintf(key, sizeof key, "lr|%s", name);
    assert_non_null(s);
    assert_true(cn_read(cn_dict_tensor(golden, key), CN_F64, want, EPOCHS));
    for (int i = 0; i < EPOCHS; i++) {
        if (fabs(cn_lr(o, 0) - want[i]) > 1e-12)
            failures++,
                printf("%s, epoch %d: %.15g, PyTorch says %.15g\n", name, i, cn_lr(o, 0), want[i]);
        assert_true(cn_sched_step(s));
    }
    cn_sched_free(s);
    cn_optim_free(o);
    return failures;
}

static cn_optim *any_optimiser(void)
{
    cn_optim *o = cn_optim_new("SGD", 0.4);
    cn_tensor *p = cn_requires_grad(cn_zeros(CN_SHAPE(1), CN_F32), true);
    assert_int_equal(cn_optim_add_group(o, &p, 1), 0);
    return o;
}

static void test_schedules(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    static const int64_t milestones[] = { 2, 5, 5, 9 };
    cn_optim *o = any_optimiser();
    int failures = check_schedule("StepLR", o, cn_step_lr(o, 3, 0.5));
    o = any_optimiser();
    failures += check_schedule("MultiStepLR", o, cn_multi_step_lr(o, milestones, 4, 0.3));
    o = any_optimiser();
    failures += check_schedule("CosineAnnealingLR", o, cn_cosine_lr(o, 8, 0.01));
    o = any_optimiser();
    failures += check_schedule("PolynomialLR", o, cn_polynomial_lr(o, 10, 2));
    o = any_optimiser();
    failures += check_schedule("ExponentialLR", o, cn_factor_lr(o, 0.9, 0));
    cn_release(mark);
    assert_int_equal(failures, 0);
}

static int read_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/networks.safetensors");
    if (!golden) printf("%s\n", cn_error());
    return golden ? 0 : -1;
}

static int free_golden(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gradients),
                                        cmocka_unit_test(test_autocast),
                                        cmocka_unit_test(test_optimisers),
                                        cmocka_unit_test(test_schedules) };
    return cmocka_run_group_tests_name("networks", tests, read_golden, free_golden);
}
