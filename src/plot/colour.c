/* colour.c - the colours of figures, whatever they are drawn on. */
#include "plot/colour.h"

#include <math.h>

const Colour cn_ink = { 0.13, 0.14, 0.16 }, cn_ink_soft = { 0.35, 0.37, 0.40 },
             cn_ink_faint = { 0.90, 0.91, 0.92 }, cn_good = { 0.08, 0.47, 0.20 },
             cn_bad = { 0.78, 0.13, 0.18 };

Colour cn_series_colour(size_t i)
{
    static const Colour palette[] = {
        { 0.15, 0.39, 0.72 }, { 0.72, 0.20, 0.50 }, { 0.10, 0.53, 0.27 }, { 0.88, 0.38, 0.20 },
        { 0.68, 0.57, 0.10 }, { 0.20, 0.66, 0.80 }, { 0.42, 0.33, 0.62 }, { 0.40, 0.42, 0.45 },
    };
    return palette[i % (sizeof palette / sizeof *palette)];
}

Colour cn_heat_colour(double level)
{
    static const Colour ramp[] = {
        { 0.970, 0.982, 0.995 }, { 0.840, 0.905, 0.960 }, { 0.645, 0.805, 0.905 },
        { 0.400, 0.655, 0.840 }, { 0.200, 0.490, 0.740 }, { 0.080, 0.320, 0.590 },
        { 0.030, 0.165, 0.370 },
    };
    enum { LAST = sizeof ramp / sizeof *ramp - 1 };
    if (isnan(level)) return (Colour){ 0.82, 0.82, 0.82 };
    int i = (int)fmin(level * LAST, LAST - 1);
    double t = level * LAST - i;
    const Colour *a = &ramp[i], *b = &ramp[i + 1];
    return (Colour){ a->r + t * (b->r - a->r), a->g + t * (b->g - a->g), a->b + t * (b->b - a->b) };
}
