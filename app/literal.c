/* literal.c - values as they are written in Python. */
#include "app/literal.h"

#include <cenote/io.h>
#include <cenote/tensor.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 4096, MAX_DEPTH = CN_MAX_DIMS };

typedef struct {
    const char *at, *whole;
    LiteralMemory *memory;
    int depth;
} Reader;

static bool bad(const Reader *r, const char *what)
{
    if (!*r->at) return cn_fail(CN_EINVALID, "%s at the end of the value %s", what, r->whole);
    return cn_fail(CN_EINVALID, "%s at '%s' in the value %s", what, r->at, r->whole);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void *take(LiteralMemory *m, size_t size)
{
    if (m->count == m->room) {
        size_t room = m->room ? 2 * m->room : 16;
        void **blocks = realloc(m->blocks, room * sizeof *blocks);
        if (!blocks) return NULL;
        m->blocks = blocks;
        m->room = room;
    }
    void *block = malloc(size ? size : 1);
    if (block) m->blocks[m->count++] = block;
    else cn_fail(CN_ENOMEM, "no memory for a value");
    return block;
}

void literal_clear(LiteralMemory *m)
{
    for (size_t i = 0; i < m->count; i++) free(m->blocks[i]);
    free(m->blocks);
    *m = (LiteralMemory){ 0 };
}

char *literal_copy(LiteralMemory *m, const char *text, size_t length)
{
    char *copy = take(m, length + 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_file(const char *path, cn_value *out)
{
    cn_dict *d = cn_load(path);
    if (!d) return false;
    const cn_value *first = cn_dict_count(d) == 1 ? cn_dict_at(d, 0) : NULL;
    bool good = first && first->kind == CN_KIND_TENSOR;
    if (good) {
        cn_tensor *copy =
            cn_from(cn_data(first->u.t), *cn_shape_of(first->u.t), cn_dtype_of(first->u.t));
        *out = (cn_value){ .kind = CN_KIND_TENSOR, .u.t = copy };
        good = copy;
    } else {
        cn_fail(CN_EINVALID, "@%s: the file holds %d entries; one tensor is needed", path,
                cn_dict_count(d));
    }
    cn_dict_free(d);
    return good;
}

static bool read_number(const char *word, cn_value *out)
{
    char *end;
    if (!word[strcspn(word, "0123456789")] && strcmp(word, "inf") != 0 &&
        strcmp(word, "-inf") != 0 && strcmp(word, "nan") != 0)
        return false;
    errno = 0;
    int64_t whole = strtoll(word, &end, 10);
    if (!*end && errno == 0) {
        *out = (cn_value){ .kind = CN_KIND_INT, .u.i = whole };
        return true;
    }
    double real = strtod(word, &end);
    *out = (cn_value){ .kind = CN_KIND_FLOAT, .u.f = real };
    return !*end;
}

static bool read_name(const char *word, cn_value *out)
{
    static const struct {
        const char *name;
        cn_value value;
    } names[] = {
        { "None", { .kind = CN_KIND_NONE } },
        { "True", { .kind = CN_KIND_BOOL, .u.i = 1 } },
        { "False", { .kind = CN_KIND_BOOL } },
        { "...", { .kind = CN_KIND_ELLIPSIS } },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, word) == 0) {
            *out = names[i].value;
            return true;
        }
    for (int i = 0; i < CN_NUM_DTYPES; i++)
        if (strcmp(cn_dtype_name((cn_dtype)i), word) == 0) {
            *out = (cn_value){ .kind = CN_KIND_DTYPE, .u.i = i };
            return true;
        }
    return false;
}

static bool read_word(Reader *r, cn_value *out)
{
    size_t length = strcspn(r->at, ",()[] '\"");
    if (!length) return bad(r, "a value is missing");
    const char *word = literal_copy(r->memory, r->at, length);
    if (!word) return false;
    r->at += length;
    if (*word == '@') return read_file(word + 1, out);
    if (read_number(word, out) || read_name(word, out)) return true;
    *out = (cn_value){ .kind = CN_KIND_STR, .u.s = word };
    return true;
}

static bool read_quoted(Reader *r, cn_value *out)
{
    const char *end = strchr(r->at + 1, *r->at);
    if (!end) return bad(r, "the quote does not end");
    const char *text = literal_copy(r->memory, r->at + 1, (size_t)(end - r->at - 1));
    *out = (cn_value){ .kind = CN_KIND_STR, .u.s = text };
    r->at = end + 1;
    return text;
}

static bool read_value(Reader *r, cn_value *out);

static void skip_blanks(Reader *r)
{
    while (isspace((unsigned char)*r->at)) r->at++;
}

/* Items up to `close` (0: the end of the text), a comma between them and perhaps after the last. */
static bool read_items(Reader *r, char close, cn_value first, int n, cn_value *out)
{
    size_t room = 8;
    cn_value *items = take(r->memory, room * sizeof *items);
    if (!items) return false;
    items[0] = first;
    for (skip_blanks(r); *r->at != close; skip_blanks(r)) {
        if (n == MAX_ITEMS) return bad(r, "more items than a value may have");
        if ((size_t)n == room) {
            cn_value *more = take(r->memory, 2 * room * sizeof *more);
            if (!more) return false;
            items = memcpy(more, items, room * sizeof *items);
            room *= 2;
        }
        if (!read_value(r, &items[n++])) return false;
        skip_blanks(r);
        if (*r->at == ',') r->at++;
        else if (*r->at != close) return bad(r, "a comma is missing");
    }
    *out = (cn_value){ .kind = CN_KIND_LIST, .n = n, .u.list = items };
    return true;
}

static bool read_list(Reader *r, cn_value *out)
{
    char close = *r->at == '(' ? ')' : ']';
    if (++r->depth > MAX_DEPTH) return bad(r, "lists are nested too deep");
    r->at++;
    if (!read_items(r, close, (cn_value){ 0 }, 0, out)) return false;
    r->at++;
    r->depth--;
    return true;
}

static bool read_value(Reader *r, cn_value *out)
{
    skip_blanks(r);
    switch (*r->at) {
    case '(':
    case '[': return read_list(r, out);
    case '\'':
    case '"': return read_quoted(r, out);
    default: return read_word(r, out);
    }
}

bool literal_parse(const char *text, LiteralMemory *memory, cn_value *out)
{
    Reader r = { text, text, memory, 0 };
    cn_value first;
    if (!read_value(&r, &first)) return false;
    *out = first;
    skip_blanks(&r);
    if (*r.at == ',') {
        r.at++;
        if (!read_items(&r, 0, first, 1, out)) return false;
    }
    return !*r.at || bad(&r, "too much");
}

/* ---- numbers to a tensor ------------------------------------------------------------------- */

typedef struct {
    cn_shape shape;
    int kind; /* the widest seen */
    int64_t count;
    double *numbers; /* NULL while they are counted */
} Gathering;

/* Depth first; every list of a level must be as long as the first one there. */
static bool gather(Gathering *g, const cn_value *v, int level, bool first)
{
    if (v->kind == CN_KIND_BOOL || v->kind == CN_KIND_INT || v->kind == CN_KIND_FLOAT) {
        if (first) g->shape.ndim = level;
        if (level != g->shape.ndim)
            return cn_fail(CN_EINVALID, "rows of different depth make no tensor");
        if (v->kind > g->kind) g->kind = v->kind;
        if (g->numbers) g->numbers[g->count] = v->kind == CN_KIND_FLOAT ? v->u.f : (double)v->u.i;
        g->count++;
        return true;
    }
    if (v->kind != CN_KIND_LIST || level == CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "a %s makes no tensor", cn_kind_name(v->kind));
    if (first) g->shape.dim[level] = v->n;
    if (first && v->n == 0) g->shape.ndim = level + 1;
    if (g->shape.dim[level] != v->n)
        return cn_fail(CN_EINVALID, "rows of %d and %d elements make no tensor",
                       (int)g->shape.dim[level], (int)v->n);
    for (int i = 0; i < v->n; i++)
        if (!gather(g, &v->u.list[i], level + 1, first && i == 0)) return false;
    return true;
}

bool literal_to_tensor(cn_value *value)
{
    Gathering g = { 0 };
    if (!gather(&g, value, 0, true)) return false;
    double *numbers = malloc((size_t)(g.count + 1) * sizeof *numbers);
    if (!numbers) return cn_fail(CN_ENOMEM, "no memory for a tensor of %d elements", (int)g.count);
    int64_t n = g.count;
    g.numbers = numbers;
    g.count = 0;
    cn_tensor *t = NULL;
    if (gather(&g, value, 0, true)) {
        cn_dtype dtype = g.kind == CN_KIND_BOOL ? CN_BOOL : g.kind == CN_KIND_INT ? CN_I64 : CN_F32;
        t = cn_empty(g.shape, dtype);
        if (t && !cn_write(t, CN_F64, numbers, n)) t = NULL;
    }
    free(numbers);
    *value = (cn_value){ .kind = CN_KIND_TENSOR, .u.t = t };
    return t;
}

bool literal_to_tensors(cn_value *value, LiteralMemory *memory)
{
    cn_value *items = take(memory, (size_t)value->n * sizeof *items);
    if (!items) return false;
    for (int i = 0; i < value->n; i++) {
        items[i] = value->u.list[i];
        if (items[i].kind != CN_KIND_TENSOR && !literal_to_tensor(&items[i])) return false;
    }
    value->u.list = items;
    return true;
}

void literal_format(const cn_value *v, char *buf, size_t room)
{
    switch (v->kind) {
    case CN_KIND_BOOL: snprintf(buf, room, "%s", v->u.i ? "True" : "False"); break;
    case CN_KIND_INT: snprintf(buf, room, "%" PRId64, v->u.i); break;
    case CN_KIND_FLOAT: snprintf(buf, room, "%.17g", v->u.f); break;
    case CN_KIND_STR: snprintf(buf, room, "%s", v->u.s); break;
    case CN_KIND_DTYPE: snprintf(buf, room, "%s", cn_dtype_name((cn_dtype)v->u.i)); break;
    case CN_KIND_LIST: snprintf(buf, room, "%d items", (int)v->n); break;
    default: snprintf(buf, room, "None"); break;
    }
}
