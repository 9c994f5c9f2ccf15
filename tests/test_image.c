/* test_image.c - pictures: what is written comes back, what is damaged is an error, never made-up
   pixels and never the end of the program. */
#include "core/file.h"
#include "core/memory.h"
#include "io_samples.h"

#include <cenote/ffi.h>
#include <cenote/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BYTES(text) text, sizeof(text) - 1

/* Smooth, so that JPEG changes it little. */
static cn_tensor *picture(int channels)
{
    uint8_t pixels[4 * 9 * 14];
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < 9; y++)
            for (int x = 0; x < 14; x++)
                pixels[(c * 9 + y) * 14 + x] = (uint8_t)(60 * c + 5 * y + 3 * x);
    return cn_from(pixels, CN_SHAPE(channels, 9, 14), CN_U8);
}

static cn_tensor *write_and_read(const char *name, const cn_tensor *image)
{
    const char *path = cn_test_path(name);
    assert_true(cn_image_write(path, image));
    cn_tensor *back = cn_image_read(path, CN_IMAGE_AS_IS);
    if (!back) print_error("%s\n", cn_error());
    assert_int_equal(unlink(path), 0);
    return back;
}

static void lossless_formats_keep_every_pixel(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_test_same_tensor(write_and_read("g.pgm", picture(1)), picture(1));
    cn_test_same_tensor(write_and_read("c.PPM", picture(3)), picture(3));
#ifdef CN_WITH_PNG
    for (int channels = 1; channels <= 4; channels++)
        cn_test_same_tensor(write_and_read("a.png", picture(channels)), picture(channels));
#endif
    cn_release(mark);
}

#ifdef CN_WITH_JPEG
static void jpeg_stays_close(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    for (int channels = 1; channels <= 3; channels += 2) {
        cn_tensor *image = picture(channels), *back = write_and_read("a.jpg", image);
        const uint8_t *a = cn_data(image), *b = cn_data(back);
        assert_int_equal(cn_numel(back), cn_numel(image));
        for (int64_t i = 0; i < cn_numel(image); i++) assert_in_range(a[i] - b[i] + 6, 0, 12);
    }
    cn_release(mark);
}
#endif

static void modes_choose_channels(void **state)
{
    (void)state;
    static const char ppm[] = "P6 2 1 255\n\xFF\0\0\x0A\x14\x1E",
                      pgm[] = "P5\n# a comment\n1 1\n15\n\x0F";
    static const uint8_t gray[] = { 76, 18 }, rgba[] = { 255, 10, 0, 20, 0, 30, 255, 255 };
    size_t mark = cn_mark();
    cn_tensor *t = cn_image_decode(BYTES(ppm), CN_IMAGE_GRAY, "x");
    cn_test_same_tensor(t, cn_from(gray, CN_SHAPE(1, 1, 2), CN_U8));
    t = cn_image_decode(BYTES(ppm), CN_IMAGE_RGBA, "x");
    cn_test_same_tensor(t, cn_from(rgba, CN_SHAPE(4, 1, 2), CN_U8));
    t = cn_image_decode(BYTES(pgm), CN_IMAGE_RGB, "x");
    assert_int_equal(cn_size(t, 0), 3);
    assert_true(cn_at(t, CN_SHAPE(2, 0, 0)) == 255);
    assert_null(cn_image_decode(BYTES(ppm), CN_IMAGE_INDEX, "x"));
    cn_test_expect_error(CN_EINVALID, "x: only a PNG has a palette");
    assert_null(cn_image_decode(BYTES(ppm), (cn_image_mode)9, "x"));
    cn_test_expect_error(CN_EINVALID, "9 is no image mode");
    cn_release(mark);
}

#ifdef CN_WITH_PNG
/* 2 x 2 pixels of 2 bits, entries 0, 1, 2, 0 of a palette of red, green and blue. */
static const uint8_t palette_png[] = {
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x02, 0x03, 0x00, 0x00, 0x00, 0x0F,
    0xD8, 0xE5, 0xB7, 0x00, 0x00, 0x00, 0x09, 0x50, 0x4C, 0x54, 0x45, 0xFF, 0x00, 0x00, 0x00,
    0xFF, 0x00, 0x00, 0x00, 0xFF, 0x2D, 0x4A, 0xCD, 0x8A, 0x00, 0x00, 0x00, 0x0C, 0x49, 0x44,
    0x41, 0x54, 0x78, 0x9C, 0x63, 0x10, 0x60, 0x68, 0x00, 0x00, 0x00, 0xB4, 0x00, 0x91, 0x00,
    0x0A, 0xD8, 0xB3, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
};

static void palettes_are_colours_or_entries(void **state)
{
    (void)state;
    static const uint8_t entries[] = { 0, 1, 2, 0 };
    static const uint8_t colours[] = { 255, 0, 0, 255, 0, 255, 0, 0, 0, 0, 255, 0 };
    size_t mark = cn_mark(), size = sizeof palette_png;
    cn_test_same_tensor(cn_image_decode(palette_png, size, CN_IMAGE_INDEX, "x"),
                        cn_from(entries, CN_SHAPE(1, 2, 2), CN_U8));
    cn_test_same_tensor(cn_image_decode(palette_png, size, CN_IMAGE_AS_IS, "x"),
                        cn_from(colours, CN_SHAPE(3, 2, 2), CN_U8));
    const char *path = cn_test_path("rgb.png");
    assert_true(cn_image_write(path, picture(3)));
    assert_null(cn_image_read(path, CN_IMAGE_INDEX));
    cn_test_expect_error(CN_EINVALID, "has no palette");
    assert_int_equal(unlink(path), 0);
    cn_release(mark);
}
#endif

static void bad_pictures_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        cn_code code;
        const char *part;
    } bad[] = {
        { BYTES(""), CN_EFORMAT, "empty" },
        { BYTES("hello"), CN_EFORMAT, "unknown contents" },
        { BYTES("P6 2 1 255\n12345"), CN_EFORMAT, "1 bytes are missing" },
        { BYTES("P6 0 1 255\n"), CN_EFORMAT, "0 x 1 pixels" },
        { BYTES("P6 99999999 99999999 255\n"), CN_EFORMAT, "pixels; 1 to" },
        { BYTES("P5 16000 16000 255\nx"), CN_EFORMAT, "cannot hold" },
        { BYTES("P5 1 1 0\nx"), CN_EFORMAT, "samples of up to 0" },
        { BYTES("P5 1 1 70000\nxx"), CN_EFORMAT, "samples of up to 70000" },
        { BYTES("P5 1 x 255\n"), CN_EFORMAT, "a number expected" },
        { BYTES("P5 1 # no end"), CN_EFORMAT, "missing" },
        { BYTES("P3 1 1 255\n1 2 3\n"), CN_EUNSUPPORTED, "format P3" },
        { BYTES("P7\n"), CN_EUNSUPPORTED, "format P7" },
#ifdef CN_WITH_PNG
        { BYTES("\x89PNG\r\n\x1A\n"), CN_EFORMAT, "libpng" },
        { BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x40\0\0\0\x40\0\x08\2\0\0\0\0\0\0\0"),
          CN_EFORMAT, "libpng" },
#endif
#ifdef CN_WITH_JPEG
        { BYTES("\xFF\xD8\xFF\xE0"), CN_EFORMAT, "libjpeg" },
        { BYTES("\xFF\xD8\xFF\xD9"), CN_EFORMAT, "libjpeg" },
#endif
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(cn_image_decode(bad[i].bytes, bad[i].size, CN_IMAGE_AS_IS, "bad"));
        cn_test_expect_error(bad[i].code, bad[i].part);
    }
    assert_null(cn_image_read(cn_test_path("nothing.png"), CN_IMAGE_AS_IS));
    cn_test_expect_error(CN_ENOTFOUND, "nothing.png");
}

/* Every cut and every flipped bit of a file, in a block of exactly its size. */
static void survive_damage(const char *name, const cn_tensor *image, bool checksums)
{
    const char *path = cn_test_path(name);
    assert_true(cn_image_write(path, image));
    cn_test_bytes file = cn_test_slurp(path);
    assert_int_equal(unlink(path), 0);
    for (size_t size = 0; size < file.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, file.bytes, size);
        assert_null(cn_image_decode(copy, size, CN_IMAGE_AS_IS, name));
        assert_int_equal(cn_error_code(), CN_EFORMAT);
        cn_error_clear();
        free(copy);
    }
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        size_t mark = cn_mark();
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cn_tensor *t = cn_image_decode(file.bytes, file.size, CN_IMAGE_AS_IS, name);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true((t != NULL) == cn_ok());
        if (checksums && t && bit > 8 * 41) cn_test_same_tensor(t, image);
        cn_error_clear();
        cn_release(mark);
    }
    free(file.bytes);
}

static void damage_is_survived(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    survive_damage("d.ppm", picture(3), false);
#ifdef CN_WITH_PNG
    survive_damage("d.png", picture(3), true);
#endif
#ifdef CN_WITH_JPEG
    survive_damage("d.jpg", picture(3), false);
#endif
    cn_release(mark);
}

static void what_is_no_image_is_not_written(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    assert_false(cn_image_write(cn_test_path("x.png"), cn_zeros(CN_SHAPE(3, 2, 2), CN_F32)));
    cn_test_expect_error(CN_EINVALID, "not float32 (3, 2, 2)");
    assert_false(cn_image_write(cn_test_path("x.png"), cn_zeros(CN_SHAPE(5, 2, 2), CN_U8)));
    cn_test_expect_error(CN_EINVALID, "1 to 4 channels");
    assert_false(cn_image_write(cn_test_path("x.png"), cn_zeros(CN_SHAPE(3, 0, 2), CN_U8)));
    cn_test_expect_error(CN_EINVALID, "pixels");
    assert_false(cn_image_write(cn_test_path("x.jpg"), picture(4)));
    cn_test_expect_error(CN_EINVALID, "cannot hold 4 channels");
    assert_false(cn_image_write(cn_test_path("x.gif"), picture(3)));
    cn_test_expect_error(CN_EINVALID, "must end in .png");
    assert_false(cn_image_write(NULL, picture(3)));
    cn_test_expect_error(CN_EINVALID, "path is NULL");
    assert_false(cn_image_write(cn_test_path("x.png"), NULL));
    cn_error_clear();
    cn_release(mark);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    static const char *const names[] = {
        "f.ppm",
#ifdef CN_WITH_PNG
        "f.png",
#endif
#ifdef CN_WITH_JPEG
        "f.jpg",
#endif
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *path = cn_test_path(names[i]);
        bool done = false;
        for (int64_t n = 0; !done && n < 1000; n++) {
            size_t live = cn_memory().live_bytes, mark = cn_mark();
            cn_tensor *image = picture(3);
            cn_alloc_fail_after(n);
            done = cn_image_write(path, image) && cn_image_read(path, CN_IMAGE_AS_IS);
            cn_alloc_fail_after(-1);
            assert_true(done == cn_ok());
            if (!done) assert_int_equal(cn_error_code(), CN_ENOMEM);
            cn_error_clear();
            cn_release(mark);
            assert_int_equal(cn_memory().live_bytes, live);
        }
        assert_true(done);
        assert_int_equal(unlink(path), 0);
    }
}

static void ffi_reads_images(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    const char *path = cn_test_path("a.ppm");
    assert_true(cn_image_write(path, picture(3)));
    cn_tensor *t = NULL;
    assert_int_equal(cn_ffi_read_image(path, &t), 0);
    cn_test_same_tensor(t, picture(3));
    cn_ffi_tensor_release(t);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cn_ffi_read_image(path, &t), CN_ENOTFOUND);
    assert_null(t);
    cn_error_clear();
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_formats_keep_every_pixel),
#ifdef CN_WITH_JPEG
        cmocka_unit_test(jpeg_stays_close),
#endif
#ifdef CN_WITH_PNG
        cmocka_unit_test(palettes_are_colours_or_entries),
#endif
        cmocka_unit_test(modes_choose_channels),
        cmocka_unit_test(bad_pictures_are_refused),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(what_is_no_image_is_not_written),
        cmocka_unit_test(allocations_may_fail),
        cmocka_unit_test(ffi_reads_images),
    };
    return cmocka_run_group_tests_name("image", tests, cn_test_folder_make, cn_test_folder_remove);
}
