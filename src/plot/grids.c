/* grids.c - heat maps and image grids: what is given, checked and copied. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "plot/figure.h"

enum { MAX_SIDE = 16384 };

/* ---- heat maps ---------------------------------------------------------------------------- */

void cn_heat_free(Heat *h)
{
    cn_free(h->values);
    cn_free_texts(h->row_labels, h->rows);
    cn_free_texts(h->col_labels, h->cols);
    cn_free(h->xlabel);
    cn_free(h->ylabel);
}

static bool check_heat(const cn_heatmap_options *o, size_t *bytes)
{
    const char *what = "cn_figure_heatmap";
    if (o->rows > MAX_SIDE || o->cols > MAX_SIDE)
        return cn_fail(CN_EINVALID, "%s: %zu x %zu cells, at most %d on a side", what, o->rows,
                       o->cols, MAX_SIDE);
    if (!cn_value_shows(o->lo, false) || !cn_value_shows(o->hi, false))
        return cn_fail(CN_EINVALID, "%s: the colours go from %g to %g", what, o->lo, o->hi);
    return cn_check_array(what, o->values, o->rows * o->cols, sizeof *o->values, bytes);
}

/* Both ends of the colours, different and finite; and whether all values are integers. */
static void survey(Heat *h, const cn_heatmap_options *o)
{
    Range r = cn_range_empty;
    h->whole = true;
    for (size_t i = 0; i < h->rows * h->cols; i++) {
        cn_range_see(&r, h->values[i], false);
        h->whole &= isnan(h->values[i]) || h->values[i] == floor(h->values[i]);
    }
    if (r.lo > r.hi) r = (Range){ 0, 1 };
    if (o->lo < o->hi) r = (Range){ o->lo, o->hi };
    if (r.hi - r.lo <= 1e-12 * fmax(fabs(r.lo), fabs(r.hi))) r.lo = r.hi > 0 ? 0 : r.hi - 1;
    h->lo = r.lo;
    h->hi = r.hi;
}

static bool copy_heat(Heat *h, const cn_heatmap_options *o, size_t bytes)
{
    *h = (Heat){ .rows = o->rows, .cols = o->cols, .numbers = o->numbers, .no_bar = o->no_bar };
    h->values = cn_alloc(bytes);
    if (!h->values) return false;
    if (bytes) memcpy(h->values, o->values, bytes);
    survey(h, o);
    return cn_copy_texts(&h->row_labels, o->row_labels, o->rows, false) &&
           cn_copy_texts(&h->col_labels, o->col_labels, o->cols, false) &&
           cn_copy_text(&h->xlabel, o->xlabel, false) && cn_copy_text(&h->ylabel, o->ylabel, false);
}

bool cn_figure_heatmap_with(const cn_heatmap_options *given)
{
    cn_heatmap_options o;
    size_t bytes;
    if (!cn_copy_options(&o, sizeof o, given, "cn_figure_heatmap")) return false;
    if (!check_heat(&o, &bytes)) return false;
    Heat h;
    Panel *p = NULL;
    if (copy_heat(&h, &o, bytes)) p = cn_figure_open(o.figure, PANEL_HEAT, "cn_figure_heatmap");
    if (!p) {
        cn_heat_free(&h);
        return false;
    }
    p->heat = h;
    return true;
}

void cn_heat_number(const Heat *h, double v, char out[NUMBER_ROOM])
{
    bool plain = cn_value_shows(v, false) && fabs(v) < 1e5;
    if (!plain) cn_number_short(out, v, 3);
    else if (h->whole) cn_number_short(out, v, 6);
    else cn_number_format(out, v, fabs(h->hi - h->lo) < 0.1 ? 1e-3 : 1e-2, 1);
}

double cn_heat_level(const Heat *h, double v)
{
    if (isnan(v)) return v;
    return fmin(1, fmax(0, (v - h->lo) / (h->hi - h->lo)));
}

/* ---- images ------------------------------------------------------------------------------- */

void cn_images_free(Images *im)
{
    cn_free(im->rgb);
    cn_free_texts(im->captions, im->n);
    cn_free(im->marks);
}

static bool check_images(const cn_images_options *o)
{
    const char *what = "cn_figure_images";
    if (o->channels != 0 && o->channels != 1 && o->channels != 3)
        return cn_fail(CN_EINVALID, "%s: %d channels, must be 1 or 3", what, o->channels);
    if (!o->h || !o->w || o->h > MAX_SIDE || o->w > MAX_SIDE)
        return cn_fail(CN_EINVALID, "%s: images of %zu x %zu pixels, must be 1 to %d on a side",
                       what, o->h, o->w, MAX_SIDE);
    if (o->n && !o->u8 == !o->f32)
        return cn_fail(CN_EINVALID, "%s: give the pixels as either .u8 or .f32", what);
    if (!cn_value_shows(o->lo, false) || !cn_value_shows(o->hi, false))
        return cn_fail(CN_EINVALID, "%s: black is %g, white is %g", what, o->lo, o->hi);
    return true;
}

static uint8_t pixel(const cn_images_options *o, size_t i)
{
    if (o->u8) return o->u8[i];
    bool own = o->lo < o->hi;
    double lo = own ? o->lo : 0, hi = own ? o->hi : 1;
    double level = ((double)o->f32[i] - lo) / (hi - lo);
    return level > 0 ? (uint8_t)(fmin(level, 1) * 255 + 0.5) : 0; /* NaN is black */
}

static void copy_pixels(Images *im, const cn_images_options *o)
{
    size_t channels = o->channels == 3 ? 3 : 1, area = im->h * im->w;
    for (size_t i = 0; i < im->n; i++) {
        for (size_t j = 0; j < 3 * area; j++) {
            size_t at = j / 3, c = channels == 3 ? j % 3 : 0;
            size_t within = o->channels_last ? at * channels + c : c * area + at;
            im->rgb[i * 3 * area + j] = pixel(o, i * channels * area + within);
        }
    }
}

static bool copy_marks(Images *im, const cn_image_mark *marks)
{
    if (!marks) return true;
    im->marks = cn_alloc(im->n * sizeof *marks);
    if (!im->marks) return false;
    if (im->n) memcpy(im->marks, marks, im->n * sizeof *marks);
    return true;
}

static bool copy_images(Images *im, const cn_images_options *o)
{
    size_t bytes, columns = o->columns ? o->columns : 9;
    *im = (Images){ .h = o->h, .w = o->w };
    if (!cn_mul_size(o->n, o->h * o->w * 3, &bytes, "cn_figure_images")) return false;
    im->rgb = cn_alloc(bytes);
    if (!im->rgb) return false;
    im->n = o->n;
    im->columns = columns < o->n ? columns : o->n ? o->n : 1;
    copy_pixels(im, o);
    return copy_marks(im, o->marks) && cn_copy_texts(&im->captions, o->captions, o->n, true);
}

bool cn_figure_images_with(const cn_images_options *given)
{
    cn_images_options o;
    if (!cn_copy_options(&o, sizeof o, given, "cn_figure_images")) return false;
    if (!check_images(&o)) return false;
    Images im;
    Panel *p = NULL;
    if (copy_images(&im, &o)) p = cn_figure_open(o.figure, PANEL_IMAGES, "cn_figure_images");
    if (!p) {
        cn_images_free(&im);
        return false;
    }
    p->images = im;
    return true;
}
