/* npz.c - NumPy's .npz: a ZIP archive of .npy files, stored or deflated. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/array.h"
#include "io/formats.h"

#define SUFFIX ".npy"
/* Of a member's data, so that its elements can be mapped. */
#define ALIGNMENT 64

static bool read_member(cn_dict *d, const cn_zip *z, const cn_zip_member *m, const char *what)
{
    char where[512];
    void *owned = NULL;
    size_t size = strlen(m->name), suffix = strlen(SUFFIX);
    if (size >= suffix && strcmp(m->name + size - suffix, SUFFIX) == 0) size -= suffix;
    char *key = cn_alloc(size + 1);
    if (!key) return false;
    memcpy(key, m->name, size);
    key[size] = '\0';
    const void *bytes = NULL;
    if (cn_dict_find(d, key)) cn_fail(CN_EFORMAT, "%s: there are two arrays '%s'", what, key);
    else bytes = cn_zip_bytes(z, m, &owned);
    snprintf(where, sizeof where, "%s: %s", what, m->name);
    bool ok = bytes && cn_npy_add(d, key, bytes, (size_t)m->size, where);
    cn_free(owned);
    cn_free(key);
    return ok;
}

cn_dict *cn_read_npz_archive(const cn_zip *z, const char *what)
{
    cn_dict *d = cn_dict_new();
    bool ok = d;
    for (int i = 0; ok && i < cn_zip_count(z); i++)
        ok = read_member(d, z, cn_zip_member_at(z, i), what);
    return ok ? d : (cn_dict_free(d), NULL);
}

cn_dict *cn_read_npz(const void *bytes, size_t size, const char *what)
{
    cn_zip *z = cn_zip_open(bytes, size, what);
    cn_dict *d = z ? cn_read_npz_archive(z, what) : NULL;
    cn_zip_close(z);
    return d;
}

static bool write_member(cn_zip_writer *w, const char *key, const cn_value *v, const char *path)
{
    char header[CN_NPY_HEADER_ROOM];
    if (v->kind != CN_KIND_TENSOR)
        return cn_fail(CN_EINVALID, "%s: '%s' is of kind %s, but an .npz file holds tensors only",
                       path, key, cn_kind_name(v->kind));
    size_t size, header_size = cn_npy_header(header, v->u.t, path);
    size_t key_size = strlen(key);
    char *name = header_size ? cn_alloc(key_size + sizeof SUFFIX) : NULL;
    if (!name) return false;
    memcpy(name, key, key_size);
    memcpy(name + key_size, SUFFIX, sizeof SUFFIX);
    void *owned;
    const void *data = cn_elements(v->u.t, &size, &owned);
    const cn_span spans[] = { { header, header_size }, { data, size } };
    bool ok = data && cn_zip_add(w, name, spans, 2, ALIGNMENT);
    cn_free(owned);
    cn_free(name);
    return ok;
}

bool cn_write_npz(cn_file *f, const cn_dict *d, const char *path)
{
    cn_zip_writer *w = cn_zip_create(f);
    bool ok = w;
    for (int i = 0; ok && i < cn_dict_count(d); i++)
        ok = write_member(w, cn_dict_key(d, i), cn_dict_at(d, i), path);
    return cn_zip_finish(w, ok);
}
