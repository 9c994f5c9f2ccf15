/* test_io_claims.c - files of less than a kilobyte that claim to hold gigabytes: refused with a reason, before any
   memory is taken for them. */
#include "core/memory.h"
#include "io/zip.h"
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 1024, LITTLE = 64 * 1024 };

typedef struct made {
    uint8_t bytes[ROOM];
    size_t size;
} made;

static void put(made *m, const void *bytes, size_t size)
{
    assert_true(m->size + size <= ROOM);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put_number(made *m, uint64_t v, int width)
{
    uint8_t bytes[8];
    for (int i = 0; i < width; i++) bytes[i] = (uint8_t)(v >> 8 * i);
    put(m, bytes, (size_t)width);
}

static void put_text(made *m, const char *text)
{
    put(m, text, strlen(text));
}

/* Refused, in one line that names the file, and with next to no memory. */
static void refuse(const void *bytes, size_t size, const char *name)
{
    size_t before = cn_memory().peak_bytes;
    cn_dict *d = cn_load_bytes(bytes, size, name);
    if (d) fail_msg("%s was read", name);
    if (!strstr(cn_error(), name)) fail_msg("'%s' does not name %s", cn_error(), name);
    assert_true(cn_error_code() == CN_EFORMAT || cn_error_code() == CN_EUNSUPPORTED);
    cn_error_clear();
    if (cn_memory().peak_bytes > before + LITTLE) fail_msg("%s took memory", name);
}

static const uint64_t large[] = { (uint64_t)1 << 29,  (uint64_t)1 << 30, UINT32_MAX,
                                  (uint64_t)1 << 32,  (uint64_t)1 << 40, (uint64_t)1 << 62,
                                  (uint64_t)INT64_MAX };

static void test_safetensors(void **state)
{
    (void)state;
    char text[256];
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        unsigned long long n = large[i], bytes = n < (uint64_t)1 << 60 ? 4 * n : n;
        made header = { .size = 0 }, data = { .size = 0 };
        put_number(&header, n, 8);
        put_text(&header,
                 "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}12345678");
        refuse(header.bytes, header.size, "header.safetensors");
        snprintf(text, sizeof text,
                 "{\"x\":{\"dtype\":\"F32\",\"shape\":[%llu],\"data_offsets\":[0,%llu]}}", n,
                 bytes);
        put_number(&data, strlen(text), 8);
        put_text(&data, text);
        put_text(&data, "12345678");
        refuse(data.bytes, data.size, "data.safetensors");
    }
}

/* An array of that shape, of which eight bytes are there. */
static made npy(const char *shape)
{
    char text[128];
    made m = { .size = 0 };
    int n =
        snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': %s}", shape);
    put(&m, "\x93NUMPY\1\0", 8);
    put_number(&m, 118, 2);
    put_text(&m, text);
    for (; n < 117; n++) put(&m, " ", 1);
    put(&m, "\n12345678", 9);
    return m;
}

static const char *const shapes[] = {
    "(536870912,)",
    "(1073741824,)",
    "(4294967296,)",
    "(65536, 65536, 65536)",
    "(4611686018427387904,)",
    "(9223372036854775807, 4)",
    "(4294967296, 4294967296)",
    "(99999999999999999999,)",
    "(-8,)",
};

static void test_npy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        made m = npy(shapes[i]);
        refuse(m.bytes, m.size, "large.npy");
    }
}

/* An archive of one member. */
static cn_test_bytes archive(const char *name, const void *bytes, size_t size)
{
    const char *path = cn_test_path("claims.zip");
    cn_file *f = cn_file_create(path);
    cn_zip_writer *w = cn_zip_create(f);
    assert_true(cn_zip_add(w, name, &(cn_span){ bytes, size }, 1, 64));
    assert_true(cn_file_finish(f, cn_zip_finish(w, true)));
    cn_test_bytes b = cn_test_slurp(path);
    assert_int_equal(unlink(path), 0);
    return b;
}

static void test_npz(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        made m = npy(shapes[i]);
        cn_test_bytes b = archive("x.npy", m.bytes, m.size);
        refuse(b.bytes, b.size, "large.npz");
        free(b.bytes);
    }
}

/* A tensor of n floats whose storage, of as many, is a member of eight bytes. */
static made pickled(uint64_t n)
{
    made m = { .size = 0 };
    put_text(&m, "\x80\x02"
                 "ctorch._utils\n_rebuild_tensor_v2\n((");
    put(&m, "X\7\0\0\0storage", 12);
    put_text(&m, "ctorch\nFloatStorage\n");
    put(&m,
        "X\1\0\0\0"
        "0X\3\0\0\0cpu\x8a\x08",
        16);
    put_number(&m, n, 8);
    put(&m, "tQK\0\x8a\x08", 6);
    put_number(&m, n, 8);
    put_text(&m, "\x85K\1\x85\x89"
                 "ccollections\nOrderedDict\n)RtR.");
    return m;
}

static cn_test_bytes pt(uint64_t n)
{
    const char *path = cn_test_path("claims.pt");
    made m = pickled(n);
    cn_file *f = cn_file_create(path);
    cn_zip_writer *w = cn_zip_create(f);
    assert_true(cn_zip_add(w, "x/data.pkl", &(cn_span){ m.bytes, m.size }, 1, 64) &&
                cn_zip_add(w, "x/data/0", &(cn_span){ "12345678", 8 }, 1, 64));
    assert_true(cn_file_finish(f, cn_zip_finish(w, true)));
    cn_test_bytes b = cn_test_slurp(path);
    assert_int_equal(unlink(path), 0);
    return b;
}

static void test_pt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        cn_test_bytes b = pt(large[i]);
        refuse(b.bytes, b.size, "large.pt");
        free(b.bytes);
    }
    cn_test_bytes b = pt(2); /* but for its size it is a good one */
    cn_dict *d = cn_load_bytes(b.bytes, b.size, "small.pt");
    if (!d) fail_msg("%s", cn_error());
    cn_dict_free(d);
    free(b.bytes);
}

static void test_idx(void **state)
{
    (void)state;
    static const uint8_t dims[][12] = { { 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1 },
                                        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                                        { 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 0, 0, 0 } };
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        made m = { .size = 0 };
        put(&m, "\0\0\x08\3", 4);
        put(&m, dims[i], 12);
        put(&m, "12345678", 8);
        refuse(m.bytes, m.size, "large-idx3-ubyte");
    }
}

/* The little-endian numbers of a member's directory entry and of the end of the directory. */
static void test_directories(void **state)
{
    (void)state;
    made m = npy("(2,)");
    cn_test_bytes b = archive("x.npy", m.bytes, m.size);
    size_t end = b.size - 22, entry = end - 46 - 5;
    static const struct {
        int at, width; /* from the entry; negative: from the file's last byte */
    } fields[] = { { 20, 4 }, { 24, 4 },  { 42, 4 },  { 28, 2 },  { 30, 2 },
                   { 32, 2 }, { -14, 2 }, { -12, 2 }, { -10, 4 }, { -6, 4 } };
    assert_memory_equal(b.bytes + entry, "PK\1\2", 4);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (unsigned top = 0x7f; top <= 0xff; top += 0x80) {
            uint8_t old[4], *field = fields[i].at < 0 ? b.bytes + b.size + fields[i].at
                                                      : b.bytes + entry + fields[i].at;
            memcpy(old, field, 4);
            memset(field, 0xff, (size_t)fields[i].width);
            field[fields[i].width - 1] = (uint8_t)top;
            refuse(b.bytes, b.size, "directory.npz");
            memcpy(field, old, 4);
        }
    for (size_t cut = entry + 1; cut < b.size; cut++) refuse(b.bytes, cut, "cut.npz");
    cn_dict *d = cn_load_bytes(b.bytes, b.size, "whole.npz");
    assert_non_null(d);
    cn_dict_free(d);
    free(b.bytes);
}

/* Puts that name in the place of one as long, in both of the archive's headers. */
static void rename_member(cn_test_bytes *b, const char *from, const char *to)
{
    size_t n = strlen(from);
    for (size_t i = 0; i + n <= b->size; i++)
        if (memcmp(b->bytes + i, from, n) == 0) memcpy(b->bytes + i, to, n);
}

/* A name is a key and no path: none is written, and one that is read leads nowhere. */
static void test_names_are_no_paths(void **state)
{
    (void)state;
    static const char *const names[] = { "../u.npy", "/tmp/u.npy", "a/../../u.npy" };
    made m = npy("(2,)");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char plain[32] = { 0 };
        memset(plain, 'q', strlen(names[i]) - 4);
        strcat(plain, ".npy");
        cn_test_bytes b = archive(plain, m.bytes, m.size);
        rename_member(&b, plain, names[i]);
        refuse(b.bytes, b.size, "names.npz");
        free(b.bytes);
        cn_file *f = cn_file_create(cn_test_path("names.npz"));
        cn_zip_writer *w = cn_zip_create(f);
        assert_false(cn_zip_add(w, names[i], &(cn_span){ "", 0 }, 1, 1));
        cn_test_expect_error(CN_EINVALID, "cannot be the name");
        cn_file_finish(f, cn_zip_finish(w, false));
        cn_error_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_pt),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_names_are_no_paths),
    };
    return cmocka_run_group_tests_name("io, claims", tests, cn_test_folder_make,
                                       cn_test_folder_remove);
}
