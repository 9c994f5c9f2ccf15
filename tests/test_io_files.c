/* test_io_files.c - what the operating system can do to a file, and to its neighbours. */
#include "core/file.h"
#include "io_samples.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static cn_dict *one(const char *key, cn_dtype dtype)
{
    size_t mark = cn_mark();
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, key, cn_test_tensor(CN_SHAPE(100000), dtype)));
    cn_release(mark);
    return d;
}

static void write_text(const char *path, const char *text)
{
    assert_true(cn_write_file_atomic(path, text, strlen(text)));
}

static void expect_text(const char *path, const char *text)
{
    cn_test_bytes b = cn_test_slurp(path);
    assert_int_equal(b.size, strlen(text));
    assert_memory_equal(b.bytes, text, b.size);
    free(b.bytes);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_null(cn_load(NULL));
    cn_test_expect_error(CN_EINVALID, "NULL");
    assert_null(cn_load(cn_test_path("nothing.npy")));
    cn_test_expect_error(CN_ENOTFOUND, "nothing.npy: cannot open");
    assert_null(cn_load("/tmp"));
    cn_test_expect_error(CN_EIO, "/tmp: not a regular file");
    assert_null(cn_load("/dev/zero"));
    cn_test_expect_error(CN_EIO, "/dev/zero: not a regular file");
    const char *path = cn_test_path("text.npy");
    write_text(path, "");
    assert_null(cn_load(path));
    cn_test_expect_error(CN_EFORMAT, "text.npy: empty");
    write_text(path, "just words");
    assert_null(cn_load(path));
    cn_test_expect_error(CN_EFORMAT, "text.npy: unknown contents");
    assert_int_equal(unlink(path), 0);
    assert_null(cn_load_bytes(NULL, 10, NULL));
    cn_test_expect_error(CN_EFORMAT, "(memory): empty");
}

static void a_file_is_replaced_whole(void **state)
{
    (void)state;
    const char *path = cn_test_path("state.json"), *link = cn_test_path("link.json");
    write_text(path, "old");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink(path, link), 0);
    write_text(link, "new");
    expect_text(path, "new");
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    write_text(path, "");
    expect_text(path, "");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(unlink(path), 0);
}

static void what_cannot_be_saved_is_refused(void **state)
{
    (void)state;
    cn_dict *d = one("w", CN_F32), *half = one("w", CN_BF16), *empty = cn_dict_new();
    assert_false(cn_save(NULL, d));
    cn_test_expect_error(CN_EINVALID, "path is NULL");
    assert_false(cn_save(cn_test_path("x.npy"), NULL));
    cn_test_expect_error(CN_EINVALID, "dictionary is NULL");
    assert_false(cn_save(cn_test_path("x.txt"), d));
    cn_test_expect_error(CN_EINVALID, "x.txt: the name must end in");
    assert_false(cn_save(".npy", d));
    cn_test_expect_error(CN_EINVALID, "must end in");
    assert_false(cn_save(cn_test_path("x.npy"), half));
    cn_test_expect_error(CN_EUNSUPPORTED, "no bfloat16: save as .safetensors");
    assert_false(cn_save(cn_test_path("x.npz"), half));
    cn_test_expect_error(CN_EUNSUPPORTED, "no bfloat16: save as .safetensors");
    assert_false(cn_save(cn_test_path("x.npy"), empty));
    cn_test_expect_error(CN_EINVALID, "holds one tensor");
    assert_true(cn_dict_set_int(d, "step", 3));
    assert_false(cn_save(cn_test_path("x.npy"), d));
    cn_test_expect_error(CN_EINVALID, "holds one tensor");
    assert_false(cn_save(cn_test_path("x.npz"), d));
    cn_test_expect_error(CN_EINVALID, "x.npz: 'step' is of kind int");
    assert_false(cn_save(cn_test_path("x.safetensors"), d));
    cn_test_expect_error(CN_EINVALID, "x.safetensors: 'step' is of kind int");
    assert_true(cn_dict_set_dict(empty, "__metadata__", d));
    assert_false(cn_save(cn_test_path("x.safetensors"), empty));
    cn_test_expect_error(CN_EINVALID, "dictionary of strings");
    cn_dict_free(d);
    cn_dict_free(half);
    cn_dict_free(empty);
}

static void no_key_leads_out_of_an_archive(void **state)
{
    (void)state;
    static const char *const bad[] = { "../x", "/etc/x", "a/../b", "a/../../b" };
    static const char *const good[] = { "..", "a..b", "a/..b/c", "..." };
    for (int i = 0; i < 4; i++) {
        cn_dict *d = one(bad[i], CN_U8);
        assert_false(cn_save(cn_test_path("x.npz"), d));
        cn_test_expect_error(CN_EINVALID, bad[i]);
        cn_dict_free(d);
        d = one(good[i], CN_U8);
        assert_true(cn_save(cn_test_path("x.npz"), d));
        assert_int_equal(unlink(cn_test_path("x.npz")), 0);
        cn_dict_free(d);
    }
}

static void what_cannot_be_written_leaves_no_trace(void **state)
{
    (void)state;
    cn_dict *d = one("w", CN_F32);
    assert_false(cn_save(cn_test_path("none/x.npz"), d));
    cn_test_expect_error(CN_ENOTFOUND, "none/x.npz: cannot write");
    assert_int_equal(mkdir(cn_test_path("x.npz"), 0777), 0);
    assert_false(cn_save(cn_test_path("x.npz"), d));
    cn_test_expect_error(CN_EIO, "x.npz: not a regular file");
    assert_int_equal(rmdir(cn_test_path("x.npz")), 0);
    assert_int_equal(symlink("/dev/full", cn_test_path("x.npz")), 0);
    assert_false(cn_save(cn_test_path("x.npz"), d));
    cn_test_expect_error(CN_EIO, "x.npz: not a regular file");
    assert_int_equal(unlink(cn_test_path("x.npz")), 0);
    cn_dict_free(d);
}

/* Files may not grow beyond 100 kB for a while: what a full disk looks like. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    static const char *const names[] = { "x.npy", "x.npz", "x.safetensors" };
    cn_dict *d = one("w", CN_F32);
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 0; i < 3; i++) {
        const char *path = cn_test_path(names[i]);
        write_text(path, "old");
        limit = before;
        limit.rlim_cur = 100000;
        void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        bool ok = cn_save(path, d);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        signal(SIGXFSZ, handler);
        assert_false(ok);
        cn_test_expect_error(CN_EIO, names[i]);
        expect_text(path, "old");
        assert_int_equal(unlink(path), 0);
    }
    cn_dict_free(d);
}

static void plain_names_go_to_the_current_folder(void **state)
{
    (void)state;
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(cn_test_path(".")), 0);
    cn_dict *d = one("w", CN_U8);
    assert_true(cn_save("plain.NPY", d));
    cn_dict *back = cn_load("plain.NPY");
    cn_test_same_tensor(cn_dict_tensor(back, ""), cn_dict_tensor(d, "w"));
    assert_int_equal(unlink("plain.NPY"), 0);
    assert_int_equal(chdir(before), 0);
    cn_dict_free(back);
    cn_dict_free(d);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(a_file_is_replaced_whole),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(no_key_leads_out_of_an_archive),
        cmocka_unit_test(what_cannot_be_written_leaves_no_trace),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(plain_names_go_to_the_current_folder),
    };
    return cmocka_run_group_tests_name("io files", tests, cn_test_folder_make,
                                       cn_test_folder_remove);
}
