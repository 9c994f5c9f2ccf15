/* text.c - tensors as people read them. */
#include "core/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EDGE = 3, SUMMARISE_ABOVE = 1000, LINE = 80, INDENT = 8 };

/* How real numbers are written: elements, or the real parts of complex ones, or the imaginary ones. */
typedef struct {
    double least, most; /* of the finite magnitudes that are shown, 0 left out */
    bool whole, scientific;
    int width;
} Style;

typedef struct {
    char *buf;
    size_t room, length;
    cn_dtype dtype; /* of an element, or of its parts */
    int parts;      /* 1, or 2 of a complex number */
    Style style[2];
    const cn_view *v;
} Printer;

static void put(Printer *p, const char *fmt, ...) CN_PRINTF(2, 3);

static void put(Printer *p, const char *fmt, ...)
{
    char piece[64];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(piece, sizeof piece, fmt, args);
    va_end(args);
    for (int i = 0; i < n && i < (int)sizeof piece - 1; i++) {
        if (p->length + 1 < p->room) p->buf[p->length] = piece[i];
        p->length++;
    }
}

/* Calls `use` for the elements that are shown. */
static void each_shown(Printer *p, int dim, const char *at, void (*use)(Printer *, const char *))
{
    if (dim == p->v->shape.ndim) {
        use(p, at);
        return;
    }
    int64_t n = p->v->shape.dim[dim];
    bool cut = p->v->numel > SUMMARISE_ABOVE && n > 2 * EDGE;
    for (int64_t i = 0; i < n; i++) {
        if (cut && i == EDGE) i = n - EDGE;
        each_shown(p, dim + 1, at + i * p->v->strides[dim] * (int64_t)cn_dtype_size(p->v->dtype),
                   use);
    }
}

static const char *part_at(const Printer *p, const char *at, int k)
{
    return at + (size_t)k * cn_dtype_size(p->dtype);
}

static int text_of(const Printer *p, const char *at, int k, char out[40])
{
    cn_dtype d = p->dtype;
    const Style *style = &p->style[k];
    at = part_at(p, at, k);
    if (d == CN_BOOL) return snprintf(out, 40, "%s", cn_load_f64(at, d) != 0 ? "True" : "False");
    if (!cn_dtype_is_float(d)) return snprintf(out, 40, "%lld", (long long)cn_load_i64(at, d));
    double x = cn_load_f64(at, d);
    if (isnan(x)) return snprintf(out, 40, "nan");
    if (isinf(x)) return snprintf(out, 40, x > 0 ? "inf" : "-inf");
    if (style->whole) return snprintf(out, 40, "%.0f.", x);
    return snprintf(out, 40, style->scientific ? "%.4e" : "%.4f", x);
}

static void survey(Printer *p, const char *at)
{
    for (int k = 0; k < p->parts; k++) {
        Style *style = &p->style[k];
        double x = fabs(cn_load_f64(part_at(p, at, k), p->dtype));
        if (!isfinite(x) || x == 0) continue;
        if (x != floor(x)) style->whole = false;
        style->least = fmin(style->least, x), style->most = fmax(style->most, x);
    }
}

/* PyTorch's rule: scientific when the range is too wide for four decimals. */
static bool too_wide(const Style *p)
{
    if (p->most == 0) return false;
    return p->most / p->least > 1000 || p->most > 1e8 || (!p->whole && p->least < 1e-4);
}

static void measure(Printer *p, const char *at)
{
    char text[40];
    for (int k = 0; k < p->parts; k++) {
        int n = text_of(p, at, k, text);
        if (n > p->style[k].width) p->style[k].width = n;
    }
}

static void newline(Printer *p, int count, int indent)
{
    while (count-- > 0) put(p, "\n");
    put(p, "%*s", indent, "");
}

/* What stands before piece number k of a dimension; every per_line-th piece of the last one begins a line. */
static void separate(Printer *p, int dim, int64_t k)
{
    int width = p->style[0].width + (p->parts == 2 ? p->style[1].width + 1 : 0);
    int last = p->v->shape.ndim - 1, per_line = (LINE - INDENT + 1 - dim) / (width + 2);
    if (k == 0) return;
    put(p, ",");
    if (dim < last) newline(p, last - dim, dim + INDENT);
    else if (k % (per_line > 0 ? per_line : 1) == 0) newline(p, 1, dim + INDENT);
    else put(p, " ");
}

/* Of a complex number the imaginary part follows with its sign, not aligned. */
static void element(Printer *p, const char *at)
{
    char text[40];
    text_of(p, at, 0, text);
    put(p, "%*s", p->style[0].width, text);
    if (p->parts == 1) return;
    text_of(p, at, 1, text);
    put(p, "%s%sj", text[0] == '-' ? "" : "+", text);
}

static void rows(Printer *p, int dim, const char *at)
{
    if (dim == p->v->shape.ndim) {
        element(p, at);
        return;
    }
    int64_t n = p->v->shape.dim[dim], piece = 0;
    bool cut = p->v->numel > SUMMARISE_ABOVE && n > 2 * EDGE;
    put(p, "[");
    for (int64_t i = 0; i < n; i++, piece++) {
        separate(p, dim, piece);
        if (cut && i == EDGE) {
            put(p, dim == p->v->shape.ndim - 1 ? " ..." : "...");
            separate(p, dim, ++piece);
            i = n - EDGE;
        }
        rows(p, dim + 1, at + i * p->v->strides[dim] * (int64_t)cn_dtype_size(p->v->dtype));
    }
    put(p, "]");
}

static void tail(Printer *p, const cn_tensor *t)
{
    char shape[128];
    if (t->v.numel == 0 && t->v.shape.ndim != 1)
        put(p, ", size=%s", cn_shape_text(&t->v.shape, shape));
    cn_dtype d = t->v.dtype;
    if (d != CN_F32 && d != CN_BOOL && (d != CN_C64 || t->v.numel == 0) &&
        (d != CN_I64 || t->v.numel == 0))
        put(p, ", dtype=%s", cn_dtype_name(d));
    if (t->requires_grad && !t->node) put(p, ", requires_grad=True");
    put(p, ")");
}

size_t cn_to_text(const cn_tensor *t, char *buf, size_t room)
{
    if (!t || !cn_plain(t)) return (size_t)snprintf(buf, room, "NULL");
    cn_dtype part = cn_dtype_real_of(t->v.dtype);
    Style plain = { .least = HUGE_VAL, .whole = cn_dtype_is_float(part) };
    Printer p = { .buf = buf,
                  .room = room,
                  .dtype = part,
                  .parts = part == t->v.dtype ? 1 : 2,
                  .style = { plain, plain },
                  .v = &t->v };
    if (plain.whole && t->v.numel) each_shown(&p, 0, t->v.data, survey);
    for (int k = 0; k < p.parts; k++) {
        p.style[k].scientific = too_wide(&p.style[k]);
        if (p.style[k].scientific) p.style[k].whole = false;
    }
    if (t->v.numel) each_shown(&p, 0, t->v.data, measure);
    put(&p, "tensor(");
    if (t->v.numel == 0) put(&p, "[]");
    else rows(&p, 0, t->v.data);
    tail(&p, t);
    if (room) buf[p.length < room ? p.length : room - 1] = 0;
    return p.length;
}
