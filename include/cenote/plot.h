/* plot.h - figures: described once, then saved as SVG, PNG or PDF, or printed on a terminal. */
#ifndef CENOTE_PLOT_H
#define CENOTE_PLOT_H

#include "tensor.h"

CN_BEGIN_DECLS

/* A figure is a row (or grid) of panels. Whatever is added goes to the newest panel; the first one
   is there from the start. Everything given is copied. Text is UTF-8: what is not becomes '?',
   control characters become spaces. Functions that return bool fail on a NULL figure. */
typedef struct cn_figure cn_figure;

CN_API cn_figure *cn_figure_new(const char *title); /* NULL: no title */
CN_API void cn_figure_free(cn_figure *f);           /* NULL is fine */

/* Starts the next panel, to the right of the last; title may be NULL. */
CN_API bool cn_figure_panel(cn_figure *f, const char *title);
/* Panels per row; 0, the default, puts all in one row. */
CN_API bool cn_figure_columns(cn_figure *f, size_t columns);

/* ---- curves, points and bars: any number of them share a panel ------------------------------
   Points that are NaN, infinite, beyond 1e300, or not positive on a logarithmic axis are gaps.
   x = NULL stands for 0, 1, 2, ...; label = NULL keeps a series out of the legend. Colours and
   dashes follow the book: a solid line, then dashed, dash-dotted and dotted ones. */

CN_API bool cn_figure_line(cn_figure *f, const char *label, const double *x, const double *y,
                           size_t n);
CN_API bool cn_figure_scatter(cn_figure *f, const char *label, const double *x, const double *y,
                              size_t n);
/* A bar of height y[i] over names[i]; names = NULL: numbers. Several sets stand side by side. */
CN_API bool cn_figure_bars(cn_figure *f, const char *label, const char *const *names,
                           const double *y, size_t n);
/* How many values fall into each of `bins` equal intervals; bins = 0 chooses by n. */
CN_API bool cn_figure_histogram(cn_figure *f, const char *label, const double *values, size_t n,
                                size_t bins);

/* Level lines of a surface: values[r * cols + c] is its height at (x[c], y[r]). They share a panel
   with lines and points, so that the way of a descent can be drawn over them. The lines go from
   light for low to dark for high; cells with a corner that is NaN have none. */
typedef struct cn_contour_options {
    size_t size;
    cn_figure *figure;
    const double *values;
    size_t rows, cols; /* at least 2 each */
    cn_named_only named_only_;
    const double *x, *y; /* cols and rows of them, ascending; NULL: 0, 1, 2, ... */
    const double *levels;
    size_t n_levels; /* with levels NULL: round ones, about so many; 0: 10 */
    const char *label;
} cn_contour_options;

CN_API bool cn_figure_contour_with(const cn_contour_options *o);

/* The axes of the newest panel: cn_figure_axes(f, .xlabel = "epoch", .ylog = true). Limits hold
   where min < max, otherwise the data decide. */
typedef struct cn_axes_options {
    size_t size; /* of this struct in the caller's headers */
    cn_figure *figure;
    cn_named_only named_only_;
    const char *xlabel, *ylabel;
    bool xlog, ylog;
    bool no_legend;
    double xmin, xmax, ymin, ymax;
    int width, height; /* of the panel, in CSS pixels; 0: 480 x 320 */
} cn_axes_options;

CN_API bool cn_figure_axes_with(const cn_axes_options *o);

/* ---- heat maps, surfaces and images: each is a panel by itself, a new one where needed ---- */

/* Row-major values; row 0 is at the top, NaN cells are grey. For a confusion matrix:
   cn_figure_heatmap(f, counts, 10, 10, .row_labels = names, .col_labels = names,
                     .numbers = true). */
typedef struct cn_heatmap_options {
    size_t size;
    cn_figure *figure;
    const double *values;
    size_t rows, cols;
    cn_named_only named_only_;
    const char *const *row_labels, *const *col_labels; /* as many as rows, cols; NULL: numbers */
    const char *xlabel, *ylabel;
    double lo, hi; /* the values at both ends of the colours; lo >= hi: those of the data */
    bool numbers;  /* write each value into its cell */
    bool no_bar;   /* without the colour bar */
} cn_heatmap_options;

CN_API bool cn_figure_heatmap_with(const cn_heatmap_options *o);

/* The same heights as those of cn_figure_contour(), seen from the side and above; on a terminal,
   where there is no depth, from straight above. Patches with a corner that is NaN are left out. */
typedef struct cn_surface_options {
    size_t size;
    cn_figure *figure;
    const double *values;
    size_t rows, cols; /* at least 2 each */
    cn_named_only named_only_;
    const double *x, *y; /* cols and rows of them, ascending; NULL: 0, 1, 2, ... */
    const char *xlabel, *ylabel, *zlabel;
    double azimuth;   /* of the eye about the z axis, in degrees; 0: -60 */
    double elevation; /* of the eye above the ground, 1 .. 90 degrees; 0: 30 */
} cn_surface_options;

CN_API bool cn_figure_surface_with(const cn_surface_options *o);

typedef enum cn_image_mark {
    CN_IMAGE_BAD = -1, /* a red caption */
    CN_IMAGE_UNMARKED = 0,
    CN_IMAGE_GOOD = 1 /* a green caption */
} cn_image_mark;

/* n images of h x w pixels, laid out as a tensor (n, channels, h, w):
   cn_figure_images(f, 18, 28, 28, .u8 = pixels, .captions = captions, .columns = 9). */
typedef struct cn_images_options {
    size_t size;
    cn_figure *figure;
    size_t n, h, w;
    cn_named_only named_only_;
    const uint8_t *u8;           /* the pixels: this, */
    const float *f32;            /* or this, where lo is black and hi is white */
    double lo, hi;               /* lo >= hi: 0 and 1 */
    int channels;                /* 1 (or 0) for grey, 3 for RGB */
    bool channels_last;          /* (n, h, w, channels) instead */
    size_t columns;              /* images per row; 0: at most 9 */
    const char *const *captions; /* n of them, "\n" starts a new line; NULL: none */
    const cn_image_mark *marks;  /* n of them; NULL: none */
} cn_images_options;

CN_API bool cn_figure_images_with(const cn_images_options *o);

/* The images in a tensor, each from its own least value (black) to its largest (white): (h, w),
   (n, h, w), or (n, c, h, w), of which each channel is an image; with c = 3 the three are one, in
   colours. So the filters of a first convolution are its weight, and the feature maps of a layer
   what it returned. `columns` per row; 0: at most 9. */
CN_API bool cn_figure_tensor(cn_figure *f, const cn_tensor *images, size_t columns);

#ifndef __cplusplus
#define cn_figure_axes(...)                                                                        \
    cn_figure_axes_with(&(cn_axes_options){ .size = sizeof(cn_axes_options), __VA_ARGS__ })
#define cn_figure_contour(...)                                                                     \
    cn_figure_contour_with(&(cn_contour_options){ .size = sizeof(cn_contour_options), __VA_ARGS__ })
#define cn_figure_surface(...)                                                                     \
    cn_figure_surface_with(&(cn_surface_options){ .size = sizeof(cn_surface_options), __VA_ARGS__ })
#define cn_figure_heatmap(...)                                                                     \
    cn_figure_heatmap_with(&(cn_heatmap_options){ .size = sizeof(cn_heatmap_options), __VA_ARGS__ })
#define cn_figure_images(...)                                                                      \
    cn_figure_images_with(&(cn_images_options){ .size = sizeof(cn_images_options), __VA_ARGS__ })
#endif

/* ---- output ------------------------------------------------------------------------------- */

/* Writes .svg, .png (at twice the nominal size) or .pdf, as the extension says. The path either
   keeps its old contents or gets the new ones whole. A library built without Cairo answers
   CN_EUNSUPPORTED. */
CN_API bool cn_figure_save(const cn_figure *f, const char *path);

/* The figure as SVG text, to put into a page: a new text, which cn_text_free() frees. NULL: error. */
CN_API char *cn_figure_svg(const cn_figure *f);

typedef struct cn_text_options {
    size_t size; /* sizeof(cn_text_options); 0 is taken for that of version 0.1 */
    int width;   /* of a line, in characters; 0: 72; at least 24 */
    int height;  /* of the plotting area, in lines; 0: 16; at least 4 */
    bool colour; /* with ANSI escapes */
} cn_text_options;

/* The figure in Unicode characters, panels one below the other. Like snprintf: writes at most
   `room` bytes, the final 0 included, and returns how many the whole text has without it, so that
   (NULL, 0) asks for the size. 0 means failure. o may be NULL. */
CN_API size_t cn_figure_text(const cn_figure *f, const cn_text_options *o, char *buf, size_t room);

CN_END_DECLS
#endif
