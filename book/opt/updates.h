/* updates.h - the update rules of the optimisation chapter, written out in C.

   A rule is written once and tried on functions of two variables (traces.h) and on the airfoil
   regression (airfoil.h), each time beside the library's optimiser of that name. */
#ifndef UPDATES_H
#define UPDATES_H

/* One step: w changes by its gradient g; s and r, zeros at first, are the rule's to keep. */
typedef struct Update {
    double *w, *s, *r;
    const double *g;
    int n;
    int t;               /* the number of the step, from 1 */
    const double *hyper; /* of the rule: the learning rate first */
} Update;

typedef void Rule(const Update *u);

Rule descent;  /* w -= lr g; hyper: lr */
Rule momentum; /* v = beta v + g, w -= lr v; hyper: lr, beta */

#endif
