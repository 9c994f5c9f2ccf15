/* paint_surface.c - a surface on a Cairo context, seen from the side and above. */
#include "plot/paint.h"

#ifdef CN_WITH_CAIRO

#include <math.h>

enum { WIDTH = 420, HEIGHT = 340, MARGIN = 46 };

static const double radian = 0.017453292519943295;

/* A parallel projection of the cube -0.5 .. 0.5 that the surface fills. */
typedef struct Eye {
    double ca, sa, ce, se; /* cosine and sine of azimuth and elevation */
    double cx, cy, scale;  /* the middle of the cube on the page, in pixels; pixels per unit */
} Eye;

typedef struct Spot {
    double x, y; /* on the page, in pixels */
} Spot;

Size cn_surface_size(void)
{
    return (Size){ WIDTH, HEIGHT };
}

static Eye eye_of(const Surface *s, Box box)
{
    double a = s->azimuth * radian, e = s->elevation * radian;
    Eye eye = { cos(a), sin(a), cos(e), sin(e), box.x + box.w / 2, box.y + box.h / 2, 0 };
    double wide = fabs(eye.ca) + fabs(eye.sa), high = wide * eye.se + eye.ce;
    eye.scale = fmin((box.w - 2 * MARGIN) / wide, (box.h - 2 * MARGIN) / high);
    return eye;
}

static Spot see(const Eye *eye, double x, double y, double z)
{
    double across = eye->ca * y - eye->sa * x, near = eye->ca * x + eye->sa * y;
    return (Spot){ eye->cx + eye->scale * across,
                   eye->cy - eye->scale * (eye->ce * z - eye->se * near) };
}

static double unit(double v, double lo, double hi)
{
    return (v - lo) / (hi - lo) - 0.5;
}

static Spot see_corner(const Surface *s, const Eye *eye, size_t r, size_t c)
{
    const Heat *h = &s->heat;
    return see(eye, unit(s->x[c], s->x[0], s->x[h->cols - 1]),
               unit(s->y[r], s->y[h->rows - 1], s->y[0]),
               unit(h->values[r * h->cols + c], h->lo, h->hi));
}

/* ---- the box around it -------------------------------------------------------------------- */

static void segment(cairo_t *cr, Spot a, Spot b)
{
    cairo_move_to(cr, a.x, a.y);
    cairo_line_to(cr, b.x, b.y);
    cairo_stroke(cr);
}

/* The four edges of the ground. */
static void draw_ground(cairo_t *cr, const Eye *eye)
{
    static const double corner[5][2] = {
        { -0.5, -0.5 }, { 0.5, -0.5 }, { 0.5, 0.5 }, { -0.5, 0.5 }, { -0.5, -0.5 }
    };
    cairo_set_line_width(cr, 1);
    cn_set_colour(cr, cn_ink_soft, 0.5);
    for (int i = 0; i < 4; i++)
        segment(cr, see(eye, corner[i][0], corner[i][1], -0.5),
                see(eye, corner[i + 1][0], corner[i + 1][1], -0.5));
}

typedef struct Edge {
    double from[3], to[3]; /* of the cube */
    double lo, hi;         /* the values at both ends */
    const char *label;
} Edge;

/* Numbers stand outside the cube: away from its middle. */
static void draw_edge(cairo_t *cr, const Eye *eye, const Edge *e)
{
    Axis a;
    Spot middle = see(eye, 0, 0, -0.5);
    Spot centre = see(eye, (e->from[0] + e->to[0]) / 2, (e->from[1] + e->to[1]) / 2,
                      (e->from[2] + e->to[2]) / 2);
    double out = centre.x < middle.x ? -1 : 1, align = out < 0 ? 1 : 0;
    cn_axis_init(&a, (Range){ e->lo, e->hi }, 0, false, false, 4);
    for (int i = 0; i < a.n; i++) {
        double t = cn_axis_at(&a, a.tick[i]), p[3];
        for (int d = 0; d < 3; d++) p[d] = e->from[d] + t * (e->to[d] - e->from[d]);
        Spot at = see(eye, p[0], p[1], p[2]);
        double down = e->from[2] == e->to[2] ? 11 : 3.5;
        cn_draw_text(cr, a.label[i], at.x + 5 * out, at.y + down, align, FONT_SMALL, cn_ink_soft);
    }
    if (!e->label) return;
    bool upright = e->from[2] != e->to[2];
    cn_draw_text(cr, e->label, upright ? centre.x : centre.x + 24 * out,
                 upright ? see(eye, e->to[0], e->to[1], 0.5).y - 10 : centre.y + 27,
                 upright ? 0.5 : align, FONT_LABEL, cn_ink);
}

/* The x and y axes are the ground's edges on the eye's side, the z axis the upright one at the
   left or right end of them. */
static void draw_axes(cairo_t *cr, const Surface *s, const Eye *eye)
{
    const Heat *h = &s->heat;
    double near_x = eye->ca >= 0 ? 0.5 : -0.5, near_y = eye->sa >= 0 ? 0.5 : -0.5;
    bool x_first = see(eye, near_x, -near_y, 0).x > see(eye, -near_x, near_y, 0).x;
    double zx = x_first ? near_x : -near_x, zy = x_first ? -near_y : near_y;
    const Edge edges[] = {
        { { -0.5, near_y, -0.5 }, { 0.5, near_y, -0.5 }, s->x[0], s->x[h->cols - 1], h->xlabel },
        { { near_x, -0.5, -0.5 }, { near_x, 0.5, -0.5 }, s->y[h->rows - 1], s->y[0], h->ylabel },
        { { zx, zy, -0.5 }, { zx, zy, 0.5 }, h->lo, h->hi, s->zlabel },
    };
    cn_set_colour(cr, cn_ink_soft, 0.5);
    segment(cr, see(eye, zx, zy, -0.5), see(eye, zx, zy, 0.5));
    for (int i = 0; i < 3; i++) draw_edge(cr, eye, &edges[i]);
}

/* ---- patches ------------------------------------------------------------------------------ */

static void draw_patch(cairo_t *cr, const Surface *s, const Eye *eye, size_t r, size_t c)
{
    const Heat *h = &s->heat;
    const size_t at[] = { r * h->cols + c, r * h->cols + c + 1, (r + 1) * h->cols + c + 1,
                          (r + 1) * h->cols + c };
    double mean = 0;
    for (int i = 0; i < 4; i++) {
        if (!cn_value_shows(h->values[at[i]], false)) return;
        mean += h->values[at[i]] / 4;
    }
    for (int i = 0; i < 4; i++) {
        Spot p = see_corner(s, eye, at[i] / h->cols, at[i] % h->cols);
        cairo_line_to(cr, p.x, p.y);
    }
    cairo_close_path(cr);
    cn_set_colour(cr, cn_heat_colour(0.15 + 0.75 * cn_heat_level(h, mean)), 1);
    cairo_fill_preserve(cr);
    cn_set_colour(cr, cn_ink_soft, 0.45);
    cairo_set_line_width(cr, 0.5);
    cairo_stroke(cr);
}

/* From the far rows and columns to the near ones, so that what is near covers what is far. */
static void draw_patches(cairo_t *cr, const Surface *s, const Eye *eye)
{
    size_t rows = s->heat.rows - 1, cols = s->heat.cols - 1;
    bool last_row_near = eye->sa < 0, last_col_near = eye->ca >= 0;
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            draw_patch(cr, s, eye, last_row_near ? i : rows - 1 - i,
                       last_col_near ? j : cols - 1 - j);
}

void cn_paint_surface(cairo_t *cr, const Surface *s, Box box)
{
    Eye eye = eye_of(s, box);
    draw_ground(cr, &eye);
    draw_patches(cr, s, &eye);
    draw_axes(cr, s, &eye);
}

#endif
