/* save.c - figures as SVG, PNG and PDF files, through Cairo. */
#include <string.h>
#include <strings.h>

#include "plot/buffer.h"
#include "plot/figure.h"

#ifdef CN_WITH_CAIRO

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>

#include "core/file.h"
#include "core/memory.h"
#include "plot/paint.h"

/* ---- layout: panels in rows, columns as wide as their widest panel ------------------------- */

enum { EDGE = 12, GAP = 18, TITLE = 24, PNG_SCALE = 2, LARGEST = 16000 };

typedef struct Layout {
    size_t columns, rows;
    double *w, *h; /* of each column, of each row */
    Size page;
} Layout;

static Size panel_size(cairo_t *cr, const Panel *p)
{
    Size s = p->kind == PANEL_HEAT      ? cn_heat_size(cr, &p->heat)
             : p->kind == PANEL_IMAGES  ? cn_images_size(cr, &p->images)
             : p->kind == PANEL_SURFACE ? cn_surface_size()
                                        : cn_curves_size(&p->curves);
    if (!p->title) return s;
    return (Size){ fmax(s.w, cn_text_width(cr, p->title, FONT_LABEL) + GAP), s.h + TITLE };
}

static bool make_layout(Layout *l, cairo_t *cr, const cn_figure *f)
{
    *l = (Layout){ .columns = f->n_panels };
    if (f->columns && f->columns < f->n_panels) l->columns = f->columns;
    l->rows = (f->n_panels + l->columns - 1) / l->columns;
    l->w = cn_alloc_zeroed((l->columns + l->rows) * sizeof *l->w);
    if (!l->w) return false;
    l->h = l->w + l->columns;
    for (size_t i = 0; i < f->n_panels; i++) {
        Size s = panel_size(cr, &f->panels[i]);
        double *w = &l->w[i % l->columns], *h = &l->h[i / l->columns];
        *w = fmax(*w, s.w);
        *h = fmax(*h, s.h);
    }
    l->page = (Size){ 2 * EDGE - GAP, 2 * EDGE - GAP + (f->title ? TITLE : 0) };
    for (size_t i = 0; i < l->columns; i++) l->page.w += l->w[i] + GAP;
    for (size_t i = 0; i < l->rows; i++) l->page.h += l->h[i] + GAP;
    if (f->title) l->page.w = fmax(l->page.w, cn_text_width(cr, f->title, FONT_TITLE) + 2 * EDGE);
    l->page = (Size){ ceil(l->page.w), ceil(l->page.h) };
    if (l->page.w <= LARGEST && l->page.h <= LARGEST) return true;
    return cn_fail(CN_EINVALID,
                   "cn_figure_save: the figure would have %.0f x %.0f pixels, at most %d "
                   "on a side: use fewer images or panels, or set .columns",
                   l->page.w, l->page.h, LARGEST);
}

static void paint_panel(cairo_t *cr, const Panel *p, Box box)
{
    if (p->title) {
        cn_draw_text(cr, p->title, box.x + box.w / 2, box.y + 13, 0.5, FONT_LABEL, cn_ink);
        box.y += TITLE;
        box.h -= TITLE;
    }
    if (p->kind == PANEL_HEAT) cn_paint_heat(cr, &p->heat, box);
    else if (p->kind == PANEL_IMAGES) cn_paint_images(cr, &p->images, box);
    else if (p->kind == PANEL_SURFACE) cn_paint_surface(cr, &p->surface, box);
    else cn_paint_curves(cr, &p->curves, box);
}

static void paint_figure(cairo_t *cr, const cn_figure *f, const Layout *l)
{
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    if (f->title) cn_draw_text(cr, f->title, l->page.w / 2, EDGE + 13, 0.5, FONT_TITLE, cn_ink);
    double x = EDGE, y = EDGE + (f->title ? TITLE : 0);
    for (size_t i = 0; i < f->n_panels; i++) {
        size_t column = i % l->columns, row = i / l->columns;
        paint_panel(cr, &f->panels[i], (Box){ x, y, l->w[column], l->h[row] });
        x += l->w[column] + GAP;
        if (column + 1 < l->columns) continue;
        x = EDGE;
        y += l->h[row] + GAP;
    }
}

/* ---- surfaces ----------------------------------------------------------------------------- */

static cairo_status_t append(void *buffer, const unsigned char *bytes, unsigned int n)
{
    return cn_buffer_add(buffer, bytes, n) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

typedef struct Format {
    const char *extension;
    cairo_surface_t *(*create)(Size page, Buffer *out);
    cairo_status_t (*finish)(cairo_surface_t *s, Buffer *out);
} Format;

static cairo_surface_t *create_svg(Size page, Buffer *out)
{
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(append, out, page.w, page.h);
#if CAIRO_VERSION >= CAIRO_VERSION_ENCODE(1, 16, 0)
    if (cairo_surface_status(s) == CAIRO_STATUS_SUCCESS)
        cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PX);
#endif
    return s;
}

static cairo_surface_t *create_pdf(Size page, Buffer *out)
{
    return cairo_pdf_surface_create_for_stream(append, out, page.w, page.h);
}

static cairo_surface_t *create_png(Size page, Buffer *out)
{
    (void)out;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, PNG_SCALE * (int)page.w,
                                                    PNG_SCALE * (int)page.h);
    cairo_surface_set_device_scale(s, PNG_SCALE, PNG_SCALE);
    return s;
}

static cairo_status_t finish_stream(cairo_surface_t *s, Buffer *out)
{
    (void)out;
    cairo_surface_finish(s);
    return cairo_surface_status(s);
}

static cairo_status_t finish_png(cairo_surface_t *s, Buffer *out)
{
    return cairo_surface_write_to_png_stream(s, append, out);
}

static const Format formats[] = {
    { ".svg", create_svg, finish_stream },
    { ".png", create_png, finish_png },
    { ".pdf", create_pdf, finish_stream },
};

static const Format *format_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++)
        if (!strcasecmp(dot, formats[i].extension)) return &formats[i];
    cn_fail(CN_EINVALID, "cn_figure_save: %s: the name must end in .svg, .png or .pdf", path);
    return NULL;
}

/* Widths must not depend on the output, or SVG and PNG would differ in layout. */
static cairo_t *context_on(cairo_surface_t *s)
{
    cairo_t *cr = cairo_create(s);
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, o);
    cairo_font_options_destroy(o);
    return cr;
}

static bool check_status(cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS) return true;
    cn_code code = status == CAIRO_STATUS_NO_MEMORY ? CN_ENOMEM : CN_EUNSUPPORTED;
    return cn_fail(code, "cn_figure_save: Cairo: %s", cairo_status_to_string(status));
}

static bool measure(Layout *l, const cn_figure *f)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = context_on(s);
    bool ok = make_layout(l, cr, f) && check_status(cairo_status(cr));
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    return ok;
}

static bool render(const cn_figure *f, const Layout *l, const Format *format, Buffer *out)
{
    cairo_surface_t *s = format->create(l->page, out);
    cairo_t *cr = context_on(s);
    paint_figure(cr, f, l);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS) status = format->finish(s, out);
    cairo_surface_destroy(s);
    return check_status(status) && !out->failed;
}

/* The caller frees out->data. */
static bool draw(const cn_figure *f, const Format *format, Buffer *out)
{
    Layout l = { 0 };
    bool ok = measure(&l, f) && render(f, &l, format, out);
    cn_free(l.w);
    return ok;
}

bool cn_figure_save(const cn_figure *f, const char *path)
{
    if (!f || !path)
        return cn_fail(CN_EINVALID, "cn_figure_save: the %s is NULL", f ? "path" : "figure");
    const Format *format = format_of(path);
    Buffer out = { 0 };
    bool ok = format && draw(f, format, &out) && cn_write_file_atomic(path, out.data, out.len);
    cn_free(out.data);
    return ok;
}

char *cn_figure_svg(const cn_figure *f)
{
    Buffer out = { 0 };
    if (!f) cn_fail(CN_EINVALID, "cn_figure_svg: the figure is NULL");
    bool ok = f && draw(f, &formats[0], &out);
    char *text = ok ? cn_realloc(out.data, out.len + 1) : NULL;
    if (!text) return cn_free(out.data), NULL;
    text[out.len] = 0;
    return text;
}

#else

bool cn_figure_save(const cn_figure *f, const char *path)
{
    if (!f || !path)
        return cn_fail(CN_EINVALID, "cn_figure_save: the %s is NULL", f ? "path" : "figure");
    return cn_fail(CN_EUNSUPPORTED,
                   "cn_figure_save: %s: built without Cairo: install libcairo2-dev "
                   "and build again",
                   path);
}

char *cn_figure_svg(const cn_figure *f)
{
    (void)f;
    cn_fail(CN_EUNSUPPORTED, "cn_figure_svg: built without Cairo: install libcairo2-dev and build "
                             "again");
    return NULL;
}

#endif
