/* paint_legend.c - the legend of a panel, placed where it covers least. */
#include "plot/paint.h"

#ifdef CN_WITH_CAIRO

#include <math.h>

enum { ROW = 17, SAMPLE = 26, PAD = 8, INSET = 8 };

static Size legend_size(cairo_t *cr, const Curves *c)
{
    double widest = 0;
    for (size_t i = 0; i < c->n_series; i++)
        if (c->series[i].label)
            widest = fmax(widest, cn_text_width(cr, c->series[i].label, FONT_SMALL));
    return (Size){ SAMPLE + 3 * PAD + widest, ROW * (double)cn_curves_legend_rows(c) + PAD };
}

/* ---- where ---------------------------------------------------------------------------------
   The plot is divided into squares; each counts the ink in it. A place costs the ink below it, and
   a little for being late in the list, so that of free places the top right one wins. */

enum { CELLS = 48 };

typedef struct Ink {
    double cell[CELLS][CELLS]; /* [row from the top][column] */
} Ink;

static void spill(Ink *ink, double fx, double fy, double amount)
{
    if (!(fx >= 0 && fx < 1 && fy >= 0 && fy < 1)) return;
    ink->cell[(int)(fy * CELLS)][(int)(fx * CELLS)] += amount;
}

static void spill_bar(Ink *ink, const Curves *c, const Series *s, size_t i, const Axis *x,
                      double fy)
{
    Range span = cn_bar_span(c, s, i);
    if (c->xlog && span.lo <= 0) return;
    double left = cn_axis_at(x, span.lo), right = cn_axis_at(x, span.hi);
    double step = fmax(1.0 / CELLS, (right - left) / CELLS), top = fmax(fy, 0);
    for (int n = 0; left + n * step <= right; n++)
        for (int k = 0; top + (double)k / CELLS < 1; k++)
            spill(ink, left + n * step, top + (double)k / CELLS, 1);
}

static void spill_segment(Ink *ink, double x0, double y0, double x1, double y1)
{
    double length = fmax(fabs(x1 - x0), fabs(y1 - y0));
    int steps = (int)fmin(2 * CELLS, 1 + length * 2 * CELLS);
    for (int k = 1; k <= steps; k++) {
        double t = (double)k / steps;
        spill(ink, x0 + t * (x1 - x0), y0 + t * (y1 - y0), 1.0);
    }
}

static void spill_series(Ink *ink, const Curves *c, const Series *s, const Axis *x, const Axis *y)
{
    bool joined = false;
    double x0 = 0, y0 = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool here = cn_point_shows(c, s, i);
        if (here) {
            double fx = cn_axis_at(x, s->x[i]), fy = 1 - cn_axis_at(y, s->y[i]);
            if (s->shape == SHAPE_BARS) spill_bar(ink, c, s, i, x, fy);
            else if (s->shape != SHAPE_POINTS && joined) spill_segment(ink, x0, y0, fx, fy);
            else spill(ink, fx, fy, 2);
            x0 = fx;
            y0 = fy;
        }
        joined = here;
    }
}

static double ink_below(const Ink *ink, Box place, Box plot)
{
    double sum = 0, left = (place.x - plot.x) / plot.w, top = (place.y - plot.y) / plot.h;
    int x0 = (int)fmax(0, left * CELLS - 1), x1 = (int)((left + place.w / plot.w) * CELLS + 1);
    int y0 = (int)fmax(0, top * CELLS - 1), y1 = (int)((top + place.h / plot.h) * CELLS + 1);
    for (int y = y0; y <= y1 && y < CELLS; y++)
        for (int x = x0; x <= x1 && x < CELLS; x++) sum += ink->cell[y][x];
    return sum;
}

/* Nine places; corners first, the middle last. */
static Box best_place(const Ink *ink, Size size, Box plot)
{
    static const double places[][2] = { { 1, 0 },   { 0, 0 },   { 1, 1 },   { 0, 1 },    { 1, 0.5 },
                                        { 0, 0.5 }, { 0.5, 0 }, { 0.5, 1 }, { 0.5, 0.5 } };
    Box best = plot;
    double least = HUGE_VAL;
    for (int i = 0; i < 9; i++) {
        Box b = { plot.x + INSET + places[i][0] * (plot.w - size.w - 2 * INSET),
                  plot.y + INSET + places[i][1] * (plot.h - size.h - 2 * INSET), size.w, size.h };
        double cost = ink_below(ink, b, plot) + 0.01 * i;
        if (cost < least) {
            least = cost;
            best = b;
        }
    }
    return best;
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_sample(cairo_t *cr, const Series *s, size_t index, double x, double y)
{
    cn_set_colour(cr, cn_series_colour(index), 1);
    if (s->shape == SHAPE_LINE || s->shape == SHAPE_CONTOUR) {
        cn_series_pen(cr, index);
        if (s->shape == SHAPE_CONTOUR) cairo_set_dash(cr, NULL, 0, 0);
        if (s->shape == SHAPE_CONTOUR) cn_set_colour(cr, cn_heat_colour(0.6), 1);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + SAMPLE, y);
        cairo_stroke(cr);
        cairo_set_dash(cr, NULL, 0, 0);
    } else if (s->shape == SHAPE_POINTS) {
        cairo_arc(cr, x + SAMPLE / 2.0, y, 3, 0, 6.283185307179586);
        cairo_fill(cr);
    } else {
        cn_set_colour(cr, cn_series_colour(index), s->slot < 0 ? 0.6 : 0.9);
        cairo_rectangle(cr, x + 4, y - 4.5, SAMPLE - 8, 9);
        cairo_fill(cr);
    }
}

static void draw_plate(cairo_t *cr, Box b)
{
    cairo_rectangle(cr, b.x, b.y, b.w, b.h);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.88);
    cairo_fill_preserve(cr);
    cn_set_colour(cr, cn_ink_faint, 1);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
}

void cn_paint_legend(cairo_t *cr, const Curves *c, const Axis *x, const Axis *y, Box plot)
{
    Ink ink = { { { 0 } } };
    for (size_t i = 0; i < c->n_series; i++) spill_series(&ink, c, &c->series[i], x, y);
    Box b = best_place(&ink, legend_size(cr, c), plot);
    draw_plate(cr, b);
    double row = b.y + PAD / 2.0 + ROW / 2.0;
    for (size_t i = 0; i < c->n_series; i++) {
        if (!c->series[i].label) continue;
        draw_sample(cr, &c->series[i], i, b.x + PAD, row);
        cn_draw_text(cr, c->series[i].label, b.x + 2 * PAD + SAMPLE, row + 3.5, 0, FONT_SMALL,
                     cn_ink);
        row += ROW;
    }
}

#endif
