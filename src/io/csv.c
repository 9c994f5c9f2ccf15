/* csv.c - reading tables of text. All fields are found first, by place; then every column is looked
   at as a whole, and becomes what all its fields are. */
#include <cenote/csv.h>
#include <cenote/io.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/tensor.h"
#include "io/array.h"
#include "io/number.h"
#include "io/utf8.h"

#define MAX_FIELD ((size_t)16 << 20)
#define MAX_COLUMNS ((size_t)1 << 20)

typedef struct field {
    const char *text;
    uint32_t size;
    bool quoted, doubled; /* doubled: quotes in it are written twice */
} field;

typedef struct table {
    const cn_csv_options *o;
    const char *at, *end;
    size_t line;   /* of `at`, from 1 */
    field *fields; /* of all rows, the header among them */
    size_t *lines; /* where the rows begin */
    size_t n_fields, fields_room, n_rows, lines_room, n_columns;
} table;

static bool fail_at(const table *t, size_t line, const char *why)
{
    return cn_fail(CN_EFORMAT, "%s:%zu: %s", t->o->path, line, why);
}

/* ---- fields -------------------------------------------------------------------------------- */

static bool at_line_end(const table *t)
{
    return t->at == t->end || *t->at == '\n' ||
           (*t->at == '\r' && t->at + 1 < t->end && t->at[1] == '\n');
}

static void skip_line_end(table *t)
{
    if (t->at < t->end && *t->at == '\r') t->at++;
    if (t->at < t->end) t->at++;
    t->line++;
}

static bool scan_quoted(table *t, field *f)
{
    size_t start = t->line;
    f->text = ++t->at;
    for (;; t->at++) {
        if (t->at == t->end) return fail_at(t, start, "a quote is not closed");
        t->line += *t->at == '\n';
        if (*t->at != '"') continue;
        if (t->at + 1 == t->end || t->at[1] != '"') break;
        f->doubled = true, t->at++;
    }
    f->quoted = true;
    f->size = (uint32_t)(t->at++ - f->text);
    return at_line_end(t) || *t->at == t->o->separator ||
           fail_at(t, t->line, "a quoted field goes on after its quote");
}

static bool scan_field(table *t, field *f)
{
    *f = (field){ .text = t->at };
    const char *start = t->at;
    if (t->at < t->end && *t->at == '"') {
        if (!scan_quoted(t, f)) return false;
    } else {
        while (!at_line_end(t) && *t->at != t->o->separator) t->at++;
        f->size = (uint32_t)(t->at - start);
    }
    if ((size_t)(t->at - start) > MAX_FIELD) return fail_at(t, t->line, "a field is too long");
    return cn_utf8_valid(f->text, f->size) && !(f->size && memchr(f->text, 0, f->size))
               ? true
               : fail_at(t, t->line, "a field is not UTF-8 text");
}

/* Said as soon as it is so: the line may be longer than memory has room for. */
static bool too_many(const table *t, size_t line, size_t most)
{
    if (t->n_rows == 1)
        return cn_fail(CN_EFORMAT, "%s:%zu: more than %zu columns", t->o->path, line, most);
    return cn_fail(CN_EFORMAT, "%s:%zu: more fields than the first line's %zu", t->o->path, line,
                   most);
}

static bool scan_row(table *t)
{
    size_t line = t->line, before = t->n_fields;
    if (!cn_array_grow(&t->lines, &t->lines_room, t->n_rows + 1, sizeof *t->lines)) return false;
    t->lines[t->n_rows++] = line;
    size_t most = t->n_rows == 1 ? MAX_COLUMNS : t->n_columns;
    for (;;) {
        if (t->n_fields - before == most) return too_many(t, line, most);
        if (!cn_array_grow(&t->fields, &t->fields_room, t->n_fields + 1, sizeof *t->fields) ||
            !scan_field(t, &t->fields[t->n_fields++]))
            return false;
        if (at_line_end(t)) break;
        t->at++;
    }
    skip_line_end(t);
    size_t n = t->n_fields - before;
    if (t->n_rows == 1) t->n_columns = n;
    return n == t->n_columns ||
           cn_fail(CN_EFORMAT, "%s:%zu: %zu fields, but the first line has %zu", t->o->path, line,
                   n, t->n_columns);
}

static bool scan(table *t)
{
    while (t->at < t->end)
        if (at_line_end(t)) skip_line_end(t);
        else if (!scan_row(t)) return false;
    if (t->n_rows > INT_MAX) return fail_at(t, t->line, "too many lines");
    return t->n_rows || cn_fail(CN_EFORMAT, "%s: not a line in it", t->o->path);
}

/* ---- what fields are ----------------------------------------------------------------------- */

static bool is_word(const field *f, const char *word)
{
    return f->size == strlen(word) && memcmp(f->text, word, f->size) == 0;
}

static bool is_missing(const field *f)
{
    static const char *const words[] = { "", "NA", "NaN", "nan" };
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !f->quoted; i++)
        if (is_word(f, words[i])) return true;
    return false;
}

static field trimmed(field f)
{
    while (f.size && (f.text[0] == ' ' || f.text[0] == '\t')) f.text++, f.size--;
    while (f.size && (f.text[f.size - 1] == ' ' || f.text[f.size - 1] == '\t')) f.size--;
    return f;
}

static bool is_int(const field *f, int64_t *out)
{
    field t = trimmed(*f);
    return cn_parse_int(t.text, t.size, out);
}

static bool is_double(const field *f, double *out)
{
    field t = trimmed(*f);
    *out = (double)NAN;
    return is_missing(f) || cn_parse_double(t.text, t.size, out);
}

static bool is_bool(const field *f, bool *out)
{
    static const char *const words[] = { "false", "False", "FALSE", "true", "True", "TRUE" };
    int i = 0;
    while (i < 6 && !is_word(f, words[i])) i++;
    *out = i >= 3;
    return i < 6;
}

/* ---- columns ------------------------------------------------------------------------------- */

typedef struct column {
    const table *t;
    size_t index;
    size_t first; /* row of the first value */
    int64_t n;
} column;

static const field *cell(const column *c, int64_t i)
{
    return &c->t->fields[(c->first + (size_t)i) * c->t->n_columns + c->index];
}

static cn_tensor *as_ints(const column *c)
{
    cn_tensor *t = cn_empty(CN_SHAPE(c->n), CN_I64);
    int64_t *x = t ? cn_data_mut(t) : NULL;
    for (int64_t i = 0; x && i < c->n; i++)
        if (!is_int(cell(c, i), &x[i])) return NULL;
    return t;
}

static cn_tensor *as_bools(const column *c)
{
    cn_tensor *t = cn_empty(CN_SHAPE(c->n), CN_BOOL);
    bool *x = t ? cn_data_mut(t) : NULL;
    for (int64_t i = 0; x && i < c->n; i++)
        if (!is_bool(cell(c, i), &x[i])) return NULL;
    return t;
}

/* `demanded`: what is no number is an error that says where. */
static cn_tensor *as_doubles(const column *c, bool demanded)
{
    char text[CN_PRINTABLE_ROOM];
    cn_tensor *t = cn_empty(CN_SHAPE(c->n), CN_F64);
    double *x = t ? cn_data_mut(t) : NULL;
    for (int64_t i = 0; x && i < c->n; i++) {
        const field *f = cell(c, i);
        if (is_double(f, &x[i])) continue;
        if (demanded)
            cn_fail(CN_EFORMAT, "%s:%zu: '%s' is no number", c->t->o->path,
                    c->t->lines[c->first + (size_t)i], cn_printable(text, f->text, f->size));
        return NULL;
    }
    return t;
}

static char *text_of(const field *f)
{
    char *copy = cn_alloc((size_t)f->size + 1);
    size_t n = 0;
    if (!copy) return NULL;
    for (uint32_t i = 0; i < f->size; i++) {
        copy[n++] = f->text[i];
        if (f->doubled && f->text[i] == '"') i++;
    }
    copy[n] = '\0';
    return copy;
}

static bool set_texts(cn_dict *d, const char *name, const column *c)
{
    cn_value *items = cn_alloc_zeroed((size_t)c->n * sizeof *items);
    bool ok = items;
    for (int64_t i = 0; ok && i < c->n; i++) {
        const field *f = cell(c, i), none = { .text = "" };
        items[i] = (cn_value){ .kind = CN_KIND_STR, .u.s = text_of(is_missing(f) ? &none : f) };
        ok = items[i].u.s;
    }
    cn_value list = { .kind = CN_KIND_LIST, .n = (int32_t)c->n, .u.list = items };
    ok = ok && cn_dict_set(d, name, list);
    for (int64_t i = 0; items && i < c->n; i++) cn_free((void *)items[i].u.s);
    cn_free(items);
    return ok;
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

static bool set_column(cn_dict *d, const char *name, const column *c)
{
    const cn_csv_options *o = c->t->o;
    bool demanded = is_listed(o->numbers, name);
    if (cn_dict_find(d, name))
        return cn_fail(CN_EFORMAT, "%s:%zu: two columns are named '%s'", o->path, c->t->lines[0],
                       name);
    if (is_listed(o->text, name)) return set_texts(d, name, c);
    size_t mark = cn_mark();
    cn_tensor *t = c->n ? as_ints(c) : NULL;
    if (!t && c->n && !demanded) t = as_bools(c);
    if (!t) t = as_doubles(c, demanded);
    bool ok = t ? cn_dict_set_tensor(d, name, t) : cn_ok() && set_texts(d, name, c);
    cn_release(mark);
    return ok;
}

static bool set_columns(cn_dict *d, const table *t)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->n_columns; i++) {
        column c = { t, i, !t->o->no_header, 0 };
        char number[24];
        c.n = (int64_t)(t->n_rows - c.first);
        snprintf(number, sizeof number, "%zu", i);
        char *name = t->o->no_header ? cn_strdup(number) : text_of(&t->fields[i]);
        ok = name && set_column(d, name, &c);
        cn_free(name);
    }
    return ok;
}

/* ---- the interface ------------------------------------------------------------------------- */

static bool copy_options(cn_csv_options *own, const cn_csv_options *o)
{
    if (!o || o->size < offsetof(cn_csv_options, named_only_) || o->size > sizeof *own)
        return cn_fail(CN_EINVALID, "csv: options of a size that this version does not know");
    memset(own, 0, sizeof *own);
    memcpy(own, o, o->size);
    if (!own->separator) own->separator = ',';
    if (!own->path) own->path = "(memory)";
    return !strchr("\"\r\n", own->separator) ||
           cn_fail(CN_EINVALID, "csv: quotes and line ends cannot separate fields");
}

cn_dict *cn_csv_parse(const void *bytes, size_t size, const cn_csv_options *options)
{
    cn_csv_options o;
    if (!copy_options(&o, options)) return NULL;
    const char *text = bytes ? bytes : "", *end = text + (bytes ? size : 0);
    if (end - text >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
    table t = { .o = &o, .at = text, .end = end, .line = 1 };
    cn_dict *d = scan(&t) ? cn_dict_new() : NULL;
    bool ok = d && set_columns(d, &t);
    cn_free(t.fields);
    cn_free(t.lines);
    return ok ? d : (cn_dict_free(d), NULL);
}

cn_dict *cn_csv_read_with(const cn_csv_options *o)
{
    cn_mapping m;
    if (!o || !cn_map_file(o->path, &m)) return NULL;
    cn_dict *d = cn_csv_parse(m.bytes, m.size, o);
    cn_unmap_file(&m);
    return d;
}
