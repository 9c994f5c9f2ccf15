/* sample.c - reading samples. */
#include "ops/sample.h"

#include <cenote/rng.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cn_sample_text(const cn_op *op, int index, char *text, size_t room)
{
    const char *p = op->samples;
    for (; p && index; index--) p = strchr(p, '|'), p = p ? p + 1 : NULL;
    if (!p) return false;
    p += strspn(p, " ");
    size_t n = strcspn(p, "|");
    while (n && p[n - 1] == ' ') n--;
    snprintf(text, room, "%.*s", (int)n, p);
    return true;
}

typedef struct {
    cn_dtype dtype;
    bool positive, dominant;
    int64_t below;
    cn_shape shape;
} Wanted;

static const struct {
    const char *name;
    cn_dtype dtype;
} prefixes[] = {
    { "f64", CN_F64 }, { "f32", CN_F32 },   { "f16", CN_F16 }, { "bf16", CN_BF16 },
    { "i64", CN_I64 }, { "i32", CN_I32 },   { "i16", CN_I16 }, { "i8", CN_I8 },
    { "u8", CN_U8 },   { "bool", CN_BOOL }, { "c", CN_C128 },
};

/* "i64<9[2,3]" and its like; false when the text is no tensor. */
static bool read_wanted(const char *t, cn_dtype real, Wanted *w)
{
    *w = (Wanted){ .dtype = real };
    for (size_t i = 0; i < CN_COUNT(prefixes); i++) {
        size_t n = strlen(prefixes[i].name);
        if (strncmp(t, prefixes[i].name, n) != 0) continue;
        w->dtype = prefixes[i].dtype;
        if (w->dtype == CN_C128) w->dtype = cn_dtype_complex_of(real);
        t += n;
        break;
    }
    if (*t == '+') w->positive = true, t++;
    if (*t == '#') w->dominant = true, t++;
    char *end;
    if (*t == '<') w->below = strtoll(t + 1, &end, 10), t = end;
    if (*t++ != '[') return false;
    while (*t && *t != ']' && w->shape.ndim < CN_MAX_DIMS) {
        w->shape.dim[w->shape.ndim++] = strtoll(t, &end, 10);
        if (end == t) return false;
        t = *end == ',' ? end + 1 : end;
    }
    return strcmp(t, "]") == 0 && (!w->dominant || w->shape.ndim >= 2);
}

/* Is element i on the diagonal of its matrix? Then the size of the matrix goes to *size. */
static bool on_diagonal(const cn_shape *s, int64_t i, int64_t *size)
{
    int64_t cols = s->dim[s->ndim - 1], rows = s->dim[s->ndim - 2];
    *size = cols;
    return i / cols % rows == i % cols;
}

static double element(const Wanted *w, uint64_t seed, uint64_t stream, int64_t i)
{
    uint32_t r[4];
    cn_philox(seed, stream, (uint64_t)i, r);
    if (w->dtype == CN_BOOL) return r[0] & 1;
    if (!cn_dtype_is_graded(w->dtype))
        return w->positive + (double)(r[0] % (uint64_t)(w->below ? w->below : 10));
    double magnitude = 0.1 + 0.9 * (double)r[0] * 0x1p-32;
    int64_t size;
    if (w->dominant && on_diagonal(&w->shape, i, &size)) return (double)size + magnitude;
    return w->positive || (r[1] & 1) ? magnitude : -magnitude;
}

static cn_tensor *make_tensor(const Wanted *w, uint64_t seed, uint64_t stream)
{
    cn_tensor *t = cn_empty(w->shape, w->dtype);
    if (!t) return NULL;
    cn_dtype real = cn_dtype_real_of(w->dtype);
    int64_t n = t->v.numel * (real == w->dtype ? 1 : 2);
    for (int64_t i = 0; i < n; i++)
        cn_store_f64(t->v.data + (size_t)i * cn_dtype_size(real), real,
                     element(w, seed, stream, i));
    return t;
}

typedef struct {
    const char *who;
    cn_dtype real;
    uint64_t seed, stream;
    cn_sample *s;
} Maker;

/* i64(3,2): a vector of these. */
static bool vector_value(const char *t, cn_ffi_value *v)
{
    int64_t x[CN_MAX_DIMS] = { 0 };
    int n = 0;
    char *end;
    if (strncmp(t, "i64(", 4) != 0) return false;
    for (t += 4; *t != ')' && n < CN_MAX_DIMS; t = *end == ',' ? end + 1 : end) {
        x[n++] = strtoll(t, &end, 10);
        if (end == t) return false;
    }
    *v = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = cn_from(x, CN_SHAPE(n), CN_I64) };
    return strcmp(t, ")") == 0;
}

static bool tensor_value(Maker *m, const char *t, cn_ffi_value *v)
{
    Wanted w;
    if (vector_value(t, v)) return m->stream++, true;
    if (!read_wanted(t, m->real, &w)) return false;
    *v = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = make_tensor(&w, m->seed, m->stream++) };
    return true;
}

/* 1:-1, ::2: the bounds between colons, None where nothing stands. */
static bool slice_value(const char *t, cn_ffi_value *v, cn_ffi_value bounds[3])
{
    *v = (cn_ffi_value){ .kind = CN_KIND_SLICE, .n = 3, .u.list = bounds };
    for (int i = 0; i < 3; i++, t += *t == ':') {
        char *end;
        bounds[i] = (cn_ffi_value){ .kind = CN_KIND_INT, .u.i = strtoll(t, &end, 10) };
        if (end == t) bounds[i].kind = CN_KIND_NONE;
        t = end;
    }
    return *t == 0;
}

static bool item_value(Maker *m, char *t, cn_ffi_value *v, cn_ffi_value bounds[3])
{
    if (strcmp(t, "...") == 0) return *v = (cn_ffi_value){ .kind = CN_KIND_ELLIPSIS }, true;
    if (strchr(t, ':')) return slice_value(t, v, bounds);
    if (tensor_value(m, t, v)) return v->u.t != NULL;
    return cn_value_parse(t, v, NULL, t, strlen(t) + 1);
}

/* {[2] [3]}: cut at blanks. */
static bool list_value(Maker *m, char *t, cn_ffi_value *v, cn_ffi_value items[CN_MAX_DIMS])
{
    *v = (cn_ffi_value){ .kind = CN_KIND_LIST, .u.list = items };
    t[strlen(t) - 1] = 0;
    char *rest, *piece = strtok_r(t + 1, " ", &rest);
    for (; piece && v->n < CN_MAX_DIMS; piece = strtok_r(NULL, " ", &rest), v->n++)
        if (!item_value(m, piece, &items[v->n], m->s->bounds[v->n])) return false;
    return true;
}

static bool one_argument(Maker *m, char *piece)
{
    cn_sample *s = m->s;
    if (s->n_args == CN_MAX_ARGS) return cn_fail(CN_EINVALID, "sample of %s: too long", m->who);
    cn_ffi_arg *a = &s->args[s->n_args];
    cn_ffi_value *items = s->items[s->n_args++];
    char *equals = isalpha((unsigned char)*piece) || *piece == '_' ? strchr(piece, '=') : NULL;
    a->name = equals ? piece : NULL;
    if (equals) *equals = 0, piece = equals + 1;
    if (*piece == '{') return list_value(m, piece, &a->value, items);
    if (tensor_value(m, piece, &a->value)) return a->value.u.t != NULL;
    return cn_value_parse(piece, &a->value, items, piece, strlen(piece) + 1);
}

bool cn_sample_args(const char *who, const char *text, cn_dtype real, uint64_t seed, cn_sample *s)
{
    Maker m = { who, real, seed, 0, s };
    s->n_args = 0;
    snprintf(s->text, sizeof s->text, "%s", text);
    for (char *p = s->text; *p;) {
        p += strspn(p, " ");
        bool braces = *p == '{' || (strchr(p, '{') && strchr(p, '{') < p + strcspn(p, " "));
        size_t n = braces ? strcspn(p, "}") + 1 : strcspn(p, " ");
        bool last = p[n] == 0;
        p[n] = 0;
        if (*p && !one_argument(&m, p)) return false;
        p += last ? n : n + 1;
    }
    return true;
}

bool cn_sample_make(const cn_op *op, const char *text, cn_dtype real, uint64_t seed, cn_sample *s)
{
    cn_schema schema;
    return cn_sample_args(op->name, text, real, seed, s) && cn_schema_parse(op->schema, &schema) &&
           cn_bind(&schema, op->name, s->args, s->n_args, &s->bound);
}
