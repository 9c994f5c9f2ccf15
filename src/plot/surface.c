/* surface.c - surfaces over a grid: what is given, checked and copied. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "plot/figure.h"

void cn_surface_free(Surface *s)
{
    cn_heat_free(&s->heat);
    cn_free(s->x);
    cn_free(s->y);
    cn_free(s->zlabel);
}

/* Seen from above y goes up, rows of a heat map go down: the last row comes first. */
static bool copy_heights(Heat *h, const Grid *g)
{
    size_t row = g->cols * sizeof *g->values;
    Range r = cn_grid_heights(g);
    *h = (Heat){ .rows = g->rows, .cols = g->cols, .lo = r.lo, .hi = r.hi };
    if (r.lo > r.hi) h->lo = h->hi = 0;
    if (h->hi - h->lo <= 1e-12 * fmax(fabs(h->lo), fabs(h->hi))) h->hi = h->lo + 1;
    h->values = cn_alloc(g->rows * row);
    if (!h->values) return false;
    for (size_t i = 0; i < g->rows; i++)
        memcpy(h->values + i * g->cols, g->values + (g->rows - 1 - i) * g->cols, row);
    return true;
}

static double *copy_places(const double *at, size_t n, bool backwards)
{
    double *copy = cn_alloc(n * sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) {
        size_t from = backwards ? n - 1 - i : i;
        copy[i] = at ? at[from] : (double)from;
    }
    return copy;
}

static bool copy_surface(Surface *s, const cn_surface_options *o, const Grid *g)
{
    *s = (Surface){ .azimuth = o->azimuth != 0 ? o->azimuth : -60,
                    .elevation = o->elevation != 0 ? o->elevation : 30 };
    if (!copy_heights(&s->heat, g)) return false;
    s->x = copy_places(g->x, g->cols, false);
    s->y = copy_places(g->y, g->rows, true);
    return s->x && s->y && cn_copy_text(&s->heat.xlabel, o->xlabel, false) &&
           cn_copy_text(&s->heat.ylabel, o->ylabel, false) &&
           cn_copy_text(&s->zlabel, o->zlabel, false);
}

bool cn_figure_surface_with(const cn_surface_options *given)
{
    static const char what[] = "cn_figure_surface";
    cn_surface_options o;
    if (!cn_copy_options(&o, sizeof o, given, what)) return false;
    Grid g = { o.values, o.x, o.y, o.rows, o.cols };
    if (!cn_check_grid(&g, what)) return false;
    if (!(fabs(o.azimuth) <= 360) || !(o.elevation == 0 || (o.elevation >= 1 && o.elevation <= 90)))
        return cn_fail(CN_EINVALID, "%s: seen from %g, %g: azimuth within 360, elevation 1 to 90",
                       what, o.azimuth, o.elevation);
    Surface s;
    Panel *p = NULL;
    if (copy_surface(&s, &o, &g)) p = cn_figure_open(o.figure, PANEL_SURFACE, what);
    if (!p) {
        cn_surface_free(&s);
        return false;
    }
    p->surface = s;
    return true;
}
