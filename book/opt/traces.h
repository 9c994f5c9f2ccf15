/* traces.h - functions of one and two variables, their derivatives, and the ways that update rules
   take on them. */
#ifndef TRACES_H
#define TRACES_H

#include "book/book.h"
#include "book/opt/updates.h"

/* Of one variable: f(x), element by element. Of two: f(x[0], x[1]), whatever x's further dimensions
   are. Numbers are float64. */
typedef cn_tensor *Function(cn_tensor *x);

double value_at(Function *f, const double *x, int dim);
void slope_at(Function *f, const double *x, int dim, double *g); /* by autograd; NaN: an error */
cn_tensor *hessian_at(Function *f, const double *x, int dim);    /* (dim, dim) */

enum { TRACE_ROOM = 1024 };

/* Where a method was: at the start, and after each of its steps. */
typedef struct Trace {
    int dim, n;
    double x[2][TRACE_ROOM];
} Trace;

/* `steps` steps of a rule, from `start`; fewer than TRACE_ROOM. */
Trace trace(Function *f, int dim, const double *start, int steps, Rule *rule, const double *hyper);
/* The same by an optimiser of the library: "SGD lr=0.1". */
Trace trace_optim(Function *f, int dim, const double *start, int steps, const char *optim);
double trace_end(const Trace *t, int i); /* coordinate i after the last step */

/* Both are the same way, within `tolerance`. */
void lab_traces(Lab *lab, const char *what, const Trace *one, const Trace *other, double tolerance);
/* It ended where the book's did. */
void lab_end_at(Lab *lab, const char *what, const Trace *t, double tolerance, const double *end);
#define AT(...) ((const double[]){ __VA_ARGS__ })

/* A panel as the book draws it: f from lo to hi, or as far as the way goes, with the way over it. Of
   two variables: contours. */
void trace_panel(cn_figure *figure, const char *title, Function *f, const Trace *t,
                 const double *lo, const double *hi);

/* x1^2 + 2 x2^2, and stretched: 0.1 x1^2 + 2 x2^2. Both are minimised from (-5, -2). */
Function bowl, canyon;
extern const double bowl_start[2], bowl_lo[2], bowl_hi[2];
/* x cos(0.15 pi x), which is minimised from 10, and the interval in which it is drawn. */
Function wave;
extern const double wave_start[1], wave_lo[1], wave_hi[1];

#endif
