/* simplex.h - the nearest point with entries that are not negative and add up to 1. */
#ifndef SIMPLEX_H
#define SIMPLEX_H

/* x = max(v - tau, 0) with the tau for which it adds up to 1, which is returned. n at most 32. */
double project_simplex(const double *v, int n, double *x);

#endif
