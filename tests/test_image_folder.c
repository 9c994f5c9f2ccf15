/* test_image_folder.c - a folder of pictures for each class, as a data set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cenote/data.h>
#include <cenote/image.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { PATH = 512 };

static char root[PATH / 2];

static void path_of(char path[PATH], const char *name)
{
    snprintf(path, PATH, "%s/%s", root, name);
}

static void add_folder(const char *name)
{
    char path[PATH];
    path_of(path, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* h x w, of three levels: red, green, blue. The right half is black. */
static void add_picture(const char *name, int h, int w, const int rgb[3])
{
    char path[PATH];
    path_of(path, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "P6\n%d %d\n255\n", w, h);
    for (int i = 0; i < h * w; i++)
        for (int c = 0; c < 3; c++) fputc(i % w < w / 2 ? rgb[c] : 0, f);
    assert_int_equal(fclose(f), 0);
}

static void add_text(const char *name, const char *text)
{
    char path[PATH];
    path_of(path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int make_tree(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/test_image_folder.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(root)) return -1;
    add_folder("zebra");
    add_folder("ant");
    add_folder(".hidden");
    add_folder("ant/more");
    add_picture("zebra/2.ppm", 4, 4, (const int[]){ 0, 255, 0 });
    add_picture("zebra/1.PPM", 8, 4, (const int[]){ 255, 0, 0 });
    add_picture("ant/a.ppm", 4, 12, (const int[]){ 0, 0, 255 });
    add_picture("stray.ppm", 4, 4, (const int[]){ 9, 9, 9 });
    add_text("ant/notes.txt", "no picture");
    return 0;
}

static int remove_tree(void **state)
{
    char command[PATH];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    if (system(command) != 0) return -1;
    cn_release(0);
    assert_string_equal(cn_error(), "");
    assert_int_equal(cn_live_tensors(), 0);
    return 0;
}

static void assert_near(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance)) fail_msg("%g, but %g is expected", x, expected);
}

static void assert_pixel(const cn_batch *b, int64_t i, int64_t x, double r, double g, double blue)
{
    assert_near(cn_at(b->x, CN_SHAPE(i, 0, 2, x)), r, 1e-6);
    assert_near(cn_at(b->x, CN_SHAPE(i, 1, 2, x)), g, 1e-6);
    assert_near(cn_at(b->x, CN_SHAPE(i, 2, 2, x)), blue, 1e-6);
}

/* In the order of names; other files and folders do not count; the middle is cut out. */
static void classes_and_pictures(void **state)
{
    (void)state;
    cn_batch b;
    cn_dataset *d = cn_dataset_image_folder(root, .side = 4);
    assert_non_null(d);
    assert_int_equal(cn_dataset_samples(d), 3);
    assert_int_equal(cn_dataset_classes(d), 2);
    assert_string_equal(cn_dataset_class_name(d, 0), "ant");
    assert_string_equal(cn_dataset_class_name(d, 1), "zebra");
    assert_true(cn_dataset_get(d, (int64_t[]){ 2, 0, 1 }, 3, &b));
    assert_near(cn_at(b.y, CN_SHAPE(0)), 1, 0);
    assert_near(cn_at(b.y, CN_SHAPE(1)), 0, 0);
    assert_near(cn_at(b.y, CN_SHAPE(2)), 1, 0);
    assert_pixel(&b, 0, 0, 0, 1, 0);
    assert_pixel(&b, 0, 3, 0, 0, 0);
    assert_pixel(&b, 1, 1, 0, 0, 1); /* columns 4 to 7 of 12 */
    assert_pixel(&b, 1, 2, 0, 0, 0);
    assert_pixel(&b, 2, 1, 1, 0, 0);
    cn_dataset_free(d);
}

static void scaled_grey_and_few(void **state)
{
    (void)state;
    cn_batch b;
    cn_dataset *d = cn_dataset_image_folder(root, .side = 2, .gray = true, .limit = 1);
    assert_int_equal(cn_dataset_samples(d), 2);
    assert_true(cn_dataset_get(d, (int64_t[]){ 1 }, 1, &b));
    assert_int_equal(cn_size(b.x, 1), 1);
    assert_int_equal(cn_size(b.x, 2), 2);
    assert_near(cn_at(b.x, CN_SHAPE(0, 0, 0, 0)), 76.0 / 255 * 0.86, 0.06); /* red, reduced */
    cn_dataset_free(d);
    d = cn_dataset_image_folder(root);
    assert_int_equal(cn_dataset_field(d, 0)->shape.dim[1], 224);
    cn_dataset_free(d);
}

/* Threads decode; the batches are those of one. */
static void workers(void **state)
{
    (void)state;
    cn_batch a, b;
    cn_dataset *d = cn_dataset_image_folder(root, .side = 4);
    cn_loader *one = cn_loader_new(d, .batch = 2, .shuffle = true, .seed = 3);
    cn_loader *many = cn_loader_new(d, .batch = 2, .shuffle = true, .seed = 3, .workers = 3);
    for (int epoch = 0; epoch < 3; epoch++)
        while (cn_loader_next(one, &a)) {
            assert_true(cn_loader_next(many, &b));
            assert_memory_equal(cn_data(a.x), cn_data(b.x), (size_t)cn_numel(a.x) * sizeof(float));
            assert_memory_equal(cn_data(a.y), cn_data(b.y), (size_t)a.size * sizeof(int64_t));
            if (a.size < 2) assert_false(cn_loader_next(many, &b));
        }
    cn_loader_free(one);
    cn_loader_free(many);
    cn_dataset_free(d);
}

static void assert_fails(bool ok, cn_code code, const char *says)
{
    assert_false(ok);
    assert_int_equal(cn_error_code(), code);
    if (!strstr(cn_error(), says)) fail_msg("'%s' does not say '%s'", cn_error(), says);
    cn_error_clear();
}

static void mistakes(void **state)
{
    (void)state;
    char path[PATH];
    cn_batch b;
    assert_fails(cn_dataset_image_folder(NULL), CN_EINVALID, "path");
    assert_fails(cn_dataset_image_folder(root, .side = -1), CN_EINVALID, "side");
    assert_fails(cn_dataset_image_folder_with(NULL), CN_EINVALID, "options");
    path_of(path, "nowhere");
    assert_fails(cn_dataset_image_folder(path), CN_ENOTFOUND, "nowhere");
    path_of(path, ".hidden");
    assert_fails(cn_dataset_image_folder(path), CN_EFORMAT, "no pictures");
    add_text("ant/b.ppm", "P6\n4 4\n255\nshort");
    cn_dataset *d = cn_dataset_image_folder(root, .side = 4);
    assert_int_equal(cn_dataset_samples(d), 4);
    assert_fails(cn_dataset_get(d, (int64_t[]){ 0, 1 }, 2, &b), CN_EFORMAT, "b.ppm");
    cn_dataset_free(d);
}

static bool use_everything(void)
{
    cn_batch b;
    cn_dataset *d = cn_dataset_image_folder(root, .side = 3);
    bool ok = d && cn_dataset_get(d, (int64_t[]){ 0, 2 }, 2, &b);
    cn_dataset_free(d);
    return ok;
}

static void out_of_memory(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 1000; n++) {
        cn_alloc_fail_after(n);
        bool ok = use_everything();
        cn_alloc_fail_after(-1);
        cn_release(0);
        assert_int_equal(cn_live_tensors(), 0);
        assert_true(ok == cn_ok());
        if (ok) {
            assert_true(n > 10);
            return;
        }
        assert_int_equal(cn_error_code(), CN_ENOMEM);
        cn_error_clear();
    }
    fail_msg("it never succeeded");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(classes_and_pictures), TEST(scaled_grey_and_few), TEST(workers), TEST(mistakes),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests_name("image_folder", tests, NULL, NULL);
}
