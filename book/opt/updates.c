/* updates.c - the two rules that more than one section needs. */
#include "book/opt/updates.h"

void descent(const Update *u)
{
    for (int i = 0; i < u->n; i++) u->w[i] -= u->hyper[0] * u->g[i];
}

void momentum(const Update *u)
{
    const double lr = u->hyper[0], beta = u->hyper[1];
    double *v = u->s;
    for (int i = 0; i < u->n; i++) {
        v[i] = beta * v[i] + u->g[i];
        u->w[i] -= lr * v[i];
    }
}
