/* axis.h - from values to positions: ranges, ticks, and numbers as people write them. */
#ifndef CN_PLOT_AXIS_H
#define CN_PLOT_AXIS_H

#include <cenote/base.h>

enum { MAX_TICKS = 24, NUMBER_ROOM = 32 };

/* The least and the greatest of what was seen; empty while lo > hi. */
typedef struct Range {
    double lo, hi;
} Range;

typedef struct Axis {
    bool log;
    double lo, hi; /* values, not logarithms; lo < hi */
    int n;
    double tick[MAX_TICKS];
    char label[MAX_TICKS][NUMBER_ROOM];
} Axis;

extern const Range cn_range_empty;

/* False for what cannot be shown: NaN, infinity, beyond 1e300, not positive on a log axis. */
bool cn_value_shows(double v, bool log);
void cn_range_see(Range *r, double v, bool log);

/* An axis over the data: room for `wanted` ticks at 1, 2 or 5 times a power of ten (integers only
   if `whole`), the range widened by `margin` of itself at both ends. Empty and one-point ranges are
   made wide enough to draw. */
void cn_axis_init(Axis *a, Range data, double margin, bool log, bool whole, int wanted);

double cn_axis_at(const Axis *a, double v); /* 0 at lo, 1 at hi; v must show */

/* v with the decimals that a grid of `step` needs, as one of several numbers the largest of which
   has the size given: all become 2e6 or none. The point is a point in every locale. */
void cn_number_format(char out[NUMBER_ROOM], double v, double step, double size);
/* v with at most `digits` significant digits, trailing zeros dropped. */
void cn_number_short(char out[NUMBER_ROOM], double v, int digits);

#endif
