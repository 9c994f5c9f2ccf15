/* traces.c - running update rules on functions of one and two variables. */
#include "book/opt/traces.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 2, GRID = 96 };

/* ---- functions ------------------------------------------------------------------------------- */

const double bowl_start[] = { -5, -2 }, bowl_lo[] = { -5.5, -3 }, bowl_hi[] = { 1, 1 };
const double wave_start[] = { 10 }, wave_lo[] = { -10.5 }, wave_hi[] = { 10.5 };

static cn_tensor *quadratic(cn_tensor *x, double a, double b)
{
    cn_tensor *one = cn_mul(cn_square(cn_select(x, 0, 0)), cn_num(a)),
              *two = cn_mul(cn_square(cn_select(x, 0, 1)), cn_num(b));
    return cn_add(one, two);
}

cn_tensor *bowl(cn_tensor *x)
{
    return quadratic(x, 1, 2);
}

cn_tensor *canyon(cn_tensor *x)
{
    return quadratic(x, 0.1, 2);
}

cn_tensor *wave(cn_tensor *x)
{
    return cn_mul(x, cn_cos(cn_mul(x, cn_num(0.15 * acos(-1)))));
}

/* ---- values and derivatives -------------------------------------------------------------------- */

double value_at(Function *f, const double *x, int dim)
{
    double y = (double)NAN;
    CN_SCOPE
    {
        y = cn_item(f(cn_from(x, CN_SHAPE(dim), CN_F64)));
    }
    return y;
}

void slope_at(Function *f, const double *x, int dim, double *g)
{
    for (int i = 0; i < dim; i++) g[i] = (double)NAN;
    CN_SCOPE
    {
        cn_tensor *at = cn_requires_grad(cn_from(x, CN_SHAPE(dim), CN_F64), true);
        if (!cn_backward(cn_sum(f(at))) || !cn_read(cn_grad(at), CN_F64, g, dim))
            g[0] = (double)NAN;
    }
}

typedef struct {
    Function *f;
} Holder;

static cn_tensor *call(cn_tensor *const *in, void *context)
{
    return cn_sum(((Holder *)context)->f(in[0]));
}

cn_tensor *hessian_at(Function *f, const double *x, int dim)
{
    cn_tensor *at = cn_from(x, CN_SHAPE(dim), CN_F64), *h = NULL;
    return cn_hessian(call, &at, 1, &(Holder){ f }, &h, NULL) ? h : NULL;
}

/* ---- traces ------------------------------------------------------------------------------------ */

static void note(Trace *t, const double *x)
{
    for (int i = 0; i < t->dim; i++) t->x[i][t->n] = x[i];
    t->n++;
}

Trace trace(Function *f, int dim, const double *start, int steps, Rule *rule, const double *hyper)
{
    Trace t = { .dim = dim };
    double x[MOST], g[MOST], s[MOST] = { 0 }, r[MOST] = { 0 };
    for (int i = 0; i < dim; i++) x[i] = start[i];
    note(&t, x);
    for (int step = 1; step <= steps && step < TRACE_ROOM; step++) {
        slope_at(f, x, dim, g);
        rule(&(Update){ .w = x, .s = s, .r = r, .g = g, .n = dim, .t = step, .hyper = hyper });
        note(&t, x);
    }
    return t;
}

Trace trace_optim(Function *f, int dim, const double *start, int steps, const char *optim)
{
    Trace t = { .dim = dim };
    double now[MOST];
    cn_tensor *x = cn_requires_grad(cn_from(start, CN_SHAPE(dim), CN_F64), true);
    cn_optim *o = cn_optim_by_name(NULL, optim);
    cn_optim_add_group(o, &x, 1);
    note(&t, start);
    for (int step = 1; step <= steps && step < TRACE_ROOM && cn_ok(); step++) {
        CN_SCOPE
        {
            cn_optim_zero_grad(o);
            if (cn_backward(cn_sum(f(x)))) cn_step(o);
        }
        if (cn_read(x, CN_F64, now, dim)) note(&t, now);
    }
    cn_optim_free(o);
    return t;
}

double trace_end(const Trace *t, int i)
{
    return t->x[i][t->n - 1];
}

/* ---- findings ------------------------------------------------------------------------------------ */

void lab_traces(Lab *lab, const char *what, const Trace *one, const Trace *other, double tolerance)
{
    double worst = one->n == other->n ? 0 : (double)INFINITY;
    for (int i = 0; i < one->dim; i++)
        for (int k = 0; k < one->n && k < other->n; k++) {
            double apart = fabs(one->x[i][k] - other->x[i][k]);
            if (!(apart <= worst)) worst = apart; /* a NaN, too */
        }
    lab_at_most(lab, what, worst, tolerance);
}

void lab_end_at(Lab *lab, const char *what, const Trace *t, double tolerance, const double *end)
{
    char name[128];
    for (int i = 0; i < t->dim; i++) {
        snprintf(name, sizeof name, t->dim > 1 ? "%s: x%d" : "%s: x", what, i + 1);
        lab_number(lab, name, trace_end(t, i), end[i], tolerance);
    }
}

/* ---- figures ------------------------------------------------------------------------------------- */

/* Steps are marked where they are few enough to be told apart. */
static void draw_way(cn_figure *figure, const double *x, const double *y, int n)
{
    enum { MARKED = 64 };
    cn_figure_line(figure, "way", x, y, (size_t)n);
    if (n <= MARKED) cn_figure_scatter(figure, NULL, x, y, (size_t)n);
}

static void draw_curve(cn_figure *figure, Function *f, const Trace *t, double lo, double hi)
{
    double x[GRID], y[GRID], way[TRACE_ROOM];
    for (int i = 0; i < GRID; i++) {
        x[i] = lo + (hi - lo) * i / (GRID - 1);
        y[i] = value_at(f, &x[i], 1);
    }
    for (int k = 0; k < t->n; k++) way[k] = value_at(f, &t->x[0][k], 1);
    cn_figure_line(figure, "f(x)", x, y, GRID);
    draw_way(figure, t->x[0], way, t->n);
    cn_figure_axes(figure, .xlabel = "x", .ylabel = "f(x)", .xmin = lo, .xmax = hi);
}

/* Level lines that crowd at the minimum, or round ones where f has both signs. */
static void draw_levels(cn_figure *figure, const double z[GRID * GRID], double axis[2][GRID])
{
    enum { LEVELS = 9 };
    double level[LEVELS], least = z[0], most = z[0];
    for (int i = 1; i < GRID * GRID; i++) least = fmin(least, z[i]), most = fmax(most, z[i]);
    for (int k = 0; k < LEVELS; k++)
        level[k] = least + (most - least) * pow((k + 1) / (LEVELS + 1.0), 2);
    cn_figure_contour(figure, z, GRID, GRID, .x = axis[0], .y = axis[1],
                      .levels = least < 0 ? NULL : level,
                      .n_levels = least < 0 ? 2 * LEVELS : LEVELS);
}

static void draw_contours(cn_figure *figure, Function *f, const Trace *t, const double *lo,
                          const double *hi)
{
    double axis[2][GRID], at[2][GRID][GRID], z[GRID * GRID];
    for (int d = 0; d < 2; d++)
        for (int i = 0; i < GRID; i++) axis[d][i] = lo[d] + (hi[d] - lo[d]) * i / (GRID - 1);
    for (int r = 0; r < GRID; r++)
        for (int c = 0; c < GRID; c++) at[0][r][c] = axis[0][c], at[1][r][c] = axis[1][r];
    cn_tensor *values = f(cn_from(at, CN_SHAPE(2, GRID, GRID), CN_F64));
    if (cn_read(values, CN_F64, z, GRID * GRID)) draw_levels(figure, z, axis);
    draw_way(figure, t->x[0], t->x[1], t->n);
    cn_figure_axes(figure, .xlabel = "x1", .ylabel = "x2", .xmin = lo[0], .xmax = hi[0],
                   .ymin = lo[1], .ymax = hi[1], .no_legend = true);
}

void trace_panel(cn_figure *figure, const char *title, Function *f, const Trace *t,
                 const double *lo, const double *hi)
{
    double from[MOST] = { 0 }, to[MOST] = { 0 };
    for (int i = 0; i < t->dim; i++) {
        double least = lo[i], most = hi[i];
        for (int k = 0; k < t->n; k++)
            least = fmin(least, t->x[i][k]), most = fmax(most, t->x[i][k]);
        const double margin = 0.05 * (most - least);
        from[i] = least < lo[i] ? least - margin : lo[i];
        to[i] = most > hi[i] ? most + margin : hi[i];
    }
    cn_figure_panel(figure, title);
    if (t->dim == 1) draw_curve(figure, f, t, from[0], to[0]);
    else draw_contours(figure, f, t, from, to);
}
