/* paint_grids.c - heat maps and image grids on a Cairo context. */
#include "plot/paint.h"

#ifdef CN_WITH_CAIRO

#include <math.h>

/* ---- heat maps ---------------------------------------------------------------------------- */

enum { BAR = 12, BAR_GAP = 14, NO_LABELS = 16 };

typedef struct HeatPlan {
    double left, right, below; /* margins */
    double cell_w, cell_h;
    double font; /* of the numbers in the cells; 0: none */
} HeatPlan;

/* Cells are square where both sides agree to it, and give way in long maps. */
static double cell_side(const Heat *h, size_t n, bool across)
{
    double side = fmin(h->numbers ? 44 : 30, (h->numbers ? 460.0 : 320.0) / (double)(n ? n : 1));
    return fmax(side, h->numbers ? (across ? 26 : 20) : 1);
}

static double heat_font(cairo_t *cr, const Heat *h, double cell_w)
{
    char text[NUMBER_ROOM];
    double widest = 1;
    for (size_t i = 0; h->numbers && i < h->rows * h->cols; i++) {
        cn_heat_number(h, h->values[i], text);
        widest = fmax(widest, cn_text_width(cr, text, FONT_SMALL));
    }
    double font = fmin(FONT_SMALL, FONT_SMALL * (cell_w - 4) / widest);
    return h->numbers && font >= 4 ? font : 0;
}

static double bar_width(cairo_t *cr, const Heat *h)
{
    if (h->no_bar) return 0;
    char lo[NUMBER_ROOM], hi[NUMBER_ROOM];
    cn_number_short(lo, h->lo, 4);
    cn_number_short(hi, h->hi, 4);
    double text = fmax(cn_text_width(cr, lo, FONT_SMALL), cn_text_width(cr, hi, FONT_SMALL));
    return BAR_GAP + BAR + 6 + fmax(text, cn_text_width(cr, "0.75", FONT_SMALL));
}

static HeatPlan plan_heat(cairo_t *cr, const Heat *h)
{
    HeatPlan p = { .cell_w = cell_side(h, h->cols, true), .cell_h = cell_side(h, h->rows, false) };
    double least = fmin(p.cell_w, p.cell_h);
    if (h->rows < 4 * h->cols && h->cols < 4 * h->rows)
        p.cell_w = p.cell_h = fmax(least, h->numbers ? 26 : 1);
    double names = h->row_labels ? cn_widest(cr, h->row_labels, h->rows, FONT_SMALL) : NO_LABELS;
    p.left = names + 10 + (h->ylabel ? 18 : 0);
    p.right = bar_width(cr, h) + 8;
    p.below = h->col_labels ? cn_names_height(cr, h->col_labels, h->cols, p.cell_w) : 16;
    p.below += h->xlabel ? 20 : 4;
    p.font = heat_font(cr, h, p.cell_w);
    return p;
}

Size cn_heat_size(cairo_t *cr, const Heat *h)
{
    HeatPlan p = plan_heat(cr, h);
    double inside = fmax(60, p.cell_w * (double)h->cols),
           high = fmax(60, p.cell_h * (double)h->rows);
    return (Size){ p.left + inside + p.right, 6 + high + p.below };
}

static uint32_t heat_pixel(const void *heat, size_t i)
{
    const Heat *h = heat;
    return cn_pack_colour(cn_heat_colour(cn_heat_level(h, h->values[i])));
}

static void draw_numbers(cairo_t *cr, const Heat *h, Box map, double font)
{
    const Colour white = { 1, 1, 1 };
    double cw = map.w / (double)h->cols, ch = map.h / (double)h->rows;
    char text[NUMBER_ROOM];
    for (size_t i = 0; i < h->rows * h->cols; i++) {
        cn_heat_number(h, h->values[i], text);
        bool dark = cn_heat_level(h, h->values[i]) > 0.55;
        cn_draw_text(cr, text, map.x + ((double)(i % h->cols) + 0.5) * cw,
                     map.y + ((double)(i / h->cols) + 0.5) * ch + 0.36 * font, 0.5, font,
                     dark ? white : cn_ink);
    }
}

/* Without labels, indices stand at every cell or at every few of them. */
static void draw_indices(cairo_t *cr, size_t n, double x, double y, double pitch, bool across)
{
    Axis a;
    if (!n) return;
    cn_axis_init(&a, (Range){ 0, (double)n - 1 }, 0, false, true,
                 (int)fmax(1, pitch * (double)n / (across ? 34 : 24)));
    for (int i = 0; i < a.n; i++) {
        double at = (a.tick[i] + 0.5) * pitch;
        if (a.tick[i] < 0 || a.tick[i] > (double)n - 0.5) continue;
        if (across) cn_draw_text(cr, a.label[i], x + at, y + 14, 0.5, FONT_SMALL, cn_ink_soft);
        else cn_draw_text(cr, a.label[i], x - 6, y + at + 3.5, 1, FONT_SMALL, cn_ink_soft);
    }
}

static void draw_heat_labels(cairo_t *cr, const Heat *h, Box map, Box box)
{
    double cw = map.w / (double)h->cols, ch = map.h / (double)h->rows, bottom = map.y + map.h;
    bool slanted = h->col_labels && cn_names_slant(cr, h->col_labels, h->cols, cw);
    for (size_t i = 0; h->col_labels && i < h->cols; i++)
        cn_draw_name(cr, h->col_labels[i], map.x + ((double)i + 0.5) * cw, bottom, slanted);
    for (size_t i = 0; h->row_labels && i < h->rows; i++)
        cn_draw_text(cr, h->row_labels[i], map.x - 6, map.y + ((double)i + 0.5) * ch + 3.5, 1,
                     FONT_SMALL, cn_ink_soft);
    if (!h->col_labels) draw_indices(cr, h->cols, map.x, bottom, cw, true);
    if (!h->row_labels) draw_indices(cr, h->rows, map.x, map.y, ch, false);
    if (h->xlabel)
        cn_draw_text(cr, h->xlabel, map.x + map.w / 2, box.y + box.h - 4, 0.5, FONT_LABEL, cn_ink);
    if (h->ylabel)
        cn_draw_turned(cr, h->ylabel, box.x + 12, map.y + map.h / 2, 0.5, 1.5707963267948966,
                       FONT_LABEL, cn_ink);
}

enum { BAR_STEPS = 128 };

static uint32_t bar_pixel(const void *unused, size_t i)
{
    (void)unused;
    return cn_pack_colour(cn_heat_colour(1 - (double)i / (BAR_STEPS - 1)));
}

static void draw_bar(cairo_t *cr, const Heat *h, Box bar)
{
    cn_draw_pixels(cr, bar, 1, BAR_STEPS, bar_pixel, NULL);
    Axis a;
    cn_axis_init(&a, (Range){ h->lo, h->hi }, 0, false, false, (int)fmax(2, bar.h / 45));
    for (int i = 0; i < a.n; i++) {
        double y = bar.y + bar.h * (1 - cn_axis_at(&a, a.tick[i]));
        cn_draw_text(cr, a.label[i], bar.x + bar.w + 5, y + 3.5, 0, FONT_SMALL, cn_ink_soft);
    }
}

static void outline(cairo_t *cr, Box b)
{
    cairo_rectangle(cr, b.x, b.y, b.w, b.h);
    cn_set_colour(cr, cn_ink_soft, 0.6);
    cairo_set_line_width(cr, 0.75);
    cairo_stroke(cr);
}

void cn_paint_heat(cairo_t *cr, const Heat *h, Box box)
{
    HeatPlan p = plan_heat(cr, h);
    Size wish = cn_heat_size(cr, h);
    Box map = { box.x + p.left + fmax(0, (box.w - wish.w) / 2), box.y + 6,
                wish.w - p.left - p.right, wish.h - 6 - p.below };
    Box inner = { map.x - p.left, box.y, wish.w, wish.h };
    if (h->rows && h->cols) {
        cn_draw_pixels(cr, map, h->cols, h->rows, heat_pixel, h);
        if (p.font > 0) draw_numbers(cr, h, map, p.font);
        draw_heat_labels(cr, h, map, inner);
    }
    outline(cr, map);
    if (h->no_bar) return;
    Box bar = { map.x + map.w + BAR_GAP, map.y, BAR, map.h };
    draw_bar(cr, h, bar);
    outline(cr, bar);
}

/* ---- images ------------------------------------------------------------------------------- */

enum { IMAGE_GAP = 10 };

typedef struct ImagePlan {
    Size picture, cell;
    size_t rows;
} ImagePlan;

/* Small images grow by a whole factor, large ones shrink to 200 pixels. */
static ImagePlan plan_images(cairo_t *cr, const Images *im)
{
    double side = fmax((double)im->h, (double)im->w);
    double factor = side > 200 ? 200 / side : fmax(1, floor(90 / side));
    ImagePlan p = { .picture = { (double)im->w * factor, (double)im->h * factor },
                    .rows = (im->n + im->columns - 1) / im->columns };
    Size caption = { 0, 0 };
    for (size_t i = 0; im->captions && i < im->n; i++) {
        Size s = cn_lines_size(cr, im->captions[i]);
        caption = (Size){ fmax(caption.w, s.w), fmax(caption.h, s.h) };
    }
    p.cell =
        (Size){ fmax(p.picture.w, caption.w) + IMAGE_GAP, p.picture.h + caption.h + IMAGE_GAP };
    return p;
}

Size cn_images_size(cairo_t *cr, const Images *im)
{
    ImagePlan p = plan_images(cr, im);
    return (Size){ p.cell.w * (double)im->columns, fmax(p.cell.h * (double)p.rows, 20) };
}

static uint32_t image_pixel(const void *image, size_t i)
{
    const uint8_t *p = (const uint8_t *)image + 3 * i;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static Colour caption_colour(const Images *im, size_t i)
{
    int mark = im->marks ? (int)im->marks[i] : 0;
    return mark > 0 ? cn_good : mark < 0 ? cn_bad : cn_ink;
}

void cn_paint_images(cairo_t *cr, const Images *im, Box box)
{
    ImagePlan p = plan_images(cr, im);
    double left = box.x + (box.w - p.cell.w * (double)im->columns) / 2;
    for (size_t i = 0; i < im->n; i++) {
        double x = left + p.cell.w * (double)(i % im->columns);
        double y = box.y + p.cell.h * (double)(i / im->columns);
        Box picture = { x + (p.cell.w - p.picture.w) / 2, y, p.picture.w, p.picture.h };
        cn_draw_pixels(cr, picture, im->w, im->h, image_pixel, im->rgb + i * im->h * im->w * 3);
        if (im->captions)
            cn_draw_lines(cr, im->captions[i], x + p.cell.w / 2, y + p.picture.h + 12,
                          caption_colour(im, i));
    }
}

#endif
