/* figure.h - what a figure is made of, for those who draw it. */
#ifndef CN_PLOT_FIGURE_H
#define CN_PLOT_FIGURE_H

#include <cenote/plot.h>

#include "plot/axis.h"

typedef enum Shape { SHAPE_LINE, SHAPE_POINTS, SHAPE_BARS, SHAPE_CONTOUR } Shape;

typedef struct Series {
    Shape shape;
    char *label; /* NULL: not in the legend */
    double *x, *y;
    double *level; /* of a contour: how dark each point is, 0 .. 1 */
    size_t n;
    double width; /* of a bar, on the x axis */
    int slot;     /* bars side by side: which one of the panel's slots; -1: alone */
} Series;

typedef struct Curves {
    char *xlabel, *ylabel;
    bool xlog, ylog, no_legend;
    Range xlim, ylim; /* the user's; lo >= hi: none */
    int width, height;
    Series *series;
    size_t n_series, room;
    char **names; /* of bars, at 0, 1, ... on the x axis */
    size_t n_names;
    int slots;
} Curves;

typedef struct Heat {
    double *values;
    size_t rows, cols;
    char **row_labels, **col_labels; /* NULL: none */
    char *xlabel, *ylabel;
    double lo, hi;
    bool numbers, whole, no_bar;
} Heat;

typedef struct Images {
    uint8_t *rgb; /* n x h x w x 3 */
    size_t n, h, w, columns;
    char **captions;      /* NULL: none */
    cn_image_mark *marks; /* NULL: none */
} Images;

typedef struct Surface {
    Heat heat; /* its values, colours, xlabel and ylabel; row 0 is the one with the greatest y */
    double *x, *y; /* heat.cols and heat.rows of them */
    char *zlabel;
    double azimuth, elevation; /* in degrees */
} Surface;

typedef enum PanelKind { PANEL_CURVES, PANEL_HEAT, PANEL_IMAGES, PANEL_SURFACE } PanelKind;

typedef struct Panel {
    PanelKind kind;
    char *title;
    bool used;     /* something was added */
    Curves curves; /* the one that `kind` says is in use */
    Heat heat;
    Images images;
    Surface surface;
} Panel;

struct cn_figure {
    char *title;
    Panel *panels; /* at least one */
    size_t n_panels, room;
    size_t columns; /* 0: all panels in one row */
};

/* ---- building: for the files that add things to a figure ----------------------------------- */

/* The panel to add a thing of this kind to: the newest if it is fit, else a new one. */
Panel *cn_figure_open(cn_figure *f, PanelKind kind, const char *what);

/* Copies, made fit for drawing: valid UTF-8, no control characters but newlines if `lines`. A NULL
   text gives a NULL copy, which is no failure. */
bool cn_copy_text(char **out, const char *text, bool lines);
bool cn_copy_texts(char ***out, const char *const *texts, size_t n, bool lines);
void cn_free_texts(char **texts, size_t n);

/* How many bytes the caller's array of n items needs; NULL is an error unless n is 0. */
bool cn_check_array(const char *what, const void *given, size_t n, size_t item, size_t *bytes);

/* Zeroes `out` and copies the options that the caller's headers know. */
bool cn_copy_options(void *out, size_t out_size, const void *options, const char *what);

/* Makes room for one more item of a growing array. */
bool cn_grow(void **items, size_t *room, size_t n, size_t item);

void cn_curves_free(Curves *c);
void cn_heat_free(Heat *h);
void cn_images_free(Images *im);
void cn_surface_free(Surface *s);

/* A new series of n points in the panel of curves; `level` is NULL but for contours. */
bool cn_add_series(cn_figure *f, Series style, const char *label, const double *x, const double *y,
                   const double *level, size_t n, const char *what);

/* Heights over a grid, as the user gives them: values[r * cols + c] is that at (x[c], y[r]). */
typedef struct Grid {
    const double *values, *x, *y; /* x and y NULL: 0, 1, 2, ... */
    size_t rows, cols;
} Grid;
bool cn_check_grid(const Grid *g, const char *what);
Range cn_grid_heights(const Grid *g); /* empty when there is none */

/* ---- reading: for the files that draw ------------------------------------------------------ */

/* Both axes of a panel of curves, with room for so many ticks. */
void cn_curves_axes(const Curves *c, Axis *x, Axis *y, int xticks, int yticks);

size_t cn_curves_legend_rows(const Curves *c); /* how many series have a label; 0 when it is off */

/* False for a gap. */
bool cn_point_shows(const Curves *c, const Series *s, size_t i);
/* The left and right end of a bar. */
Range cn_bar_span(const Curves *c, const Series *s, size_t i);

/* The value of a cell as text, and how dark it is: 0 .. 1, NaN where there is no value. */
void cn_heat_number(const Heat *h, double v, char out[NUMBER_ROOM]);
double cn_heat_level(const Heat *h, double v);

#endif
