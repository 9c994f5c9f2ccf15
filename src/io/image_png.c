/* image_png.c - PNG through libpng. Its errors come by longjmp() and end here. */
#include "io/image.h"

#ifdef CN_WITH_PNG

#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "core/memory.h"

/* Deflate never makes more than 1032 bytes of one, and a byte holds at most 8 samples. */
#define SAMPLES_PER_BYTE (1032 * 8)

typedef struct coder {
    png_structp png;
    png_infop info;
    const char *what;
    const uint8_t *at, *end; /* to be read */
    cn_file *file;           /* to be written to */
    png_bytep *rows;
} coder;

static void fail(png_structp png, png_const_charp message)
{
    const coder *c = png_get_error_ptr(png);
    cn_fail(CN_EFORMAT, "%s: damaged or cut short: libpng: %s", c->what, message);
    png_longjmp(png, 1);
}

/* Warnings are about parts that no pixel depends on. */
static void ignore(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return cn_alloc(size);
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    cn_free(block);
}

static void read_bytes(png_structp png, png_bytep out, size_t size)
{
    coder *c = png_get_io_ptr(png);
    if (size > (size_t)(c->end - c->at)) png_error(png, "the end is missing");
    memcpy(out, c->at, size);
    c->at += size;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t size)
{
    coder *c = png_get_io_ptr(png);
    cn_file_put(c->file, bytes, size);
}

static void flush(png_structp png)
{
    (void)png;
}

/* Pointers to the rows, for interlaced files. */
static bool make_rows(coder *c, const cn_picture *p)
{
    c->rows = cn_alloc((size_t)p->height * sizeof *c->rows);
    for (int64_t y = 0; c->rows && y < p->height; y++)
        c->rows[y] = p->samples + y * p->width * p->channels;
    return c->rows;
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Asks for 8 bits a sample; palettes and transparent colours in full, or the entries themselves. */
static bool ask_for_bytes(coder *c, bool index)
{
    bool palette = png_get_color_type(c->png, c->info) == PNG_COLOR_TYPE_PALETTE;
    if (index && !palette)
        return cn_fail(CN_EINVALID, "%s: this PNG has no palette to read the entries of", c->what);
    if (index) {
        png_set_packing(c->png);
    } else {
        png_set_expand(c->png);
        png_set_scale_16(c->png);
    }
    png_set_interlace_handling(c->png);
    png_read_update_info(c->png, c->info);
    return true;
}

static bool read_all(coder *c, cn_picture *p, bool index)
{
    size_t size = (size_t)(c->end - c->at);
    png_read_info(c->png, c->info);
    if (!ask_for_bytes(c, index) ||
        !cn_picture_make(p, png_get_image_width(c->png, c->info),
                         png_get_image_height(c->png, c->info), png_get_channels(c->png, c->info),
                         size, SAMPLES_PER_BYTE, c->what) ||
        !make_rows(c, p))
        return false;
    if (png_get_rowbytes(c->png, c->info) != (size_t)p->width * (size_t)p->channels)
        return cn_fail(CN_EUNSUPPORTED, "%s: a PNG of an unknown kind", c->what);
    png_read_image(c->png, c->rows);
    png_read_end(c->png, NULL);
    return true;
}

bool cn_png_decode(cn_picture *p, const void *bytes, size_t size, bool index, const char *what)
{
    coder c = { .what = what, .at = bytes, .end = (const uint8_t *)bytes + size };
    volatile bool ok = false;
    c.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &c, fail, ignore, NULL, allocate, release);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    if (c.info && !setjmp(png_jmpbuf(c.png))) {
        png_set_read_fn(c.png, &c, read_bytes);
        ok = read_all(&c, p, index);
    }
    if (!ok) cn_fail(CN_ENOMEM, "%s: no memory for libpng", what);
    png_destroy_read_struct(&c.png, &c.info, NULL);
    cn_free(c.rows);
    return ok;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static bool write_all(coder *c, const cn_picture *p)
{
    static const int types[] = { 0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                 PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA };
    if (!make_rows(c, p)) return false;
    png_set_write_fn(c->png, c, write_bytes, flush);
    png_set_IHDR(c->png, c->info, (png_uint_32)p->width, (png_uint_32)p->height, 8,
                 types[p->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(c->png, c->info);
    png_write_image(c->png, c->rows);
    png_write_end(c->png, NULL);
    return true;
}

bool cn_png_encode(cn_file *f, const cn_picture *p, const char *path)
{
    coder c = { .what = path, .file = f };
    volatile bool ok = false;
    c.png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &c, fail, ignore, NULL, allocate, release);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    if (c.info && !setjmp(png_jmpbuf(c.png))) ok = write_all(&c, p);
    if (!ok) cn_fail(CN_ENOMEM, "%s: no memory for libpng", path);
    png_destroy_write_struct(&c.png, &c.info);
    cn_free(c.rows);
    return ok;
}

#else

bool cn_png_decode(cn_picture *p, const void *bytes, size_t size, bool index, const char *what)
{
    (void)p, (void)bytes, (void)size, (void)index;
    return cn_fail(CN_EUNSUPPORTED, "%s: a PNG, and this build has no libpng", what);
}

bool cn_png_encode(cn_file *f, const cn_picture *p, const char *path)
{
    (void)f, (void)p;
    return cn_fail(CN_EUNSUPPORTED, "%s: this build has no libpng", path);
}

#endif
