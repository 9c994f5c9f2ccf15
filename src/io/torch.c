/* torch.c - the files that torch.save() writes.

   Since PyTorch 1.6 an archive:   NAME/data.pkl    the value, with storages by key
                                   NAME/byteorder   "little" or "big"; missing: little
                                   NAME/data/KEY    the elements of a storage, aligned to 64
   Before, five pickles in a row: a magic number, 1001, facts about the system, the value, a list
   of keys; then for every key a count in 64 bits, and the elements. */
#include "io/torch.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/zip.h"

/* Storages that lie like this in a mapped file are used in place. */
#define ALIGNMENT 64
#define PICKLE_SUFFIX "/data.pkl"
#define PROTOCOL 1001

/* ---- the archive --------------------------------------------------------------------------- */

typedef struct archive {
    const cn_zip *zip;
    const char *what;
    const cn_zip_member *pickle;
    int prefix; /* length of NAME */
    cn_shared_mapping *mapping;
    cn_torch_bytes *bytes; /* of each storage */
    void **owned;          /* expanded, or NULL; of each storage */
} archive;

static const cn_zip_member *find_pickle(const cn_zip *zip)
{
    for (int i = 0; i < cn_zip_count(zip); i++) {
        const cn_zip_member *m = cn_zip_member_at(zip, i);
        const char *slash = strchr(m->name, '/');
        if (slash && strcmp(slash, PICKLE_SUFFIX) == 0) return m;
    }
    return NULL;
}

bool cn_is_torch_archive(const cn_zip *zip)
{
    return find_pickle(zip);
}

static const cn_zip_member *find_member(const archive *a, const char *folder, const char *name)
{
    char path[512];
    int n = snprintf(path, sizeof path, "%.*s/%s%s", a->prefix, a->pickle->name, folder, name);
    return n < (int)sizeof path ? cn_zip_find(a->zip, path) : NULL;
}

static bool read_byte_order(const archive *a, bool *big_endian)
{
    const cn_zip_member *m = find_member(a, "", "byteorder");
    void *owned = NULL;
    const char *text = m ? cn_zip_bytes(a->zip, m, &owned) : "little";
    size_t size = m ? (size_t)m->size : 6;
    bool little = text && size == 6 && memcmp(text, "little", 6) == 0;
    *big_endian = text && size == 3 && memcmp(text, "big", 3) == 0;
    cn_free(owned);
    return text && (little || *big_endian ||
                    cn_fail(CN_EFORMAT, "%s: the byte order is neither little nor big", a->what));
}

static bool wrong_size(const char *what, const cn_pickle_storage *s, uint64_t present)
{
    return cn_fail(CN_EFORMAT,
                   "%s: storage '%s' should hold %lld elements of %s, but has %llu "
                   "bytes: cut short or damaged",
                   what, s->key, (long long)s->numel, cn_dtype_name(s->dtype),
                   (unsigned long long)present);
}

static bool size_agrees(const cn_pickle_storage *s, uint64_t present)
{
    uint64_t width = cn_dtype_size(s->dtype);
    return present % width == 0 && present / width == (uint64_t)s->numel;
}

static bool find_storage(const archive *a, const cn_pickle_storage *s, size_t i, bool big_endian)
{
    const cn_zip_member *m = find_member(a, "data/", s->key);
    if (!m) return cn_fail(CN_EFORMAT, "%s: storage '%s' is missing", a->what, s->key);
    if (!size_agrees(s, m->size)) return wrong_size(a->what, s, m->size);
    const void *bytes = cn_zip_bytes(a->zip, m, &a->owned[i]);
    a->bytes[i] = (cn_torch_bytes){
        .bytes = bytes,
        .mapped = a->mapping && !a->owned[i] && !big_endian && m->offset % ALIGNMENT == 0,
        .big_endian = big_endian,
    };
    return bytes;
}

static cn_dict *read_values(archive *a, const cn_pickle *m, cn_pickle_ref value)
{
    bool big_endian = false, ok = read_byte_order(a, &big_endian);
    a->bytes = cn_alloc_zeroed(m->n_storages * sizeof *a->bytes);
    a->owned = cn_alloc_zeroed(m->n_storages * sizeof *a->owned);
    ok = ok && a->bytes && a->owned;
    for (size_t i = 0; ok && i < m->n_storages; i++)
        ok = find_storage(a, &m->storages[i], i, big_endian);
    cn_dict *d = ok ? cn_torch_dict(m, value, a->bytes, a->mapping) : NULL;
    for (size_t i = 0; a->owned && i < m->n_storages; i++) cn_free(a->owned[i]);
    cn_free(a->owned);
    cn_free(a->bytes);
    return d;
}

static cn_dict *read_pickle(archive *a, const void *bytes)
{
    cn_pickle m;
    cn_pickle_ref value;
    cn_reader r = cn_reader_of(bytes, (size_t)a->pickle->size, a->what);
    bool ok = cn_pickle_run(&m, &r, &cn_torch_rules, &value);
    if (ok && cn_reader_left(&r))
        ok = cn_fail(CN_EFORMAT, "%s: something follows the pickle", a->what);
    cn_dict *d = ok ? read_values(a, &m, value) : NULL;
    cn_pickle_free(&m);
    return d;
}

cn_dict *cn_read_torch_archive(const cn_zip *zip, const char *what, cn_shared_mapping *mapping)
{
    archive a = { .zip = zip, .what = what, .pickle = find_pickle(zip), .mapping = mapping };
    void *owned = NULL;
    if (!a.pickle) return cn_fail(CN_EFORMAT, "%s: an archive without data.pkl", what), NULL;
    a.prefix = (int)(strlen(a.pickle->name) - strlen(PICKLE_SUFFIX));
    const void *bytes = cn_zip_bytes(zip, a.pickle, &owned);
    cn_dict *d = bytes ? read_pickle(&a, bytes) : NULL;
    cn_free(owned);
    return d;
}

/* ---- pickles in a row ---------------------------------------------------------------------- */

static bool is_magic(const cn_pickle_value *v)
{
    static const uint8_t magic[] = { 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19 };
    return v->kind == CN_P_LONG && v->n == sizeof magic &&
           memcmp(v->u.text, magic, sizeof magic) == 0;
}

static bool is_protocol(const cn_pickle_value *v)
{
    return v->kind == CN_P_INT && v->u.i == PROTOCOL;
}

static bool is_facts(const cn_pickle_value *v)
{
    return v->kind == CN_P_DICT;
}

/* A pickle of plain values that must be what the format says. */
static bool read_plain(cn_reader *r, bool (*right)(const cn_pickle_value *v), const char *expected)
{
    cn_pickle m;
    cn_pickle_ref value;
    bool ok = cn_pickle_run(&m, r, &cn_no_rules, &value);
    if (ok && !right(cn_pickle_at(&m, value)))
        ok = cn_fail(CN_EFORMAT, "%s: a pickle, but not a file of PyTorch's: no %s", r->what,
                     expected);
    cn_pickle_free(&m);
    return ok;
}

static bool read_head(cn_reader *r)
{
    return read_plain(r, is_magic, "magic number") && read_plain(r, is_protocol, "protocol 1001") &&
           read_plain(r, is_facts, "facts about the system");
}

static bool read_storage(const cn_pickle *m, const char *key, cn_torch_bytes *bytes, cn_reader *r)
{
    const cn_value *known = cn_dict_find(m->storage_index, key);
    if (!known || bytes[known->u.i].bytes)
        return cn_fail(CN_EFORMAT, "%s: storage '%s' is %s", r->what, key,
                       known ? "there twice" : "not used");
    const cn_pickle_storage *s = &m->storages[known->u.i];
    uint64_t numel = cn_reader_le64(r), left = cn_reader_left(r), width = cn_dtype_size(s->dtype);
    if (r->failed) return false;
    if (numel != (uint64_t)s->numel || numel > left / width) return wrong_size(r->what, s, left);
    bytes[known->u.i].bytes = cn_reader_take(r, numel * width);
    return bytes[known->u.i].bytes;
}

/* `keys` is the last of the pickles: what follows are the storages, in its order. */
static bool read_storages(const cn_pickle *m, const cn_pickle *keys, cn_pickle_ref list,
                          cn_torch_bytes *bytes, cn_reader *r)
{
    const cn_pickle_value *l = cn_pickle_at(keys, list);
    bool ok = (l->kind == CN_P_LIST && l->n == m->n_storages) ||
              cn_fail(CN_EFORMAT, "%s: the list of storages does not fit the value", r->what);
    for (uint32_t i = 0; ok && i < l->n; i++) {
        char key[80];
        const cn_pickle_value *v = cn_pickle_at(keys, l->u.items[i]);
        bool text = v->kind == CN_P_STR && v->n < sizeof key;
        snprintf(key, sizeof key, "%.*s", text ? (int)v->n : 0, text ? (char *)v->u.text : "");
        ok = read_storage(m, key, bytes, r);
    }
    return ok && (!cn_reader_left(r) ||
                  cn_fail(CN_EFORMAT, "%s: something follows the last storage", r->what));
}

static cn_dict *read_body(cn_reader *r, const cn_pickle *m, cn_pickle_ref value)
{
    cn_pickle keys;
    cn_pickle_ref list;
    cn_torch_bytes *bytes = cn_alloc_zeroed(m->n_storages * sizeof *bytes);
    bool ok = cn_pickle_run(&keys, r, &cn_no_rules, &list) && bytes &&
              read_storages(m, &keys, list, bytes, r);
    cn_pickle_free(&keys);
    cn_dict *d = ok ? cn_torch_dict(m, value, bytes, NULL) : NULL;
    cn_free(bytes);
    return d;
}

cn_dict *cn_read_torch_stream(const void *bytes, size_t size, const char *what)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    cn_pickle m;
    cn_pickle_ref value;
    if (!read_head(&r)) return NULL;
    cn_dict *d = cn_pickle_run(&m, &r, &cn_torch_rules, &value) ? read_body(&r, &m, value) : NULL;
    cn_pickle_free(&m);
    return d;
}

cn_dict *cn_read_torch_tar(const void *bytes, size_t size, const char *what)
{
    (void)bytes, (void)size;
    cn_fail(CN_EUNSUPPORTED,
            "%s: a tar archive, PyTorch's form before 2017, which can hide a pickle from those who "
            "check it: refused. Save it again with a newer PyTorch",
            what);
    return NULL;
}

/* ---- audits -------------------------------------------------------------------------------- */

static bool audit_archive(const void *bytes, size_t size, const char *what, cn_dict *found)
{
    cn_zip *zip = cn_zip_open(bytes, size, what);
    const cn_zip_member *m = zip ? find_pickle(zip) : NULL;
    void *owned = NULL;
    const void *pickle = m ? cn_zip_bytes(zip, m, &owned) : NULL;
    cn_reader r = cn_reader_of(pickle, pickle ? (size_t)m->size : 0, what);
    bool ok = pickle && cn_pickle_audit(&r, &cn_torch_rules, found);
    cn_free(owned);
    cn_zip_close(zip);
    return ok;
}

bool cn_audit_pickles(const void *bytes, size_t size, const char *what, cn_dict *found)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    if (size >= 2 && memcmp(bytes, "PK", 2) == 0) return audit_archive(bytes, size, what, found);
    bool ok = true;
    for (int i = 0; ok && i < 5 && cn_reader_left(&r); i++)
        ok = cn_pickle_audit(&r, &cn_torch_rules, found);
    return ok;
}
