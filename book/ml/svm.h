/* svm.h - support vector machines by their dual problem.

   Maximise sum a - a'Qa / 2 with Q_ij = y_i y_j k(x_i, x_j), 0 <= a_i <= limit. The score of x is
   sum_i a_i y_i k(x_i, x) + b. */
#ifndef SVM_H
#define SVM_H

#include <stdbool.h>

enum { SVM_MOST = 160 };

typedef struct Svm {
    int n;
    const double *k; /* n x n: the kernel between all points */
    const double *y; /* +1 or -1 */
    double limit;    /* C; INFINITY: a hard margin */
    double a[SVM_MOST], b;
} Svm;

/* Projected gradient ascent with the step 1 / (largest eigenvalue of Q). The offset is not a part of
   it: b stays 0, and belongs into the points as a constant feature. */
void svm_ascent(Svm *s, int steps);
/* Sequential minimal optimisation: two multipliers at a time, those that break their conditions
   most, keeping sum a_i y_i = 0 (Keerthi et al., 2001). False: not done after many steps. */
bool svm_smo(Svm *s, double tolerance);

double svm_score(const Svm *s, const double *k); /* k: the kernel of x with all points */
double svm_margin(const Svm *s, int i);          /* y_i times the score of x_i */
double svm_dual(const Svm *s);                   /* what is maximised */
double svm_primal(const Svm *s);                 /* |w|^2 / 2 + C sum of max(0, 1 - margin) */
/* How far the margins are from what the multipliers say: a = 0 at least 1, a = C at most 1, between
   them exactly 1. */
double svm_slackness(const Svm *s);

#endif
