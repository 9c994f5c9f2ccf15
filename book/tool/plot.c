/* plot.c - every kind of figure that the book draws (D2L 2.4.2). */
#include "book/book.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 50, SIDE = 33 };

static void has_svg(Lab *lab, const cn_figure *f, const char *what, const char *part)
{
    char *text = cn_figure_svg(f);
    if (!text && cn_error_code() == CN_EUNSUPPORTED) {
        cn_error_clear();
        lab_say(lab, "this build has no Cairo: no pictures");
        return;
    }
    lab_true(lab, what, text && strstr(text, part));
    cn_text_free(text);
}

/* A histogram of normal numbers, and bars. */
static cn_figure *distribution(Lab *lab)
{
    double values[2000];
    const double heights[] = { 3, 1, 2 };
    const char *const names[] = { "a", "b", "c" };
    bool ok = cn_read(cn_randn(CN_SHAPE(2000), CN_F64), CN_F64, values, 2000);
    cn_figure *f = cn_figure_new(NULL);
    ok = ok && cn_figure_histogram(f, "randn", values, 2000, 20) && cn_figure_panel(f, "bars") &&
         cn_figure_bars(f, NULL, names, heights, 3);
    lab_true(lab, "histogram and bars", ok);
    return f;
}

/* The book's x1^2 + 2 x2^2 with a descent over its level lines, and a saddle from the side. */
static cn_figure *landscape(Lab *lab)
{
    double x[SIDE], bowl[SIDE * SIDE], saddle[SIDE * SIDE], way_x[10], way_y[10], u = -5, v = -2;
    for (int i = 0; i < SIDE; i++) x[i] = -6 + 0.375 * i;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            bowl[r * SIDE + c] = x[c] * x[c] + 2 * x[r] * x[r];
            saddle[r * SIDE + c] = x[c] * x[c] - x[r] * x[r];
        }
    for (int i = 0; i < 10; i++) {
        way_x[i] = u;
        way_y[i] = v;
        u -= 0.1 * 2 * u;
        v -= 0.1 * 4 * v;
    }
    cn_figure *f = cn_figure_new(NULL);
    bool ok =
        cn_figure_contour(f, bowl, SIDE, SIDE, .x = x, .y = x) &&
        cn_figure_line(f, "descent", way_x, way_y, 10) &&
        cn_figure_scatter(f, NULL, way_x, way_y, 10) &&
        cn_figure_axes(f, .xlabel = "x1", .ylabel = "x2", .xmin = -6, .xmax = 2, .ymin = -3,
                       .ymax = 3) &&
        cn_figure_surface(f, saddle, SIDE, SIDE, .x = x, .y = x, .xlabel = "x", .ylabel = "y");
    lab_true(lab, "contours with a trajectory, and a surface", ok);
    return f;
}

/* A heat map with numbers, and images with captions. */
static cn_figure *grids(Lab *lab)
{
    const double counts[] = { 8, 1, 1, 0, 9, 1, 2, 0, 8 };
    const char *const names[] = { "cat", "dog", "bird" };
    cn_dataset *glyphs = lab_images(lab, CN_TEST, 18, 18);
    cn_batch b = { 0 };
    int64_t index[18];
    for (int64_t i = 0; i < 18; i++) index[i] = i;
    cn_figure *f = cn_figure_new(NULL);
    bool ok = cn_figure_heatmap(f, counts, 3, 3, .row_labels = names, .col_labels = names,
                                .numbers = true) &&
              glyphs && cn_dataset_get(glyphs, index, 18, &b) &&
              cn_figure_images(f, 18, 28, 28, .f32 = cn_data(b.x), .columns = 9);
    lab_true(lab, "a heat map, and images", ok);
    return f;
}

static void run(Lab *lab)
{
    double x[POINTS], y[POINTS], z[POINTS];
    for (int i = 0; i < POINTS; i++) {
        x[i] = 0.1 * (i + 1);
        y[i] = exp(-x[i]);
        z[i] = exp(-2 * x[i]);
    }
    cn_figure *f = cn_figure_new("curves");
    bool ok = cn_figure_line(f, "exp(-x)", x, y, POINTS) &&
              cn_figure_line(f, "exp(-2x)", x, z, POINTS) &&
              cn_figure_axes(f, .xlabel = "x", .ylabel = "y", .ylog = true);
    /* On a logarithmic axis they are straight: the corners of the plot, and its axis, are known. */
    char text[8192];
    size_t n = cn_figure_text(
        f, &(cn_text_options){ .size = sizeof(cn_text_options), .width = 40, .height = 8 }, text,
        sizeof text);
    lab_true(lab, "curves with a legend on a log axis, in characters",
             ok && n && n < sizeof text && strstr(text, "exp(-2x)") &&
                 strstr(text, "10\xe2\x81\xbb"));
    has_svg(lab, f, "the same as SVG", "<svg");
    lab_figure(lab, f);
    lab_figure(lab, distribution(lab));
    lab_figure(lab, landscape(lab));
    lab_figure(lab, grids(lab));
}

const Experiment experiment_tool_plot = {
    .id = "TOOL-PLOT",
    .title = "Figures",
    .title_zh = "绘图",
    .section = "2.4.2",
    .run = run,
};
