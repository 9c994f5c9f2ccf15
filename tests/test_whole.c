/* test_whole.c - networks in files with their structure: what comes back, and what is refused. */
#include "core/memory.h"
#include "io_samples.h"

#include <cenote/cenote.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static cn_module *network(void)
{
    cn_module *twice = cn_linear_layer(6, .in = 6);
    cn_module *block = cn_sequential(cn_linear_layer(6), cn_layer("GELU"), twice);
    return cn_sequential(cn_conv2d_layer(2, .kernel_hw = { 3, 1 }, .stride = 2),
                         cn_batch_norm2d_layer(), cn_max_pool2d_layer(2), cn_flatten_layer(), block,
                         cn_module_keep(twice), cn_layer_norm_layer(CN_SHAPE(6), .eps = 1e-3),
                         cn_dropout_layer(0.25), cn_linear_layer(3, .no_bias = true));
}

/* Saves, loads and compares the outputs in evaluation mode. */
static cn_module *through_file(cn_module *m, cn_tensor *x)
{
    const char *path = cn_test_path("net.pt");
    cn_forward(m, x);
    cn_train_mode(m, false);
    cn_tensor *y = cn_forward(m, x);
    if (!cn_module_save(path, m)) fail_msg("%s", cn_error());
    cn_module *back = cn_module_load(path);
    if (!back) fail_msg("%s", cn_error());
    cn_train_mode(back, false);
    cn_test_same_tensor(cn_forward(back, x), y);
    assert_int_equal(unlink(path), 0);
    return back;
}

static void a_network_comes_back(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = network(), *back = through_file(m, cn_randn(CN_SHAPE(2, 1, 12, 12), CN_F32));
    assert_int_equal(cn_parameter_count(back), cn_parameter_count(m));
    assert_ptr_equal(cn_module_at(back, "4.2"), cn_module_at(back, "5"));
    cn_tensor *weight = cn_module_slot(cn_module_at(back, "0"), "weight");
    assert_true(cn_needs_grad(weight) && cn_is_leaf(weight));
    assert_false(cn_needs_grad(cn_module_slot(cn_module_at(back, "1"), "running_mean")));
    cn_module_free(back);
    cn_module_free(m);
    cn_release(mark);
}

static void classes_that_make_their_children_come_back(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_transformer_encoder_layer(8, 2, .feedforward = 16, .batch_first = true);
    cn_module *back = through_file(m, cn_randn(CN_SHAPE(2, 5, 8), CN_F32));
    cn_module_free(back);
    cn_module_free(m);
    cn_release(mark);
}

static bool identity_forward(cn_module *m, cn_io *io)
{
    (void)m;
    io->out[0] = io->in[0];
    return true;
}

static const cn_module_class own_class = { .size = sizeof(cn_module_class),
                                           .name = "Own",
                                           .forward = identity_forward };

static void what_cannot_be_saved_is_refused(void **state)
{
    (void)state;
    const char *path = cn_test_path("net.pt");
    cn_module *own = cn_sequential(cn_relu_layer(), cn_module_of(&own_class, NULL));
    assert_false(cn_module_save(path, own));
    cn_test_expect_error(CN_EUNSUPPORTED, "'1' is a Own, a class of your own");
    cn_module_free(own);
    cn_module *lazy = cn_sequential(cn_linear_layer(3));
    assert_false(cn_module_save(path, lazy));
    cn_test_expect_error(CN_EINVALID, "module '0' (LazyLinear) are not known yet");
    assert_false(cn_module_save("net.npz", lazy));
    cn_test_expect_error(CN_EINVALID, "must end in .pt");
    assert_false(cn_module_save(NULL, lazy));
    cn_test_expect_error(CN_EINVALID, "the path is NULL");
    cn_module_free(lazy);
    assert_true(access(path, F_OK) != 0);
}

/* A file with this as its "modules", and an empty state_dict. */
static void refuse(const cn_dict *modules, cn_code code, const char *part)
{
    const char *path = cn_test_path("bad.pt");
    cn_dict *file = cn_dict_new(), *nothing = cn_dict_new();
    assert_true(cn_dict_set_dict(file, "modules", modules) &&
                cn_dict_set_dict(file, "state_dict", nothing) && cn_save(path, file));
    assert_null(cn_module_load(path));
    cn_test_expect_error(code, part);
    assert_int_equal(unlink(path), 0);
    cn_dict_free(nothing);
    cn_dict_free(file);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    cn_dict *node = cn_dict_new(), *arguments = cn_dict_new();
    assert_true(cn_dict_set_str(node, "class", "Frobnicate"));
    refuse(node, CN_EUNSUPPORTED, "the class 'Frobnicate'");
    assert_true(cn_dict_set_str(node, "class", "Linear"));
    assert_true(cn_dict_set_int(arguments, "in_features", -5));
    assert_true(cn_dict_set_int(arguments, "out_features", 2));
    assert_true(cn_dict_set_dict(node, "arguments", arguments));
    refuse(node, CN_EINVALID, "must be positive");
    assert_true(cn_dict_set_int(arguments, "in_features", 3));
    assert_true(cn_dict_set_dict(node, "arguments", arguments));
    refuse(node, CN_ENOTFOUND, "children");
    assert_true(cn_dict_set_dict(node, "children", node));
    refuse(node, CN_EFORMAT, "its list of parts is missing");
    cn_dict_free(arguments);
    cn_dict_free(node);
    assert_null(cn_module_load("/nothing.pt"));
    cn_test_expect_error(CN_ENOTFOUND, "/nothing.pt");
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    const char *path = cn_test_path("net.pt");
    cn_module *m =
        cn_sequential(cn_linear_layer(4, .in = 3), cn_relu_layer(), cn_linear_layer(2, .in = 4));
    bool passed = false;
    for (int64_t n = 0; n < 5000 && !passed; n++) {
        size_t mark = cn_mark(), live = cn_memory().live_bytes;
        cn_alloc_fail_after(n);
        cn_module *back = cn_module_save(path, m) ? cn_module_load(path) : NULL;
        cn_alloc_fail_after(-1);
        passed = back != NULL;
        assert_int_equal(passed, cn_ok());
        cn_module_free(back);
        cn_release(mark);
        assert_int_equal(cn_memory().live_bytes, live);
        cn_error_clear();
    }
    assert_true(passed);
    cn_module_free(m);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_comes_back),
        cmocka_unit_test(classes_that_make_their_children_come_back),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests_name("whole", tests, cn_test_folder_make, cn_test_folder_remove);
}
