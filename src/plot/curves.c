/* curves.c - panels of lines, points and bars: what is added to them, and their axes. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "plot/figure.h"

enum { MAX_PIXELS = 8192, MAX_BINS = 10000 };

/* ---- adding ------------------------------------------------------------------------------- */

static void series_free(Series *s)
{
    cn_free(s->label);
    cn_free(s->x);
    cn_free(s->y);
    cn_free(s->level);
}

void cn_curves_free(Curves *c)
{
    for (size_t i = 0; i < c->n_series; i++) series_free(&c->series[i]);
    cn_free(c->series);
    cn_free(c->xlabel);
    cn_free(c->ylabel);
    cn_free_texts(c->names, c->n_names);
}

/* A copy of x and y (or of 0, 1, 2, ... where x is NULL) in *s. */
static bool copy_points(Series *s, const double *x, const double *y, const double *level, size_t n,
                        const char *what)
{
    size_t bytes;
    if (!cn_check_array(what, y, n, sizeof *y, &bytes)) return false;
    s->x = cn_alloc(bytes);
    s->y = cn_alloc(bytes);
    s->level = level ? cn_alloc(bytes) : NULL;
    if (!s->x || !s->y || (level && !s->level)) return false;
    if (n) memcpy(s->y, y, bytes);
    if (level) memcpy(s->level, level, bytes);
    for (size_t i = 0; i < n; i++) s->x[i] = x ? x[i] : (double)i;
    s->n = n;
    return true;
}

bool cn_add_series(cn_figure *f, Series style, const char *label, const double *x, const double *y,
                   const double *level, size_t n, const char *what)
{
    Panel *p = cn_figure_open(f, PANEL_CURVES, what);
    if (!p) return false;
    Curves *c = &p->curves;
    void *all = c->series;
    if (!cn_grow(&all, &c->room, c->n_series, sizeof *c->series)) return false;
    c->series = all;
    if (!cn_copy_text(&style.label, label, false) || !copy_points(&style, x, y, level, n, what)) {
        series_free(&style);
        return false;
    }
    c->series[c->n_series++] = style;
    return true;
}

bool cn_figure_line(cn_figure *f, const char *label, const double *x, const double *y, size_t n)
{
    return cn_add_series(f, (Series){ .shape = SHAPE_LINE }, label, x, y, NULL, n,
                         "cn_figure_line");
}

bool cn_figure_scatter(cn_figure *f, const char *label, const double *x, const double *y, size_t n)
{
    return cn_add_series(f, (Series){ .shape = SHAPE_POINTS }, label, x, y, NULL, n,
                         "cn_figure_scatter");
}

/* The panel keeps the longest list of names. */
static bool set_names(Curves *c, const char *const *names, size_t n)
{
    char **copies;
    if (!names || n <= c->n_names) return true;
    if (!cn_copy_texts(&copies, names, n, false)) return false;
    cn_free_texts(c->names, c->n_names);
    c->names = copies;
    c->n_names = n;
    return true;
}

bool cn_figure_bars(cn_figure *f, const char *label, const char *const *names, const double *y,
                    size_t n)
{
    Panel *p = cn_figure_open(f, PANEL_CURVES, "cn_figure_bars");
    if (!p || !set_names(&p->curves, names, n)) return false;
    Series style = { .shape = SHAPE_BARS, .width = 0.8, .slot = p->curves.slots };
    if (!cn_add_series(f, style, label, NULL, y, NULL, n, "cn_figure_bars")) return false;
    p->curves.slots++;
    return true;
}

/* ---- histograms --------------------------------------------------------------------------- */

/* Grows with the cube root of n: 10 bins for 100 values, 40 for 10,000. */
static size_t bins_for(size_t n)
{
    double bins = ceil(2 * cbrt((double)n));
    return bins < 1 ? 1 : bins > 200 ? 200 : (size_t)bins;
}

static Range range_of(const double *values, size_t n)
{
    Range r = cn_range_empty;
    for (size_t i = 0; i < n; i++) cn_range_see(&r, values[i], false);
    if (r.lo > r.hi) return (Range){ 0, 1 };
    double least = 1e-12 * fmax(fabs(r.lo), fabs(r.hi));
    if (r.hi - r.lo > least) return r;
    double half = least > 0 ? 1e11 * least : 0.5;
    return (Range){ r.lo - half, r.hi + half };
}

static void count_values(double *count, size_t bins, Range r, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!cn_value_shows(values[i], false)) continue;
        size_t bin = (size_t)((values[i] - r.lo) / (r.hi - r.lo) * (double)bins);
        count[bin < bins ? bin : bins - 1]++;
    }
}

bool cn_figure_histogram(cn_figure *f, const char *label, const double *values, size_t n,
                         size_t bins)
{
    const char *what = "cn_figure_histogram";
    size_t bytes;
    if (!cn_check_array(what, values, n, sizeof *values, &bytes)) return false;
    if (bins > MAX_BINS)
        return cn_fail(CN_EINVALID, "%s: %zu bins, at most %d", what, bins, MAX_BINS);
    if (!bins) bins = bins_for(n);
    double *centre = cn_alloc_zeroed(2 * bins * sizeof *centre);
    if (!centre) return false;
    Range r = range_of(values, n);
    double width = (r.hi - r.lo) / (double)bins;
    for (size_t i = 0; i < bins; i++) centre[i] = r.lo + ((double)i + 0.5) * width;
    count_values(centre + bins, bins, r, values, n);
    Series style = { .shape = SHAPE_BARS, .width = width, .slot = -1 };
    bool ok = cn_add_series(f, style, label, centre, centre + bins, NULL, bins, what);
    cn_free(centre);
    return ok;
}

/* ---- axes --------------------------------------------------------------------------------- */

static bool check_axes(const cn_axes_options *o)
{
    const double limits[] = { o->xmin, o->xmax, o->ymin, o->ymax };
    for (int i = 0; i < 4; i++)
        if (!cn_value_shows(limits[i], false))
            return cn_fail(CN_EINVALID, "cn_figure_axes: a limit is %g", limits[i]);
    if (o->xlog && o->xmin < o->xmax && o->xmin <= 0)
        return cn_fail(CN_EINVALID, "cn_figure_axes: .xlog needs .xmin above 0, got %g", o->xmin);
    if (o->ylog && o->ymin < o->ymax && o->ymin <= 0)
        return cn_fail(CN_EINVALID, "cn_figure_axes: .ylog needs .ymin above 0, got %g", o->ymin);
    if (o->width < 0 || o->height < 0 || o->width > MAX_PIXELS || o->height > MAX_PIXELS)
        return cn_fail(CN_EINVALID, "cn_figure_axes: size %d x %d, must be 0 (default) to %d",
                       o->width, o->height, MAX_PIXELS);
    return true;
}

bool cn_figure_axes_with(const cn_axes_options *given)
{
    cn_axes_options o;
    if (!cn_copy_options(&o, sizeof o, given, "cn_figure_axes") || !check_axes(&o)) return false;
    char *xlabel = NULL, *ylabel = NULL;
    if (!cn_copy_text(&xlabel, o.xlabel, false) || !cn_copy_text(&ylabel, o.ylabel, false))
        goto fail;
    Panel *p = cn_figure_open(o.figure, PANEL_CURVES, "cn_figure_axes");
    if (!p) goto fail;
    Curves *c = &p->curves;
    cn_free(c->xlabel);
    cn_free(c->ylabel);
    c->xlabel = xlabel;
    c->ylabel = ylabel;
    c->xlog = o.xlog;
    c->ylog = o.ylog;
    c->no_legend = o.no_legend;
    c->xlim = (Range){ o.xmin, o.xmax };
    c->ylim = (Range){ o.ymin, o.ymax };
    c->width = o.width;
    c->height = o.height;
    return true;
fail:
    cn_free(xlabel);
    cn_free(ylabel);
    return false;
}

bool cn_point_shows(const Curves *c, const Series *s, size_t i)
{
    return cn_value_shows(s->x[i], c->xlog) && cn_value_shows(s->y[i], c->ylog);
}

Range cn_bar_span(const Curves *c, const Series *s, size_t i)
{
    double width = s->slot < 0 ? s->width : s->width / c->slots;
    double left = s->x[i] - s->width / 2 + (s->slot < 0 ? 0 : s->slot * width);
    return (Range){ left, left + width };
}

static void see_point(const Curves *c, const Series *s, size_t i, Range *x, Range *y)
{
    if (!cn_point_shows(c, s, i)) return;
    Range span = s->shape == SHAPE_BARS ? cn_bar_span(c, s, i) : (Range){ s->x[i], s->x[i] };
    cn_range_see(x, span.lo, c->xlog);
    cn_range_see(x, span.hi, c->xlog);
    cn_range_see(y, s->y[i], c->ylog);
    if (s->shape == SHAPE_BARS && !c->ylog) cn_range_see(y, 0, false);
}

/* Epochs and counts: no ticks between integers. */
static bool whole_steps(const Curves *c)
{
    for (size_t i = 0; i < c->n_series; i++) {
        const Series *s = &c->series[i];
        if (s->shape == SHAPE_BARS && s->slot < 0) return false;
        for (size_t j = 0; j < s->n; j++)
            if (s->x[j] != floor(s->x[j])) return false;
    }
    return c->n_series > 0;
}

/* The slack that a margin leaves below bars would make them float. */
static void rest_on_zero(Axis *y, Range data)
{
    if (data.lo == 0) y->lo = 0;
    else if (data.hi == 0) y->hi = 0;
}

void cn_curves_axes(const Curves *c, Axis *x, Axis *y, int xticks, int yticks)
{
    Range xs = cn_range_empty, ys = cn_range_empty;
    bool bars = false, own_x = c->xlim.lo < c->xlim.hi, own_y = c->ylim.lo < c->ylim.hi;
    for (size_t i = 0; i < c->n_series; i++) {
        bars |= c->series[i].shape == SHAPE_BARS;
        for (size_t j = 0; j < c->series[i].n; j++) see_point(c, &c->series[i], j, &xs, &ys);
    }
    if (bars && ys.lo == 0 && ys.hi == 0) ys.hi = 1;
    cn_axis_init(x, own_x ? c->xlim : xs, own_x ? 0 : 0.03, c->xlog, whole_steps(c), xticks);
    cn_axis_init(y, own_y ? c->ylim : ys, own_y ? 0 : 0.05, c->ylog, false, yticks);
    if (bars && !own_y && !c->ylog) rest_on_zero(y, ys);
}

size_t cn_curves_legend_rows(const Curves *c)
{
    size_t rows = 0;
    for (size_t i = 0; i < c->n_series && !c->no_legend; i++) rows += c->series[i].label != NULL;
    return rows;
}
