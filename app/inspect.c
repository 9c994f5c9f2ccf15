/* inspect.c - cenote inspect: what is in a file of tensors. */
#include "app/app.h"
#include "app/json.h"
#include "app/literal.h"
#include "app/table.h"

#include <cenote/io.h>
#include <cenote/ops.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double least, mean, most; /* of the finite elements; NaN when there are none */
    int64_t strange;          /* NaN and infinities */
} Summary;

static Summary summarize(const double *x, int64_t n)
{
    Summary s = { HUGE_VAL, 0, -HUGE_VAL, 0 };
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            s.strange++;
            continue;
        }
        if (x[i] < s.least) s.least = x[i];
        if (x[i] > s.most) s.most = x[i];
        s.mean += (x[i] - s.mean) / (double)(i + 1 - s.strange);
    }
    if (n == s.strange) s = (Summary){ (double)NAN, (double)NAN, (double)NAN, n };
    return s;
}

/* Of complex numbers: of their absolute values. */
static bool summary_of(cn_tensor *t, Summary *out)
{
    if (cn_dtype_is_complex(cn_dtype_of(t))) t = cn_abs(t);
    int64_t n = cn_numel(t);
    double *x = malloc(n > 0 ? (size_t)n * sizeof *x : 1);
    if (!x) return cn_fail(CN_ENOMEM, "inspect: no memory for %" PRId64 " elements", n);
    bool good = cn_read(t, CN_F64, x, n);
    if (good) *out = summarize(x, n);
    free(x);
    return good;
}

static void describe_shape(const cn_shape *s, char *buf, size_t room)
{
    size_t at = (size_t)snprintf(buf, room, "(");
    for (int i = 0; i < s->ndim; i++)
        at += (size_t)snprintf(buf + at, room - at, "%s%" PRId64, i ? ", " : "", s->dim[i]);
    snprintf(buf + at, room - at, s->ndim == 1 ? ",)" : ")");
}

/* ---- entries; those of a dictionary inside have its key before theirs ---------------------- */

typedef struct {
    Table table;
    json_t *json; /* a list; NULL: the table is wanted */
} Report;

static bool report_tensor(Report *r, const char *key, cn_tensor *t)
{
    Summary s = { 0 };
    char shape[200];
    const cn_shape *dims = cn_shape_of(t);
    const char *dtype = cn_dtype_name(cn_dtype_of(t));
    if (!summary_of(t, &s)) return false;
    if (r->json) {
        json_array_append_new(
            r->json, json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:I}", "key", json_text(key),
                               "dtype", dtype, "shape", json_shape(dims->dim, dims->ndim), "min",
                               json_number(s.least), "mean", json_number(s.mean), "max",
                               json_number(s.most), "not_finite", (json_int_t)s.strange));
        return true;
    }
    describe_shape(dims, shape, sizeof shape);
    table_cell(&r->table, "%s", *key ? key : "-");
    table_cell(&r->table, "%s", dtype);
    table_cell(&r->table, "%s", shape);
    const double numbers[] = { s.least, s.mean, s.most };
    for (int i = 0; i < 3; i++)
        if (isnan(numbers[i])) table_cell(&r->table, "-");
        else table_cell(&r->table, "%.6g", numbers[i]);
    if (s.strange) table_cell(&r->table, "%" PRId64 " not finite", s.strange);
    else table_cell(&r->table, "%s", "");
    return true;
}

static bool report_plain(Report *r, const char *key, const cn_value *v)
{
    char text[400];
    literal_format(v, text, sizeof text);
    if (r->json) {
        json_array_append_new(r->json, json_pack("{s:o, s:s, s:o}", "key", json_text(key), "kind",
                                                 cn_kind_name(v->kind), "value", json_text(text)));
        return true;
    }
    table_cell(&r->table, "%s", key);
    table_cell(&r->table, "%s", cn_kind_name(v->kind));
    table_cell(&r->table, "%s", text);
    for (int i = 3; i < r->table.columns; i++) table_cell(&r->table, "%s", "");
    return true;
}

/* Recursion ends: what cn_load() returns nests at most 64 deep. */
static bool report_all(Report *r, const char *prefix, const cn_dict *d)
{
    for (int i = 0; i < cn_dict_count(d); i++) {
        const cn_value *v = cn_dict_at(d, i);
        const char *name = cn_dict_key(d, i);
        char *key;
        if (!v || !name) return false;
        if (asprintf(&key, "%s%s%s", prefix, *prefix ? "." : "", name) < 0)
            return cn_fail(CN_ENOMEM, "inspect: no memory for a key");
        bool good = v->kind == CN_KIND_TENSOR ? report_tensor(r, key, v->u.t)
                    : v->kind == CN_KIND_DICT ? report_all(r, key, v->u.d)
                                              : report_plain(r, key, v);
        free(key);
        if (!good) return false;
    }
    return true;
}

/* ---- a file that was refused: what its pickle wanted --------------------------------------- */

static bool report_names(const Args *args, const cn_dict *names)
{
    static const char *const titles[] = { "NAME", "CALLED", "HARMLESS" };
    Table table = { .columns = 3, .right = 1u << 1 };
    json_t *list = json_wanted(args) ? json_array() : NULL;
    for (int i = 0; i < 3 && !list; i++) table_cell(&table, "%s", titles[i]);
    for (int i = 0; i < cn_dict_count(names); i++) {
        const char *name = cn_dict_key(names, i);
        const cn_dict *entry = cn_dict_dict(names, name);
        int64_t calls = cn_dict_int(entry, "calls", 0);
        bool known = cn_dict_int(entry, "known", 0);
        if (list) {
            json_array_append_new(list, json_pack("{s:o, s:I, s:b}", "name", json_text(name),
                                                  "called", (json_int_t)calls, "harmless", known));
            continue;
        }
        table_cell(&table, "%s", name);
        table_cell(&table, "%" PRId64, calls);
        table_cell(&table, "%s", known ? "yes" : "NO");
    }
    if (!list) return table_print(&table);
    return print_json(args, json_pack("{s:o}", "names", list)) == EXIT_OK;
}

/* The error is the one that loading ended with, whatever comes of the list. */
static int refused(const Args *args, const char *path)
{
    char message[1000];
    int code = exit_code_for(cn_error_code());
    snprintf(message, sizeof message, "%s", cn_error());
    cn_error_clear();
    cn_dict *names = cn_pickle_names(path);
    if (cn_dict_count(names) > 0) report_names(args, names);
    cn_dict_free(names);
    return failed_with(args, code, "%s", message);
}

static int run(const Args *args)
{
    static const char *const titles[] = { "KEY", "DTYPE", "SHAPE", "MIN", "MEAN", "MAX", "" };
    const char *path = operand(args, 0);
    cn_dict *d = cn_load(path);
    if (!d) return refused(args, path);
    Report r = { .table = { .columns = 7, .right = 1u << 3 | 1u << 4 | 1u << 5 } };
    if (json_wanted(args)) r.json = json_array();
    else
        for (size_t i = 0; i < 7; i++) table_cell(&r.table, "%s", titles[i]);
    bool good = report_all(&r, "", d);
    cn_dict_free(d);
    if (r.json && good)
        return print_json(args,
                          json_pack("{s:o, s:o}", "file", json_text(path), "entries", r.json));
    json_decref(r.json);
    if (!r.json) good = table_print(&r.table) && good;
    return good ? EXIT_OK : failed(args);
}

const Command command_inspect = {
    .name = "inspect",
    .operands = "FILE",
    .least = 1,
    .most = 1,
    .about = "show what is in a file of tensors",
    .details =
        "Keys, types, shapes and the range of the values of a .npy, .npz, .pt, .pth, .safetensors "
        "or IDX file, also compressed by gzip.\n"
        "A PyTorch file whose pickle wants more than tensors and plain values is refused, with exit "
        "code 69; what it would import and call in Python is listed, and none of it is done.",
    .examples = "cenote inspect runs/lenet/model.safetensors\ncenote inspect from-the-web.pt",
    .run = run,
    .instant = true,
};
