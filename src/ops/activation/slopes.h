/* slopes.h - activations and their derivatives as plain functions: silu_slopef of float, silu_slope of
   double, and so on. */
#ifndef CN_OPS_ACTIVATION_SLOPES_H
#define CN_OPS_ACTIVATION_SLOPES_H

#include <math.h>

#define T float
#define M(name) name##f
#include "ops/activation/slopes.inc"
#define T double
#define M(name) name
#include "ops/activation/slopes.inc"

#endif
