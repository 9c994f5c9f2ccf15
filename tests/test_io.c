/* test_io.c - files: what is written comes back, what others write is read, the rest is refused. */
#include "core/tensor.h"
#include "io/formats.h"
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- round trips -------------------------------------------------------------------------- */

/* Saves, loads and compares; tensors by key. */
static cn_dict *round_trip(const char *name, const cn_dict *d)
{
    const char *path = cn_test_path(name);
    assert_true(cn_save(path, d));
    cn_dict *back = cn_load(path);
    if (!back) print_error("%s\n", cn_error());
    assert_non_null(back);
    assert_int_equal(cn_dict_count(back), cn_dict_count(d));
    for (int i = 0; i < cn_dict_count(d); i++)
        if (cn_dict_at(d, i)->kind == CN_KIND_TENSOR)
            cn_test_same_tensor(cn_dict_at(d, i)->u.t, cn_dict_tensor(back, cn_dict_key(d, i)));
    assert_true(cn_ok());
    assert_int_equal(unlink(path), 0);
    return back;
}

/* Every dtype in every kind of shape, except bfloat16, which NumPy does not have, or, if `all`,
   complex128, which safetensors does not have. */
static cn_dict *every_tensor(bool all)
{
    const cn_shape shapes[] = { cn_scalar_shape(),
                                CN_SHAPE(1),
                                CN_SHAPE(7),
                                CN_SHAPE(2, 3, 4),
                                CN_SHAPE(0),
                                CN_SHAPE(3, 0, 2),
                                CN_SHAPE(1, 2, 1, 2, 1, 2, 1, 3) };
    cn_dict *d = cn_dict_new();
    char key[32];
    for (int dtype = 0; dtype < CN_NUM_DTYPES; dtype++)
        for (size_t i = 0; i < COUNT(shapes); i++) {
            if (dtype == (all ? CN_C128 : CN_BF16)) continue;
            snprintf(key, sizeof key, "%s/%zu \"\xC3\xA9\"", cn_dtype_name((cn_dtype)dtype), i);
            assert_true(cn_dict_set_tensor(d, key, cn_test_tensor(shapes[i], (cn_dtype)dtype)));
        }
    return d;
}

static void every_dtype_and_shape_comes_back(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *all = every_tensor(true), *numpy = every_tensor(false);
    cn_dict_free(round_trip("all.safetensors", all));
    cn_dict *back = round_trip("all.npz", numpy);
    for (int i = 0; i < cn_dict_count(numpy); i++)
        assert_string_equal(cn_dict_key(back, i), cn_dict_key(numpy, i));
    cn_dict_free(back);
    for (int i = 0; i < cn_dict_count(numpy); i++) {
        cn_dict *one = cn_dict_new();
        assert_true(cn_dict_set_tensor(one, "", cn_dict_at(numpy, i)->u.t));
        cn_dict_free(round_trip("one.npy", one));
        cn_dict_free(one);
    }
    cn_dict_free(all);
    cn_dict_free(numpy);
    cn_release(mark);
}

static void nothing_at_all_comes_back(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    cn_dict_free(round_trip("empty.npz", d));
    cn_dict_free(round_trip("empty.safetensors", d));
    cn_dict_free(d);
}

static void views_are_written_row_major(void **state)
{
    (void)state;
    static const char *const names[] = { "t.npy", "t.npz", "t.safetensors" };
    size_t mark = cn_mark();
    cn_tensor *t = cn_test_tensor(CN_SHAPE(2, 3), CN_I32);
    cn_view v = t->v;
    v.shape = CN_SHAPE(3, 2);
    v.strides[0] = 1, v.strides[1] = 3;
    cn_view_refresh(&v);
    cn_tensor *transposed = cn_tensor_view(t, &v);
    assert_false(cn_is_contiguous(transposed));
    static const int32_t rows[] = { 1, 4, 2, 5, 3, 6 };
    for (size_t i = 0; i < COUNT(names); i++) {
        cn_dict *d = cn_dict_new();
        assert_true(cn_dict_set_tensor(d, "", transposed));
        assert_true(cn_save(cn_test_path(names[i]), d));
        cn_dict *back = cn_load(cn_test_path(names[i]));
        cn_test_same_tensor(cn_dict_tensor(back, ""), cn_from(rows, CN_SHAPE(3, 2), CN_I32));
        assert_int_equal(unlink(cn_test_path(names[i])), 0);
        cn_dict_free(back);
        cn_dict_free(d);
    }
    cn_release(mark);
}

static void metadata_comes_back(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *d = cn_dict_new(), *metadata = cn_dict_new();
    assert_true(cn_dict_set_str(metadata, "format", "pt"));
    assert_true(cn_dict_set_str(metadata, "line\n\"quoted\"", "\xE2\x82\xAC \t"));
    assert_true(cn_dict_set_dict(d, "__metadata__", metadata));
    assert_true(cn_dict_set_tensor(d, "x", cn_test_tensor(CN_SHAPE(2), CN_F16)));
    cn_dict *back = round_trip("meta.safetensors", d);
    const cn_dict *m = cn_dict_dict(back, "__metadata__");
    assert_int_equal(cn_dict_count(m), 2);
    assert_string_equal(cn_dict_str(m, "format", ""), "pt");
    assert_string_equal(cn_dict_str(m, "line\n\"quoted\"", ""), "\xE2\x82\xAC \t");
    cn_dict_free(back);
    cn_dict_free(metadata);
    cn_dict_free(d);
    cn_release(mark);
}

static void safetensors_are_sorted_and_aligned(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, "bytes", cn_test_tensor(CN_SHAPE(3), CN_U8)));
    assert_true(cn_dict_set_tensor(d, "z", cn_test_tensor(CN_SHAPE(1), CN_F32)));
    assert_true(cn_dict_set_tensor(d, "a", cn_test_tensor(CN_SHAPE(1), CN_I32)));
    assert_true(cn_dict_set_tensor(d, "wide", cn_test_tensor(CN_SHAPE(1), CN_F64)));
    cn_dict *back = round_trip("sorted.safetensors", d);
    static const char *const order[] = { "wide", "a", "z", "bytes" };
    for (int i = 0; i < 4; i++) assert_string_equal(cn_dict_key(back, i), order[i]);
    assert_true(cn_save(cn_test_path("a.safetensors"), d));
    cn_test_bytes file = cn_test_slurp(cn_test_path("a.safetensors"));
    assert_int_equal(file.bytes[0] % 8, 0);
    assert_int_equal(file.bytes[8], '{');
    assert_int_equal(unlink(cn_test_path("a.safetensors")), 0);
    free(file.bytes);
    cn_dict_free(back);
    cn_dict_free(d);
    cn_release(mark);
}

/* ---- .npy as others write it -------------------------------------------------------------- */

/* Version `major`, the header as given. */
static size_t make_npy(uint8_t *out, int major, const char *header, const void *data, size_t size)
{
    size_t n = strlen(header), at = 8;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (uint8_t)major, out[7] = 0;
    for (int i = 0; i < (major == 1 ? 2 : 4); i++) out[at++] = (uint8_t)(n >> 8 * i);
    memcpy(out + at, header, n);
    memcpy(out + at + n, data, size);
    return at + n + size;
}

static void npy_variants_are_read(void **state)
{
    (void)state;
    static const struct {
        int major;
        const char *header;
        uint8_t data[12];
        int ndim;
    } good[] = {
        { 1,
          "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n",
          { 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0 },
          2 },
        { 2,
          "{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }  \n",
          { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 },
          2 },
        { 3,
          "{'descr': '=i2', 'fortran_order': True, 'shape': (2, 3)}",
          { 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0 },
          2 },
        { 1,
          "{\"shape\":(2L,3L,),\"fortran_order\":True,\"descr\":\">i2\"}",
          { 0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6 },
          2 },
        { 1,
          "{'descr': '|i2', 'fortran_order': True, 'shape': (6,), }",
          { 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0 },
          1 },
    };
    static const int16_t wanted[] = { 1, 2, 3, 4, 5, 6 };
    for (size_t i = 0; i < COUNT(good); i++) {
        uint8_t file[256];
        size_t size = make_npy(file, good[i].major, good[i].header, good[i].data, 12);
        cn_dict *d = cn_read_npy(file, size, "variant");
        cn_tensor *t = cn_dict_tensor(d, "");
        assert_int_equal(cn_dtype_of(t), CN_I16);
        assert_int_equal(cn_ndim(t), good[i].ndim);
        assert_memory_equal(cn_data(t), wanted, sizeof wanted);
        cn_dict_free(d);
    }
}

static void npy_in_three_dimensions_is_turned(void **state)
{
    (void)state;
    uint8_t file[256], data[24];
    for (int i = 0; i < 24; i++) data[i] = (uint8_t)i;
    size_t size =
        make_npy(file, 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4)}", data, 24);
    cn_dict *d = cn_read_npy(file, size, "fortran");
    const uint8_t *got = cn_data(cn_dict_tensor(d, ""));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                assert_int_equal(got[i * 12 + j * 4 + k], i + 2 * j + 6 * k);
    cn_dict_free(d);
}

static void bools_become_zero_or_one(void **state)
{
    (void)state;
    uint8_t file[256];
    size_t size = make_npy(file, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}",
                           "\0\1\2\xFF", 4);
    cn_dict *d = cn_read_npy(file, size, "bools");
    assert_memory_equal(cn_data(cn_dict_tensor(d, "")), "\0\1\1\1", 4);
    cn_dict_free(d);
}

#define NPY(descr, order, shape)                                                                   \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static void bad_npy_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        cn_code code;
        const char *part;
    } bad[] = {
        { NPY("'|O'", "False", "(1,)"), CN_EUNSUPPORTED, "Python objects" },
        { NPY("'<m8'", "False", "(1,)"), CN_EUNSUPPORTED, "'<m8'" },
        { NPY("'<U4'", "False", "(1,)"), CN_EUNSUPPORTED, "'<U4'" },
        { NPY("'<V2'", "False", "(2,)"), CN_EUNSUPPORTED, "convert" },
        { NPY("'f4'", "False", "(1,)"), CN_EUNSUPPORTED, "'f4'" },
        { NPY("''", "False", "(1,)"), CN_EUNSUPPORTED, "''" },
        { NPY("[('a', '<f4')]", "False", "(1,)"), CN_EUNSUPPORTED, "records" },
        { NPY("'<f4", "False", "(1,)"), CN_EUNSUPPORTED, "not supported" },
        { NPY("'<f4'", "false", "(1,)"), CN_EFORMAT, "True or False" },
        { NPY("'<f4'", "False", "(1)"), CN_EFORMAT, "comma" },
        { NPY("'<f4'", "False", "(1 1)"), CN_EFORMAT, "comma" },
        { NPY("'<f4'", "False", "(,)"), CN_EFORMAT, "size" },
        { NPY("'<f4'", "False", "(-1,)"), CN_EFORMAT, "size" },
        { NPY("'<f4'", "False", "[1]"), CN_EFORMAT, "shape" },
        { NPY("'<f4'", "False", "(2,)"), CN_EFORMAT, "announces 8 bytes of elements, but 4" },
        { NPY("'<f4'", "False", "()") "}", CN_EFORMAT, "end" },
        { NPY("'<f4'", "False", "(0,)"), CN_EFORMAT, "announces 0" },
        { NPY("'<f4'", "False", "(9223372036854775808,)"), CN_EFORMAT, "too large" },
        { NPY("'<f4'", "False", "(4294967296, 4294967296)"), CN_EFORMAT, "too large" },
        { NPY("'<f4'", "False", "(0, 4294967296, 4294967296)"), CN_EFORMAT, "too large" },
        { NPY("'<f4'", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), CN_EUNSUPPORTED, "8 dimensions" },
        { "{'descr': '<f4', 'shape': (1,), }", CN_EFORMAT, "fortran_order" },
        { "{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", CN_EFORMAT, "once each" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", CN_EFORMAT, "descr" },
        { "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", CN_EFORMAT, "comma" },
        { "{'descr' '<f4', 'fortran_order': False, 'shape': (1,)}", CN_EFORMAT, "colon" },
        { "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}", CN_EFORMAT, "plain" },
        { "{'descriptionoftheelements': 1}", CN_EFORMAT, "short string" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", CN_EFORMAT, "comma" },
        { "['descr']", CN_EFORMAT, "dictionary" },
        { "", CN_EFORMAT, "dictionary" },
    };
    uint8_t file[256];
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t size = make_npy(file, 1, bad[i].header, "abcd", 4);
        assert_null(cn_read_npy(file, size, "bad.npy"));
        assert_non_null(strstr(cn_error(), "bad.npy"));
        cn_test_expect_error(bad[i].code, bad[i].part);
    }
    size_t size = make_npy(file, 4, NPY("'<f4'", "False", "(1,)"), "abcd", 4);
    assert_null(cn_read_npy(file, size, "bad.npy"));
    cn_test_expect_error(CN_EUNSUPPORTED, "version 4.0");
    memcpy(file + 8, "\xFF\xFF\xFF\xFF", 4);
    file[6] = 3;
    assert_null(cn_read_npy(file, size, "bad.npy"));
    cn_test_expect_error(CN_EFORMAT, "missing");
}

/* ---- safetensors as others write it ------------------------------------------------------- */

static cn_dict *read_header(const char *header, size_t data_size)
{
    static uint8_t file[1024];
    size_t n = strlen(header);
    memset(file, 0, sizeof file);
    for (int i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)n >> 8 * i);
    memcpy(file + 8, header, n);
    return cn_read_safetensors(file, 8 + n + data_size, "bad.safetensors");
}

static void safetensors_keep_the_order_of_the_file(void **state)
{
    (void)state;
    cn_dict *d = read_header("{\"z\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
                             "\"e\":{\"shape\":[0,3],\"dtype\":\"F64\",\"data_offsets\":[3,3]},"
                             "\"a\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[0,1]}}   ",
                             3);
    assert_non_null(d);
    assert_string_equal(cn_dict_key(d, 0), "z");
    assert_string_equal(cn_dict_key(d, 1), "e");
    assert_string_equal(cn_dict_key(d, 2), "a");
    assert_int_equal(cn_ndim(cn_dict_tensor(d, "a")), 0);
    assert_int_equal(cn_size(cn_dict_tensor(d, "e"), 1), 3);
    cn_dict_free(d);
}

#define ENTRY(key, dtype, shape, range)                                                            \
    "\"" key "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}"

/* Some lengths of the header are the first bytes of a pickle or of gzip. */
static void safetensors_of_every_length_are_recognised(void **state)
{
    (void)state;
    static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    enum { MOST = 0x8B1F };
    char *file = malloc(8 + MOST);
    assert_non_null(file);
    for (size_t n = sizeof header - 1; n <= MOST; n += n < 2048 ? 1 : MOST - n ? MOST - n : 1) {
        memset(file, 0, 8);
        file[0] = (char)(n & 0xFF), file[1] = (char)(n >> 8);
        memset(file + 8, ' ', n);
        memcpy(file + 8, header, sizeof header - 1);
        cn_dict *d = cn_load_bytes(file, 8 + n, "some.safetensors");
        if (!d) fail_msg("a header of %zu bytes: %s", n, cn_error());
        assert_int_equal(cn_dict_count(d), 1);
        cn_dict_free(d);
    }
    free(file);
}

static void bad_safetensors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        cn_code code;
        const char *part;
    } bad[] = {
        { "{" ENTRY("a", "U8", "[4]", "[0,4]") "," ENTRY("a", "U8", "[4]", "[0,4]") "}", CN_EFORMAT,
          "duplicate" },
        { "{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("b", "U8", "[2]", "[2,4]") "}", CN_EFORMAT,
          "cover" },
        { "{" ENTRY("a", "U8", "[3]", "[0,3]") "," ENTRY("b", "U8", "[2]", "[2,4]") "}", CN_EFORMAT,
          "cover" },
        { "{" ENTRY("a", "U8", "[3]", "[0,3]") "}", CN_EFORMAT, "cover" },
        { "{" ENTRY("a", "U8", "[5]", "[0,5]") "}", CN_EFORMAT, "cover" },
        { "{" ENTRY("a", "U8", "[0]", "[2,2]") "," ENTRY("b", "U8", "[4]", "[0,4]") "}", CN_EFORMAT,
          "cover" },
        { "{}", CN_EFORMAT, "cover" },
        { "{" ENTRY("a", "F32", "[2]", "[0,4]") "}", CN_EFORMAT, "do not agree" },
        { "{" ENTRY("a", "U8", "[4]", "[4,0]") "}", CN_EFORMAT, "make no sense" },
        { "{" ENTRY("a", "U8", "[4]", "[-4,0]") "}", CN_EFORMAT, "make no sense" },
        { "{" ENTRY("a", "U8", "[4]", "[0]") "}", CN_EFORMAT, "data_offsets" },
        { "{" ENTRY("a", "U8", "[4]", "[0,4,4]") "}", CN_EFORMAT, "data_offsets" },
        { "{" ENTRY("a", "U8", "[4]", "[0,4.0]") "}", CN_EFORMAT, "data_offsets" },
        { "{" ENTRY("a", "U8", "[4.0]", "[0,4]") "}", CN_EFORMAT, "no integer" },
        { "{" ENTRY("a", "U8", "4", "[0,4]") "}", CN_EFORMAT, "no shape" },
        { "{" ENTRY("a", "U8", "[-2,-2]", "[0,4]") "}", CN_EFORMAT, "impossible" },
        { "{" ENTRY("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", CN_EFORMAT, "impossible" },
        { "{" ENTRY("a", "U8", "[99999999999999999999]", "[0,4]") "}", CN_EFORMAT, "too big" },
        { "{" ENTRY("a", "U8", "[1,1,1,1,1,1,1,1,4]", "[0,4]") "}", CN_EUNSUPPORTED,
          "9 dimensions" },
        { "{" ENTRY("a", "F8_E4M3", "[4]", "[0,4]") "}", CN_EUNSUPPORTED, "'F8_E4M3'" },
        { "{\"a\":{\"dtype\":1,\"shape\":[4],\"data_offsets\":[0,4]}}", CN_EFORMAT, "no dtype" },
        { "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", CN_EFORMAT, "not just" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":0}}", CN_EFORMAT,
          "not just" },
        { "{\"a\":[]}", CN_EFORMAT, "not just" },
        { "{\"__metadata__\":[]," ENTRY("a", "U8", "[4]", "[0,4]") "}", CN_EFORMAT,
          "no dictionary" },
        { "{\"__metadata__\":{\"x\":1}," ENTRY("a", "U8", "[4]", "[0,4]") "}", CN_EFORMAT,
          "'x' is no string" },
        { "{" ENTRY("\\u0000", "U8", "[4]", "[0,4]") "}", CN_EFORMAT, "damaged" },
        { "{" ENTRY("\xFF", "U8", "[4]", "[0,4]") "}", CN_EFORMAT, "damaged" },
        { "{" ENTRY("a", "U8", "[4]", "[0,4]") "} x", CN_EFORMAT, "damaged" },
        { " {" ENTRY("a", "U8", "[4]", "[0,4]") "}", CN_EFORMAT, "brace" },
        { "", CN_EFORMAT, "brace" },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(read_header(bad[i].header, 4));
        assert_non_null(strstr(cn_error(), "bad.safetensors"));
        cn_test_expect_error(bad[i].code, bad[i].part);
    }
}

/* ---- IDX ---------------------------------------------------------------------------------- */

static void idx_types_are_read(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[20];
        size_t size;
        cn_dtype dtype;
        double second;
    } good[] = {
        { { 0, 0, 0x08, 1, 0, 0, 0, 2, 1, 200 }, 10, CN_U8, 200 },
        { { 0, 0, 0x09, 1, 0, 0, 0, 2, 1, 200 }, 10, CN_I8, -56 },
        { { 0, 0, 0x0B, 1, 0, 0, 0, 2, 0, 1, 1, 2 }, 12, CN_I16, 258 },
        { { 0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0, 2 }, 16, CN_I32, 65538 },
        { { 0, 0, 0x0D, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0x3F, 0xC0, 0, 0 }, 16, CN_F32, 1.5 },
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        cn_dict *d = cn_load_bytes(good[i].bytes, good[i].size, "idx");
        cn_tensor *t = cn_dict_tensor(d, "");
        assert_int_equal(cn_dtype_of(t), good[i].dtype);
        assert_true(cn_at(t, CN_SHAPE(1)) == good[i].second);
        cn_dict_free(d);
    }
    static const uint8_t f64[] = { 0, 0, 0x0E, 0, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0 };
    cn_dict *d = cn_load_bytes(f64, sizeof f64, "idx");
    assert_true(cn_item(cn_dict_tensor(d, "")) == 1.5);
    cn_dict_free(d);
}

static void bad_idx_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t size;
        cn_code code;
        const char *part;
    } bad[] = {
        { { 0, 0, 0x0A, 1, 0, 0, 0, 0 }, 8, CN_EFORMAT, "not an IDX" },
        { { 0, 1, 0x08, 1, 0, 0, 0, 0 }, 8, CN_EFORMAT, "not an IDX" },
        { { 0, 0, 0x08, 9, 0, 0, 0, 0 }, 8, CN_EUNSUPPORTED, "9 dimensions" },
        { { 0, 0, 0x08, 1, 0, 0, 0, 2, 1 }, 9, CN_EFORMAT, "announces 2 bytes" },
        { { 0, 0, 0x08, 1, 0, 0, 0, 2, 1, 2, 3 }, 11, CN_EFORMAT, "but 3 follow" },
        { { 0, 0, 0x0E, 1, 0xFF, 0xFF, 0xFF, 0xFF }, 8, CN_EFORMAT, "announces 34359738360" },
        { { 0, 0, 0x08, 3, 0, 0, 0, 2 }, 8, CN_EFORMAT, "missing" },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(cn_read_idx(bad[i].bytes, bad[i].size, "bad.idx"));
        assert_non_null(strstr(cn_error(), "bad.idx"));
        cn_test_expect_error(bad[i].code, bad[i].part);
    }
    uint8_t huge[4 + 32] = { 0, 0, 0x0E, 8 };
    memset(huge + 4, 0xFF, 32);
    assert_null(cn_read_idx(huge, sizeof huge, "huge.idx"));
    cn_test_expect_error(CN_EFORMAT, "too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dtype_and_shape_comes_back),
        cmocka_unit_test(nothing_at_all_comes_back),
        cmocka_unit_test(views_are_written_row_major),
        cmocka_unit_test(metadata_comes_back),
        cmocka_unit_test(safetensors_are_sorted_and_aligned),
        cmocka_unit_test(npy_variants_are_read),
        cmocka_unit_test(npy_in_three_dimensions_is_turned),
        cmocka_unit_test(bools_become_zero_or_one),
        cmocka_unit_test(bad_npy_is_refused),
        cmocka_unit_test(safetensors_keep_the_order_of_the_file),
        cmocka_unit_test(safetensors_of_every_length_are_recognised),
        cmocka_unit_test(bad_safetensors_are_refused),
        cmocka_unit_test(idx_types_are_read),
        cmocka_unit_test(bad_idx_is_refused),
    };
    return cmocka_run_group_tests_name("io", tests, cn_test_folder_make, cn_test_folder_remove);
}
