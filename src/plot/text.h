/* text.h - drawing with characters. */
#ifndef CN_PLOT_TEXT_H
#define CN_PLOT_TEXT_H

#include "plot/buffer.h"
#include "plot/colour.h"
#include "plot/figure.h"

typedef struct Terminal {
    Buffer out;
    int width, height;
    bool colour;
} Terminal;

/* ---- words: columns are those of a terminal, where Chinese characters take two ------------- */

int cn_columns(const char *text);
/* Adds what of the text, up to its end or a newline, fits into `columns`; returns those used. */
int cn_text_put(Terminal *t, const char *text, int columns);
void cn_put_spaces(Terminal *t, int n);
void cn_put_centred(Terminal *t, const char *text, int columns); /* ends without padding */
void cn_put_right(Terminal *t, const char *text, int columns);
void cn_put_line(Terminal *t, const char *text); /* centred on the full width, nothing for NULL */

/* ANSI escapes, nothing when the terminal has no colour. */
void cn_put_ansi(Terminal *t, const char *code); /* "31" */
void cn_put_reset(Terminal *t);
void cn_put_series_colour(Terminal *t, size_t i);
void cn_put_rgb(Terminal *t, Colour c, bool background);

/* A character as dark as the level, 0 .. 1. */
const char *cn_shade(double level);

/* ---- panels ------------------------------------------------------------------------------- */

bool cn_text_curves(Terminal *t, const Curves *c); /* false: no memory */
void cn_text_heat(Terminal *t, const Heat *h);
void cn_text_images(Terminal *t, const Images *im);

#endif
