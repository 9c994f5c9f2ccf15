/* files.c - dictionaries and files by name. */
#include "ffi/ffi.h"

#include <cenote/csv.h>
#include <cenote/image.h>
#include <cenote/io.h>

int cn_ffi_dict_new(cn_dict **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_dict_new();
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_dict_count(const cn_dict *d)
{
    return cn_dict_count(d);
}

const char *cn_ffi_dict_key(const cn_dict *d, int i)
{
    size_t mark = cn_ffi_enter();
    const char *key = cn_dict_key(d, i);
    cn_ffi_leave(mark, key != NULL);
    return key;
}

/* What the caller owns gets an owner of its own. */
static bool hand_out(const cn_value *v, cn_ffi_value *out)
{
    *out = *v;
    if (v->kind == CN_KIND_TENSOR) cn_keep(v->u.t);
    if (v->kind != CN_KIND_DICT) return true;
    out->u.d = cn_dict_copy(v->u.d);
    return out->u.d != NULL;
}

int cn_ffi_dict_get(const cn_dict *d, int i, cn_ffi_value *out)
{
    size_t mark = cn_ffi_enter();
    const cn_value *v = cn_dict_at(d, i);
    return cn_ffi_leave(mark, v && hand_out(v, out));
}

int cn_ffi_dict_set(cn_dict *d, const char *key, const cn_ffi_value *value)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, cn_dict_set(d, key, *value));
}

void cn_ffi_dict_release(cn_dict *d)
{
    cn_dict_free(d);
}

int cn_ffi_load(const char *path, cn_dict **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_load(path);
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_save(const char *path, const cn_dict *d)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, cn_save(path, d));
}

int cn_ffi_read_image(const char *path, cn_tensor **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_keep(cn_image_read(path, CN_IMAGE_AS_IS));
    return cn_ffi_leave(mark, *out != NULL);
}

int cn_ffi_read_csv(const char *path, cn_dict **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_csv_read(path);
    return cn_ffi_leave(mark, *out != NULL);
}
