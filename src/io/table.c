/* table.c - tables: rows chosen, what is missing, categories as columns, columns as a matrix. */
#include <cenote/autograd.h>
#include <cenote/ops.h>
#include <cenote/table.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* ---- columns ------------------------------------------------------------------------------- */

static int64_t length_of(const cn_value *column)
{
    if (column->kind == CN_KIND_LIST) return column->n;
    return column->kind == CN_KIND_TENSOR && cn_ndim(column->u.t) == 1 ? cn_size(column->u.t, 0)
                                                                       : -1;
}

int64_t cn_table_rows(const cn_dict *table)
{
    int64_t rows = 0;
    if (!table) return -1;
    for (int i = 0; i < cn_dict_count(table); i++) {
        int64_t n = length_of(cn_dict_at(table, i));
        if (i == 0) rows = n;
        if (n >= 0 && n == rows) continue;
        cn_fail(CN_EINVALID,
                n < 0 ? "table: '%s' is no column: a tensor of one dimension, or a list"
                      : "table: column '%s' has another length than the first",
                cn_dict_key(table, i));
        return -1;
    }
    return rows;
}

static bool is_text_missing(const cn_value *v)
{
    return v->kind == CN_KIND_NONE || (v->kind == CN_KIND_STR && !*v->u.s);
}

/* The numbers of a column as float64, in this scope. */
static cn_tensor *wide(const cn_value *column)
{
    return cn_contiguous(cn_to(cn_detach(column->u.t), CN_F64));
}

/* Sets missing[i] where row i of the column is; adds to what is set. False: out of memory. */
static bool mark_missing(const cn_value *column, bool *missing)
{
    if (column->kind == CN_KIND_LIST) {
        for (int32_t i = 0; i < column->n; i++) missing[i] |= is_text_missing(&column->u.list[i]);
        return true;
    }
    if (!cn_dtype_is_float(cn_dtype_of(column->u.t))) return true;
    size_t mark = cn_mark();
    const cn_tensor *t = wide(column);
    const double *x = t ? cn_data(t) : NULL;
    for (int64_t i = 0; x && i < cn_numel(t); i++) missing[i] |= isnan(x[i]);
    cn_release(mark);
    return x != NULL;
}

int64_t cn_table_missing(const cn_dict *table, const char *column)
{
    int64_t rows = cn_table_rows(table), n = 0;
    const cn_value *v = rows >= 0 ? cn_dict_find(table, column) : NULL;
    if (rows >= 0 && !v) cn_fail(CN_ENOTFOUND, "table: there is no column '%s'", column);
    bool *missing = v ? cn_alloc_zeroed((size_t)rows + 1) : NULL;
    if (missing && mark_missing(v, missing))
        for (int64_t i = 0; i < rows; i++) n += missing[i];
    else n = -1;
    cn_free(missing);
    return n;
}

/* ---- tables made of tables ----------------------------------------------------------------- */

/* Adds what it makes of a column to the new table. */
typedef bool each_column(cn_dict *out, const char *name, const cn_value *column, void *context);

static cn_dict *made_of(const cn_dict *table, each_column *f, void *context)
{
    cn_dict *out = cn_table_rows(table) >= 0 ? cn_dict_new() : NULL;
    bool ok = out;
    for (int i = 0; ok && i < cn_dict_count(table); i++) {
        size_t mark = cn_mark();
        ok = f(out, cn_dict_key(table, i), cn_dict_at(table, i), context);
        cn_release(mark);
    }
    return ok ? out : (cn_dict_free(out), NULL);
}

typedef struct Choice {
    const int64_t *row;
    int64_t n;
} Choice;

static bool choose(cn_dict *out, const char *name, const cn_value *column, void *context)
{
    const Choice *c = context;
    if (column->kind == CN_KIND_TENSOR) {
        cn_tensor *rows = cn_from(c->row, CN_SHAPE(c->n), CN_I64);
        return cn_dict_set_tensor(out, name, cn_index_select(cn_detach(column->u.t), 0, rows));
    }
    cn_value *items = cn_alloc(((size_t)c->n + 1) * sizeof *items);
    for (int64_t i = 0; items && i < c->n; i++) items[i] = column->u.list[c->row[i]];
    cn_value list = { .kind = CN_KIND_LIST, .n = (int32_t)c->n, .u.list = items };
    bool ok = items && cn_dict_set(out, name, list);
    cn_free(items);
    return ok;
}

cn_dict *cn_table_slice(const cn_dict *table, int64_t start, int64_t end)
{
    int64_t rows = cn_table_rows(table);
    if (rows < 0) return NULL;
    if (start < 0) start += rows;
    if (end < 0) end += rows;
    if (start < 0 || end > rows || start > end) {
        cn_fail(CN_EINVALID, "table: no rows %lld to %lld in %lld", (long long)start,
                (long long)end, (long long)rows);
        return NULL;
    }
    Choice c = { .n = end - start };
    int64_t *row = cn_alloc(((size_t)c.n + 1) * sizeof *row);
    for (int64_t i = 0; row && i < c.n; i++) row[i] = start + i;
    c.row = row;
    cn_dict *out = row ? made_of(table, choose, &c) : NULL;
    cn_free(row);
    return out;
}

static bool append_texts(cn_dict *out, const char *name, const cn_value *a, const cn_value *b)
{
    size_t n = (size_t)a->n + (size_t)b->n;
    if (n > INT32_MAX) return cn_fail(CN_EINVALID, "table: too many rows");
    cn_value *items = cn_alloc((n + 1) * sizeof *items);
    if (!items) return false;
    if (a->n) memcpy(items, a->u.list, (size_t)a->n * sizeof *items);
    if (b->n) memcpy(items + a->n, b->u.list, (size_t)b->n * sizeof *items);
    bool ok = cn_dict_set(out, name,
                          (cn_value){ .kind = CN_KIND_LIST, .n = (int32_t)n, .u.list = items });
    cn_free(items);
    return ok;
}

static bool append(cn_dict *out, const char *name, const cn_value *column, void *second)
{
    const cn_value *more = cn_dict_find(second, name);
    if (!more) return cn_fail(CN_EINVALID, "table: the second has no column '%s'", name);
    if (more->kind != column->kind)
        return cn_fail(CN_EINVALID,
                       "table: column '%s' has texts in one table, numbers in the "
                       "other: read it as text in both",
                       name);
    if (column->kind == CN_KIND_LIST) return append_texts(out, name, column, more);
    cn_tensor *both[] = { cn_detach(column->u.t), cn_detach(more->u.t) };
    return cn_dict_set_tensor(out, name, cn_cat(both, 2, 0));
}

cn_dict *cn_table_concat(const cn_dict *first, const cn_dict *second)
{
    if (cn_table_rows(first) < 0 || cn_table_rows(second) < 0) return NULL;
    if (cn_dict_count(first) == cn_dict_count(second))
        return made_of(first, append, (void *)second);
    cn_fail(CN_EINVALID, "table: %d and %d columns", cn_dict_count(first), cn_dict_count(second));
    return NULL;
}

static bool keep_unless(cn_dict *out, const char *name, const cn_value *column, void *dropped)
{
    return strcmp(name, dropped) == 0 || cn_dict_set(out, name, *column);
}

cn_dict *cn_table_drop(const cn_dict *table, const char *column)
{
    if (!table) return NULL;
    if (cn_dict_find(table, column)) return made_of(table, keep_unless, (void *)column);
    cn_fail(CN_ENOTFOUND, "table: there is no column '%s'", column);
    return NULL;
}

/* ---- what is missing ------------------------------------------------------------------------ */

cn_dict *cn_table_dropna(const cn_dict *table)
{
    int64_t rows = cn_table_rows(table);
    if (rows < 0) return NULL;
    bool *missing = cn_alloc_zeroed((size_t)rows + 1);
    int64_t *row = cn_alloc(((size_t)rows + 1) * sizeof *row);
    bool ok = missing && row;
    for (int i = 0; ok && i < cn_dict_count(table); i++)
        ok = mark_missing(cn_dict_at(table, i), missing);
    Choice c = { .row = row };
    for (int64_t i = 0; ok && i < rows; i++)
        if (!missing[i]) row[c.n++] = i;
    cn_dict *out = ok ? made_of(table, choose, &c) : NULL;
    cn_free(missing);
    cn_free(row);
    return out;
}

/* Mean and standard deviation of what is there. */
typedef struct Moments {
    int64_t n;
    double mean, deviation;
} Moments;

static Moments moments_of(const double *x, int64_t rows)
{
    Moments m = { 0 };
    double squares = 0;
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(x[i])) m.n++, m.mean += x[i];
    m.mean /= (double)m.n;
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(x[i])) squares += (x[i] - m.mean) * (x[i] - m.mean);
    m.deviation = m.n > 1 ? sqrt(squares / (double)(m.n - 1)) : 0;
    return m;
}

/* NULL: the mean. */
static bool fill(cn_dict *out, const char *name, const cn_value *column, void *value)
{
    if (column->kind != CN_KIND_TENSOR || !cn_dtype_is_float(cn_dtype_of(column->u.t)))
        return cn_dict_set(out, name, *column);
    cn_tensor *t = cn_clone(wide(column));
    double *x = t ? cn_data_mut(t) : NULL;
    if (!x) return false;
    double with = value ? *(double *)value : moments_of(x, cn_numel(t)).mean;
    for (int64_t i = 0; i < cn_numel(t); i++)
        if (isnan(x[i])) x[i] = with;
    return cn_dict_set_tensor(out, name, t);
}

cn_dict *cn_table_fillna(const cn_dict *table, double value)
{
    return made_of(table, fill, &value);
}

cn_dict *cn_table_fillna_mean(const cn_dict *table)
{
    return made_of(table, fill, NULL);
}

/* ---- categories ----------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different texts of a column, in order, lent by it; *n of them. */
static const char **categories(const cn_value *column, size_t *n)
{
    const char **text = cn_alloc(((size_t)column->n + 1) * sizeof *text);
    size_t count = 0;
    *n = 0;
    if (!text) return NULL;
    for (int32_t i = 0; i < column->n; i++)
        if (!is_text_missing(&column->u.list[i])) text[count++] = column->u.list[i].u.s;
    qsort(text, count, sizeof *text, ascending);
    for (size_t i = 0; i < count; i++)
        if (!*n || strcmp(text[*n - 1], text[i]) != 0) text[(*n)++] = text[i];
    return text;
}

/* A column that is true where `text` is; NULL: where something is missing. */
static bool set_dummy(cn_dict *out, const char *name, const cn_value *column, const char *text)
{
    size_t room = strlen(name) + (text ? strlen(text) : 3) + 2;
    char *key = cn_alloc(room);
    cn_tensor *t = cn_empty(CN_SHAPE(column->n), CN_BOOL);
    bool *is = t ? cn_data_mut(t) : NULL, ok = key && (is || !column->n);
    if (ok) snprintf(key, room, "%s_%s", name, text ? text : "nan");
    if (ok && cn_dict_find(out, key))
        ok = cn_fail(CN_EINVALID, "table: two columns would be named '%s'", key);
    for (int32_t i = 0; ok && i < column->n; i++) {
        const cn_value *v = &column->u.list[i];
        is[i] = text ? !is_text_missing(v) && strcmp(v->u.s, text) == 0 : is_text_missing(v);
    }
    ok = ok && cn_dict_set_tensor(out, key, t);
    cn_free(key);
    return ok;
}

static bool texts_only(const char *name, const cn_value *column)
{
    for (int32_t i = 0; i < column->n; i++)
        if (column->u.list[i].kind != CN_KIND_STR && column->u.list[i].kind != CN_KIND_NONE)
            return cn_fail(CN_EINVALID, "table: column '%s' has a %s among its texts", name,
                           cn_kind_name(column->u.list[i].kind));
    return true;
}

static bool set_dummies(cn_dict *out, const char *name, const cn_value *column, bool dummy_na)
{
    size_t n;
    if (!texts_only(name, column)) return false;
    const char **text = categories(column, &n);
    bool ok = text;
    for (size_t i = 0; ok && i < n; i++) ok = set_dummy(out, name, column, text[i]);
    cn_free(text);
    return ok && (!dummy_na || set_dummy(out, name, column, NULL));
}

static bool keep_numbers(cn_dict *out, const char *name, const cn_value *column, void *unused)
{
    (void)unused;
    return column->kind == CN_KIND_LIST || cn_dict_set(out, name, *column);
}

cn_dict *cn_table_get_dummies(const cn_dict *table, bool dummy_na)
{
    cn_dict *out = made_of(table, keep_numbers, NULL);
    bool ok = out;
    for (int i = 0; ok && i < cn_dict_count(table); i++) {
        const cn_value *column = cn_dict_at(table, i);
        size_t mark = cn_mark();
        if (column->kind == CN_KIND_LIST)
            ok = set_dummies(out, cn_dict_key(table, i), column, dummy_na);
        cn_release(mark);
    }
    return ok ? out : (cn_dict_free(out), NULL);
}

/* ---- numbers -------------------------------------------------------------------------------- */

static bool standardize(cn_dict *out, const char *name, const cn_value *column, void *unused)
{
    (void)unused;
    if (column->kind != CN_KIND_TENSOR || cn_dtype_of(column->u.t) == CN_BOOL)
        return cn_dict_set(out, name, *column);
    cn_tensor *t = cn_clone(wide(column));
    double *x = t ? cn_data_mut(t) : NULL;
    if (!x) return false;
    Moments m = moments_of(x, cn_numel(t));
    double scale = m.deviation > 0 ? m.deviation : 1;
    for (int64_t i = 0; i < cn_numel(t); i++) x[i] = (x[i] - m.mean) / scale;
    return cn_dict_set_tensor(out, name, t);
}

cn_dict *cn_table_standardize(const cn_dict *table)
{
    return made_of(table, standardize, NULL);
}

cn_tensor *cn_table_tensor(const cn_dict *table, cn_dtype dtype)
{
    int64_t rows = cn_table_rows(table);
    if (rows < 0) return NULL;
    int columns = cn_dict_count(table);
    size_t mark = cn_mark();
    cn_tensor *out = cn_empty(CN_SHAPE(rows, columns), dtype);
    for (int i = 0; out && i < columns; i++) {
        const cn_value *v = cn_dict_at(table, i);
        if (v->kind != CN_KIND_TENSOR)
            cn_fail(CN_EINVALID,
                    "table: column '%s' holds texts: cn_table_get_dummies() makes "
                    "numbers of them",
                    cn_dict_key(table, i));
        if (v->kind != CN_KIND_TENSOR || !cn_copy_(cn_select(out, 1, i), cn_detach(v->u.t)))
            out = NULL;
    }
    return cn_return(mark, out);
}
