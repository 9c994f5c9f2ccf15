/* image_jpeg.c - JPEG through libjpeg. Its errors come by longjmp() and end here; by itself it would
   end the program. */
#include "io/image.h"

#ifdef CN_WITH_JPEG

#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

#include "core/memory.h"

#define QUALITY 95
/* A block of 8 x 8 takes a bit at least, and there are up to 4 of them at a place. */
#define SAMPLES_PER_BYTE (8 * 64 * 4)

typedef struct handler {
    struct jpeg_error_mgr base; /* first: libjpeg knows this part */
    const char *what;
    jmp_buf back;
} handler;

static void fail(j_common_ptr common)
{
    handler *h = (handler *)common->err;
    char message[JMSG_LENGTH_MAX];
    h->base.format_message(common, message);
    bool memory = h->base.msg_code == JERR_OUT_OF_MEMORY;
    cn_fail(memory ? CN_ENOMEM : CN_EFORMAT, "%s: damaged or cut short: libjpeg: %s", h->what,
            message);
    longjmp(h->back, 1);
}

/* libjpeg would go on after damage, with pixels it made up: to us that is an error. What says
   nothing about the pixels is not. */
static void warn(j_common_ptr common, int level)
{
    int code = common->err->msg_code;
    bool harmless =
        code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (level < 0 && !harmless) fail(common);
}

static struct jpeg_error_mgr *handle(handler *h, const char *what)
{
    jpeg_std_error(&h->base);
    h->base.error_exit = fail;
    h->base.emit_message = warn;
    h->what = what;
    return &h->base;
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Adobe's programs store the inks inverted, so that 255 is none; and nobody else writes CMYK. */
static void inks_to_rgb(uint8_t *row, int64_t width, bool inverted)
{
    const uint8_t *in = row;
    for (int64_t x = 0; x < width; x++, in += 4, row += 3) {
        unsigned key = inverted ? in[3] : 255u - in[3];
        for (int c = 0; c < 3; c++) {
            unsigned ink = inverted ? in[c] : 255u - in[c];
            row[c] = (uint8_t)((ink * key + 127) / 255);
        }
    }
}

static bool choose_space(struct jpeg_decompress_struct *j)
{
    bool inks = j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK;
    if (inks) j->out_color_space = JCS_CMYK;
    else if (j->num_components > 1) j->out_color_space = JCS_RGB;
    return inks;
}

/* Rows of inks are wider than the picture's and pass through `wide`. */
static bool read_rows(struct jpeg_decompress_struct *j, cn_picture *p, uint8_t *wide)
{
    int64_t stride = p->width * p->channels;
    while (j->output_scanline < j->output_height) {
        uint8_t *out = p->samples + (int64_t)j->output_scanline * stride;
        uint8_t *row = wide ? wide : out;
        jpeg_read_scanlines(j, &row, 1);
        if (!wide) continue;
        inks_to_rgb(wide, p->width, j->saw_Adobe_marker);
        for (int64_t i = 0; i < stride; i++) out[i] = wide[i];
    }
    jpeg_finish_decompress(j);
    return true;
}

static bool read_all(struct jpeg_decompress_struct *j, cn_picture *p, const void *bytes,
                     size_t size, uint8_t *volatile *wide, const char *what)
{
    jpeg_mem_src(j, bytes, size);
    jpeg_read_header(j, TRUE);
    bool inks = choose_space(j);
    int channels = j->num_components == 1 ? 1 : 3;
    if (!cn_picture_make(p, j->image_width, j->image_height, channels, size, SAMPLES_PER_BYTE,
                         what))
        return false;
    if (inks && !(*wide = cn_alloc((size_t)p->width * 4))) return false;
    jpeg_start_decompress(j);
    return read_rows(j, p, *wide);
}

bool cn_jpeg_decode(cn_picture *p, const void *bytes, size_t size, const char *what)
{
    struct jpeg_decompress_struct j = { .err = NULL };
    handler h;
    uint8_t *volatile wide = NULL;
    volatile bool ok = false;
    j.err = handle(&h, what);
    if (!setjmp(h.back)) {
        jpeg_create_decompress(&j);
        ok = read_all(&j, p, bytes, size, &wide, what);
    }
    jpeg_destroy_decompress(&j);
    cn_free(wide);
    return ok;
}

/* ---- writing ---------------------------------------------------------------------------------- */

typedef struct sink {
    struct jpeg_destination_mgr base; /* first: libjpeg knows this part */
    cn_file *file;
    uint8_t buffer[4096];
} sink;

static void sink_reset(j_compress_ptr j)
{
    sink *s = (sink *)j->dest;
    s->base.next_output_byte = s->buffer;
    s->base.free_in_buffer = sizeof s->buffer;
}

static boolean sink_full(j_compress_ptr j)
{
    sink *s = (sink *)j->dest;
    cn_file_put(s->file, s->buffer, sizeof s->buffer);
    sink_reset(j);
    return TRUE;
}

static void sink_end(j_compress_ptr j)
{
    sink *s = (sink *)j->dest;
    cn_file_put(s->file, s->buffer, sizeof s->buffer - s->base.free_in_buffer);
}

static void write_all(struct jpeg_compress_struct *j, const cn_picture *p)
{
    j->image_width = (JDIMENSION)p->width;
    j->image_height = (JDIMENSION)p->height;
    j->input_components = p->channels;
    j->in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(j);
    jpeg_set_quality(j, QUALITY, TRUE);
    jpeg_start_compress(j, TRUE);
    while (j->next_scanline < j->image_height) {
        uint8_t *row = p->samples + (int64_t)j->next_scanline * p->width * p->channels;
        jpeg_write_scanlines(j, &row, 1);
    }
    jpeg_finish_compress(j);
}

bool cn_jpeg_encode(cn_file *f, const cn_picture *p, const char *path)
{
    struct jpeg_compress_struct j = { .err = NULL };
    handler h;
    sink to = { .base = { NULL, 0, sink_reset, sink_full, sink_end }, .file = f };
    volatile bool ok = false;
    if (p->width > JPEG_MAX_DIMENSION || p->height > JPEG_MAX_DIMENSION)
        return cn_fail(CN_EUNSUPPORTED, "%s: a JPEG is at most %ld pixels wide and high", path,
                       (long)JPEG_MAX_DIMENSION);
    j.err = handle(&h, path);
    if (!setjmp(h.back)) {
        jpeg_create_compress(&j);
        j.dest = &to.base;
        write_all(&j, p);
        ok = true;
    }
    jpeg_destroy_compress(&j);
    return ok;
}

#else

bool cn_jpeg_decode(cn_picture *p, const void *bytes, size_t size, const char *what)
{
    (void)p, (void)bytes, (void)size;
    return cn_fail(CN_EUNSUPPORTED, "%s: a JPEG, and this build has no libjpeg", what);
}

bool cn_jpeg_encode(cn_file *f, const cn_picture *p, const char *path)
{
    (void)f, (void)p;
    return cn_fail(CN_EUNSUPPORTED, "%s: this build has no libjpeg", path);
}

#endif
