/* text.c - tensors as people read them. */
#include "core/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EDGE = 3, SUMMARISE_ABOVE = 1000, LINE = 80, INDENT = 8 };

typedef struct {
    char *buf;
    size_t room, length;
    double least, most; /* of the finite magnitudes that are shown, 0 left out */
    bool whole, scientific;
    int width;
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

static int text_of(const Printer *p, const char *at, char out[40])
{
    cn_dtype d = p->v->dtype;
    if (d == CN_BOOL) return snprintf(out, 40, "%s", cn_load_f64(at, d) != 0 ? "True" : "False");
    if (!cn_dtype_is_float(d)) return snprintf(out, 40, "%lld", (long long)cn_load_i64(at, d));
    double x = cn_load_f64(at, d);
    if (isnan(x)) return snprintf(out, 40, "nan");
    if (isinf(x)) return snprintf(out, 40, x > 0 ? "inf" : "-inf");
    if (p->whole) return snprintf(out, 40, "%.0f.", x);
    return snprintf(out, 40, p->scientific ? "%.4e" : "%.4f", x);
}

static void survey(Printer *p, const char *at)
{
    double x = fabs(cn_load_f64(at, p->v->dtype));
    if (!isfinite(x) || x == 0) return;
    if (x != floor(x)) p->whole = false;
    p->least = fmin(p->least, x), p->most = fmax(p->most, x);
}

/* PyTorch's rule: scientific when the range is too wide for four decimals. */
static bool too_wide(const Printer *p)
{
    if (p->most == 0) return false;
    return p->most / p->least > 1000 || p->most > 1e8 || (!p->whole && p->least < 1e-4);
}

static void measure(Printer *p, const char *at)
{
    char text[40];
    int n = text_of(p, at, text);
    if (n > p->width) p->width = n;
}

static void newline(Printer *p, int count, int indent)
{
    while (count-- > 0) put(p, "\n");
    put(p, "%*s", indent, "");
}

/* What stands before piece number k of a dimension; every per_line-th piece of the last one begins a line. */
static void separate(Printer *p, int dim, int64_t k)
{
    int last = p->v->shape.ndim - 1, per_line = (LINE - INDENT + 1 - dim) / (p->width + 2);
    if (k == 0) return;
    put(p, ",");
    if (dim < last) newline(p, last - dim, dim + INDENT);
    else if (k % (per_line > 0 ? per_line : 1) == 0) newline(p, 1, dim + INDENT);
    else put(p, " ");
}

static void rows(Printer *p, int dim, const char *at)
{
    char text[40];
    if (dim == p->v->shape.ndim) {
        text_of(p, at, text);
        put(p, "%*s", p->width, text);
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
    if (d != CN_F32 && d != CN_BOOL && (d != CN_I64 || t->v.numel == 0))
        put(p, ", dtype=%s", cn_dtype_name(d));
    if (t->requires_grad && !t->node) put(p, ", requires_grad=True");
    put(p, ")");
}

size_t cn_to_text(const cn_tensor *t, char *buf, size_t room)
{
    if (!t || !cn_plain(t)) return (size_t)snprintf(buf, room, "NULL");
    Printer p = { .buf = buf,
                  .room = room,
                  .least = HUGE_VAL,
                  .v = &t->v,
                  .whole = cn_dtype_is_float(t->v.dtype) };
    if (p.whole && t->v.numel) each_shown(&p, 0, t->v.data, survey);
    p.scientific = too_wide(&p);
    if (p.scientific) p.whole = false;
    if (t->v.numel) each_shown(&p, 0, t->v.data, measure);
    put(&p, "tensor(");
    if (t->v.numel == 0) put(&p, "[]");
    else rows(&p, 0, t->v.data);
    tail(&p, t);
    if (room) buf[p.length < room ? p.length : room - 1] = 0;
    return p.length;
}
