/* test_io_damage.c - every cut, every flipped bit and every failed allocation, for every format: an
   error or a valid result, never a crash or a leak. */
#include "core/memory.h"
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static cn_test_bytes samples[CN_TEST_SAMPLES];

static int make_samples(void **state)
{
    int failed = cn_test_folder_make(state);
    if (!failed) cn_test_make_samples(samples);
    return failed;
}

static int free_samples(void **state)
{
    cn_test_free_samples(samples);
    return cn_test_folder_remove(state);
}

/* The bytes in a block of exactly their size, so that a sanitizer sees one read too far. */
static cn_dict *load_exactly(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    cn_dict *d = cn_load_bytes(copy, size, "damaged");
    free(copy);
    assert_true((d != NULL) == cn_ok());
    return d;
}

static void samples_are_whole(void **state)
{
    (void)state;
    for (int i = 0; i < CN_TEST_SAMPLES; i++) {
        cn_dict *d = load_exactly(samples[i].bytes, samples[i].size);
        if (!d) print_error("%s: %s\n", samples[i].name, cn_error());
        assert_true(cn_dict_count(d) > 0);
        cn_dict_free(d);
    }
}

static void every_cut_is_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < CN_TEST_SAMPLES; i++)
        for (size_t size = 0; size < samples[i].size; size++) {
            assert_null(load_exactly(samples[i].bytes, size));
            cn_test_expect_error(CN_EFORMAT, "damaged: ");
        }
}

static void every_extra_byte_is_noticed(void **state)
{
    (void)state;
    uint8_t more[4096];
    for (int i = 0; i < CN_TEST_SAMPLES; i++) {
        assert_true(samples[i].size < sizeof more);
        memcpy(more, samples[i].bytes, samples[i].size);
        more[samples[i].size] = 0;
        assert_null(load_exactly(more, samples[i].size + 1));
        cn_test_expect_error(CN_EFORMAT, "damaged: ");
    }
}

/* What is loaded all the same must be usable: every element is read, whatever its strides. */
static void read_all(const cn_dict *d)
{
    for (int i = 0; i < cn_dict_count(d); i++) {
        const cn_value *v = cn_dict_at(d, i);
        int64_t n = v->kind == CN_KIND_TENSOR ? cn_numel(v->u.t) : 0;
        if (n == 0 || n > 1 << 20) continue;
        double *values = malloc((size_t)n * sizeof *values);
        assert_true(values && cn_read(v->u.t, CN_F64, values, n));
        free(values);
    }
}

static void every_flipped_bit_is_survived(void **state)
{
    (void)state;
    for (int i = 0; i < CN_TEST_SAMPLES; i++) {
        int refused = 0;
        for (size_t bit = 0; bit < samples[i].size * 8; bit++) {
            samples[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cn_dict *d = load_exactly(samples[i].bytes, samples[i].size);
            samples[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            refused += !d;
            read_all(d);
            cn_dict_free(d);
            cn_error_clear();
        }
        assert_true(refused > 0);
    }
}

/* The same for bytes that are extreme as sizes. */
static void every_extreme_byte_is_survived(void **state)
{
    (void)state;
    static const uint8_t extremes[] = { 0x00, 0x7F, 0x80, 0xFF };
    for (int i = 0; i < CN_TEST_SAMPLES; i++)
        for (size_t k = 0; k < samples[i].size * 4; k++) {
            uint8_t *p = &samples[i].bytes[k / 4], before = *p;
            *p = extremes[k % 4];
            cn_dict *d = load_exactly(samples[i].bytes, samples[i].size);
            *p = before;
            read_all(d);
            cn_dict_free(d);
            cn_error_clear();
        }
}

static void every_allocation_may_fail_while_loading(void **state)
{
    (void)state;
    for (int i = 0; i < CN_TEST_SAMPLES; i++) {
        cn_dict *d = NULL;
        int64_t n = 0;
        for (; !d && n < 1000; n++) {
            cn_memory_stats before = cn_memory();
            cn_alloc_fail_after(n);
            d = load_exactly(samples[i].bytes, samples[i].size);
            cn_alloc_fail_after(-1);
            if (d) break;
            assert_int_equal(cn_error_code(), CN_ENOMEM);
            assert_int_equal(cn_memory().live_bytes, before.live_bytes);
            assert_int_equal(cn_memory().live_tensors, before.live_tensors);
            cn_error_clear();
        }
        assert_in_range(n, 4, 999);
        cn_dict_free(d);
    }
}

static void every_allocation_may_fail_while_saving(void **state)
{
    (void)state;
    static const char *const names[] = { "f.npy", "f.npz", "f.safetensors", "f.pt" };
    for (int i = 0; i < 4; i++) {
        cn_dict *d = load_exactly(samples[i].bytes, samples[i].size);
        const char *path = cn_test_path(names[i]);
        bool saved = false;
        int64_t n = 0;
        for (; !saved && n < 1000; n++) {
            size_t live = cn_memory().live_bytes;
            cn_alloc_fail_after(n);
            saved = cn_save(path, d);
            cn_alloc_fail_after(-1);
            assert_true(saved == cn_ok());
            assert_int_equal(cn_memory().live_bytes, live);
            assert_int_equal(access(path, F_OK), saved ? 0 : -1);
            cn_error_clear();
        }
        assert_in_range(n, 4, 999);
        assert_int_equal(unlink(path), 0);
        cn_dict_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_whole),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(every_extra_byte_is_noticed),
        cmocka_unit_test(every_flipped_bit_is_survived),
        cmocka_unit_test(every_extreme_byte_is_survived),
        cmocka_unit_test(every_allocation_may_fail_while_loading),
        cmocka_unit_test(every_allocation_may_fail_while_saving),
    };
    return cmocka_run_group_tests_name("io damage", tests, make_samples, free_samples);
}
