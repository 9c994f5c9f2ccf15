/* paint_curves.c - a panel of lines, points and bars on a Cairo context. */
#include "plot/paint.h"

#ifdef CN_WITH_CAIRO

#include <math.h>

Size cn_curves_size(const Curves *c)
{
    return (Size){ c->width ? c->width : 480, c->height ? c->height : 320 };
}

/* ---- the frame ---------------------------------------------------------------------------- */

static double widest_tick(cairo_t *cr, const Axis *a)
{
    double widest = 0;
    for (int i = 0; i < a->n; i++)
        widest = fmax(widest, cn_text_width(cr, a->label[i], FONT_SMALL));
    return widest;
}

/* Margins depend on the tick labels, whose number depends on the room inside the margins: a good
   guess for the first step settles it. */
static Box fit_axes(cairo_t *cr, const Curves *c, Box box, Axis *x, Axis *y)
{
    cn_curves_axes(c, x, y, (int)fmax(2, box.w / 70), (int)fmax(2, box.h / 48));
    double left = widest_tick(cr, y) + 10 + (c->ylabel ? 18 : 0), right = 14;
    double below = c->names ? cn_names_height(cr, c->names, c->n_names,
                                              (box.w - left - right) / (double)c->n_names)
                            : 18;
    below += c->xlabel ? 18 : 4;
    return (Box){ box.x + left, box.y + 6, fmax(1, box.w - left - right),
                  fmax(1, box.h - below - 6) };
}

static double px(const Axis *x, Box plot, double v)
{
    return plot.x + plot.w * cn_axis_at(x, v);
}

static double py(const Axis *y, Box plot, double v)
{
    return plot.y + plot.h * (1 - cn_axis_at(y, v));
}

static void stroke_line(cairo_t *cr, double x0, double y0, double x1, double y1)
{
    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_stroke(cr);
}

static void draw_grid(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot)
{
    cn_set_colour(cr, cn_ink_faint, 1);
    cairo_set_line_width(cr, 1);
    for (int i = 0; i < y->n; i++) {
        double at = py(y, plot, y->tick[i]);
        stroke_line(cr, plot.x, at, plot.x + plot.w, at);
    }
    for (int i = 0; i < x->n && !c->names; i++) {
        double at = px(x, plot, x->tick[i]);
        stroke_line(cr, at, plot.y, at, plot.y + plot.h);
    }
}

static void draw_names(cairo_t *cr, const Curves *c, const Axis *x, Box plot)
{
    bool slanted = cn_names_slant(cr, c->names, c->n_names, plot.w / (double)c->n_names);
    for (size_t i = 0; i < c->n_names; i++) {
        if (cn_axis_at(x, (double)i) < 0 || cn_axis_at(x, (double)i) > 1) continue;
        cn_draw_name(cr, c->names[i], px(x, plot, (double)i), plot.y + plot.h, slanted);
    }
}

static void draw_tick_labels(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot)
{
    for (int i = 0; i < y->n; i++)
        cn_draw_text(cr, y->label[i], plot.x - 7, py(y, plot, y->tick[i]) + 3.5, 1, FONT_SMALL,
                     cn_ink_soft);
    if (c->names) draw_names(cr, c, x, plot);
    for (int i = 0; i < x->n && !c->names; i++)
        cn_draw_text(cr, x->label[i], px(x, plot, x->tick[i]), plot.y + plot.h + 15, 0.5,
                     FONT_SMALL, cn_ink_soft);
}

static void draw_frame(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot,
                       Box box)
{
    double bottom = plot.y + plot.h;
    draw_tick_labels(cr, c, x, y, plot);
    cn_set_colour(cr, cn_ink_soft, 1);
    cairo_set_line_width(cr, 1);
    stroke_line(cr, plot.x, bottom, plot.x + plot.w, bottom);
    stroke_line(cr, plot.x, plot.y, plot.x, bottom);
    if (c->xlabel)
        cn_draw_text(cr, c->xlabel, plot.x + plot.w / 2, box.y + box.h - 4, 0.5, FONT_LABEL,
                     cn_ink);
    if (c->ylabel)
        cn_draw_turned(cr, c->ylabel, box.x + 12, plot.y + plot.h / 2, 0.5, 1.5707963267948966,
                       FONT_LABEL, cn_ink);
}

/* ---- series ------------------------------------------------------------------------------- */

void cn_series_pen(cairo_t *cr, size_t i)
{
    static const double dashes[4][4] = { { 0 }, { 7, 3 }, { 8, 3, 2, 3 }, { 2, 2.5 } };
    static const int count[4] = { 0, 2, 4, 2 };
    cairo_set_dash(cr, dashes[i % 4], count[i % 4], 0);
    cairo_set_line_width(cr, 1.8);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cn_set_colour(cr, cn_series_colour(i), 1);
}

static void draw_dot(cairo_t *cr, double x, double y, double radius)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, radius, 0, 6.283185307179586);
}

/* A run of points less than a third of a pixel apart in x becomes one vertical stroke between its
   extremes, so that a million points make a file of some thousands. */
typedef struct Run {
    double x, first, last, lo, hi;
} Run;

static void finish_run(cairo_t *cr, const Run *run)
{
    cairo_line_to(cr, run->x, run->first); /* without a current point this is move_to */
    if (run->lo < run->first) cairo_line_to(cr, run->x, run->lo);
    if (run->hi > run->first) cairo_line_to(cr, run->x, run->hi);
    if (run->last != run->hi) cairo_line_to(cr, run->x, run->last);
}

/* The points from `from` on up to the next gap; returns where to go on. Vectors far outside the
   panel are cut to 1e6, where Cairo's fixed-point numbers still reach. */
static size_t trace_run(cairo_t *cr, const Curves *c, const Series *s, size_t from, const Axis *x,
                        const Axis *y, Box plot)
{
    Run run = { .x = -1e9 };
    size_t i = from;
    for (; i < s->n && cn_point_shows(c, s, i); i++) {
        double at = fmin(1e6, fmax(-1e6, px(x, plot, s->x[i])));
        double v = fmin(1e6, fmax(-1e6, py(y, plot, s->y[i])));
        if (i > from && fabs(at - run.x) < 0.3) {
            run.last = v;
            run.lo = fmin(run.lo, v);
            run.hi = fmax(run.hi, v);
            continue;
        }
        if (i > from) finish_run(cr, &run);
        run = (Run){ at, v, v, v, v };
    }
    if (i > from) finish_run(cr, &run);
    return i;
}

static void draw_line(cairo_t *cr, const Curves *c, const Series *s, size_t index, const Axis *x,
                      const Axis *y, Box plot)
{
    cn_series_pen(cr, index);
    for (size_t i = 0; i < s->n; i++) {
        size_t end = trace_run(cr, c, s, i, x, y, plot);
        cairo_stroke(cr);
        if (end == i + 1) { /* a point by itself is no line */
            draw_dot(cr, px(x, plot, s->x[i]), py(y, plot, s->y[i]), 2.5);
            cairo_fill(cr);
        }
        i = end;
    }
    cairo_set_dash(cr, NULL, 0, 0);
}

static void draw_points(cairo_t *cr, const Curves *c, const Series *s, size_t index, const Axis *x,
                        const Axis *y, Box plot)
{
    double radius = s->n > 2000 ? 1.2 : s->n > 300 ? 2 : 3;
    cn_set_colour(cr, cn_series_colour(index), s->n > 300 ? 0.5 : 0.75);
    for (size_t i = 0; i < s->n; i++) {
        if (!cn_point_shows(c, s, i)) continue;
        double at = px(x, plot, s->x[i]), v = py(y, plot, s->y[i]);
        if (fabs(at) > 1e6 || fabs(v) > 1e6) continue;
        draw_dot(cr, at, v, radius);
        cairo_fill(cr);
    }
}

static void draw_bars(cairo_t *cr, const Curves *c, const Series *s, size_t index, const Axis *x,
                      const Axis *y, Box plot)
{
    double ground = y->log ? plot.y + plot.h : py(y, plot, 0);
    cn_set_colour(cr, cn_series_colour(index), s->slot < 0 ? 0.6 : 0.9);
    for (size_t i = 0; i < s->n; i++) {
        Range span = cn_bar_span(c, s, i);
        if (!cn_point_shows(c, s, i) || (c->xlog && span.lo <= 0)) continue;
        double left = px(x, plot, span.lo), right = px(x, plot, span.hi), gap = right - left > 4;
        double top = py(y, plot, s->y[i]);
        cairo_rectangle(cr, left + gap / 2, fmin(top, ground), right - left - gap,
                        fabs(ground - top));
        cairo_fill(cr);
    }
}

/* Light lines would be lost on white: the colours begin at a quarter of the scale. */
static void draw_contour(cairo_t *cr, const Curves *c, const Series *s, size_t index, const Axis *x,
                         const Axis *y, Box plot)
{
    (void)index;
    cairo_set_line_width(cr, 1.2);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < s->n; i++) {
        size_t end = trace_run(cr, c, s, i, x, y, plot);
        cn_set_colour(cr, cn_heat_colour(0.25 + 0.75 * s->level[i]), 1);
        cairo_stroke(cr);
        i = end;
    }
}

static void draw_series(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot)
{
    static void (*const draw[])(cairo_t *, const Curves *, const Series *, size_t, const Axis *,
                                const Axis *, Box) = { [SHAPE_LINE] = draw_line,
                                                       [SHAPE_POINTS] = draw_points,
                                                       [SHAPE_BARS] = draw_bars,
                                                       [SHAPE_CONTOUR] = draw_contour };
    cairo_save(cr);
    cairo_rectangle(cr, plot.x - 1, plot.y - 1, plot.w + 2, plot.h + 2);
    cairo_clip(cr);
    for (size_t i = 0; i < c->n_series; i++)
        draw[c->series[i].shape](cr, c, &c->series[i], i, x, y, plot);
    cairo_restore(cr);
}

void cn_paint_curves(cairo_t *cr, const Curves *c, Box box)
{
    Axis x, y;
    Box plot = fit_axes(cr, c, box, &x, &y);
    draw_grid(cr, c, &x, &y, plot);
    draw_series(cr, c, &x, &y, plot);
    draw_frame(cr, c, &x, &y, plot, box);
    if (cn_curves_legend_rows(c)) cn_paint_legend(cr, c, &x, &y, plot);
}

#endif
