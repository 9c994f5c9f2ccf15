/* csv_write.c - writing tables of text. */
#include <cenote/csv.h>
#include <cenote/io.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/tensor.h"
#include "io/number.h"

/* In quotes where reading it back would otherwise take it for something else. */
static void put_text(cn_file *f, const char *text)
{
    static const char *const words[] = { "NA", "NaN", "nan" };
    size_t n = strlen(text);
    bool quotes = n == 0 || strpbrk(text, "\",\r\n") || text[0] == ' ' || text[n - 1] == ' ';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        quotes |= strcmp(text, words[i]) == 0;
    if (quotes) cn_file_put(f, "\"", 1);
    for (; *text; text++) {
        if (*text == '"') cn_file_put(f, "\"", 1);
        cn_file_put(f, text, 1);
    }
    if (quotes) cn_file_put(f, "\"", 1);
}

static void put_double(cn_file *f, double x, bool single)
{
    char text[CN_NUMBER_ROOM];
    if (isnan(x)) return;
    cn_format_double(text, x, single);
    cn_file_put(f, text, strlen(text));
}

static void put_int(cn_file *f, int64_t x)
{
    char text[CN_NUMBER_ROOM];
    int n = snprintf(text, sizeof text, "%" PRId64, x);
    cn_file_put(f, text, (size_t)n);
}

static void put_bool(cn_file *f, bool x)
{
    cn_file_put(f, x ? "true" : "false", x ? 4 : 5);
}

static void put_element(cn_file *f, const cn_tensor *t, int64_t i)
{
    cn_dtype dtype = t->v.dtype;
    const char *p = t->v.data + i * t->v.strides[0] * (int64_t)cn_dtype_size(dtype);
    if (dtype == CN_BOOL) put_bool(f, *p);
    else if (cn_dtype_is_float(dtype)) put_double(f, cn_load_f64(p, dtype), dtype != CN_F64);
    else put_int(f, cn_load_i64(p, dtype));
}

static void put_item(cn_file *f, const cn_value *v)
{
    if (v->kind == CN_KIND_STR) put_text(f, v->u.s);
    if (v->kind == CN_KIND_INT) put_int(f, v->u.i);
    if (v->kind == CN_KIND_BOOL) put_bool(f, v->u.i);
    if (v->kind == CN_KIND_FLOAT) put_double(f, v->u.f, false);
}

static bool check_list(const cn_value *v)
{
    for (int i = 0; i < v->n; i++)
        if (v->u.list[i].kind > CN_KIND_STR) return false;
    return true;
}

/* All columns are as long as the first; *rows is -1 before that. */
static bool check_column(const char *path, const char *name, const cn_value *v, int64_t *rows)
{
    bool tensor = v->kind == CN_KIND_TENSOR && cn_ndim(v->u.t) == 1;
    if (!tensor && (v->kind != CN_KIND_LIST || !check_list(v)))
        return cn_fail(CN_EINVALID,
                       "%s: column '%s' is neither a tensor of one dimension nor a list of numbers "
                       "and texts",
                       path, name);
    if (tensor && cn_dtype_is_complex(cn_dtype_of(v->u.t)))
        return cn_fail(CN_EUNSUPPORTED,
                       "%s: column '%s' is complex; write its real and imaginary parts", path,
                       name);
    int64_t n = tensor ? cn_numel(v->u.t) : v->n;
    if (*rows < 0) *rows = n;
    return n == *rows || cn_fail(CN_EINVALID, "%s: column '%s' has %lld values, the first %lld",
                                 path, name, (long long)n, (long long)*rows);
}

static void put_row(cn_file *f, const cn_dict *columns, int64_t row)
{
    for (int i = 0; i < cn_dict_count(columns); i++) {
        const cn_value *v = cn_dict_at(columns, i);
        if (i) cn_file_put(f, ",", 1);
        if (row < 0) put_text(f, cn_dict_key(columns, i));
        else if (v->kind == CN_KIND_TENSOR) put_element(f, v->u.t, row);
        else put_item(f, &v->u.list[row]);
    }
    cn_file_put(f, "\n", 1);
}

bool cn_csv_write(const char *path, const cn_dict *columns)
{
    int64_t rows = -1;
    if (!path) return cn_fail(CN_EINVALID, "csv: the path is NULL");
    if (cn_dict_count(columns) == 0)
        return cn_fail(CN_EINVALID, "%s: a table without columns", path);
    for (int i = 0; i < cn_dict_count(columns); i++)
        if (!check_column(path, cn_dict_key(columns, i), cn_dict_at(columns, i), &rows))
            return false;
    cn_file *f = cn_file_create(path);
    if (!f) return false;
    for (int64_t row = -1; row < rows; row++) put_row(f, columns, row);
    return cn_file_finish(f, true);
}
