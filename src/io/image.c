/* image.c - choosing the format of a picture, and turning pixels into channels and back. */
#include "io/image.h"

#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/tensor.h"

/* A picture of 16384 x 16384 has as many. */
#define MAX_PIXELS ((uint64_t)1 << 28)
/* For headers, and for pictures that are tiny. */
#define FREE_SAMPLES ((uint64_t)1 << 16)

bool cn_picture_make(cn_picture *p, uint64_t width, uint64_t height, int channels, size_t size,
                     uint64_t per_byte, const char *what)
{
    if (width == 0 || height == 0 || width > MAX_PIXELS || height > MAX_PIXELS / width)
        return cn_fail(CN_EFORMAT, "%s: a picture of %llu x %llu pixels; 1 to %llu are possible",
                       what, (unsigned long long)width, (unsigned long long)height,
                       (unsigned long long)MAX_PIXELS);
    uint64_t samples = width * height * (unsigned)channels;
    if (samples > FREE_SAMPLES && samples / per_byte > size)
        return cn_fail(CN_EFORMAT,
                       "%s: %zu bytes cannot hold a picture of %llu x %llu pixels: cut short or "
                       "damaged",
                       what, size, (unsigned long long)width, (unsigned long long)height);
    *p = (cn_picture){ (int64_t)width, (int64_t)height, channels, cn_alloc((size_t)samples) };
    return p->samples;
}

/* ---- channels -------------------------------------------------------------------------------- */

/* ITU-R 601-2, rounded: 0.299 R + 0.587 G + 0.114 B in sixteenths of bits. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000) >> 16);
}

/* Sample `channel` of `wanted` channels, from a pixel that has `n`. Even numbers have alpha last. */
static uint8_t sample(const uint8_t *pixel, int n, int channel, int wanted)
{
    bool alpha_wanted = wanted % 2 == 0 && channel == wanted - 1;
    if (alpha_wanted) return n % 2 == 0 ? pixel[n - 1] : 255;
    if (n <= 2) return pixel[0];
    return wanted <= 2 ? luma(pixel) : pixel[channel];
}

static cn_tensor *to_tensor(const cn_picture *p, int channels)
{
    int64_t n = p->width * p->height;
    cn_tensor *t = cn_empty(CN_SHAPE(channels, p->height, p->width), CN_U8);
    if (!t) return NULL;
    for (int c = 0; c < channels; c++) {
        uint8_t *plane = (uint8_t *)t->v.data + c * n;
        const uint8_t *pixel = p->samples;
        for (int64_t i = 0; i < n; i++, pixel += p->channels)
            plane[i] = p->channels == channels ? pixel[c] : sample(pixel, p->channels, c, channels);
    }
    return t;
}

static bool from_tensor(cn_picture *p, const cn_tensor *t, const char *path)
{
    char text[128];
    int ndim = cn_ndim(t);
    if (!t) return false;
    if (cn_dtype_of(t) != CN_U8 || (ndim != 2 && ndim != 3))
        return cn_fail(CN_EINVALID,
                       "%s: an image is uint8 of shape (channels, height, width), not %s %s", path,
                       cn_dtype_name(cn_dtype_of(t)), cn_shape_text(cn_shape_of(t), text));
    int64_t channels = ndim == 3 ? cn_size(t, 0) : 1, n = cn_size(t, -1) * cn_size(t, -2);
    if (channels < 1 || channels > 4 || n == 0)
        return cn_fail(CN_EINVALID, "%s: an image of shape %s: 1 to 4 channels, and pixels", path,
                       cn_shape_text(cn_shape_of(t), text));
    *p = (cn_picture){ cn_size(t, -1), cn_size(t, -2), (int)channels,
                       cn_alloc((size_t)(n * channels)) };
    cn_tensor *rows = p->samples ? cn_rows((cn_tensor *)t) : NULL;
    for (int64_t c = 0; rows && c < channels; c++) {
        const uint8_t *plane = (const uint8_t *)rows->v.data + c * n;
        for (int64_t i = 0; i < n; i++) p->samples[i * channels + c] = plane[i];
    }
    return rows;
}

/* ---- formats --------------------------------------------------------------------------------- */

static bool decode(cn_picture *p, const uint8_t *bytes, size_t size, bool index, const char *what)
{
    bool png = size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0;
    if (index && !png)
        return cn_fail(CN_EINVALID, "%s: only a PNG has a palette to read the entries of", what);
    if (png) return cn_png_decode(p, bytes, size, index, what);
    if (size >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0)
        return cn_jpeg_decode(p, bytes, size, what);
    if (size >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7')
        return cn_pnm_decode(p, bytes, size, what);
    return cn_fail(CN_EFORMAT, "%s: %s: not a JPEG, PNG, PPM or PGM picture", what,
                   size ? "unknown contents" : "empty");
}

cn_tensor *cn_image_decode(const void *bytes, size_t size, cn_image_mode mode, const char *what)
{
    static const int channels[] = { 0, 1, 3, 4, 1 };
    cn_picture p = { .samples = NULL };
    what = what ? what : "(memory)";
    if ((int)mode < 0 || mode > CN_IMAGE_INDEX)
        return cn_fail(CN_EINVALID, "%s: %d is no image mode", what, (int)mode), NULL;
    bool ok = decode(&p, bytes, bytes ? size : 0, mode == CN_IMAGE_INDEX, what);
    cn_tensor *t = ok ? to_tensor(&p, channels[mode] ? channels[mode] : p.channels) : NULL;
    cn_free(p.samples);
    return t;
}

cn_tensor *cn_image_read(const char *path, cn_image_mode mode)
{
    cn_mapping m;
    if (!cn_map_file(path, &m)) return NULL;
    cn_tensor *t = cn_image_decode(m.bytes, m.size, mode, path);
    cn_unmap_file(&m);
    return t;
}

static const struct {
    const char *extension;
    int channels; /* bit n: n channels are possible */
    bool (*encode)(cn_file *f, const cn_picture *p, const char *path);
} formats[] = {
    { ".png", 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4, cn_png_encode },
    { ".jpg", 1 << 1 | 1 << 3, cn_jpeg_encode },
    { ".jpeg", 1 << 1 | 1 << 3, cn_jpeg_encode },
    { ".pgm", 1 << 1, cn_pnm_encode },
    { ".ppm", 1 << 3, cn_pnm_encode },
};

static bool encode(const char *path, const cn_picture *p)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t m = strlen(formats[i].extension);
        if (n <= m || strcasecmp(path + n - m, formats[i].extension) != 0) continue;
        if (!(formats[i].channels >> p->channels & 1))
            return cn_fail(CN_EINVALID, "%s: a %s file cannot hold %d channels", path,
                           formats[i].extension, p->channels);
        cn_file *f = cn_file_create(path);
        return f && cn_file_finish(f, formats[i].encode(f, p, path));
    }
    return cn_fail(CN_EINVALID, "%s: the name must end in .png, .jpg, .jpeg, .pgm or .ppm", path);
}

bool cn_image_write(const char *path, const cn_tensor *image)
{
    if (!path) return cn_fail(CN_EINVALID, "image: the path is NULL");
    size_t mark = cn_mark();
    cn_picture p = { .samples = NULL };
    bool ok = from_tensor(&p, image, path) && encode(path, &p);
    cn_free(p.samples);
    cn_release(mark);
    return ok;
}
