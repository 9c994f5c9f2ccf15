/* paint.c - words and pixels on a Cairo context. */
#include "plot/paint.h"

#ifdef CN_WITH_CAIRO

#include <math.h>
#include <string.h>

static const double slant = 0.7; /* about 40 degrees */

/* ---- colours ------------------------------------------------------------------------------ */

void cn_set_colour(cairo_t *cr, Colour c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

/* ---- words -------------------------------------------------------------------------------- */

static void set_font(cairo_t *cr, double font)
{
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, font);
}

double cn_text_width(cairo_t *cr, const char *text, double font)
{
    cairo_text_extents_t e;
    set_font(cr, font);
    cairo_text_extents(cr, text, &e);
    return e.x_advance;
}

double cn_widest(cairo_t *cr, char *const *texts, size_t n, double font)
{
    double widest = 0;
    for (size_t i = 0; i < n; i++) widest = fmax(widest, cn_text_width(cr, texts[i], font));
    return widest;
}

void cn_draw_turned(cairo_t *cr, const char *text, double x, double y, double align, double angle,
                    double font, Colour colour)
{
    double width = cn_text_width(cr, text, font);
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, -angle);
    cairo_move_to(cr, -align * width, 0);
    cn_set_colour(cr, colour, 1);
    cairo_show_text(cr, text);
    cairo_restore(cr);
    cairo_new_path(cr);
}

void cn_draw_text(cairo_t *cr, const char *text, double x, double y, double align, double font,
                  Colour colour)
{
    cn_draw_turned(cr, text, x, y, align, 0, font, colour);
}

enum { LINE_ROOM = 256, LINE_HEIGHT = 13 };

/* Takes the next line of *text, cut to what fits without splitting a character. */
static bool next_line(const char **text, char line[LINE_ROOM])
{
    if (!*text) return false;
    const char *end = strchr(*text, '\n');
    size_t n = end ? (size_t)(end - *text) : strlen(*text);
    if (n >= LINE_ROOM) {
        n = LINE_ROOM - 1;
        while (n && ((*text)[n] & 0xc0) == 0x80) n--;
    }
    memcpy(line, *text, n);
    line[n] = 0;
    *text = end ? end + 1 : NULL;
    return true;
}

void cn_draw_lines(cairo_t *cr, const char *text, double x, double y, Colour colour)
{
    char line[LINE_ROOM];
    for (; next_line(&text, line); y += LINE_HEIGHT)
        cn_draw_text(cr, line, x, y, 0.5, FONT_SMALL, colour);
}

Size cn_lines_size(cairo_t *cr, const char *text)
{
    char line[LINE_ROOM];
    Size size = { 0, 0 };
    for (; next_line(&text, line); size.h += LINE_HEIGHT)
        size.w = fmax(size.w, cn_text_width(cr, line, FONT_SMALL));
    return size;
}

bool cn_names_slant(cairo_t *cr, char *const *names, size_t n, double pitch)
{
    return cn_widest(cr, names, n, FONT_SMALL) > pitch - 6;
}

double cn_names_height(cairo_t *cr, char *const *names, size_t n, double pitch)
{
    if (!cn_names_slant(cr, names, n, pitch)) return 16;
    return 12 + sin(slant) * cn_widest(cr, names, n, FONT_SMALL);
}

void cn_draw_name(cairo_t *cr, const char *name, double x, double y, bool slanted)
{
    if (slanted) cn_draw_turned(cr, name, x + 4, y + 10, 1, slant, FONT_SMALL, cn_ink_soft);
    else cn_draw_text(cr, name, x, y + 13, 0.5, FONT_SMALL, cn_ink_soft);
}

/* ---- pixels ------------------------------------------------------------------------------- */

static void fill_enlarged(cairo_surface_t *s, size_t w, size_t h, size_t factor, Pixel *pixel,
                          const void *source)
{
    unsigned char *to = cairo_image_surface_get_data(s);
    size_t stride = (size_t)cairo_image_surface_get_stride(s);
    for (size_t y = 0; y < h * factor; y++) {
        for (size_t x = 0; x < w * factor; x++) {
            uint32_t packed = pixel(source, y / factor * w + x / factor);
            memcpy(to + y * stride + 4 * x, &packed, sizeof packed);
        }
    }
    cairo_surface_mark_dirty(s);
}

uint32_t cn_pack_colour(Colour c)
{
    return (uint32_t)(c.r * 255 + 0.5) << 16 | (uint32_t)(c.g * 255 + 0.5) << 8 |
           (uint32_t)(c.b * 255 + 0.5);
}

/* Viewers of SVG and PDF smooth what they enlarge, so that small pictures are enlarged here. */
void cn_draw_pixels(cairo_t *cr, Box box, size_t w, size_t h, Pixel *pixel, const void *source)
{
    if (!w || !h) return;
    size_t factor = (size_t)fmin(16, fmax(1, ceil(2 * fmax(box.w / (double)w, box.h / (double)h))));
    double wide = (double)(w * factor), high = (double)(h * factor);
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)wide, (int)high);
    if (cairo_surface_status(s) == CAIRO_STATUS_SUCCESS)
        fill_enlarged(s, w, h, factor, pixel, source);
    cairo_save(cr);
    cairo_translate(cr, box.x, box.y);
    cairo_scale(cr, box.w / wide, box.h / high);
    cairo_set_source_surface(cr, s, 0, 0); /* a surface in error puts the context in error */
    cairo_pattern_set_filter(cairo_get_source(cr),
                             factor > 1 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_rectangle(cr, 0, 0, wide, high);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_surface_destroy(s);
}

#endif
