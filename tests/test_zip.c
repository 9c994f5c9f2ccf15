/* test_zip.c - ZIP archives made to deceive, and the checksum beneath. */
#include "core/memory.h"
#include "io/crc32.h"
#include "io/formats.h"
#include "io/inflate.h"
#include "io/zip.h"
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CENTRAL_SIZE = 46, LOCAL_SIZE = 30, END_SIZE = 22 };

/* An archive of `n` members, each with its own name and contents. */
static cn_test_bytes archive(const char *const *names, const char *const *contents, int n)
{
    const char *path = cn_test_path("test.zip");
    cn_file *f = cn_file_create(path);
    cn_zip_writer *w = cn_zip_create(f);
    for (int i = 0; i < n; i++) {
        const cn_span span = { contents[i], strlen(contents[i]) };
        assert_true(cn_zip_add(w, names[i], &span, 1, 64));
    }
    assert_true(cn_file_finish(f, cn_zip_finish(w, true)));
    cn_test_bytes b = cn_test_slurp(path);
    assert_int_equal(unlink(path), 0);
    return b;
}

/* The directory entry of a member, found from its name, which is the last that is spelt so. */
static uint8_t *central(const cn_test_bytes *b, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = b->size - n; i > CENTRAL_SIZE; i--)
        if (memcmp(b->bytes + i, name, n) == 0) return b->bytes + i - CENTRAL_SIZE;
    fail_msg("no member %s", name);
    return NULL;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void refuse(cn_test_bytes b, cn_code code, const char *part)
{
    assert_null(cn_zip_open(b.bytes, b.size, "bad.zip"));
    assert_non_null(strstr(cn_error(), "bad.zip"));
    cn_test_expect_error(code, part);
    free(b.bytes);
}

static void members_are_found_and_aligned(void **state)
{
    (void)state;
    static const char *const names[] = { "b", "a/long/name", "c" };
    static const char *const contents[] = { "first", "", "third" };
    cn_test_bytes b = archive(names, contents, 3);
    cn_zip *z = cn_zip_open(b.bytes, b.size, "good.zip");
    assert_int_equal(cn_zip_count(z), 3);
    for (int i = 0; i < 3; i++) {
        void *owned;
        const cn_zip_member *m = cn_zip_find(z, names[i]);
        assert_ptr_equal(m, cn_zip_member_at(z, i));
        assert_int_equal(m->offset % 64, 0);
        const void *bytes = cn_zip_bytes(z, m, &owned);
        assert_ptr_equal(bytes, b.bytes + m->offset);
        assert_null(owned);
        assert_int_equal(m->size, strlen(contents[i]));
        assert_memory_equal(bytes, contents[i], m->size);
    }
    assert_null(cn_zip_find(z, "d"));
    assert_true(cn_ok());
    cn_zip_close(z);
    free(b.bytes);
}

static void many_members_need_zip64(void **state)
{
    (void)state;
    enum { N = 70000 };
    char name[16];
    const char *path = cn_test_path("many.zip");
    cn_file *f = cn_file_create(path);
    cn_zip_writer *w = cn_zip_create(f);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_true(cn_zip_add(w, name, &(cn_span){ name, strlen(name) }, 1, 1));
    }
    assert_true(cn_file_finish(f, cn_zip_finish(w, true)));
    cn_mapping m;
    assert_true(cn_map_file(path, &m));
    cn_zip *z = cn_zip_open(m.bytes, m.size, "many.zip");
    assert_int_equal(cn_zip_count(z), N);
    void *owned;
    const void *bytes = cn_zip_bytes(z, cn_zip_find(z, "69999"), &owned);
    assert_memory_equal(bytes, "69999", 5);
    cn_zip_close(z);
    cn_unmap_file(&m);
    assert_int_equal(unlink(path), 0);
}

/* One member "wide" whose size and place are only in the ZIP64 field, as a writer of large files
   would put it. */
static void wide_fields_are_read(void **state)
{
    (void)state;
    static const char *const names[] = { "wide" }, *const contents[] = { "contents" };
    cn_test_bytes b = archive(names, contents, 1);
    uint8_t extra[28] = { 1, 0, 24, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8 };
    size_t at = b.size - END_SIZE;
    uint8_t *more = malloc(b.size + sizeof extra), *entry;
    assert_non_null(more);
    memcpy(more, b.bytes, at);
    memcpy(more + at, extra, sizeof extra);
    memcpy(more + at + sizeof extra, b.bytes + at, END_SIZE);
    free(b.bytes);
    b = (cn_test_bytes){ "", more, b.size + sizeof extra };
    entry = central(&b, "wide");
    put32(entry + 20, UINT32_MAX);
    put32(entry + 24, UINT32_MAX);
    put32(entry + 42, UINT32_MAX);
    entry[30] = sizeof extra;
    put32(b.bytes + b.size - 10, get32(b.bytes + b.size - 10) + (uint32_t)sizeof extra);
    cn_zip *z = cn_zip_open(b.bytes, b.size, "wide.zip");
    if (!z) print_error("%s\n", cn_error());
    assert_non_null(z);
    assert_int_equal(cn_zip_find(z, "wide")->size, 8);
    cn_zip_close(z);
    entry[CENTRAL_SIZE + 4 + 2] = 30;
    assert_null(cn_zip_open(b.bytes, b.size, "wide.zip"));
    cn_test_expect_error(CN_EFORMAT, "missing");
    entry[CENTRAL_SIZE + 4 + 2] = 22;
    refuse(b, CN_EFORMAT, "missing");
}

static void deception_is_noticed(void **state)
{
    (void)state;
    static const char *const two[] = { "aa", "bb" }, *const same[] = { "aa", "aa" };
    static const char *const contents[] = { "one", "two" };
    cn_test_bytes b = archive(same, contents, 2);
    refuse(b, CN_EFORMAT, "two members are named 'aa'");
    b = archive(two, contents, 2);
    put32(central(&b, "bb") + 42, 0);
    refuse(b, CN_EFORMAT, "'bb' is not where");
    b = archive(two, contents, 2);
    central(&b, "bb")[8] |= 1;
    refuse(b, CN_EUNSUPPORTED, "encrypted");
    b = archive(two, contents, 2);
    central(&b, "bb")[10] = 12;
    refuse(b, CN_EUNSUPPORTED, "method 12");
    b = archive(two, contents, 2);
    central(&b, "bb")[24] ^= 1;
    refuse(b, CN_EFORMAT, "two sizes");
    b = archive(two, contents, 2);
    central(&b, "bb")[CENTRAL_SIZE] = 0;
    refuse(b, CN_EFORMAT, "zero byte");
    b = archive(two, contents, 2);
    b.bytes[b.size - END_SIZE + 4] = 1;
    refuse(b, CN_EUNSUPPORTED, "disks");
    b = archive(two, contents, 2);
    b.bytes[b.size - END_SIZE + 8]--, b.bytes[b.size - END_SIZE + 10]--;
    refuse(b, CN_EFORMAT, "more than it says");
    b = archive(two, contents, 2);
    b.bytes[b.size - END_SIZE + 9] = b.bytes[b.size - END_SIZE + 11] = 0x10;
    refuse(b, CN_EFORMAT, "claims 4098 members");
}

/* "bb" lies, header and all, within the data of "aa". */
static void overlaps_are_noticed(void **state)
{
    (void)state;
    static const char *const names[] = { "aa", "bb" };
    uint8_t inner[LOCAL_SIZE + 2 + 3 + 1] = "PK\3\4";
    memset(inner + 4, 1, LOCAL_SIZE - 4);
    inner[8] = inner[9] = 0;
    inner[26] = 2, inner[27] = inner[28] = inner[29] = 0;
    memcpy(inner + LOCAL_SIZE, "bbtwo", 5);
    const char *const contents[] = { "................................................", "two" };
    cn_test_bytes b = archive(names, contents, 2);
    cn_zip *z = cn_zip_open(b.bytes, b.size, "good.zip");
    uint64_t at = cn_zip_find(z, "aa")->offset;
    cn_zip_close(z);
    memcpy(b.bytes + at, inner, LOCAL_SIZE + 5);
    put32(central(&b, "bb") + 42, (uint32_t)at);
    refuse(b, CN_EFORMAT, "'aa' and 'bb' overlap");
}

static void damaged_members_are_noticed(void **state)
{
    (void)state;
    static const char *const names[] = { "a" }, *const contents[] = { "contents" };
    cn_test_bytes b = archive(names, contents, 1);
    void *owned;
    cn_zip *z = cn_zip_open(b.bytes, b.size, "bad.zip");
    const cn_zip_member *m = cn_zip_member_at(z, 0);
    b.bytes[m->offset + 3] ^= 8;
    assert_null(cn_zip_bytes(z, m, &owned));
    cn_free(owned);
    cn_test_expect_error(CN_EFORMAT, "checksum of member 'a'");
    cn_zip_close(z);
    free(b.bytes);
}

#ifdef CN_WITH_ZLIB

static void bombs_do_not_go_off(void **state)
{
    (void)state;
    cn_test_bytes b = cn_test_deflated_npz();
    size_t peak = cn_memory().peak_bytes;
    put32(central(&b, "z.npy") + 24, 1u << 30);
    assert_null(cn_read_npz(b.bytes, b.size, "bomb.npz"));
    cn_test_expect_error(CN_EFORMAT, "cannot or may not give 1073741824");
    assert_true(cn_memory().peak_bytes < peak + (1u << 20));
    assert_null(cn_inflate("", 0, CN_MAX_EXPANDED + 1, "bomb"));
    cn_test_expect_error(CN_EFORMAT, "bomb");
    free(b.bytes);
}

static void members_may_follow_each_other_in_gzip(void **state)
{
    (void)state;
    cn_test_bytes b = cn_test_idx_gz();
    uint8_t twice[128];
    size_t n = b.size, size;
    memcpy(twice, b.bytes, n);
    memcpy(twice + n, b.bytes, n);
    uint8_t *expanded = cn_gunzip(twice, 2 * n, &size, "twice");
    assert_int_equal(size, 2 * 18);
    assert_memory_equal(expanded, expanded + 18, 18);
    cn_free(expanded);
    twice[n] = 0;
    assert_null(cn_gunzip(twice, n + 1, &size, "twice"));
    cn_test_expect_error(CN_EFORMAT, "twice");
    free(b.bytes);
}

#else

static void compressed_files_need_zlib(void **state)
{
    (void)state;
    cn_test_bytes npz = cn_test_deflated_npz(), idx = cn_test_idx_gz();
    assert_null(cn_load_bytes(npz.bytes, npz.size, "deflated.npz"));
    cn_test_expect_error(CN_EUNSUPPORTED, "deflated.npz: compressed, and this build has no zlib");
    assert_null(cn_load_bytes(idx.bytes, idx.size, "idx.gz"));
    cn_test_expect_error(CN_EUNSUPPORTED, "idx.gz: compressed, and this build has no zlib");
    free(npz.bytes);
    free(idx.bytes);
}

#endif

static void checksums_are_the_standard_ones(void **state)
{
    (void)state;
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    assert_int_equal(cn_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(cn_crc32(0, "", 0), 0);
    for (size_t cut = 0; cut < sizeof text; cut++)
        assert_int_equal(cn_crc32(cn_crc32(0, text, cut), text + cut, sizeof text - 1 - cut),
                         0x414FA339);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_and_aligned),
        cmocka_unit_test(many_members_need_zip64),
        cmocka_unit_test(wide_fields_are_read),
        cmocka_unit_test(deception_is_noticed),
        cmocka_unit_test(overlaps_are_noticed),
        cmocka_unit_test(damaged_members_are_noticed),
#ifdef CN_WITH_ZLIB
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(members_may_follow_each_other_in_gzip),
#else
        cmocka_unit_test(compressed_files_need_zlib),
#endif
        cmocka_unit_test(checksums_are_the_standard_ones),
    };
    return cmocka_run_group_tests_name("zip", tests, cn_test_folder_make, cn_test_folder_remove);
}
