/* contour.c - level lines of a surface over a grid, by marching squares. */
#include <math.h>

#include "core/memory.h"
#include "plot/figure.h"

enum { MAX_SIDE = 4096, LEVELS = 10, MAX_LEVELS = 256 };

/* ---- grids -------------------------------------------------------------------------------- */

static bool ascends(const double *at, size_t n, const char *name, const char *what)
{
    for (size_t i = 0; at && i < n; i++)
        if (!cn_value_shows(at[i], false) || (i && at[i] <= at[i - 1]))
            return cn_fail(CN_EINVALID, "%s: .%s[%zu] is %g: give finite ascending numbers", what,
                           name, i, at[i]);
    return true;
}

bool cn_check_grid(const Grid *g, const char *what)
{
    if (g->rows < 2 || g->cols < 2 || g->rows > MAX_SIDE || g->cols > MAX_SIDE)
        return cn_fail(CN_EINVALID, "%s: a grid of %zu x %zu, must be 2 to %d on a side", what,
                       g->rows, g->cols, MAX_SIDE);
    if (!g->values) return cn_fail(CN_EINVALID, "%s: the values are NULL", what);
    return ascends(g->x, g->cols, "x", what) && ascends(g->y, g->rows, "y", what);
}

Range cn_grid_heights(const Grid *g)
{
    Range r = cn_range_empty;
    for (size_t i = 0; i < g->rows * g->cols; i++) cn_range_see(&r, g->values[i], false);
    return r;
}

/* ---- where a level crosses ------------------------------------------------------------------
   A line crosses the edges of the grid. In a cell it goes from edge to edge; so each edge knows up
   to two others, one in each of its cells, and following them gives the line. Edges are numbered
   by the corner where they begin: those along a row first, those along a column after them. */

static const uint32_t none = UINT32_MAX;

typedef struct Link {
    uint32_t to[2];
} Link;

typedef struct Point {
    double x, y, level;
} Point;

typedef struct Tracer {
    const Grid *g;
    double level, shade; /* the height of the line, and how dark it is */
    Link *link;
    size_t edges;
    Point *point;
    size_t n, room;
} Tracer;

static void join(Tracer *t, uint32_t a, uint32_t b)
{
    Link *from = &t->link[a], *to = &t->link[b];
    from->to[from->to[0] != none] = b;
    to->to[to->to[0] != none] = a;
}

/* The corners of a cell in order, edge i between corner i and the next. With all four edges crossed
   two lines pass: the height in the middle says around which corners. */
static void march(Tracer *t, size_t r, size_t c)
{
    const Grid *g = t->g;
    size_t at = r * g->cols + c, area = g->rows * g->cols;
    const double v[] = { g->values[at], g->values[at + 1], g->values[at + g->cols + 1],
                         g->values[at + g->cols] };
    const uint32_t edge[] = { (uint32_t)at, (uint32_t)(area + at + 1), (uint32_t)(at + g->cols),
                              (uint32_t)(area + at) };
    uint32_t crossed[4];
    int n = 0;
    for (int i = 0; i < 4; i++)
        if (!cn_value_shows(v[i], false)) return;
    for (int i = 0; i < 4; i++)
        if ((v[i] >= t->level) != (v[(i + 1) % 4] >= t->level)) crossed[n++] = edge[i];
    if (n == 2) join(t, crossed[0], crossed[1]);
    if (n < 4) return;
    double middle = (v[0] + v[1] + v[2] + v[3]) / 4;
    bool around_next = (middle >= t->level) == (v[0] >= t->level);
    join(t, edge[0], edge[around_next ? 1 : 3]);
    join(t, edge[2], edge[around_next ? 3 : 1]);
}

static double place(const double *at, size_t i)
{
    return at ? at[i] : (double)i;
}

static Point crossing(const Tracer *t, uint32_t edge)
{
    const Grid *g = t->g;
    size_t area = g->rows * g->cols, at = edge % area, r = at / g->cols, c = at % g->cols;
    bool along_column = edge >= area;
    double a = g->values[at], b = g->values[at + (along_column ? g->cols : 1)];
    double part = (t->level - a) / (b - a), x = place(g->x, c), y = place(g->y, r);
    if (along_column) y += part * (place(g->y, r + 1) - y);
    else x += part * (place(g->x, c + 1) - x);
    return (Point){ x, y, t->shade };
}

static bool put(Tracer *t, Point p)
{
    void *points = t->point;
    if (!cn_grow(&points, &t->room, t->n, sizeof *t->point)) return false;
    t->point = points;
    t->point[t->n++] = p;
    return true;
}

/* Takes the next edge of the line, and the link to it out of both. */
static uint32_t step(Tracer *t, uint32_t edge)
{
    Link *from = &t->link[edge];
    int side = from->to[0] == none;
    uint32_t next = from->to[side];
    if (next == none) return none;
    Link *to = &t->link[next];
    from->to[side] = none;
    to->to[to->to[0] != edge] = none;
    return next;
}

static bool follow(Tracer *t, uint32_t edge)
{
    for (; edge != none; edge = step(t, edge))
        if (!put(t, crossing(t, edge))) return false;
    return put(t, (Point){ (double)NAN, (double)NAN, t->shade });
}

/* Lines that end at the border first, from one of their ends; what is left are rings. */
static bool follow_all(Tracer *t)
{
    for (int rings = 0; rings < 2; rings++)
        for (uint32_t e = 0; e < t->edges; e++) {
            int links = (t->link[e].to[0] != none) + (t->link[e].to[1] != none);
            if (links && (rings || links == 1) && !follow(t, e)) return false;
        }
    return true;
}

static bool trace(Tracer *t)
{
    for (size_t e = 0; e < t->edges; e++) t->link[e] = (Link){ { none, none } };
    for (size_t r = 0; r + 1 < t->g->rows; r++)
        for (size_t c = 0; c + 1 < t->g->cols; c++) march(t, r, c);
    return follow_all(t);
}

/* ---- the series --------------------------------------------------------------------------- */

static double shade_of(double level, Range heights)
{
    double span = heights.hi - heights.lo;
    return span > 0 ? fmin(1, fmax(0, (level - heights.lo) / span)) : 0.5;
}

static bool trace_levels(Tracer *t, const double *levels, size_t n)
{
    Range heights = cn_grid_heights(t->g);
    for (size_t i = 0; i < n; i++) {
        t->level = levels[i];
        t->shade = shade_of(levels[i], heights);
        if (!trace(t)) return false;
    }
    return true;
}

static bool add_points(const Tracer *t, const cn_contour_options *o, const char *what)
{
    double *x = cn_alloc(3 * t->n * sizeof *x), *y = x + t->n, *level = y + t->n;
    if (!x) return false;
    for (size_t i = 0; i < t->n; i++) {
        x[i] = t->point[i].x;
        y[i] = t->point[i].y;
        level[i] = t->point[i].level;
    }
    Series style = { .shape = SHAPE_CONTOUR };
    bool ok = cn_add_series(o->figure, style, o->label, x, y, level, t->n, what);
    cn_free(x);
    return ok;
}

static bool check_levels(const cn_contour_options *o, const char *what)
{
    if (o->n_levels > MAX_LEVELS)
        return cn_fail(CN_EINVALID, "%s: %zu levels, at most %d", what, o->n_levels, MAX_LEVELS);
    for (size_t i = 0; o->levels && i < o->n_levels; i++)
        if (!cn_value_shows(o->levels[i], false))
            return cn_fail(CN_EINVALID, "%s: .levels[%zu] is %g", what, i, o->levels[i]);
    return true;
}

/* Where ticks would be: round numbers. */
static void choose_levels(cn_contour_options *o, const Grid *g, Axis *axis)
{
    if (o->levels) return;
    cn_axis_init(axis, cn_grid_heights(g), 0, false, false,
                 o->n_levels ? (int)o->n_levels : LEVELS);
    o->levels = axis->tick;
    o->n_levels = (size_t)axis->n;
}

bool cn_figure_contour_with(const cn_contour_options *given)
{
    static const char what[] = "cn_figure_contour";
    cn_contour_options o;
    Axis axis;
    if (!cn_copy_options(&o, sizeof o, given, what)) return false;
    Grid g = { o.values, o.x, o.y, o.rows, o.cols };
    if (!cn_check_grid(&g, what) || !check_levels(&o, what)) return false;
    choose_levels(&o, &g, &axis);
    Tracer t = { .g = &g, .edges = 2 * g.rows * g.cols };
    t.link = cn_alloc(t.edges * sizeof *t.link);
    bool ok = t.link && trace_levels(&t, o.levels, o.n_levels) && add_points(&t, &o, what);
    cn_free(t.link);
    cn_free(t.point);
    return ok;
}
