/* io_samples.c - a folder, tensors and small files for the tests of files. */
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const uint8_t deflated_npz[] = {
    0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x06, 0xE2,
    0x0C, 0xD6, 0x49, 0x00, 0x00, 0x00, 0xE4, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x7A, 0x2E,
    0x6E, 0x70, 0x79, 0x9B, 0xEC, 0x17, 0xEA, 0x1B, 0x10, 0xC9, 0xC8, 0x50, 0xC6, 0x50, 0xAD, 0x9E,
    0x92, 0x5A, 0x9C, 0x5C, 0xA4, 0x6E, 0xA5, 0xA0, 0x5E, 0x53, 0x6A, 0xA8, 0xAE, 0xA3, 0xA0, 0x9E,
    0x96, 0x5F, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9F, 0x5F, 0x94, 0x92, 0x0A, 0x12, 0x77, 0x4B, 0xCC,
    0x29, 0x4E, 0x05, 0x8A, 0x17, 0x67, 0x24, 0x16, 0xA4, 0x02, 0xF9, 0x1A, 0x86, 0x06, 0x06, 0x3A,
    0x9A, 0x3A, 0x0A, 0xB5, 0x0A, 0x64, 0x03, 0x2E, 0x06, 0x3A, 0x00, 0x00, 0x50, 0x4B, 0x01, 0x02,
    0x14, 0x03, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x06, 0xE2, 0x0C, 0xD6,
    0x49, 0x00, 0x00, 0x00, 0xE4, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00, 0x7A, 0x2E, 0x6E, 0x70, 0x79, 0x50,
    0x4B, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x33, 0x00, 0x00, 0x00, 0x6C,
    0x00, 0x00, 0x00, 0x00, 0x00,
};

static const uint8_t idx[] = { 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6 };

static const uint8_t idx_gz[] = {
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60,
    0xE0, 0x60, 0x62, 0x60, 0x60, 0x00, 0x61, 0x66, 0x46, 0x26, 0x66, 0x16,
    0x56, 0x36, 0x00, 0x48, 0x94, 0x3E, 0xE5, 0x12, 0x00, 0x00, 0x00,
};

int cn_test_folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cenote-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int cn_test_folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

const char *cn_test_path(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

cn_tensor *cn_test_tensor(cn_shape shape, cn_dtype dtype)
{
    cn_tensor *t = cn_empty(shape, dtype);
    int64_t n = cn_numel(t);
    float *values = malloc((size_t)(n ? n : 1) * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(dtype == CN_BOOL ? i % 3 == 0 : i % 100 + 1);
    assert_true(cn_write(t, CN_F32, values, n));
    free(values);
    return t;
}

void cn_test_same_tensor(const cn_tensor *a, const cn_tensor *b)
{
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(cn_dtype_of(a), cn_dtype_of(b));
    assert_int_equal(cn_ndim(a), cn_ndim(b));
    for (int i = 0; i < cn_ndim(a); i++) assert_int_equal(cn_size(a, i), cn_size(b, i));
    size_t size = (size_t)cn_numel(a) * cn_dtype_size(cn_dtype_of(a));
    if (size) assert_memory_equal(cn_data(a), cn_data(b), size);
}

static cn_test_bytes copy_bytes(const char *name, const void *bytes, size_t size)
{
    cn_test_bytes b = { name, malloc(size ? size : 1), size };
    assert_non_null(b.bytes);
    memcpy(b.bytes, bytes, size);
    return b;
}

cn_test_bytes cn_test_slurp(const char *path)
{
    static uint8_t buffer[1 << 20];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(buffer, 1, sizeof buffer, f);
    assert_true(size < sizeof buffer);
    fclose(f);
    return copy_bytes("", buffer, size);
}

cn_test_bytes cn_test_deflated_npz(void)
{
    return copy_bytes("deflated npz", deflated_npz, sizeof deflated_npz);
}

cn_test_bytes cn_test_idx_gz(void)
{
    return copy_bytes("idx.gz", idx_gz, sizeof idx_gz);
}

static cn_test_bytes saved(const char *name, const cn_dict *d)
{
    char file[32];
    snprintf(file, sizeof file, "sample.%s", name);
    const char *path = cn_test_path(file);
    assert_true(cn_save(path, d));
    cn_test_bytes b = cn_test_slurp(path);
    b.name = name;
    assert_int_equal(unlink(path), 0);
    return b;
}

void cn_test_make_samples(cn_test_bytes samples[CN_TEST_SAMPLES])
{
    size_t mark = cn_mark();
    cn_dict *one = cn_dict_new(), *more = cn_dict_new(), *metadata = cn_dict_new();
    assert_true(cn_dict_set_tensor(one, "x", cn_test_tensor(CN_SHAPE(2, 3), CN_F32)));
    assert_true(cn_dict_set_tensor(more, "b", cn_test_tensor(CN_SHAPE(3), CN_BOOL)));
    assert_true(cn_dict_set_tensor(more, "a", cn_test_tensor(CN_SHAPE(2, 2), CN_I16)));
    samples[0] = saved("npy", one);
    samples[1] = saved("npz", more);
    assert_true(cn_dict_set_str(metadata, "format", "pt"));
    assert_true(cn_dict_set_dict(more, "__metadata__", metadata));
    samples[2] = saved("safetensors", more);
    samples[3] = saved("pt", more);
    samples[4] = cn_test_slurp("tests/golden/legacy4.pt");
    samples[4].name = "old pt";
    samples[5] = copy_bytes("idx", idx, sizeof idx);
#ifdef CN_WITH_ZLIB
    samples[6] = cn_test_deflated_npz();
    samples[7] = cn_test_idx_gz();
#endif
    cn_dict_free(one);
    cn_dict_free(more);
    cn_dict_free(metadata);
    cn_release(mark);
}

void cn_test_free_samples(cn_test_bytes samples[CN_TEST_SAMPLES])
{
    for (int i = 0; i < CN_TEST_SAMPLES; i++) free(samples[i].bytes);
}

void cn_test_expect_error(cn_code code, const char *part)
{
    if (!strstr(cn_error(), part)) print_error("wanted '%s', got '%s'\n", part, cn_error());
    assert_int_equal(cn_error_code(), code);
    assert_non_null(strstr(cn_error(), part));
    assert_null(strchr(cn_error(), '\n'));
    cn_error_clear();
}
