/* wolfe.h - a step along a line that satisfies the strong Wolfe conditions. */
#ifndef CN_OPTIM_WOLFE_H
#define CN_OPTIM_WOLFE_H

#include <stdbool.h>
#include <stdint.h>

/* A place on the line: value and slope there, and the gradient of all variables. */
typedef struct cn_line_point {
    double t, value, slope;
    double *gradient;
} cn_line_point;

typedef struct cn_line {
    bool (*evaluate)(void *context, cn_line_point *p); /* fills in the rest for p->t */
    void *context;
    int64_t n;           /* elements of gradients */
    double smallest;     /* brackets that are narrower are not divided */
    cn_line_point at[3]; /* gradients are the caller's memory; at[1].t is the first step to try */
    int evaluations;
} cn_line;

/* Searches from `start`, where t is 0 and the slope negative; NULL: an evaluation failed. The result
   is one of at[]. It satisfies the conditions unless 25 divisions were not enough. */
const cn_line_point *cn_strong_wolfe(cn_line *line, const cn_line_point *start);

#endif
