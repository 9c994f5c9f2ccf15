/* paint.h - drawing on a Cairo context: words, colours, pixels, and the panels made of them. */
#ifndef CN_PLOT_PAINT_H
#define CN_PLOT_PAINT_H

#include "plot/colour.h"
#include "plot/figure.h"

#ifdef CN_WITH_CAIRO

#include <cairo.h>

typedef struct Box {
    double x, y, w, h;
} Box;

typedef struct Size {
    double w, h;
} Size;

enum { FONT_SMALL = 10, FONT_LABEL = 11, FONT_TITLE = 13 };

void cn_set_colour(cairo_t *cr, Colour c, double alpha);

/* ---- words: one line each, but for cn_draw_lines ------------------------------------------- */

double cn_text_width(cairo_t *cr, const char *text, double font);
double cn_widest(cairo_t *cr, char *const *texts, size_t n, double font);

/* Draws with the baseline at y; `align` 0: starts at x, 0.5: is centred there, 1: ends there. */
void cn_draw_text(cairo_t *cr, const char *text, double x, double y, double align, double font,
                  Colour colour);
/* The same, turned by `angle` (counter-clockwise, in radians) about (x, y). */
void cn_draw_turned(cairo_t *cr, const char *text, double x, double y, double align, double angle,
                    double font, Colour colour);

/* Several lines, centred at x, the first baseline at y. */
void cn_draw_lines(cairo_t *cr, const char *text, double x, double y, Colour colour);
Size cn_lines_size(cairo_t *cr, const char *text); /* of the same */

/* Names under an axis: level where they fit into `pitch` each, else slanted. */
double cn_names_height(cairo_t *cr, char *const *names, size_t n, double pitch);
void cn_draw_name(cairo_t *cr, const char *name, double x, double y, bool slanted);
bool cn_names_slant(cairo_t *cr, char *const *names, size_t n, double pitch);

/* ---- pixels ------------------------------------------------------------------------------- */

/* The i-th pixel, row by row, as 0xRRGGBB. */
typedef uint32_t Pixel(const void *source, size_t i);

uint32_t cn_pack_colour(Colour c);
/* Fills the box with w x h pixels, their edges sharp. */
void cn_draw_pixels(cairo_t *cr, Box box, size_t w, size_t h, Pixel *pixel, const void *source);

/* ---- panels: how large they wish to be, and drawing them into a box ------------------------ */

Size cn_curves_size(const Curves *c);
void cn_paint_curves(cairo_t *cr, const Curves *c, Box box);
void cn_paint_legend(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot);
void cn_series_pen(cairo_t *cr, size_t i); /* the width and dashes of the i-th line */

Size cn_heat_size(cairo_t *cr, const Heat *h);
void cn_paint_heat(cairo_t *cr, const Heat *h, Box box);

Size cn_images_size(cairo_t *cr, const Images *im);
void cn_paint_images(cairo_t *cr, const Images *im, Box box);

Size cn_surface_size(void);
void cn_paint_surface(cairo_t *cr, const Surface *s, Box box);

#endif
#endif
