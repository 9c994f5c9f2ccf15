/* chords.c - convexity by its definition: chords stay inside, or above. */
#include "book/opt/chords.h"

#include <math.h>

enum { CHORDS = 20000, SET_CHORDS = 5000 };

static void point_of(Set *set, double p[2])
{
    cn_rng *rng = cn_default_rng();
    do {
        p[0] = 4 * cn_rng_uniform(rng) - 2;
        p[1] = 4 * cn_rng_uniform(rng) - 2;
    } while (!set(p[0], p[1]));
}

double chords_outside(Set *set)
{
    int outside = 0;
    for (int i = 0; i < SET_CHORDS; i++) {
        double a[2], b[2], l = cn_rng_uniform(cn_default_rng());
        point_of(set, a);
        point_of(set, b);
        outside += !set(l * a[0] + (1 - l) * b[0], l * a[1] + (1 - l) * b[1]);
    }
    return (double)outside / SET_CHORDS;
}

static cn_tensor *points(int dim, double lo, double hi)
{
    cn_shape shape = dim > 1 ? CN_SHAPE(dim, CHORDS) : CN_SHAPE(CHORDS);
    return cn_add(cn_mul(cn_rand(shape, CN_F64), cn_num(hi - lo)), cn_num(lo));
}

double chords_above(Function *f, int dim, double lo, double hi)
{
    double least = (double)NAN;
    CN_SCOPE
    {
        cn_tensor *x = points(dim, lo, hi), *y = points(dim, lo, hi),
                  *l = cn_rand(CN_SHAPE(CHORDS), CN_F64);
        cn_tensor *chord = cn_lerp(f(x), f(y), l), *below = f(cn_lerp(x, y, l));
        least = cn_item(cn_amin(cn_sub(chord, below)));
    }
    return least;
}
