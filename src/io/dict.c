/* dict.c - ordered dictionaries: entries in order, and a hash table of indices into them. */
#include <cenote/io.h>

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "core/tensor.h"
#include "io/utf8.h"

/* Deep enough for any real file, shallow enough to copy and free by recursion. */
#define MAX_DEPTH 64

typedef struct entry {
    char *key;
    uint64_t hash;
    cn_value value;
} entry;

struct cn_dict {
    entry *entries;
    int count, room;
    int *slots;     /* open addressing: index of an entry plus one, 0 where free */
    size_t n_slots; /* a power of two, more than twice `count`; or 0 */
};

static bool copy_value(cn_value *out, const cn_value *in, int depth);

const char *cn_kind_name(int kind)
{
    static const char *const names[] = {
        [CN_KIND_NONE] = "none",         [CN_KIND_BOOL] = "bool",   [CN_KIND_INT] = "int",
        [CN_KIND_FLOAT] = "float",       [CN_KIND_STR] = "str",     [CN_KIND_TENSOR] = "tensor",
        [CN_KIND_LIST] = "list",         [CN_KIND_DTYPE] = "dtype", [CN_KIND_SLICE] = "slice",
        [CN_KIND_ELLIPSIS] = "ellipsis", [CN_KIND_DICT] = "dict",   [CN_KIND_MODULE] = "module",
    };
    size_t i = (size_t)kind;
    return i < sizeof names / sizeof names[0] && names[i] ? names[i] : "unknown";
}

/* ---- text --------------------------------------------------------------------------------- */

static bool check_text(const char *text, const char *what)
{
    if (!text) return cn_fail(CN_EINVALID, "dict: the %s is NULL", what);
    return cn_utf8_valid(text, strlen(text)) ||
           cn_fail(CN_EINVALID, "dict: the %s '%s' is not valid UTF-8", what, text);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001B3u;
    return h;
}

/* ---- values ------------------------------------------------------------------------------- */

static void clear_value(cn_value *v)
{
    if (v->kind == CN_KIND_STR) cn_free((void *)v->u.s);
    if (v->kind == CN_KIND_TENSOR) cn_drop(v->u.t);
    if (v->kind == CN_KIND_DICT) cn_dict_free(v->u.d);
    if (v->kind == CN_KIND_LIST) {
        cn_value *items = (cn_value *)v->u.list;
        for (int i = 0; i < v->n; i++) clear_value(&items[i]);
        cn_free(items);
    }
    *v = (cn_value){ 0 };
}

static bool copy_list(cn_value *out, const cn_value *in, int depth)
{
    if (in->n < 0 || (in->n && !in->u.list))
        return cn_fail(CN_EINVALID, "dict: a list of %d values without values", (int)in->n);
    cn_value *items = cn_alloc_zeroed((size_t)in->n * sizeof *items);
    if (!items) return false;
    *out = (cn_value){ .kind = CN_KIND_LIST, .n = in->n, .u.list = items };
    for (int i = 0; i < in->n; i++)
        if (!copy_value(&items[i], &in->u.list[i], depth + 1)) return clear_value(out), false;
    return true;
}

static bool append(cn_dict *d, const char *key, uint64_t hash, const cn_value *owned);

static bool copy_dict(cn_value *out, const cn_dict *in, int depth)
{
    if (!in) return cn_fail(CN_EINVALID, "dict: the dictionary is NULL");
    cn_dict *d = cn_dict_new();
    if (!d) return false;
    *out = (cn_value){ .kind = CN_KIND_DICT, .u.d = d };
    for (int i = 0; i < in->count; i++) {
        const entry *e = &in->entries[i];
        cn_value v;
        if (!copy_value(&v, &e->value, depth + 1)) return clear_value(out), false;
        if (!append(d, e->key, e->hash, &v)) return clear_value(&v), clear_value(out), false;
    }
    return true;
}

/* *out is untouched or empty on failure. The depth limit also ends an attempt to copy a list that
   holds itself. */
static bool copy_value(cn_value *out, const cn_value *in, int depth)
{
    if (depth > MAX_DEPTH)
        return cn_fail(CN_EINVALID, "dict: values are nested more than %d deep", MAX_DEPTH);
    *out = (cn_value){ .kind = in->kind };
    switch (in->kind) {
    case CN_KIND_NONE: return true;
    case CN_KIND_BOOL: out->u.i = in->u.i != 0; return true;
    case CN_KIND_INT:
    case CN_KIND_DTYPE: out->u.i = in->u.i; return true;
    case CN_KIND_FLOAT: out->u.f = in->u.f; return true;
    case CN_KIND_STR: return check_text(in->u.s, "string") && (out->u.s = cn_strdup(in->u.s));
    case CN_KIND_TENSOR:
        if (!in->u.t) return cn_fail(CN_EINVALID, "dict: the tensor is NULL");
        if (!cn_plain(in->u.t)) return false;
        out->u.t = cn_keep(in->u.t);
        return true;
    case CN_KIND_LIST: return copy_list(out, in, depth);
    case CN_KIND_DICT: return copy_dict(out, in->u.d, depth);
    }
    return cn_fail(CN_EINVALID, "dict: a value of kind %s (%d) cannot be kept",
                   cn_kind_name(in->kind), (int)in->kind);
}

/* ---- the table ---------------------------------------------------------------------------- */

/* The slot that holds the key, or the free one where it belongs. */
static size_t find_slot(const cn_dict *d, const char *key, uint64_t hash)
{
    size_t i = (size_t)hash & (d->n_slots - 1);
    for (; d->slots[i]; i = (i + 1) & (d->n_slots - 1)) {
        const entry *e = &d->entries[d->slots[i] - 1];
        if (e->hash == hash && strcmp(e->key, key) == 0) break;
    }
    return i;
}

static entry *find_entry(const cn_dict *d, const char *key)
{
    if (!d || !key || !d->n_slots) return NULL;
    int i = d->slots[find_slot(d, key, hash_text(key))];
    return i ? &d->entries[i - 1] : NULL;
}

static bool grow(cn_dict *d)
{
    if (d->count < d->room) return true;
    if (d->room > INT_MAX / 4) return cn_fail(CN_EINVALID, "dict: more than %d entries", d->room);
    int room = d->room ? d->room * 2 : 8;
    entry *entries = cn_realloc(d->entries, (size_t)room * sizeof *entries);
    if (!entries) return false;
    d->entries = entries;
    size_t n_slots = (size_t)room * 4;
    int *slots = cn_alloc_zeroed(n_slots * sizeof *slots);
    if (!slots) return false;
    cn_free(d->slots);
    d->slots = slots, d->n_slots = n_slots, d->room = room;
    for (int i = 0; i < d->count; i++)
        slots[find_slot(d, d->entries[i].key, d->entries[i].hash)] = i + 1;
    return true;
}

/* Takes the value over on success only. The key must be new. */
static bool append(cn_dict *d, const char *key, uint64_t hash, const cn_value *owned)
{
    char *copy = grow(d) ? cn_strdup(key) : NULL;
    if (!copy) return false;
    assert(d->entries && d->slots); /* grow() made room */
    d->slots[find_slot(d, key, hash)] = d->count + 1;
    d->entries[d->count++] = (entry){ copy, hash, *owned };
    return true;
}

/* ---- the interface ------------------------------------------------------------------------ */

cn_dict *cn_dict_new(void)
{
    return cn_alloc_zeroed(sizeof(cn_dict));
}

cn_dict *cn_dict_copy(const cn_dict *d)
{
    cn_value copy;
    return copy_dict(&copy, d, -1) ? copy.u.d : NULL;
}

void cn_dict_free(cn_dict *d)
{
    if (!d) return;
    for (int i = 0; i < d->count; i++) {
        cn_free(d->entries[i].key);
        clear_value(&d->entries[i].value);
    }
    cn_free(d->entries);
    cn_free(d->slots);
    cn_free(d);
}

int cn_dict_count(const cn_dict *d)
{
    return d ? d->count : 0;
}

static const entry *entry_at(const cn_dict *d, int i)
{
    if (d && i >= 0 && i < d->count) return &d->entries[i];
    cn_fail(CN_EINVALID, "dict: no entry %d among %d", i, cn_dict_count(d));
    return NULL;
}

const char *cn_dict_key(const cn_dict *d, int i)
{
    const entry *e = entry_at(d, i);
    return e ? e->key : NULL;
}

const cn_value *cn_dict_at(const cn_dict *d, int i)
{
    const entry *e = entry_at(d, i);
    return e ? &e->value : NULL;
}

const cn_value *cn_dict_find(const cn_dict *d, const char *key)
{
    const entry *e = find_entry(d, key);
    return e ? &e->value : NULL;
}

bool cn_dict_set(cn_dict *d, const char *key, cn_value value)
{
    cn_value copy;
    if (!d) return cn_fail(CN_EINVALID, "dict: the dictionary is NULL");
    if (!check_text(key, "key") || !copy_value(&copy, &value, 0)) return false;
    entry *e = find_entry(d, key);
    if (e) {
        clear_value(&e->value);
        e->value = copy;
        return true;
    }
    return append(d, key, hash_text(key), &copy) || (clear_value(&copy), false);
}

bool cn_dict_set_bool(cn_dict *d, const char *key, bool value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_BOOL, .u.i = value });
}

bool cn_dict_set_int(cn_dict *d, const char *key, int64_t value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_INT, .u.i = value });
}

bool cn_dict_set_float(cn_dict *d, const char *key, double value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_FLOAT, .u.f = value });
}

bool cn_dict_set_str(cn_dict *d, const char *key, const char *value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_STR, .u.s = value });
}

bool cn_dict_set_tensor(cn_dict *d, const char *key, cn_tensor *value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_TENSOR, .u.t = value });
}

bool cn_dict_set_dict(cn_dict *d, const char *key, const cn_dict *value)
{
    return cn_dict_set(d, key, (cn_value){ .kind = CN_KIND_DICT, .u.d = (cn_dict *)value });
}

static const cn_value *demand(const cn_dict *d, const char *key, int kind)
{
    const cn_value *v = cn_dict_find(d, key);
    if (v && v->kind == kind) return v;
    if (v)
        cn_fail(CN_EINVALID, "dict: '%s' holds a value of kind %s, not %s", key,
                cn_kind_name(v->kind), cn_kind_name(kind));
    else
        cn_fail(CN_ENOTFOUND, "dict: no entry '%s' among %d", key ? key : "(null)",
                cn_dict_count(d));
    return NULL;
}

cn_tensor *cn_dict_tensor(const cn_dict *d, const char *key)
{
    const cn_value *v = demand(d, key, CN_KIND_TENSOR);
    return v ? v->u.t : NULL;
}

const cn_dict *cn_dict_dict(const cn_dict *d, const char *key)
{
    const cn_value *v = demand(d, key, CN_KIND_DICT);
    return v ? v->u.d : NULL;
}

int64_t cn_dict_int(const cn_dict *d, const char *key, int64_t otherwise)
{
    const cn_value *v = cn_dict_find(d, key);
    return v && (v->kind == CN_KIND_INT || v->kind == CN_KIND_BOOL) ? v->u.i : otherwise;
}

double cn_dict_float(const cn_dict *d, const char *key, double otherwise)
{
    const cn_value *v = cn_dict_find(d, key);
    if (v && v->kind == CN_KIND_INT) return (double)v->u.i;
    return v && v->kind == CN_KIND_FLOAT ? v->u.f : otherwise;
}

const char *cn_dict_str(const cn_dict *d, const char *key, const char *otherwise)
{
    const cn_value *v = cn_dict_find(d, key);
    return v && v->kind == CN_KIND_STR ? v->u.s : otherwise;
}
