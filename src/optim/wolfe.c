/* wolfe.c - line search for the strong Wolfe conditions. Nocedal, Wright, Numerical Optimization,
   algorithms 3.5 and 3.6, with cubic interpolation; safeguards and constants are those of
   torch.optim.LBFGS. */
#include "optim/wolfe.h"

#include <math.h>
#include <string.h>

enum { MOST_DIVISIONS = 25 };

/* Sufficient decrease, curvature, the share of a bracket that is kept from its ends. */
static const double decrease = 1e-4, curvature = 0.9, margin = 0.1;

typedef cn_line_point Point;

static void exchange(Point *a, Point *b)
{
    Point keep = *a;
    *a = *b, *b = keep;
}

/* Where the cubic through a and b with their slopes is least, within low .. high. */
static double least_of_cubic(const Point *a, const Point *b, double low, double high)
{
    const Point *left = a->t <= b->t ? a : b, *right = left == a ? b : a;
    double d1 =
               left->slope + right->slope - 3 * (left->value - right->value) / (left->t - right->t),
           square = d1 * d1 - left->slope * right->slope;
    if (!(square >= 0)) return (low + high) / 2;
    double d2 = sqrt(square), way = right->t - left->t,
           t = right->t - way * ((right->slope + d2 - d1) / (right->slope - left->slope + 2 * d2));
    return fmin(fmax(t, low), high);
}

static bool too_high(const Point *p, const Point *start)
{
    return p->value > start->value + decrease * p->t * start->slope;
}

static bool flat_enough(const Point *p, const Point *start)
{
    return fabs(p->slope) <= -curvature * start->slope;
}

static bool evaluate(cn_line *line, Point *p, double t)
{
    p->t = t;
    line->evaluations++;
    return line->evaluate(line->context, p);
}

typedef enum { FAILED, FOUND, BRACKETED, EXHAUSTED } Outcome;

static void copy_point(Point *to, const Point *from, int64_t n)
{
    *to = (Point){ from->t, from->value, from->slope, to->gradient };
    memcpy(to->gradient, from->gradient, (size_t)n * sizeof(double));
}

/* Grows the step until at[0] and at[1] enclose an acceptable one, or at[1] is one. */
static Outcome bracket(cn_line *line, const Point *start, int *divisions)
{
    Point *before = &line->at[0], *p = &line->at[1];
    copy_point(before, start, line->n);
    if (!evaluate(line, p, p->t)) return FAILED;
    for (; *divisions < MOST_DIVISIONS; ++*divisions) {
        if (too_high(p, start) || (*divisions > 1 && p->value >= before->value)) return BRACKETED;
        if (flat_enough(p, start)) return FOUND;
        if (p->slope >= 0) return BRACKETED;
        double t = least_of_cubic(before, p, p->t + 0.01 * (p->t - before->t), 10 * p->t);
        exchange(before, p);
        if (!evaluate(line, p, t)) return FAILED;
    }
    copy_point(before, start, line->n);
    return EXHAUSTED;
}

/* A step inside the bracket; twice in a row near one end, it is moved away from it. */
static double step_inside(const Point *a, const Point *b, bool *near_end)
{
    double low = fmin(a->t, b->t), high = fmax(a->t, b->t), t = least_of_cubic(a, b, low, high),
           least = margin * (high - low);
    bool near = fmin(high - t, t - low) < least,
         move = near && (*near_end || t >= high || t <= low);
    *near_end = near && !move;
    if (!move) return t;
    return fabs(t - high) < fabs(t - low) ? high - least : low + least;
}

static int lower_of(const cn_line *line)
{
    return line->at[1].value < line->at[0].value;
}

static const Point *divide(cn_line *line, const Point *start, int divisions)
{
    bool near_end = false;
    int low = lower_of(line);
    for (; divisions < MOST_DIVISIONS; divisions++) {
        Point *a = &line->at[low], *b = &line->at[!low], *p = &line->at[2];
        if (fabs(a->t - b->t) < line->smallest) break;
        if (!evaluate(line, p, step_inside(&line->at[0], &line->at[1], &near_end))) return NULL;
        if (too_high(p, start) || p->value >= a->value) {
            exchange(b, p);
            low = lower_of(line);
            continue;
        }
        bool found = flat_enough(p, start);
        if (!found && p->slope * (b->t - a->t) >= 0) exchange(a, b);
        exchange(a, p);
        if (found) break;
    }
    return &line->at[low];
}

const cn_line_point *cn_strong_wolfe(cn_line *line, const cn_line_point *start)
{
    int divisions = 0;
    switch (bracket(line, start, &divisions)) {
    case FAILED: return NULL;
    case FOUND: return &line->at[1];
    case BRACKETED: return divide(line, start, divisions);
    case EXHAUSTED: return &line->at[lower_of(line)];
    }
    return NULL;
}
