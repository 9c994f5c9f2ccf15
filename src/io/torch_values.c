/* torch_values.c - from the machine's values to dictionaries and tensors. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"
#include "io/array.h"
#include "io/torch.h"
#include "io/utf8.h"

/* As deep as dictionaries nest; so recursion ends, also in a value that holds itself. */
#define MAX_DEPTH 64
/* Values can be shared, and dictionaries copy: what all copies may take, in bytes, beside what is
   in proportion to the pickle. */
#define FREE_BYTES ((uint64_t)16 << 20)
#define BYTES_PER_BYTE 64

typedef struct maker {
    const cn_pickle *m;
    const cn_torch_bytes *bytes; /* of each storage */
    cn_shared_mapping *mapping;
    cn_tensor **storages; /* made when first used; in the scope */
    uint64_t budget;
} maker;

static bool fail(const maker *k, cn_code code, const char *why)
{
    return cn_fail(code, "%s: %s", k->m->in.what, why);
}

static bool spend(maker *k, uint64_t bytes)
{
    if (bytes > k->budget)
        return fail(k, CN_EFORMAT, "its values expand to far more than the file holds: refused");
    k->budget -= bytes;
    return true;
}

/* ---- tensors ------------------------------------------------------------------------------- */

static cn_tensor *map_storage(const maker *k, const cn_pickle_storage *s, const void *bytes)
{
    cn_tensor *t = cn_wrap((void *)bytes, CN_SHAPE(s->numel), s->dtype, NULL, NULL);
    if (!t) return NULL;
    t->storage->release = cn_mapping_drop;
    t->storage->context = cn_mapping_keep(k->mapping);
    return t;
}

static cn_tensor *copy_storage(const cn_pickle_storage *s, const cn_torch_bytes *b)
{
    cn_tensor *t = cn_from(b->bytes, CN_SHAPE(s->numel), s->dtype);
    if (t && b->big_endian) cn_reverse_elements(t->v.data, s->numel, cn_dtype_size(s->dtype));
    return t;
}

static cn_tensor *storage(maker *k, uint32_t i)
{
    if (k->storages[i]) return k->storages[i];
    const cn_pickle_storage *s = &k->m->storages[i];
    const cn_torch_bytes *b = &k->bytes[i];
    cn_tensor *t = b->mapped && s->numel ? map_storage(k, s, b->bytes) : copy_storage(s, b);
    if (t && s->dtype == CN_BOOL) cn_normalise_bools(t->v.data, s->numel);
    k->storages[i] = t;
    return t;
}

/* Tensors on one storage share memory, but to autograd none is a view of another. */
static cn_tensor *view(maker *k, const cn_pickle_tensor *p)
{
    cn_tensor *base = storage(k, p->storage);
    if (!base) return NULL;
    cn_view v = base->v;
    v.data += p->offset * (int64_t)cn_dtype_size(v.dtype);
    v.shape = p->shape;
    memcpy(v.strides, p->strides, sizeof v.strides);
    cn_view_refresh(&v);
    cn_tensor *t = v.numel ? cn_tensor_view(base, &v) : cn_empty(p->shape, v.dtype);
    if (t) t->is_view = false;
    return t;
}

static bool make_tensor(maker *k, const cn_pickle_value *v, cn_value *out)
{
    cn_tensor *t = NULL;
    if (!spend(k, sizeof *t)) return false;
    if (v->kind == CN_P_TENSOR) {
        t = view(k, v->u.tensor);
    } else if (v->kind == CN_P_STORAGE) {
        const cn_pickle_part *p = v->u.part;
        t = view(k, &(cn_pickle_tensor){ p->storage, p->offset, CN_SHAPE(p->numel), { 1 } });
    } else if (spend(k, v->n)) {
        t = cn_from(v->u.text, CN_SHAPE(v->n), CN_U8);
    }
    *out = (cn_value){ .kind = CN_KIND_TENSOR, .u.t = t };
    return t;
}

/* ---- other values -------------------------------------------------------------------------- */

static void discard(cn_value *v)
{
    if (v->kind == CN_KIND_STR) cn_free((void *)v->u.s);
    if (v->kind == CN_KIND_DICT) cn_dict_free(v->u.d);
    if (v->kind == CN_KIND_LIST) {
        for (int i = 0; i < v->n; i++) discard((cn_value *)&v->u.list[i]);
        cn_free((void *)v->u.list);
    }
}

static char *copy_text(maker *k, const cn_pickle_value *v)
{
    if (!spend(k, v->n)) return NULL;
    if ((v->n && memchr(v->u.text, 0, v->n)) || !cn_utf8_valid(v->u.text, v->n))
        return fail(k, CN_EUNSUPPORTED, "a text in it is not UTF-8, or holds a zero byte"), NULL;
    char *copy = cn_alloc((size_t)v->n + 1);
    if (!copy) return NULL;
    if (v->n) memcpy(copy, v->u.text, v->n);
    copy[v->n] = '\0';
    return copy;
}

static bool convert(maker *k, cn_pickle_ref ref, int depth, cn_value *out);

static bool make_list(maker *k, const cn_pickle_value *v, int depth, cn_value *out)
{
    if (!spend(k, (uint64_t)v->n * sizeof *out)) return false;
    cn_value *items = cn_alloc_zeroed(v->n * sizeof *items);
    if (!items) return false;
    *out = (cn_value){ .kind = CN_KIND_LIST, .n = (int32_t)v->n, .u.list = items };
    for (uint32_t i = 0; i < v->n; i++)
        if (!convert(k, v->u.items[i], depth + 1, &items[i])) return false;
    return true;
}

static char *make_key(maker *k, const cn_pickle_value *v)
{
    char text[32];
    if (v->kind == CN_P_STR) return copy_text(k, v);
    if (v->kind != CN_P_INT) {
        cn_fail(CN_EUNSUPPORTED, "%s: a dictionary has a key of kind %s", k->m->in.what,
                cn_pickle_kind_name(v));
        return NULL;
    }
    snprintf(text, sizeof text, "%lld", (long long)v->u.i);
    return cn_strdup(text);
}

static bool set_entry(maker *k, cn_dict *d, const cn_pickle_ref *pair, int depth)
{
    cn_value value = { .kind = CN_KIND_NONE };
    char printable[CN_PRINTABLE_ROOM];
    if (!spend(k, 64)) return false;
    char *key = make_key(k, cn_pickle_at(k->m, pair[0]));
    bool ok = key;
    if (ok && cn_dict_find(d, key))
        ok = cn_fail(CN_EFORMAT, "%s: a dictionary has two entries '%s'", k->m->in.what,
                     cn_printable(printable, key, strlen(key)));
    ok = ok && convert(k, pair[1], depth + 1, &value) && cn_dict_set(d, key, value);
    discard(&value);
    cn_free(key);
    return ok;
}

static bool make_dict(maker *k, const cn_pickle_value *v, int depth, cn_value *out)
{
    cn_dict *d = cn_dict_new();
    if (!d) return false;
    *out = (cn_value){ .kind = CN_KIND_DICT, .u.d = d };
    for (uint32_t i = 0; i < v->n; i += 2)
        if (!set_entry(k, d, &v->u.items[i], depth)) return false;
    return true;
}

/* *out is to be discarded in any case. */
static bool convert(maker *k, cn_pickle_ref ref, int depth, cn_value *out)
{
    const cn_pickle_value *v = cn_pickle_at(k->m, ref);
    if (depth > MAX_DEPTH) return fail(k, CN_EUNSUPPORTED, "its values nest too deep");
    *out = (cn_value){ .kind = CN_KIND_NONE };
    switch (v->kind) {
    case CN_P_NONE: return true;
    case CN_P_BOOL: *out = (cn_value){ .kind = CN_KIND_BOOL, .u.i = v->u.i }; return true;
    case CN_P_INT: *out = (cn_value){ .kind = CN_KIND_INT, .u.i = v->u.i }; return true;
    case CN_P_DTYPE: *out = (cn_value){ .kind = CN_KIND_DTYPE, .u.i = v->u.i }; return true;
    case CN_P_FLOAT: *out = (cn_value){ .kind = CN_KIND_FLOAT, .u.f = v->u.f }; return true;
    case CN_P_STR:
        *out = (cn_value){ .kind = CN_KIND_STR, .u.s = copy_text(k, v) };
        return out->u.s;
    case CN_P_TUPLE:
    case CN_P_LIST: return make_list(k, v, depth, out);
    case CN_P_DICT: return make_dict(k, v, depth, out);
    case CN_P_BYTES:
    case CN_P_STORAGE:
    case CN_P_TENSOR: return make_tensor(k, v, out);
    }
    return cn_fail(CN_EUNSUPPORTED, "%s: it holds a value of kind %s", k->m->in.what,
                   cn_pickle_kind_name(v));
}

/* ---- the interface ------------------------------------------------------------------------- */

static cn_dict *as_dict(maker *k, cn_pickle_ref ref)
{
    cn_value value = { .kind = CN_KIND_NONE };
    cn_dict *d = NULL;
    bool ok = convert(k, ref, 0, &value);
    if (ok && value.kind == CN_KIND_DICT) return value.u.d;
    if (ok && (d = cn_dict_new()) && !cn_dict_set(d, "", value)) cn_dict_free(d), d = NULL;
    discard(&value);
    return d;
}

cn_dict *cn_torch_dict(const cn_pickle *m, cn_pickle_ref value, const cn_torch_bytes *bytes,
                       cn_shared_mapping *mapping)
{
    size_t mark = cn_mark();
    maker k = {
        .m = m,
        .bytes = bytes,
        .mapping = mapping,
        .storages = cn_alloc_zeroed(m->n_storages * sizeof *k.storages),
        .budget = FREE_BYTES + BYTES_PER_BYTE * (uint64_t)m->in.at,
    };
    cn_dict *d = k.storages ? as_dict(&k, value) : NULL;
    cn_free(k.storages);
    cn_release(mark);
    return d;
}
