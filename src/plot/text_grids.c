/* text_grids.c - heat maps and image grids in characters. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/text.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* ---- heat maps: a table of numbers where it fits, else a map of shades --------------------- */

static int widest_text(char *const *texts, size_t n)
{
    int widest = 0;
    for (size_t i = 0; texts && i < n; i++) widest = most(widest, cn_columns(texts[i]));
    return widest;
}

static void row_name(const Heat *h, size_t row, char out[NUMBER_ROOM])
{
    snprintf(out, NUMBER_ROOM, "%zu", row);
    if (h->row_labels) out[0] = 0;
}

static void put_row_name(Terminal *t, const Heat *h, size_t row, int margin)
{
    char index[NUMBER_ROOM];
    row_name(h, row, index);
    cn_put_right(t, h->row_labels ? h->row_labels[row] : index, margin);
    cn_buffer_text(&t->out, " ");
}

static int number_columns(const Heat *h)
{
    char text[NUMBER_ROOM];
    int widest = 1;
    for (size_t i = 0; i < h->rows * h->cols; i++) {
        cn_heat_number(h, h->values[i], text);
        widest = most(widest, cn_columns(text));
    }
    return widest;
}

static void put_level(Terminal *t, double level)
{
    const Colour dark = { 0.1, 0.1, 0.1 }, light = { 1, 1, 1 };
    cn_put_rgb(t, cn_heat_colour(level), true);
    cn_put_rgb(t, level > 0.55 ? light : dark, false);
}

static void put_numbers(Terminal *t, const Heat *h, int margin, int columns)
{
    char text[NUMBER_ROOM];
    for (size_t i = 0; i < h->rows * h->cols; i++) {
        if (i % h->cols == 0) put_row_name(t, h, i / h->cols, margin);
        cn_heat_number(h, h->values[i], text);
        put_level(t, cn_heat_level(h, h->values[i]));
        cn_put_right(t, text, columns);
        if ((i + 1) % h->cols) continue;
        cn_put_reset(t);
        cn_buffer_text(&t->out, "\n");
    }
}

static void put_col_names(Terminal *t, const Heat *h, int margin, int columns)
{
    char index[NUMBER_ROOM];
    cn_put_spaces(t, margin + 1);
    for (size_t i = 0; i < h->cols; i++) {
        snprintf(index, sizeof index, "%zu", i);
        cn_buffer_text(&t->out, " ");
        const char *name = h->col_labels ? h->col_labels[i] : index;
        cn_put_spaces(t, columns - 1 - cn_columns(name));
        cn_text_put(t, name, columns - 1);
    }
    cn_buffer_text(&t->out, "\n");
}

/* Rows and columns are thinned out where the terminal has fewer than the map. */
static void put_shades(Terminal *t, const Heat *h, int margin)
{
    int room = t->width - margin - 1, columns = least(room, 2 * (int)h->cols);
    int rows = least((int)h->rows, 2 * t->height);
    for (int r = 0; r < rows; r++) {
        size_t row = (size_t)r * h->rows / (size_t)rows;
        put_row_name(t, h, row, margin);
        for (int i = 0; i < columns; i++) {
            size_t col = (size_t)i * h->cols / (size_t)columns;
            double level = cn_heat_level(h, h->values[row * h->cols + col]);
            if (t->colour) cn_put_rgb(t, cn_heat_colour(level), true);
            cn_buffer_text(&t->out, t->colour ? " " : cn_shade(level));
        }
        cn_put_reset(t);
        cn_buffer_text(&t->out, "\n");
    }
}

static void put_scale(Terminal *t, const Heat *h, int margin)
{
    char lo[NUMBER_ROOM], hi[NUMBER_ROOM];
    cn_number_short(lo, h->lo, 4);
    cn_number_short(hi, h->hi, 4);
    cn_put_spaces(t, margin + 1);
    cn_buffer_text(&t->out, lo);
    cn_buffer_text(&t->out, " ");
    for (int i = 0; i < 10; i++) {
        if (t->colour) cn_put_rgb(t, cn_heat_colour(i / 9.0), true);
        cn_buffer_text(&t->out, t->colour ? " " : cn_shade(i / 9.0));
    }
    cn_put_reset(t);
    cn_buffer_text(&t->out, " ");
    cn_buffer_text(&t->out, hi);
    cn_buffer_text(&t->out, "\n");
}

static void put_caption(Terminal *t, const char *what, const char *label, int margin)
{
    if (!label) return;
    cn_put_spaces(t, margin + 1);
    cn_buffer_text(&t->out, what);
    cn_text_put(t, label, t->width - margin - 1 - cn_columns(what));
    cn_buffer_text(&t->out, "\n");
}

void cn_text_heat(Terminal *t, const Heat *h)
{
    char last[NUMBER_ROOM];
    row_name(h, h->rows, last);
    int margin = most(cn_columns(last), widest_text(h->row_labels, h->rows));
    margin = least(margin, t->width / 3);
    put_caption(t, "↓ ", h->ylabel, margin);
    if (h->rows && h->cols) {
        int columns = h->numbers ? 1 + number_columns(h) : 0;
        int roomy =
            least(1 + widest_text(h->col_labels, h->cols), (t->width - margin - 1) / (int)h->cols);
        if (h->numbers && columns * (int)h->cols <= t->width - margin - 1) {
            put_numbers(t, h, margin, most(columns, roomy));
            put_col_names(t, h, margin, most(columns, roomy));
        } else {
            put_shades(t, h, margin);
        }
    }
    put_caption(t, "→ ", h->xlabel, margin);
    if (!h->no_bar) put_scale(t, h, margin);
}

/* ---- images: two pixels to a character, one above the other -------------------------------- */

typedef struct ImageGrid {
    int columns;       /* of images */
    int w, h;          /* of an image, in pixels as the terminal has them; h is even */
    int caption_lines; /* the most that a caption has */
} ImageGrid;

static int lines_of(const char *text)
{
    int lines = 1;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static ImageGrid plan_grid(const Terminal *t, const Images *im)
{
    enum { LEAST = 14, GAP = 2 };
    int fit = most(1, t->width / (LEAST + GAP));
    ImageGrid g = { .columns = im->columns < (size_t)fit ? (int)im->columns : fit };
    g.columns = most(1, g.columns);
    g.w = least((int)im->w, least(28, t->width / g.columns - GAP));
    g.h = (int)ceil(g.w * (double)im->h / (double)im->w / 2) * 2;
    g.h = least(g.h, 4 * t->height);
    for (size_t i = 0; im->captions && i < im->n; i++)
        g.caption_lines = most(g.caption_lines, lines_of(im->captions[i]));
    return g;
}

/* The mean over the source pixels that fall into (x, y) of the grid's w x h. */
static Colour mean_colour(const Images *im, size_t image, const ImageGrid *g, int x, int y)
{
    size_t w = (size_t)g->w, h = (size_t)g->h, n = 0;
    size_t x0 = (size_t)x * im->w / w, x1 = ((size_t)x + 1) * im->w / w;
    size_t y0 = (size_t)y * im->h / h, y1 = ((size_t)y + 1) * im->h / h;
    double sum[3] = { 0, 0, 0 };
    for (size_t v = y0; v < y1 || v == y0; v++) {
        for (size_t u = x0; u < x1 || u == x0; u++, n++) {
            const uint8_t *p = im->rgb + 3 * ((image * im->h + v) * im->w + u);
            for (int c = 0; c < 3; c++) sum[c] += p[c];
        }
    }
    double scale = 1 / (255.0 * (double)n);
    return (Colour){ sum[0] * scale, sum[1] * scale, sum[2] * scale };
}

static double lightness(Colour c)
{
    return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b;
}

static void put_pixels(Terminal *t, const Images *im, size_t image, const ImageGrid *g, int line)
{
    for (int x = 0; x < g->w; x++) {
        Colour above = mean_colour(im, image, g, x, 2 * line);
        Colour below = mean_colour(im, image, g, x, 2 * line + 1);
        if (t->colour) {
            cn_put_rgb(t, above, false);
            cn_put_rgb(t, below, true);
            cn_buffer_text(&t->out, "▀");
        } else {
            cn_buffer_text(&t->out, cn_shade((lightness(above) + lightness(below)) / 2));
        }
    }
    cn_put_reset(t);
}

static void put_image_caption(Terminal *t, const Images *im, size_t i, int columns, int line)
{
    const char *text = im->captions[i];
    int mark = im->marks ? (int)im->marks[i] : 0, used = 0;
    for (int k = 0; text && k < line; k++) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (mark) cn_put_ansi(t, mark > 0 ? "32" : "31");
    if (mark && line == 0) used = cn_text_put(t, mark > 0 ? "✓ " : "✗ ", columns);
    if (text) used += cn_text_put(t, text, columns - used);
    if (mark) cn_put_reset(t);
    cn_put_spaces(t, columns - used);
}

void cn_text_images(Terminal *t, const Images *im)
{
    ImageGrid g = plan_grid(t, im);
    int step = t->width / g.columns;
    for (size_t first = 0; first < im->n; first += (size_t)g.columns) {
        for (int line = 0; line < g.h / 2 + g.caption_lines; line++) {
            for (size_t i = first; i < im->n && i < first + (size_t)g.columns; i++) {
                bool picture = line < g.h / 2;
                if (picture) put_pixels(t, im, i, &g, line);
                else put_image_caption(t, im, i, step - 1, line - g.h / 2);
                cn_put_spaces(t, picture ? step - g.w : 1);
            }
            cn_buffer_text(&t->out, "\n");
        }
    }
}
