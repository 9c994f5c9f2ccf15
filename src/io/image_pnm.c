/* image_pnm.c - PGM and PPM: a header in text, then the samples. Source: Netpbm's pgm(5), ppm(5). */
#include <stdio.h>

#include "io/image.h"
#include "io/reader.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next number, after blanks and comments; one blank ends it. */
static bool read_number(cn_reader *r, uint64_t *out)
{
    uint8_t c = cn_reader_u8(r);
    int digits = 0;
    while (!r->failed && (is_space(c) || c == '#')) {
        while (c == '#' && !r->failed)
            if ((c = cn_reader_u8(r)) != '\n') c = '#';
        c = cn_reader_u8(r);
    }
    for (*out = 0; c >= '0' && c <= '9' && digits < 10; digits++) {
        *out = *out * 10 + (uint64_t)(c - '0');
        c = cn_reader_u8(r);
    }
    return !r->failed &&
           ((digits && is_space(c)) ||
            cn_fail(CN_EFORMAT, "%s: the header is damaged: a number expected", r->what));
}

static void scale(uint8_t *out, const uint8_t *in, size_t n, uint32_t most)
{
    bool wide = most > 255;
    for (size_t i = 0; i < n; i++) {
        uint32_t x = wide ? (uint32_t)(in[2 * i] << 8 | in[2 * i + 1]) : in[i];
        out[i] = (uint8_t)(((x < most ? x : most) * 255 + most / 2) / most);
    }
}

bool cn_pnm_decode(cn_picture *p, const void *bytes, size_t size, const char *what)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    uint64_t width, height, most;
    cn_reader_u8(&r);
    uint8_t kind = cn_reader_u8(&r);
    if (kind != '5' && kind != '6')
        return cn_fail(CN_EUNSUPPORTED, "%s: Netpbm's format P%c; P5 and P6 are read", what, kind);
    if (!read_number(&r, &width) || !read_number(&r, &height) || !read_number(&r, &most))
        return false;
    if (most == 0 || most > 65535)
        return cn_fail(CN_EFORMAT, "%s: samples of up to %llu; 1 to 65535 are possible", what,
                       (unsigned long long)most);
    if (!cn_picture_make(p, width, height, kind == '6' ? 3 : 1, cn_reader_left(&r), 1, what))
        return false;
    uint64_t n = width * height * (unsigned)p->channels;
    const uint8_t *samples = cn_reader_take(&r, most > 255 ? n * 2 : n);
    if (samples) scale(p->samples, samples, (size_t)n, (uint32_t)most);
    return samples;
}

bool cn_pnm_encode(cn_file *f, const cn_picture *p, const char *path)
{
    char header[80];
    (void)path;
    int n = snprintf(header, sizeof header, "P%d\n%lld %lld\n255\n", p->channels == 3 ? 6 : 5,
                     (long long)p->width, (long long)p->height);
    cn_file_put(f, header, (size_t)n);
    cn_file_put(f, p->samples, (size_t)(p->width * p->height * p->channels));
    return true;
}
