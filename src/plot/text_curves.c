/* text_curves.c - a panel of lines, points and bars in Braille dots, two by four to a character. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "plot/text.h"

typedef struct Cell {
    uint8_t dots; /* the low byte of U+28xx */
    uint8_t series;
} Cell;

typedef struct Canvas {
    int columns, rows;
    Cell *cell;
} Canvas;

/* ---- dots --------------------------------------------------------------------------------- */

static void set_dot(Canvas *cv, int x, int y, size_t series)
{
    static const uint8_t bit[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    if (x < 0 || y < 0 || x >= 2 * cv->columns || y >= 4 * cv->rows) return;
    Cell *cell = &cv->cell[y / 4 * cv->columns + x / 2];
    cell->dots |= bit[y % 4][x % 2];
    cell->series = (uint8_t)(series % 252); /* a multiple of the number of colours */
}

static int dot_x(const Canvas *cv, double fx)
{
    return (int)lround(fx * (2 * cv->columns - 1));
}

static int dot_y(const Canvas *cv, double fy)
{
    return (int)lround((1 - fy) * (4 * cv->rows - 1));
}

/* Solid, dashed, dash-dotted, dotted: is the dot at `step` of the line set? Contours are solid. */
static bool dash_on(const Series *s, size_t index, int step)
{
    static const char *const dashes[] = { "1", "11111000", "111110010", "100" };
    const char *dash = dashes[s->shape == SHAPE_CONTOUR ? 0 : index % 4];
    return dash[(size_t)step % strlen(dash)] == '1';
}

/* Cuts the segment to the unit square, edge by edge (Liang and Barsky); false if none is left. */
static bool clip(double *x0, double *y0, double *x1, double *y1)
{
    double dx = *x1 - *x0, dy = *y1 - *y0, from = 0, to = 1;
    const double speed[] = { -dx, dx, -dy, dy }, room[] = { *x0, 1 - *x0, *y0, 1 - *y0 };
    for (int i = 0; i < 4; i++) {
        if (speed[i] == 0 && room[i] < 0) return false;
        if (speed[i] < 0) from = fmax(from, room[i] / speed[i]);
        if (speed[i] > 0) to = fmin(to, room[i] / speed[i]);
    }
    if (from > to) return false;
    *x1 = *x0 + to * dx;
    *y1 = *y0 + to * dy;
    *x0 += from * dx;
    *y0 += from * dy;
    return true;
}

/* `step` counts the dots of the whole line, so that its dashes go on from segment to segment. */
static void draw_segment(Canvas *cv, const Series *s, size_t index, double x0, double y0, double x1,
                         double y1, int *step)
{
    if (!clip(&x0, &y0, &x1, &y1)) return;
    int ax = dot_x(cv, x0), ay = dot_y(cv, y0), dx = dot_x(cv, x1) - ax, dy = dot_y(cv, y1) - ay;
    int n = (int)fmax(abs(dx), abs(dy));
    for (int i = 0; i <= n; i++) {
        double t = n ? (double)i / n : 0;
        if (dash_on(s, index, *step + i))
            set_dot(cv, ax + (int)lround(t * dx), ay + (int)lround(t * dy), index);
    }
    *step = (*step + n) % 72; /* a multiple of every dash */
}

static void draw_bars(Canvas *cv, const Curves *c, size_t index, const Axis *x, const Axis *y)
{
    const Series *s = &c->series[index];
    double ground = y->log ? 0 : fmin(1, fmax(0, cn_axis_at(y, 0)));
    for (size_t i = 0; i < s->n; i++) {
        Range span = cn_bar_span(c, s, i);
        if (!cn_point_shows(c, s, i) || (c->xlog && span.lo <= 0)) continue;
        double top = fmin(1, fmax(0, cn_axis_at(y, s->y[i])));
        int left = dot_x(cv, fmin(1, fmax(0, cn_axis_at(x, span.lo))));
        int right = dot_x(cv, fmin(1, fmax(0, cn_axis_at(x, span.hi))));
        int y0 = dot_y(cv, fmax(ground, top)), y1 = dot_y(cv, fmin(ground, top));
        for (int at = left; at < right || at == left; at++)
            for (int v = y0; v <= y1; v++) set_dot(cv, at, v, index);
    }
}

static void draw_points(Canvas *cv, const Curves *c, size_t index, const Axis *x, const Axis *y)
{
    const Series *s = &c->series[index];
    for (size_t i = 0; i < s->n; i++) {
        if (!cn_point_shows(c, s, i)) continue;
        double fx = cn_axis_at(x, s->x[i]), fy = cn_axis_at(y, s->y[i]);
        if (fx >= 0 && fx <= 1 && fy >= 0 && fy <= 1)
            set_dot(cv, dot_x(cv, fx), dot_y(cv, fy), index);
    }
}

/* A point by itself becomes a segment of length 0. */
static void draw_line(Canvas *cv, const Curves *c, size_t index, const Axis *x, const Axis *y)
{
    const Series *s = &c->series[index];
    double x0 = 0, y0 = 0;
    int step = 0;
    bool joined = false;
    for (size_t i = 0; i < s->n; i++) {
        bool here = cn_point_shows(c, s, i), next = i + 1 < s->n && cn_point_shows(c, s, i + 1);
        double fx = here ? cn_axis_at(x, s->x[i]) : 0, fy = here ? cn_axis_at(y, s->y[i]) : 0;
        if (here && joined) draw_segment(cv, s, index, x0, y0, fx, fy, &step);
        else if (here && !next) draw_segment(cv, s, index, fx, fy, fx, fy, &step);
        x0 = fx;
        y0 = fy;
        joined = here;
    }
}

static void draw_series(Canvas *cv, const Curves *c, size_t index, const Axis *x, const Axis *y)
{
    static void (*const draw[])(Canvas *, const Curves *, size_t, const Axis *,
                                const Axis *) = { [SHAPE_LINE] = draw_line,
                                                  [SHAPE_POINTS] = draw_points,
                                                  [SHAPE_BARS] = draw_bars,
                                                  [SHAPE_CONTOUR] = draw_line };
    draw[c->series[index].shape](cv, c, index, x, y);
}

static void put_braille(Terminal *t, uint8_t dots)
{
    char utf8[3] = { '\xe2', (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)) };
    cn_buffer_add(&t->out, utf8, sizeof utf8);
}

static void put_row(Terminal *t, const Cell *cells, int n)
{
    int last = -1;
    while (n && !cells[n - 1].dots) n--;
    for (int i = 0; i < n; i++) {
        if (!cells[i].dots) {
            cn_buffer_text(&t->out, " ");
            continue;
        }
        if (cells[i].series != last) cn_put_series_colour(t, cells[i].series);
        last = cells[i].series;
        put_braille(t, cells[i].dots);
    }
    if (last >= 0) cn_put_reset(t);
}

/* ---- around the dots ---------------------------------------------------------------------- */

static void put_sample(Terminal *t, const Series *s, size_t index)
{
    enum { COLUMNS = 5 };
    Cell cells[COLUMNS] = { { 0, 0 } };
    Canvas cv = { COLUMNS, 1, cells };
    for (int i = 0; i < 2 * COLUMNS; i++) {
        bool line = s->shape == SHAPE_LINE || s->shape == SHAPE_CONTOUR;
        if (line && dash_on(s, index, i)) set_dot(&cv, i, 1, index);
        if (s->shape == SHAPE_POINTS && i % 4 == 1) set_dot(&cv, i, 1 + i % 8 / 5, index);
        for (int y = 0; s->shape == SHAPE_BARS && y < 4; y++) set_dot(&cv, i, y, index);
    }
    cn_put_series_colour(t, index);
    for (int i = 0; i < COLUMNS; i++) put_braille(t, cells[i].dots);
    cn_put_reset(t);
}

static void put_legend(Terminal *t, const Curves *c, int indent)
{
    int used = 0;
    for (size_t i = 0; i < c->n_series; i++) {
        const char *label = c->series[i].label;
        if (!label || c->no_legend) continue;
        int columns = 5 + 1 + cn_columns(label) + 3;
        if (used && used + columns - 3 > t->width - indent) {
            cn_buffer_text(&t->out, "\n");
            used = 0;
        }
        cn_put_spaces(t, used ? 3 : indent);
        put_sample(t, &c->series[i], i);
        cn_buffer_text(&t->out, " ");
        cn_text_put(t, label, t->width - indent - 6);
        used += columns;
    }
    if (used) cn_buffer_text(&t->out, "\n");
}

static int widest_label(const Axis *a)
{
    int widest = 0;
    for (int i = 0; i < a->n; i++) widest = (int)fmax(widest, cn_columns(a->label[i]));
    return widest;
}

/* The tick whose place is row (or column) `at` of n; -1: none. */
static int tick_at(const Axis *a, int at, int n, bool downwards)
{
    for (int i = 0; i < a->n; i++) {
        double f = cn_axis_at(a, a->tick[i]);
        if (lround((downwards ? 1 - f : f) * (n - 1)) == at) return i;
    }
    return -1;
}

static void put_plot(Terminal *t, const Canvas *cv, const Axis *y, int margin)
{
    for (int row = 0; row < cv->rows; row++) {
        int tick = tick_at(y, row, cv->rows, true);
        cn_put_right(t, tick < 0 ? "" : y->label[tick], margin);
        cn_buffer_text(&t->out, tick < 0 ? " │" : " ┤");
        put_row(t, cv->cell + row * cv->columns, cv->columns);
        cn_buffer_text(&t->out, "\n");
    }
}

/* Writes a label centred on a column, if it still fits behind what is there. */
static int put_label(Terminal *t, const char *label, int centre, int most, int used)
{
    int columns = (int)fmin(cn_columns(label), most);
    int start = (int)fmax(0, centre - columns / 2);
    if (used && start <= used) return used;
    if (start + columns > t->width) start = t->width - columns;
    if (start <= used && used) return used;
    cn_put_spaces(t, start - used);
    return start + cn_text_put(t, label, columns);
}

static void put_names(Terminal *t, const Curves *c, const Axis *x, int margin, int columns)
{
    int used = 0, most = (int)fmax(3, columns / (double)c->n_names - 1);
    for (size_t i = 0; i < c->n_names; i++) {
        double f = cn_axis_at(x, (double)i);
        if (f >= 0 && f <= 1)
            used = put_label(t, c->names[i], margin + (int)lround(f * (columns - 1)), most, used);
    }
}

static void put_x_axis(Terminal *t, const Curves *c, const Axis *x, int margin, int columns)
{
    cn_put_spaces(t, margin + 1);
    cn_buffer_text(&t->out, "└");
    for (int i = 0; i < columns; i++)
        cn_buffer_text(&t->out, !c->names && tick_at(x, i, columns, false) >= 0 ? "┬" : "─");
    cn_buffer_text(&t->out, "\n");
    if (c->names) put_names(t, c, x, margin + 2, columns);
    for (int i = 0, used = 0; i < x->n && !c->names; i++) {
        int centre = margin + 2 + (int)lround(cn_axis_at(x, x->tick[i]) * (columns - 1));
        used = put_label(t, x->label[i], centre, t->width, used);
    }
    cn_buffer_text(&t->out, "\n");
    if (!c->xlabel) return;
    cn_put_spaces(t, margin + 2);
    cn_put_centred(t, c->xlabel, columns);
    cn_buffer_text(&t->out, "\n");
}

bool cn_text_curves(Terminal *t, const Curves *c)
{
    Axis x, y;
    cn_curves_axes(c, &x, &y, t->width / 10, (int)fmax(2, t->height / 3.0));
    int margin = (int)fmin(widest_label(&y), t->width - 12);
    Canvas cv = { .columns = t->width - margin - 2, .rows = t->height };
    cv.cell = cn_alloc_zeroed((size_t)cv.columns * (size_t)cv.rows * sizeof *cv.cell);
    if (!cv.cell) return false;
    for (size_t i = 0; i < c->n_series; i++) draw_series(&cv, c, i, &x, &y);
    put_legend(t, c, margin + 2);
    if (c->ylabel) {
        cn_text_put(t, c->ylabel, t->width);
        cn_buffer_text(&t->out, "\n");
    }
    put_plot(t, &cv, &y, margin);
    put_x_axis(t, c, &x, margin, cv.columns);
    cn_free(cv.cell);
    return true;
}
