/* test_fit.c - what makes training cheaper or easier to look at: accumulated gradients, recomputed
   segments, mixed precision, profiles, lines per step; and pictures of a network's inside. */
#include <cenote/cenote.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SAMPLES = 44, SIDE = 8 };

static cn_dataset *data;

static int make_data(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_rng rng = cn_rng_make(3, 1);
    cn_tensor *x = cn_empty(CN_SHAPE(SAMPLES, 1, SIDE, SIDE), CN_F32);
    cn_tensor *y = cn_empty(CN_SHAPE(SAMPLES), CN_I64);
    float *px = cn_data_mut(x);
    int64_t *py = cn_data_mut(y);
    for (int64_t i = 0; i < SAMPLES * SIDE * SIDE; i++) px[i] = (float)cn_rng_normal(&rng);
    for (int64_t i = 0; i < SAMPLES; i++) {
        py[i] = i % 4;
        px[i * SIDE * SIDE + py[i]] += 4; /* so that there is something to learn */
    }
    data = cn_dataset_from_tensors(x, y);
    cn_release(mark);
    return data ? 0 : -1;
}

static int free_data(void **state)
{
    (void)state;
    cn_dataset_free(data);
    return 0;
}

static cn_module *make_net(void)
{
    cn_manual_seed(5);
    cn_module *net = cn_sequential(cn_conv2d_layer(4, .kernel = 3, .padding = 1), cn_relu_layer(),
                                   cn_max_pool2d_layer(2), cn_flatten_layer(), cn_linear_layer(16),
                                   cn_tanh_layer(), cn_linear_layer(4));
    assert_true(cn_build(net, CN_SHAPE(1, 1, SIDE, SIDE)));
    return net;
}

static void check_clean(void)
{
    assert_string_equal(cn_error(), "");
}

/* ---- accumulation -------------------------------------------------------------------------- */

/* All parameters after three epochs. */
static int trained(int64_t batch, int64_t accumulate, int recompute, cn_dtype amp, double *out,
                   int room, cn_fit_progress *last)
{
    cn_module *net = make_net();
    cn_optim *optim = cn_sgd(net, .lr = 0.1, .momentum = 0.9);
    bool ok = cn_fit(last, net, data, .optim = optim, .batch = batch, .epochs = 3, .seed = 7,
                     .accumulate = accumulate, .recompute = recompute, .amp = amp);
    if (!ok) fail_msg("%s", cn_error());
    cn_tensor *p[16];
    int n = cn_parameters(net, p, 16), at = 0;
    for (int i = 0; i < n; i++) {
        int64_t size = cn_numel(p[i]);
        assert_true(at + size <= room && cn_read(p[i], CN_F64, out + at, size));
        at += (int)size;
    }
    cn_optim_free(optim);
    cn_module_free(net);
    return at;
}

/* 44 samples: the last step of an epoch has fewer batches, and the last batch fewer samples. */
static void accumulated_batches_are_one(void **state)
{
    enum { ROOM = 4096 };
    static double one[ROOM], many[ROOM];
    cn_fit_progress a, b;
    (void)state;
    int n = trained(24, 1, 0, CN_BOOL, one, ROOM, &a);
    assert_int_equal(trained(6, 4, 0, CN_BOOL, many, ROOM, &b), n);
    for (int i = 0; i < n; i++) assert_true(fabs(one[i] - many[i]) < 2e-5);
    assert_int_equal(a.steps, 2);
    assert_int_equal(b.steps, 2);
    assert_true(fabs(a.train_loss - b.train_loss) < 1e-5 && a.train_acc == b.train_acc);
    assert_true(a.data_wait >= 0 && a.data_wait < 1 && isfinite(a.loss));
}

/* ---- recomputation ------------------------------------------------------------------------- */

static void recomputed_gradients_are_the_same(void **state)
{
    enum { ROOM = 4096 };
    static double kept[ROOM], again[ROOM];
    cn_fit_progress p;
    (void)state;
    int n = trained(11, 1, 0, CN_BOOL, kept, ROOM, &p);
    for (int segments = 1; segments < 5; segments++) {
        assert_int_equal(trained(11, 1, segments, CN_BOOL, again, ROOM, &p), n);
        for (int i = 0; i < n; i++) assert_true(fabs(kept[i] - again[i]) < 1e-6);
    }
}

/* What stands in memory between forward and backward, of 32 layers that keep their results. */
static int64_t held(int segments)
{
    cn_module *layers[32];
    for (int i = 0; i < 32; i++) layers[i] = i % 2 ? cn_sigmoid_layer() : cn_linear_layer(64);
    cn_module *net = cn_sequential_n(layers, 32);
    size_t mark = cn_mark();
    cn_tensor *x = cn_ones(CN_SHAPE(256, 64), CN_F32);
    assert_true(cn_build(net, CN_SHAPE(1, 64)));
    int64_t before = (int64_t)cn_memory().live_bytes;
    cn_tensor *y = segments ? cn_checkpoint_sequential(net, segments, x) : cn_forward(net, x);
    int64_t during = (int64_t)cn_memory().live_bytes - before;
    assert_true(cn_backward(cn_sum(y)));
    cn_release(mark);
    cn_module_free(net);
    return during;
}

static void recomputation_saves_memory(void **state)
{
    (void)state;
    assert_true(held(4) * 2 < held(0));
}

static void recompute_needs_a_sequential(void **state)
{
    (void)state;
    cn_module *net = cn_linear_layer(4);
    cn_optim *optim = cn_build(net, CN_SHAPE(1, 1, SIDE, SIDE)) ? cn_sgd(net, .lr = 0.1) : NULL;
    cn_fit_progress p;
    assert_false(cn_fit(&p, net, data, .optim = optim, .batch = 4, .epochs = 1, .recompute = 2));
    assert_non_null(strstr(cn_error(), "checkpoint_sequential"));
    cn_error_clear();
    cn_optim_free(optim);
    cn_module_free(net);
}

/* ---- mixed precision ----------------------------------------------------------------------- */

static void learns_as_well_in_bf16(void **state)
{
    enum { ROOM = 4096 };
    static double wide[ROOM], mixed[ROOM];
    cn_fit_progress a, b;
    (void)state;
    int n = trained(11, 1, 0, CN_BOOL, wide, ROOM, &a);
    assert_int_equal(trained(11, 1, 0, CN_BF16, mixed, ROOM, &b), n);
    assert_true(fabs(a.train_loss - b.train_loss) < 0.02);
    assert_int_equal(trained(11, 1, 2, CN_BF16, wide, ROOM, &a), n); /* with recomputation */
    for (int i = 0; i < n; i++) assert_true(fabs(wide[i] - mixed[i]) < 1e-6);
}

static void types_inside_autocast(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *a = cn_ones(CN_SHAPE(3, 3), CN_F32), *d = cn_ones(CN_SHAPE(3, 3), CN_F64);
    CN_AUTOCAST(CN_BF16)
    {
        cn_tensor *p = cn_mm(a, a);
        assert_int_equal(cn_dtype_of(p), CN_BF16);
        assert_int_equal(cn_dtype_of(cn_relu(p)), CN_BF16);
        assert_int_equal(cn_dtype_of(cn_add(p, a)), CN_F32);
        assert_int_equal(cn_dtype_of(cn_softmax(p, -1)), CN_F32);
        assert_int_equal(cn_dtype_of(cn_sum(p)), CN_F32);
        assert_int_equal(cn_dtype_of(cn_mm(d, d)), CN_F64);
        CN_AUTOCAST(CN_NO_DTYPE) assert_int_equal(cn_dtype_of(cn_mm(a, a)), CN_F32);
        assert_int_equal(cn_dtype_of(cn_matmul(a, a)), CN_BF16);
    }
    assert_int_equal(cn_dtype_of(cn_mm(a, a)), CN_F32);
    assert_int_equal(cn_set_autocast(CN_I64), CN_NO_DTYPE);
    assert_int_equal(cn_error_code(), CN_EINVALID);
    cn_error_clear();
    cn_release(mark);
}

/* A parameter is converted once, and again after it changed; its gradient is float32. */
static void parameters_are_converted_once(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *w = cn_requires_grad(cn_ones(CN_SHAPE(2, 2), CN_F32), true), *y = NULL;
    cn_tensor *x = cn_to(cn_ones(CN_SHAPE(2, 2), CN_F32), CN_BF16);
    CN_AUTOCAST(CN_BF16)
    {
        y = cn_add(cn_mm(x, w), cn_mm(x, w));
        CN_NO_GRAD assert_true(cn_write(w, CN_F32, (float[]){ 2, 2, 2, 2 }, 4));
        assert_true(cn_item(cn_sum(cn_mm(x, w))) == 16);
    }
    assert_int_equal(cn_dtype_of(y), CN_BF16);
    cn_release(mark);
    check_clean();
}

/* ---- profiles ------------------------------------------------------------------------------ */

static const cn_profile_row *find(const cn_profile_row *rows, int n, const char *name,
                                  cn_profile_kind kind)
{
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0 && rows[i].kind == kind) return &rows[i];
    fail_msg("no row '%s'", name);
    return NULL;
}

static void profile_counts_calls(void **state)
{
    enum { ROOM = 64 };
    cn_profile_row rows[ROOM];
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *a = cn_requires_grad(cn_ones(CN_SHAPE(4, 5), CN_F32), true);
    cn_tensor *b = cn_ones(CN_SHAPE(5, 6), CN_F32);
    assert_true(cn_profile_start());
    assert_false(cn_profile_start());
    cn_error_clear();
    CN_PROFILE("a \"range\"") cn_backward(cn_sum(cn_mm(a, b)));
    assert_false(cn_profile_save("never.json"));
    cn_error_clear();
    assert_true(cn_profile_stop());
    cn_mm(a, b); /* not seen */
    int n = cn_profile_rows(rows, ROOM);
    assert_true(n > 4 && n <= ROOM);
    const cn_profile_row *mm = find(rows, n, "mm", CN_PROFILE_FORWARD);
    assert_int_equal(mm->calls, 1);
    assert_true(mm->flops == 2.0 * 4 * 5 * 6 && mm->bytes == 4.0 * (20 + 30 + 24));
    assert_int_equal(find(rows, n, "mm", CN_PROFILE_BACKWARD)->calls, 1);
    assert_int_equal(find(rows, n, "mm", CN_PROFILE_RULE)->calls, 1);
    assert_int_equal(find(rows, n, "a \"range\"", CN_PROFILE_RANGE)->calls, 1);
    for (int i = 1; i < n; i++) assert_true(rows[i].seconds <= rows[i - 1].seconds);
    assert_false(cn_profile_stop());
    cn_error_clear();
    cn_release(mark);
}

static void profile_is_written(void **state)
{
    char path[] = "/tmp/cenote-profile-XXXXXX", text[8192];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    size_t n = cn_profile_table(1e9, NULL, 0);
    assert_true(n > 0 && n < sizeof text && cn_profile_table(1e9, text, sizeof text) == n);
    assert_non_null(strstr(text, "% of peak"));
    assert_true(cn_profile_save(path));
    FILE *f = fopen(path, "r");
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    unlink(path);
    assert_non_null(strstr(text, "\"inputs\":\"f32(4, 5) f32(5, 6)\""));
    assert_non_null(strstr(text, "a \\\"range\\\""));
    assert_non_null(strstr(text, "thread_name"));
    assert_true(cn_profile_start() && cn_profile_stop());
    assert_int_equal(cn_profile_table(0, NULL, 0), 0);
}

/* ---- inside a network ---------------------------------------------------------------------- */

static void layers_as_numbers(void **state)
{
    cn_layer_info l[16];
    cn_layer_sums s;
    (void)state;
    cn_module *shared = cn_linear_layer(8, .in = 8);
    cn_module *block = cn_sequential(cn_module_keep(shared), cn_relu_layer());
    cn_module *net = cn_sequential(block, shared);
    cn_freeze(shared, true);
    assert_int_equal(cn_layers(net, CN_SHAPE(2, 8), l, 16, &s), 5);
    assert_string_equal(l[1].cls, "Sequential");
    assert_string_equal(l[2].name, "0");
    assert_int_equal(l[2].depth, 2);
    assert_int_equal(l[2].parameters, 72);
    assert_int_equal(l[2].trainable, 0);
    assert_true(l[4].repeated && l[4].ran && l[4].parameters == 0);
    assert_true(s.parameters == 72 && s.trainable == 0 && s.multiply_adds == 2 * 2 * 64);
    assert_true(s.input_bytes == 64 && s.parameter_bytes == 288);
    char text[4096];
    assert_true(cn_summary_to(net, CN_SHAPE(2, 8), 1, text, sizeof text) < sizeof text);
    assert_non_null(strstr(text, "(repeated)"));
    assert_null(strstr(text, "ReLU"));
    cn_module_free(net);
}

static void output_of_a_layer(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *net = make_net();
    cn_tensor *x = cn_ones(CN_SHAPE(1, 1, SIDE, SIDE), CN_F32), *y = NULL;
    CN_NO_GRAD y = cn_layer_output(net, "1", x);
    assert_true(y && cn_size(y, 1) == 4 && cn_size(y, 2) == SIDE);
    cn_figure *f = cn_figure_new(NULL);
    assert_true(cn_figure_tensor(f, y, 2));
    assert_false(cn_figure_tensor(f, cn_ones(CN_SHAPE(3), CN_F32), 0));
    cn_error_clear();
    cn_figure_free(f);
    assert_null(cn_layer_output(net, "17", x));
    assert_int_equal(cn_error_code(), CN_ENOTFOUND);
    cn_error_clear();
    cn_module_free(net);
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accumulated_batches_are_one),
        cmocka_unit_test(recomputed_gradients_are_the_same),
        cmocka_unit_test(recomputation_saves_memory),
        cmocka_unit_test(recompute_needs_a_sequential),
        cmocka_unit_test(learns_as_well_in_bf16),
        cmocka_unit_test(types_inside_autocast),
        cmocka_unit_test(parameters_are_converted_once),
        cmocka_unit_test(profile_counts_calls),
        cmocka_unit_test(profile_is_written),
        cmocka_unit_test(layers_as_numbers),
        cmocka_unit_test(output_of_a_layer),
    };
    return cmocka_run_group_tests_name("fit", tests, make_data, free_data);
}
