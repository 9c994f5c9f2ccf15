/* airfoil.h - the regression on which the chapter compares its methods: five features, half the
   squared error (D2L 12.5.3 and 12.5.4). */
#ifndef AIRFOIL_H
#define AIRFOIL_H

#include "book/book.h"
#include "book/opt/updates.h"

enum { AIRFOIL_ROWS = 1500, AIRFOIL_FEATURES = 5, AIRFOIL_POINTS = 128 };

/* NASA's table standardised, its first 1,500 rows; or a generated one of the same size that can be
   fitted as badly. */
typedef struct Airfoil {
    cn_tensor *x, *y; /* (1500, 5), (1500); float64 */
    double best;      /* the least loss there is, by least squares */
    uint64_t seed;    /* of the first weights and the order of the rows */
} Airfoil;

/* False: there is no table, and the lab skips the row. */
bool airfoil_open(Lab *lab, Airfoil *a);

/* How a training went: the loss over all rows after so many rows were seen, every 200 of them. */
typedef struct AirfoilRun {
    int n;
    double epoch[AIRFOIL_POINTS], loss[AIRFOIL_POINTS], seconds[AIRFOIL_POINTS];
    double w[AIRFOIL_FEATURES + 1]; /* at last; then the bias */
} AirfoilRun;

AirfoilRun airfoil_train(const Airfoil *a, Rule *rule, const double *hyper, int batch, int epochs);
/* By an optimiser of the library: the same first weights and the same batches. */
AirfoilRun airfoil_train_optim(const Airfoil *a, const char *optim, int batch, int epochs);
double airfoil_loss(const AirfoilRun *run); /* the last */
double airfoil_seconds(const AirfoilRun *run, int epochs);

/* A row of the chapter: two epochs of batches of 10 by the rule and by the optimiser, which must go
   the same way (their weights within `apart`) and end at the book's loss, which is drawn unless
   `figure` is NULL. */
typedef struct AirfoilCase {
    const char *name;
    Rule *rule;
    double hyper[4];
    const char *optim;
    double published; /* the book's loss on its table */
    double apart;     /* 0: 1e-10 */
} AirfoilCase;

void airfoil_case(Lab *lab, const Airfoil *a, cn_figure *figure, const AirfoilCase *c);
/* All of them, in one figure. */
void airfoil_cases(Lab *lab, const char *title, const AirfoilCase *cases, int n);

#endif
