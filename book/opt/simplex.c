/* simplex.c - the projection onto the simplex, by sorting (Held, Wolfe and Crowder, 1974). */
#include "book/opt/simplex.h"

#include <math.h>
#include <string.h>

enum { MOST = 32 };

double project_simplex(const double *v, int n, double *x)
{
    double sorted[MOST], sum = 0, tau = 0;
    memcpy(sorted, v, (size_t)n * sizeof *v);
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && sorted[j] > sorted[j - 1]; j--) {
            double t = sorted[j];
            sorted[j] = sorted[j - 1], sorted[j - 1] = t;
        }
    /* The largest k entries stay positive, for the largest k that lets them. */
    for (int k = 1; k <= n; k++) {
        sum += sorted[k - 1];
        if (sorted[k - 1] > (sum - 1) / k) tau = (sum - 1) / k;
    }
    for (int i = 0; i < n; i++) x[i] = fmax(v[i] - tau, 0);
    return tau;
}
