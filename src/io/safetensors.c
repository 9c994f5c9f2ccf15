/* safetensors.c - a length, a header in JSON, the elements of all tensors without gaps. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/array.h"
#include "io/formats.h"
#include "io/reader.h"

#define MAX_HEADER 100000000u
#define METADATA "__metadata__"

static const struct {
    const char *text;
    cn_dtype dtype;
} dtypes[] = {
    { "BOOL", CN_BOOL }, { "U8", CN_U8 },   { "I8", CN_I8 },   { "I16", CN_I16 },
    { "I32", CN_I32 },   { "I64", CN_I64 }, { "F16", CN_F16 }, { "BF16", CN_BF16 },
    { "F32", CN_F32 },   { "F64", CN_F64 }, { "C64", CN_C64 },
};

/* Every dtype has its name, except complex128, which the format does not know. */
enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };
_Static_assert(N_DTYPES == CN_NUM_DTYPES - 1, "every dtype but one has its name");

/* ---- reading ------------------------------------------------------------------------------ */

/* Where a tensor's elements lie, from the start of the data. */
typedef struct range {
    uint64_t begin, end;
} range;

typedef struct entry {
    const char *key; /* in the JSON tree */
    cn_array array;
    range range;
} entry;

static bool bad_entry(const char *what, const char *key, const char *why)
{
    return cn_fail(CN_EFORMAT, "%s: tensor '%s': %s", what, key, why);
}

static bool parse_dtype(const json_t *value, entry *e, const char *what)
{
    const char *text = json_string_value(value);
    if (!text) return bad_entry(what, e->key, "no dtype");
    for (int i = 0; i < N_DTYPES; i++)
        if (strcmp(text, dtypes[i].text) == 0) return e->array.dtype = dtypes[i].dtype, true;
    return cn_fail(CN_EUNSUPPORTED, "%s: tensor '%s' is of type '%s', which is not supported", what,
                   e->key, text);
}

static bool parse_shape(const json_t *value, entry *e, const char *what)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value)) return bad_entry(what, e->key, "no shape");
    if (n > CN_MAX_DIMS)
        return cn_fail(CN_EUNSUPPORTED,
                       "%s: tensor '%s' has %zu dimensions; at most %d are possible", what, e->key,
                       n, CN_MAX_DIMS);
    e->array.shape.ndim = (int)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *dim = json_array_get(value, i);
        if (!json_is_integer(dim)) return bad_entry(what, e->key, "a size that is no integer");
        e->array.shape.dim[i] = json_integer_value(dim);
    }
    return true;
}

static bool parse_range(const json_t *value, entry *e, const char *what)
{
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    uint64_t size;
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return bad_entry(what, e->key, "no data_offsets");
    json_int_t b = json_integer_value(begin), n = json_integer_value(end);
    if (b < 0 || n < b) return bad_entry(what, e->key, "data_offsets make no sense");
    e->range = (range){ (uint64_t)b, (uint64_t)n };
    if (!cn_array_size(&e->array, &size)) return bad_entry(what, e->key, "an impossible shape");
    return size == e->range.end - e->range.begin ||
           bad_entry(what, e->key, "data_offsets do not agree with its shape and dtype");
}

static bool parse_entry(const json_t *value, entry *e, const char *what)
{
    if (json_object_size(value) != 3)
        return bad_entry(what, e->key, "not just dtype, shape and data_offsets");
    return parse_dtype(json_object_get(value, "dtype"), e, what) &&
           parse_shape(json_object_get(value, "shape"), e, what) &&
           parse_range(json_object_get(value, "data_offsets"), e, what);
}

static int compare_ranges(const void *a, const void *b)
{
    const range *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Sorted, each range must begin where the one before ends, and the last end with the file. */
static bool check_cover(const entry *entries, size_t n, uint64_t size, const char *what)
{
    range *ranges = cn_alloc(n * sizeof *ranges);
    if (!ranges) return false;
    for (size_t i = 0; i < n; i++) ranges[i] = entries[i].range;
    qsort(ranges, n, sizeof *ranges, compare_ranges);
    uint64_t at = 0;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        ok &= ranges[i].begin == at;
        at = ranges[i].end;
    }
    cn_free(ranges);
    return (ok && at == size) || cn_fail(CN_EFORMAT,
                                         "%s: the tensors do not cover the %" PRIu64
                                         " bytes of data exactly: the file is cut short or damaged",
                                         what, size);
}

static bool read_metadata(cn_dict *d, json_t *json, const char *what)
{
    const char *key;
    json_t *value;
    cn_dict *metadata = json_is_object(json) ? cn_dict_new() : NULL;
    bool ok = metadata || cn_fail(CN_EFORMAT, "%s: " METADATA " is no dictionary", what);
    json_object_foreach(json, key, value)
    {
        if (ok && !json_is_string(value))
            ok = cn_fail(CN_EFORMAT, "%s: " METADATA " '%s' is no string", what, key);
        ok = ok && cn_dict_set_str(metadata, key, json_string_value(value));
    }
    ok = ok && cn_dict_set_dict(d, METADATA, metadata);
    cn_dict_free(metadata);
    return ok;
}

/* Parses every entry before any tensor is made; `entries` has room for all. */
static bool read_entries(cn_dict *d, json_t *header, entry *entries, cn_reader *data)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach(header, key, value)
    {
        if (strcmp(key, METADATA) == 0) continue;
        entries[n].key = key;
        if (!parse_entry(value, &entries[n++], data->what)) return false;
    }
    if (!check_cover(entries, n, data->size, data->what)) return false;
    n = 0;
    json_object_foreach(header, key, value)
    {
        bool is_metadata = strcmp(key, METADATA) == 0;
        entry *e = is_metadata ? NULL : &entries[n++];
        if (e) e->array.bytes = data->bytes + e->range.begin;
        if (!(e ? cn_dict_set_array(d, key, &e->array) : read_metadata(d, value, data->what)))
            return false;
    }
    return true;
}

static json_t *parse_header(cn_reader *r)
{
    json_error_t error;
    uint64_t size = cn_reader_le64(r);
    const char *text = (const char *)cn_reader_take(r, size);
    if (!text) return NULL;
    if (size == 0 || size > MAX_HEADER || text[0] != '{') {
        cn_fail(CN_EFORMAT, "%s: not a safetensors file: no header that begins with a brace",
                r->what);
        return NULL;
    }
    json_t *json = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
    if (json) return json;
    if (json_error_code(&error) == json_error_out_of_memory)
        cn_fail(CN_ENOMEM, "%s: no memory for the safetensors header", r->what);
    else cn_fail(CN_EFORMAT, "%s: the safetensors header is damaged: %s", r->what, error.text);
    return NULL;
}

cn_dict *cn_read_safetensors(const void *bytes, size_t size, const char *what)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    json_t *header = parse_header(&r);
    if (!header) return NULL;
    cn_reader data = cn_reader_of(r.bytes + r.at, cn_reader_left(&r), r.what);
    cn_dict *d = cn_dict_new();
    entry *entries = d ? cn_alloc_zeroed(json_object_size(header) * sizeof *entries) : NULL;
    bool ok = entries && read_entries(d, header, entries, &data);
    cn_free(entries);
    json_decref(header);
    return ok ? d : (cn_dict_free(d), NULL);
}

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct item {
    const char *key;
    const cn_tensor *tensor;
} item;

static const char *dtype_text(cn_dtype dtype)
{
    int i = 0;
    while (dtypes[i].dtype != dtype) i++;
    return dtypes[i].text;
}

/* Wide elements first, so that all are aligned; then by name. */
static int compare_items(const void *a, const void *b)
{
    const item *x = a, *y = b;
    size_t wx = cn_dtype_size(cn_dtype_of(x->tensor)), wy = cn_dtype_size(cn_dtype_of(y->tensor));
    return wx != wy ? (wx < wy ? 1 : -1) : strcmp(x->key, y->key);
}

/* Jansson's setters accept the NULL of a failed call and fail themselves: that memory ran out shows
   in the size in the end. */
static json_t *whole(json_t *json, size_t size, size_t wanted)
{
    if (json && size == wanted) return json;
    json_decref(json);
    cn_fail(CN_ENOMEM, "save: no memory for the safetensors header");
    return NULL;
}

static json_t *metadata_json(const cn_value *v, const char *path)
{
    const cn_dict *d = v->kind == CN_KIND_DICT ? v->u.d : NULL;
    bool strings = d;
    for (int i = 0; strings && i < cn_dict_count(d); i++)
        strings = cn_dict_at(d, i)->kind == CN_KIND_STR;
    if (!strings) {
        cn_fail(CN_EINVALID, "%s: " METADATA " must be a dictionary of strings", path);
        return NULL;
    }
    json_t *json = json_object();
    for (int i = 0; i < cn_dict_count(d); i++)
        json_object_set_new(json, cn_dict_key(d, i), json_string(cn_dict_at(d, i)->u.s));
    return whole(json, json_object_size(json), (size_t)cn_dict_count(d));
}

/* The tensors of d, sorted, into `items`; the metadata into the header. */
static bool collect(const cn_dict *d, item *items, size_t *n, json_t *header, const char *path)
{
    for (int i = 0; i < cn_dict_count(d); i++) {
        const char *key = cn_dict_key(d, i);
        const cn_value *v = cn_dict_at(d, i);
        if (strcmp(key, METADATA) == 0) {
            json_t *metadata = metadata_json(v, path);
            if (!metadata) return false;
            json_object_set_new(header, key, metadata);
        } else if (v->kind == CN_KIND_TENSOR && cn_dtype_of(v->u.t) == CN_C128) {
            return cn_fail(CN_EUNSUPPORTED,
                           "%s: '%s' is complex128, which safetensors does not have; convert it to "
                           "complex64 or save its parts",
                           path, key);
        } else if (v->kind == CN_KIND_TENSOR) {
            items[(*n)++] = (item){ key, v->u.t };
        } else {
            return cn_fail(CN_EINVALID,
                           "%s: '%s' is of kind %s, but a safetensors file holds tensors only",
                           path, key, cn_kind_name(v->kind));
        }
    }
    qsort(items, *n, sizeof *items, compare_items);
    return true;
}

static json_t *entry_json(const cn_tensor *t, uint64_t *at)
{
    const cn_shape *s = cn_shape_of(t);
    uint64_t begin = *at;
    json_t *dims = json_array();
    for (int i = 0; i < s->ndim; i++) json_array_append_new(dims, json_integer(s->dim[i]));
    dims = whole(dims, json_array_size(dims), (size_t)s->ndim);
    *at += (uint64_t)cn_numel(t) * cn_dtype_size(cn_dtype_of(t));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_text(cn_dtype_of(t)), "shape", dims,
                     "data_offsets", (json_int_t)begin, (json_int_t)*at);
}

static char *header_text(const cn_dict *d, const char *path, item *items, size_t *n)
{
    uint64_t at = 0;
    json_t *header = json_object();
    bool ok = collect(d, items, n, header, path);
    for (size_t i = 0; ok && i < *n; i++)
        json_object_set_new(header, items[i].key, entry_json(items[i].tensor, &at));
    if (!ok) return json_decref(header), NULL;
    header = whole(header, json_object_size(header), (size_t)cn_dict_count(d));
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text) cn_fail(CN_ENOMEM, "save: no memory for the safetensors header");
    return text;
}

static void put_header(cn_file *f, const char *text)
{
    size_t size = strlen(text), padded = (size + 7) / 8 * 8;
    uint64_t announced = padded;
    cn_file_put(f, &announced, sizeof announced);
    cn_file_put(f, text, size);
    cn_file_put(f, "       ", padded - size);
}

static bool put_tensor(cn_file *f, const cn_tensor *t)
{
    void *owned;
    size_t size;
    const void *data = cn_elements(t, &size, &owned);
    if (data) cn_file_put(f, data, size);
    cn_free(owned);
    return data;
}

bool cn_write_safetensors(cn_file *f, const cn_dict *d, const char *path)
{
    size_t n = 0;
    item *items = cn_alloc((size_t)cn_dict_count(d) * sizeof *items);
    char *text = items ? header_text(d, path, items, &n) : NULL;
    bool ok = text;
    if (ok) put_header(f, text);
    for (size_t i = 0; ok && i < n; i++) ok = put_tensor(f, items[i].tensor);
    free(text);
    cn_free(items);
    return ok;
}
