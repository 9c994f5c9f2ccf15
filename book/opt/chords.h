/* chords.h - is it convex? Random chords of sets and of functions. */
#ifndef CHORDS_H
#define CHORDS_H

#include "book/opt/traces.h"

typedef bool Set(double x, double y);

/* Chords between random points of a set in the square [-2, 2]^2: the share of them with a point
   outside. 0 for convex sets. */
double chords_outside(Set *set);
/* The least distance by which random chords are above f, anywhere between lo and hi in each
   variable: not negative for convex functions. NaN: an error. */
double chords_above(Function *f, int dim, double lo, double hi);

#endif
