/* colour.h - the colours of figures, whatever they are drawn on. */
#ifndef CN_PLOT_COLOUR_H
#define CN_PLOT_COLOUR_H

#include <stddef.h>

/* Red, green and blue from 0 to 1. */
typedef struct Colour {
    double r, g, b;
} Colour;

extern const Colour cn_ink, cn_ink_soft, cn_ink_faint, cn_good, cn_bad;

Colour cn_series_colour(size_t i);   /* of a palette that the colour-blind can tell apart */
Colour cn_heat_colour(double level); /* light to dark for 0 .. 1; grey for NaN */

#endif
