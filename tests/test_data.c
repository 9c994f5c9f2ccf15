/* test_data.c - data sets, the catalogue, glyphs, transforms, SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cenote/data.h>
#include <cenote/io.h>
#include <cenote/rng.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "data/glyphs.h"
#include "data/sha256.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Every failure is the expected one, and leaves no tensor behind. */
static void assert_fails(bool ok, cn_code code, const char *says)
{
    assert_false(ok);
    assert_int_equal(cn_error_code(), code);
    if (!strstr(cn_error(), says)) fail_msg("'%s' does not say '%s'", cn_error(), says);
    cn_error_clear();
}

static int check_clean(void **state)
{
    (void)state;
    cn_release(0);
    assert_string_equal(cn_error(), "");
    assert_int_equal(cn_live_tensors(), 0);
    return 0;
}

/* ---- SHA-256 ------------------------------------------------------------------------------ */

static void assert_sha256(const char *text, size_t times, const char *expected)
{
    cn_sha256 h;
    char hex[65];
    cn_sha256_start(&h);
    for (size_t i = 0; i < times; i++) cn_sha256_add(&h, text, strlen(text));
    cn_sha256_end(&h, hex);
    assert_string_equal(hex, expected);
}

/* The examples of the standard. */
static void sha256_examples(void **state)
{
    (void)state;
    assert_sha256("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_sha256("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- data sets ---------------------------------------------------------------------------- */

static void rows_of_tensors(void **state)
{
    (void)state;
    const float x[] = { 0, 1, 10, 11, 20, 21 };
    const int64_t y[] = { 5, 6, 7 };
    cn_dataset *d = cn_dataset_from_tensors(cn_from(x, CN_SHAPE(3, 2), CN_F32),
                                            cn_from(y, CN_SHAPE(3), CN_I64));
    cn_release(0);
    cn_batch b;
    assert_int_equal(cn_dataset_samples(d), 3);
    assert_int_equal(cn_dataset_fields(d), 2);
    assert_int_equal(cn_dataset_field(d, 0)->shape.dim[0], 2);
    assert_int_equal(cn_dataset_field(d, 1)->shape.ndim, 0);
    assert_int_equal(cn_dataset_classes(d), 0);
    assert_true(cn_dataset_get(d, (int64_t[]){ 2, 0 }, 2, &b));
    assert_int_equal(b.size, 2);
    assert_true(cn_at(b.x, CN_SHAPE(0, 1)) == 21.0 && cn_at(b.x, CN_SHAPE(1, 0)) == 0.0);
    assert_true(cn_at(b.y, CN_SHAPE(0)) == 7.0 && cn_at(b.y, CN_SHAPE(1)) == 5.0);
    assert_null(b.extra[0]);
    assert_fails(cn_dataset_get(d, (int64_t[]){ 3 }, 1, &b), CN_EINVALID, "no sample 3 among 3");
    assert_null(b.x);
    assert_fails(cn_dataset_field(d, 2) != NULL, CN_EINVALID, "no field 2");
    assert_fails(cn_dataset_class_name(d, 0) != NULL, CN_EINVALID, "no class 0");
    cn_dataset_free(d);
}

static void tensors_that_do_not_match(void **state)
{
    (void)state;
    cn_tensor *x = cn_zeros(CN_SHAPE(3, 2), CN_F32), *y = cn_zeros(CN_SHAPE(4), CN_I64);
    assert_fails(cn_dataset_from_tensors(x, y), CN_EINVALID, "x has 3 samples, but y 4");
    assert_fails(cn_dataset_from_tensors(cn_scalar(1), NULL), CN_EINVALID, "no samples");
    assert_fails(cn_dataset_from_tensors(NULL, y), CN_EINVALID, "NULL");
}

/* ---- a data set of one's own --------------------------------------------------------------- */

static bool square(void *self, const int64_t *index, int64_t n, void *const out[])
{
    (void)self;
    for (int64_t i = 0; i < n; i++) ((int64_t *)out[0])[i] = index[i] * index[i];
    return true;
}

static void count_destroy(void *self)
{
    ++*(int *)self;
}

static void own_data_set(void **state)
{
    (void)state;
    int destroyed = 0;
    cn_dataset_class c = { .size = sizeof c,
                           .name = "squares",
                           .samples = 100,
                           .fields = 1,
                           .field = { { .dtype = CN_I64 } },
                           .self = &destroyed,
                           .get = square,
                           .destroy = count_destroy };
    cn_batch b;
    cn_dataset *d = cn_dataset_new(&c);
    assert_string_equal(cn_dataset_name(d), "squares");
    assert_true(cn_dataset_get(d, (int64_t[]){ 9 }, 1, &b));
    assert_true(cn_item(b.x) == 81.0);
    assert_null(b.y);
    cn_dataset_free(d);
    assert_int_equal(destroyed, 1);
    c.fields = 9;
    assert_fails(cn_dataset_new(&c), CN_EINVALID, "squares: 100 samples of 9 fields");
    assert_int_equal(destroyed, 2);
}

static void null_is_passed_on(void **state)
{
    (void)state;
    cn_batch b;
    assert_int_equal(cn_dataset_samples(NULL), -1);
    assert_int_equal(cn_dataset_fields(NULL), -1);
    assert_int_equal(cn_dataset_classes(NULL), -1);
    assert_null(cn_dataset_name(NULL));
    assert_null(cn_dataset_class_name(NULL, 0));
    cn_dataset_free(NULL);
    assert_fails(cn_dataset_get(NULL, NULL, 0, &b), CN_EINVALID, "NULL");
}

/* ---- the catalogue ------------------------------------------------------------------------ */

static void catalogue_entries(void **state)
{
    (void)state;
    bool built_in = false;
    for (int i = 0; i < cn_data_count(); i++) {
        cn_data_info e;
        assert_true(cn_data_at(i, &e));
        assert_true(e.train > 0 && e.test > 0 && e.classes > 0);
        assert_true(*e.title && *e.about && *e.licence && *e.source);
        built_in |= e.built_in;
    }
    assert_true(built_in);
    assert_fails(cn_data_at(cn_data_count(), &(cn_data_info){ 0 }), CN_EINVALID, "no entry");
}

static void unknown_names(void **state)
{
    (void)state;
    assert_fails(cn_dataset_open("fashion_mnist"), CN_ENOTFOUND, "did you mean 'fashion-mnist'");
    assert_fails(cn_dataset_open("minst"), CN_ENOTFOUND, "did you mean 'mnist'");
    assert_fails(cn_data_check("glyph"), CN_ENOTFOUND, "did you mean 'glyphs'");
    assert_fails(cn_dataset_open(NULL), CN_EINVALID, "NULL");
    assert_fails(cn_dataset_open("glyphs", .limit = -1), CN_EINVALID, "negative");
    assert_fails(cn_dataset_open("glyphs", .split = (cn_part)7), CN_EINVALID, "no split");
}

static void missing_files(void **state)
{
    (void)state;
    assert_fails(cn_dataset_open("mnist", .root = "/nowhere"), CN_ENOTFOUND, "/nowhere/mnist");
    char *before = getenv("CENOTE_DATA") ? strdup(getenv("CENOTE_DATA")) : NULL;
    setenv("CENOTE_DATA", "/nowhere/else", 1);
    setenv("XDG_CACHE_HOME", "/nowhere/cache", 1);
    assert_fails(cn_dataset_open("mnist"), CN_ENOTFOUND,
                 "/nowhere/else/mnist, /nowhere/cache/cenote");
    if (before) setenv("CENOTE_DATA", before, 1);
    else unsetenv("CENOTE_DATA");
    unsetenv("XDG_CACHE_HOME");
    free(before);
}

/* ---- files -------------------------------------------------------------------------------- */

static char folder[256];

static int make_folder(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/test_data.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) return -1;
    unsetenv("CENOTE_DATA");
    unsetenv("XDG_CACHE_HOME");
    return check_clean(state);
}

static void write_idx(const char *name, int ndim, const uint32_t *dim, const void *data,
                      size_t size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite((uint8_t[]){ 0, 0, 8, (uint8_t)ndim }, 1, 4, f);
    for (int i = 0; i < ndim; i++) {
        uint8_t be[] = { (uint8_t)(dim[i] >> 24), (uint8_t)(dim[i] >> 16), (uint8_t)(dim[i] >> 8),
                         (uint8_t)dim[i] };
        fwrite(be, 1, 4, f);
    }
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void write_split(uint32_t images, uint32_t labels, uint8_t label)
{
    uint8_t *bytes = calloc(10000, 16);
    assert_non_null(bytes);
    write_idx("t10k-images-idx3-ubyte", 3, (uint32_t[]){ images, 4, 4 }, bytes, images * 16);
    memset(bytes, label, labels);
    write_idx("t10k-labels-idx1-ubyte", 1, (uint32_t[]){ labels }, bytes, labels);
    free(bytes);
}

static void files_that_do_not_fit(void **state)
{
    (void)state;
    cn_dataset *d;
    write_split(10000, 10000, 3);
    d = cn_dataset_open("mnist", .split = CN_TEST, .root = folder, .limit = 7);
    assert_int_equal(cn_dataset_samples(d), 7);
    assert_int_equal(cn_dataset_field(d, 0)->shape.dim[2], 4);
    cn_dataset_free(d);
    assert_fails(cn_dataset_open("mnist", .root = folder), CN_ENOTFOUND, "train-images-idx3-ubyte");
    write_split(10000, 9999, 3);
    assert_fails(cn_dataset_open("mnist", .split = CN_TEST, .root = folder), CN_EFORMAT,
                 "labels-idx1-ubyte: 9999 samples; MNIST has 10000");
    write_split(9999, 10000, 3);
    assert_fails(cn_dataset_open("mnist", .split = CN_TEST, .root = folder), CN_EFORMAT, "images");
    write_split(10000, 10000, 10);
    assert_fails(cn_dataset_open("mnist", .split = CN_TEST, .root = folder), CN_EFORMAT,
                 "sample 0 has the label 10, but there are 10 classes");
}

/* The folder of the real Fashion-MNIST; skips the test where there is none, or where its files are
   compressed and this build cannot expand them. */
static void find_fashion(cn_data_info *e)
{
    assert_true(cn_data_at(0, e));
    assert_string_equal(e->name, "fashion-mnist");
    cn_dataset *d = *e->folder ? cn_dataset_open("fashion-mnist", .split = CN_TEST) : NULL;
    cn_dataset_free(d);
    if (d) return;
    assert_true(!*e->folder || cn_error_code() == CN_EUNSUPPORTED);
    print_message("skipped: no Fashion-MNIST here: %s\n", *e->folder ? cn_error() : e->source);
    cn_error_clear();
    skip();
}

static void real_fashion_mnist(void **state)
{
    (void)state;
    cn_data_info e;
    find_fashion(&e);
    cn_dataset *d = cn_dataset_open("fashion-mnist", .split = CN_TEST);
    int64_t index[10000], y[10000], counts[10] = { 0 };
    cn_batch b;
    for (int i = 0; i < 10000; i++) index[i] = i;
    assert_int_equal(cn_dataset_samples(d), 10000);
    assert_true(cn_dataset_get(d, index, 10000, &b));
    assert_true(cn_read(b.y, CN_I64, y, 10000));
    for (int i = 0; i < 10000; i++) counts[y[i]]++;
    for (int i = 0; i < 10; i++) assert_int_equal(counts[i], 1000);
    assert_string_equal(cn_dataset_class_name(d, (int)y[0]), "ankle boot");
    assert_int_equal(cn_size(b.x, 3), 28);
    for (int i = 0; i < 784; i++) {
        double x = cn_at(b.x, CN_SHAPE(0, 0, i / 28, i % 28)) * 255;
        assert_true(fabs(x - round(x)) < 1e-4 && x >= 0 && x <= 255);
    }
    cn_dataset_free(d);
    assert_true(cn_data_check("fashion-mnist"));
}

static void link_file(const char *from, const char *name)
{
    char source[1024], target[1024];
    snprintf(source, sizeof source, "%s/%s.gz", from, name);
    if (access(source, R_OK) != 0) source[strlen(source) - 3] = '\0';
    snprintf(target, sizeof target, "%s/%s", folder, strrchr(source, '/') + 1);
    assert_int_equal(symlink(source, target), 0);
}

static void damaged_copy(void **state)
{
    (void)state;
    cn_data_info e;
    find_fashion(&e);
    char root[256];
    memcpy(root, folder, sizeof root);
    setenv("CENOTE_DATA", root, 1);
    strcat(folder, "/fashion-mnist");
    assert_int_equal(mkdir(folder, 0777), 0);
    link_file(e.folder, "train-images-idx3-ubyte");
    link_file(e.folder, "train-labels-idx1-ubyte");
    link_file(e.folder, "t10k-images-idx3-ubyte");
    cn_dataset *d = cn_dataset_open("fashion-mnist", .split = CN_TEST);
    cn_batch b;
    int64_t index[10000], y[10000];
    uint8_t labels[10000];
    for (int i = 0; i < 10000; i++) index[i] = i;
    assert_true(cn_dataset_get(d, index, 10000, &b) && cn_read(b.y, CN_I64, y, 10000));
    cn_dataset_free(d);
    for (int i = 0; i < 10000; i++) labels[i] = (uint8_t)y[i];
    write_idx("t10k-labels-idx1-ubyte", 1, (uint32_t[]){ 10000 }, labels, 10000);
    assert_true(cn_data_check("fashion-mnist"));
    labels[5000] ^= 1;
    write_idx("t10k-labels-idx1-ubyte", 1, (uint32_t[]){ 10000 }, labels, 10000);
    assert_fails(cn_data_check("fashion-mnist"), CN_EFORMAT, "t10k-labels-idx1-ubyte: damaged");
    memcpy(folder, root, sizeof root);
}

static void copy_to_the_cache(void **state)
{
    (void)state;
    cn_data_info e;
    find_fashion(&e);
    setenv("XDG_CACHE_HOME", folder, 1);
    assert_true(cn_data_get("fashion-mnist"));
    assert_true(cn_data_at(0, &e));
    assert_non_null(strstr(e.folder, folder));
    assert_true(cn_data_get("fashion-mnist"));
    assert_true(cn_data_get("glyphs") && cn_data_check("glyphs"));
}

/* ---- glyphs ------------------------------------------------------------------------------- */

static void glyphs_are_balanced(void **state)
{
    (void)state;
    cn_dataset *d = cn_dataset_open("glyphs", .limit = 500);
    int64_t index[500], y[500], counts[CN_GLYPH_CLASSES] = { 0 };
    cn_batch b;
    for (int i = 0; i < 500; i++) index[i] = i;
    assert_int_equal(cn_dataset_samples(d), 500);
    assert_true(cn_dataset_get(d, index, 500, &b) && cn_read(b.y, CN_I64, y, 500));
    for (int i = 0; i < 500; i++) counts[y[i]]++;
    for (int i = 0; i < CN_GLYPH_CLASSES; i++) assert_int_equal(counts[i], 50);
    assert_string_equal(cn_dataset_class_name(d, 0), "circle");
    cn_dataset_free(d);
}

static void glyphs_depend_on_seed_split_and_index(void **state)
{
    (void)state;
    uint8_t a[784], b[784];
    assert_int_equal(cn_glyph_draw(1, CN_TRAIN, 17, a), cn_glyph_draw(1, CN_TRAIN, 17, b));
    assert_memory_equal(a, b, sizeof a);
    cn_glyph_draw(2, CN_TRAIN, 17, b);
    assert_memory_not_equal(a, b, sizeof a);
    cn_glyph_draw(1, CN_TEST, 17, b);
    assert_memory_not_equal(a, b, sizeof a);
    cn_glyph_draw(1, CN_TRAIN, 18, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- transforms: through a loader, as there is no other way -------------------------------- */

static cn_batch transformed(cn_tensor *x, const cn_transform *steps, int n)
{
    cn_dataset *d = cn_dataset_from_tensors(x, NULL);
    cn_loader_options o = { .size = sizeof o, .dataset = d, .batch = 64 };
    for (int i = 0; i < n; i++) o.transform[i] = steps[i];
    cn_loader *l = cn_loader_new_with(&o);
    cn_batch b = { 0 };
    if (l && !cn_loader_next(l, &b)) b.x = NULL;
    cn_loader_free(l);
    cn_dataset_free(d);
    return b;
}

static void assert_values(const cn_tensor *t, const float *expected, int64_t n)
{
    float got[64];
    assert_non_null(t);
    assert_int_equal(cn_numel(t), n);
    assert_true(cn_read(t, CN_F32, got, n));
    for (int64_t i = 0; i < n; i++) assert_float_equal(got[i], expected[i], 1e-5);
}

static void to_float_and_normalize(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0, 51, 255, 102 };
    cn_tensor *x = cn_from(bytes, CN_SHAPE(1, 2, 1, 2), CN_U8);
    const cn_transform steps[] = {
        cn_transform_to_float(),
        cn_transform_normalize(2, (float[]){ 0.2f, 0.5f }, (float[]){ 0.1f, 0.25f }),
    };
    assert_values(transformed(x, steps, 1).x, (float[]){ 0, 0.2f, 1, 0.4f }, 4);
    assert_values(transformed(x, steps, 2).x, (float[]){ -2, 0, 2, -0.4f }, 4);
    transformed(x, steps + 1, 1);
    assert_fails(false, CN_EINVALID, "put to_float before it");
}

/* The expected numbers are what PyTorch's interpolate gives. */
static void resize(void **state)
{
    (void)state;
    const float values[] = { 0, 1, 2, 3 };
    cn_tensor *x = cn_from(values, CN_SHAPE(1, 1, 2, 2), CN_F32);
    const cn_transform up = cn_transform_resize(3, 4), down = cn_transform_resize(1, 1);
    const float larger[] = { 0, 0.25f, 0.75f, 1, 1, 1.25f, 1.75f, 2, 2, 2.25f, 2.75f, 3 };
    assert_values(transformed(x, &up, 1).x, larger, 12);
    assert_values(transformed(x, &down, 1).x, (float[]){ 1.5f }, 1);
}

/* Wider than what is done at a time, and smaller and larger at once. */
static void resize_wide(void **state)
{
    enum { H = 5, W = 7, TO_H = 3, TO_W = 600 };
    static float x[2 * H * W], got[2 * TO_H * TO_W];
    (void)state;
    for (int i = 0; i < 2 * H * W; i++) x[i] = (float)((i * 37) % 101);
    const cn_transform t = cn_transform_resize(TO_H, TO_W);
    assert_true(cn_read(transformed(cn_from(x, CN_SHAPE(1, 2, H, W), CN_F32), &t, 1).x, CN_F32, got,
                        2 * TO_H * TO_W));
    for (int i = 0; i < 2 * TO_H * TO_W; i++) {
        double v = ((i / TO_W) % TO_H + 0.5) * H / TO_H - 0.5,
               u = (i % TO_W + 0.5) * W / TO_W - 0.5;
        v = fmax(v, 0), u = fmax(u, 0);
        int h = (int)v, w = (int)u, below = h + 1 < H ? h + 1 : h, right = w + 1 < W ? w + 1 : w;
        const float *plane = x + i / (TO_H * TO_W) * H * W;
        const double tl = (double)plane[h * W + w], tr = (double)plane[h * W + right];
        const double bl = (double)plane[below * W + w], br = (double)plane[below * W + right];
        double a = tl * (1 - u + w) + tr * (u - w), b = bl * (1 - u + w) + br * (u - w);
        assert_true(fabs((double)got[i] - (a * (1 - v + h) + b * (v - h))) < 1e-3);
    }
}

/* The expected numbers are what torchvision's CenterCrop and Grayscale give. */
static void center_crop_and_channels(void **state)
{
    (void)state;
    const float values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    cn_tensor *x = cn_from(values, CN_SHAPE(1, 1, 3, 3), CN_F32);
    const cn_transform inner = cn_transform_center_crop(1, 2),
                       outer = cn_transform_center_crop(3, 6);
    const float padded[] = { 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0, 0, 7, 8, 9, 0, 0 };
    assert_values(transformed(x, &inner, 1).x, (float[]){ 4, 5 }, 2);
    assert_values(transformed(x, &outer, 1).x, padded, 18);
    const cn_transform colour = cn_transform_channels(3), grey = cn_transform_channels(1);
    cn_tensor *pixel = cn_from(values, CN_SHAPE(1, 1, 1, 2), CN_F32);
    assert_values(transformed(pixel, &colour, 1).x, (float[]){ 1, 2, 1, 2, 1, 2 }, 6);
    assert_values(transformed(pixel, &grey, 1).x, (float[]){ 1, 2 }, 2);
    cn_tensor *rgb = cn_from((float[]){ 1, 0, 0, 1, 10, 0 }, CN_SHAPE(1, 3, 1, 2), CN_F32);
    assert_values(transformed(rgb, &grey, 1).x, (float[]){ 1.4389f, 0.587f }, 2);
}

static void transformed_data_set(void **state)
{
    (void)state;
    const float values[] = { 1, 2, 3, 4 };
    const uint8_t bytes[] = { 0, 51, 255, 102 };
    cn_transform steps[CN_MAX_TRANSFORMS] = { cn_transform_to_float(), cn_transform_channels(3) };
    cn_tensor *x = cn_from(bytes, CN_SHAPE(4, 1, 1, 1), CN_U8);
    cn_dataset *d = cn_dataset_from_tensors(x, cn_from(values, CN_SHAPE(4), CN_F32));
    cn_dataset *t = cn_dataset_transformed(d, steps);
    cn_dataset_free(d);
    cn_loader *l = cn_loader_new(t, .batch = 4, .workers = 2);
    cn_batch b;
    assert_true(cn_loader_next(l, &b));
    assert_values(b.x, (float[]){ 0, 0, 0, 0.2f, 0.2f, 0.2f, 1, 1, 1, 0.4f, 0.4f, 0.4f }, 12);
    assert_values(b.y, values, 4);
    cn_loader_free(l);
    steps[1] = cn_transform_random_flip(0.5);
    cn_dataset *again = cn_dataset_from_tensors(x, NULL);
    assert_fails(cn_dataset_transformed(again, steps) != NULL, CN_EINVALID, "belong to a loader");
    cn_dataset_free(again);
    cn_dataset_free(t);
}

static void flip_and_crop(void **state)
{
    (void)state;
    const float values[] = { 1, 2, 3, 4 };
    cn_tensor *x = cn_from(values, CN_SHAPE(1, 1, 2, 2), CN_F32);
    const cn_transform flip = cn_transform_random_flip(1), same = cn_transform_random_flip(0);
    const cn_transform all = cn_transform_random_crop(4, 4, 1);
    const float padded[] = { 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0 };
    assert_values(transformed(x, &flip, 1).x, (float[]){ 2, 1, 4, 3 }, 4);
    assert_values(transformed(x, &same, 1).x, values, 4);
    assert_values(transformed(x, &all, 1).x, padded, 16);
}

/* Every one of the nine windows of a padded pixel turns up, each as often as the others. */
static void crops_are_uniform(void **state)
{
    (void)state;
    cn_dataset *d = cn_dataset_from_tensors(cn_ones(CN_SHAPE(900, 1, 1, 1), CN_F32), NULL);
    cn_loader *l = cn_loader_new(d, .batch = 900, .seed = 3,
                                 .transform = { cn_transform_random_crop(3, 3, 2) });
    float got[900 * 9], counts[9] = { 0 };
    cn_batch b;
    assert_true(cn_loader_next(l, &b) && cn_read(b.x, CN_F32, got, 900 * 9));
    for (int i = 0; i < 900 * 9; i++) counts[i % 9] += got[i];
    for (int i = 0; i < 9; i++) assert_true(counts[i] > 60 && counts[i] < 140);
    cn_loader_free(l);
    cn_dataset_free(d);
}

static void transforms_that_make_no_sense(void **state)
{
    (void)state;
    cn_tensor *x = cn_zeros(CN_SHAPE(2, 3, 4, 4), CN_F32);
    const float one[] = { 1, 1, 1, 1 }, none[CN_MAX_CHANNELS] = { 0 };
    const struct {
        cn_transform t;
        const char *says;
    } cases[] = {
        { cn_transform_to_float(), "float32, not uint8" },
        { cn_transform_normalize(1, none, one), "1 channels for images with 3" },
        { cn_transform_normalize(3, none, none), "not positive" },
        { cn_transform_resize(0, 4), "resize" },
        { cn_transform_resize(INT64_MAX, 4), "resize" },
        { cn_transform_random_flip(1.5), "not a probability" },
        { cn_transform_random_flip((double)NAN), "not a probability" },
        { cn_transform_random_crop(7, 4, 1), "7 x 4 out of 4 x 4" },
        { cn_transform_random_crop(1, 1, -1), "padding -1" },
        { { .kind = (cn_transform_kind)99 }, "99 is none" },
        { { .kind = (cn_transform_kind)-1 }, "-1 is none" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_fails(transformed(x, &cases[i].t, 1).x, CN_EINVALID, cases[i].says);
    const cn_transform flip = cn_transform_random_flip(0.5);
    assert_fails(transformed(cn_zeros(CN_SHAPE(5, 4), CN_F32), &flip, 1).x, CN_EINVALID,
                 "not images");
}

/* ---- memory ------------------------------------------------------------------------------- */

static bool use_everything(void)
{
    cn_tensor *x = cn_zeros(CN_SHAPE(6, 1, 4, 4), CN_F32), *y = cn_zeros(CN_SHAPE(6), CN_I64);
    cn_dataset *d = x && y ? cn_dataset_from_tensors(x, y) : NULL;
    cn_dataset *g = d ? cn_dataset_open("glyphs", .limit = 3) : NULL;
    cn_loader *l = g ? cn_loader_new(d, .batch = 4, .shuffle = true,
                                     .transform = { cn_transform_resize(5, 5) })
                     : NULL;
    cn_batch b;
    bool ok = l && cn_dataset_get(g, (int64_t[]){ 1 }, 1, &b);
    while (ok && cn_loader_next(l, &b)) continue;
    cn_loader_free(l);
    cn_dataset_free(d);
    cn_dataset_free(g);
    return ok && cn_ok();
}

/* The 1st, 2nd, ... allocation fails until all succeed. */
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

#define TEST(f) cmocka_unit_test_teardown(f, check_clean)
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sha256_examples),
        TEST(rows_of_tensors),
        TEST(tensors_that_do_not_match),
        TEST(own_data_set),
        TEST(null_is_passed_on),
        TEST(catalogue_entries),
        TEST(unknown_names),
        TEST(missing_files),
        IN_FOLDER(files_that_do_not_fit),
        TEST(real_fashion_mnist),
        IN_FOLDER(damaged_copy),
        IN_FOLDER(copy_to_the_cache),
        TEST(glyphs_are_balanced),
        TEST(glyphs_depend_on_seed_split_and_index),
        TEST(to_float_and_normalize),
        TEST(resize),
        TEST(resize_wide),
        TEST(center_crop_and_channels),
        TEST(transformed_data_set),
        TEST(flip_and_crop),
        TEST(crops_are_uniform),
        TEST(transforms_that_make_no_sense),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
