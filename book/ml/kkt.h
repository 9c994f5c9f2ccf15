/* kkt.h - the Karush-Kuhn-Tucker conditions of quadratic problems, as residuals.

   Minimise x'Qx / 2 + c'x where Gx <= h and Ax = b; lambda >= 0 and nu are the multipliers. */
#ifndef KKT_H
#define KKT_H

#include "book/book.h"

typedef struct Quadratic {
    cn_tensor *q, *c; /* (n, n), (n); float64 */
    cn_tensor *g, *h; /* (m, n), (m); NULL: no inequalities */
    cn_tensor *a, *b; /* (p, n), (p); NULL: no equations */
} Quadratic;

typedef struct Kkt {
    double stationarity; /* the largest |Qx + c + G'lambda + A'nu| */
    double primal;       /* the largest violation of a constraint */
    double dual;         /* of lambda >= 0 */
    double slackness;    /* the largest |lambda (Gx - h)| */
} Kkt;

Kkt kkt_of(const Quadratic *p, cn_tensor *x, cn_tensor *lambda, cn_tensor *nu);
double kkt_worst(const Kkt *k); /* the largest of the four */
void lab_kkt(Lab *lab, const char *what, const Kkt *k, double tolerance);
double quadratic_value(const Quadratic *p, cn_tensor *x);
/* With equations only: the solution of [[Q, A'], [A, 0]] (x, nu) = (-c, b). */
void quadratic_solve(const Quadratic *p, cn_tensor **x, cn_tensor **nu);

#endif
