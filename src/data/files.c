/* files.c - where the files of data sets lie, and reading and comparing them. */
#include "data/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cenote/io.h>

#include "core/file.h"
#include "core/memory.h"
#include "data/images.h"
#include "data/sha256.h"

/* ---- places ------------------------------------------------------------------------------- */

enum { MAX_PLACES = 4 };

typedef struct places {
    int n;
    char folder[MAX_PLACES][CN_PATH_ROOM];
} places;

bool cn_join_path(char out[CN_PATH_ROOM], const char *folder, const char *name)
{
    int n = snprintf(out, CN_PATH_ROOM, "%s/%s", folder, name);
    if (n > 0 && n < CN_PATH_ROOM) return true;
    return cn_fail(CN_EINVALID, "%.100s...: the path is longer than %d bytes", folder,
                   CN_PATH_ROOM - 1);
}

/* False, without an error, when there is neither a cache folder nor a home. */
static bool cache_root(char out[CN_PATH_ROOM])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (cache && cache[0] == '/') n = snprintf(out, CN_PATH_ROOM, "%s/cenote", cache);
    else if (home && *home) n = snprintf(out, CN_PATH_ROOM, "%s/.cache/cenote", home);
    return n > 0 && n < CN_PATH_ROOM;
}

bool cn_entry_cache(const cn_entry *e, char folder[CN_PATH_ROOM])
{
    char root[CN_PATH_ROOM];
    if (!cache_root(root))
        return cn_fail(CN_EINVALID, "data set %s: no place for a cache: set XDG_CACHE_HOME or HOME",
                       e->name);
    return cn_join_path(folder, root, e->name);
}

static bool add_place(places *p, const char *root, const char *name)
{
    return cn_join_path(p->folder[p->n], root, name) && ++p->n;
}

static bool list_places(const cn_entry *e, const char *root, places *p)
{
    char cache[CN_PATH_ROOM];
    const char *data = getenv("CENOTE_DATA");
    p->n = 0;
    if (root) return add_place(p, root, e->name) && add_place(p, root, ".");
    if (data && *data && !add_place(p, data, e->name)) return false;
    if (cache_root(cache) && !add_place(p, cache, e->name)) return false;
    if (e->system_folder) snprintf(p->folder[p->n++], CN_PATH_ROOM, "%s", e->system_folder);
    return true;
}

bool cn_idx_path(const char *folder, const char *name, char path[CN_PATH_ROOM])
{
    static const char *const endings[] = { "", ".gz" };
    for (int i = 0; i < 2; i++) {
        int n = snprintf(path, CN_PATH_ROOM, "%s/%s%s", folder, name, endings[i]);
        if (n > 0 && n < CN_PATH_ROOM && access(path, R_OK) == 0) return true;
    }
    return false;
}

static bool has_files(const cn_entry *e, const char *folder, cn_part first, cn_part last)
{
    char path[CN_PATH_ROOM];
    for (int s = (int)first; s <= (int)last; s++)
        if (!cn_idx_path(folder, e->images[s].name, path) ||
            !cn_idx_path(folder, e->labels[s].name, path))
            return false;
    return true;
}

static bool search(const cn_entry *e, const places *p, cn_part first, cn_part last,
                   char folder[CN_PATH_ROOM])
{
    for (int i = 0; i < p->n; i++)
        if (has_files(e, p->folder[i], first, last))
            return memcpy(folder, p->folder[i], CN_PATH_ROOM), true;
    return false;
}

enum { LIST_ROOM = MAX_PLACES * 110 };

static const char *list_of(const places *p, char list[LIST_ROOM])
{
    size_t n = 0;
    list[0] = '\0';
    for (int i = 0; i < p->n; i++)
        n += (size_t)snprintf(list + n, LIST_ROOM - n, "%s%.100s", i ? ", " : "", p->folder[i]);
    return list;
}

static bool fail_not_found(const cn_entry *e, const places *p)
{
    char list[LIST_ROOM];
    return cn_fail(CN_ENOTFOUND, "data set %s: no %s and so on in %s; get it by %s", e->name,
                   e->images[0].name, list_of(p, list), e->source);
}

bool cn_entry_locate(const cn_entry *e, const char *root, cn_part first, cn_part last,
                     char folder[CN_PATH_ROOM])
{
    places p;
    if (!list_places(e, root, &p)) return false;
    return search(e, &p, first, last, folder) || fail_not_found(e, &p);
}

bool cn_entry_is_here(const cn_entry *e, char folder[CN_PATH_ROOM])
{
    bool before = cn_ok();
    places p;
    bool here = list_places(e, NULL, &p) && search(e, &p, CN_TRAIN, CN_TEST, folder);
    if (before && !here) cn_error_clear();
    return here;
}

bool cn_find_file(const char *folder, const char *name, char path[CN_PATH_ROOM])
{
    const cn_entry entry = { .name = folder };
    char list[LIST_ROOM];
    places p;
    if (!list_places(&entry, NULL, &p)) return false;
    for (int i = 0; i < p.n; i++)
        if (!cn_join_path(path, p.folder[i], name) || access(path, R_OK) == 0) return cn_ok();
    return cn_fail(CN_ENOTFOUND, "there is no %s in %s", name,
                   p.n ? list_of(&p, list) : "any place: set CENOTE_DATA");
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The bytes of an IDX file, kept by the dictionary; its shape begins with as many samples as the
   data set has, and has `ndim` dimensions. */
static cn_dict *read_idx(const cn_entry *e, const char *folder, cn_part split, const char *name,
                         int ndim, cn_tensor **out)
{
    char path[CN_PATH_ROOM];
    if (!cn_idx_path(folder, name, path))
        return cn_fail(CN_ENOTFOUND, "data set %s: no %s in %s", e->name, name, folder), NULL;
    cn_dict *d = cn_load(path);
    cn_tensor *t = *out = d ? cn_dict_tensor(d, "") : NULL;
    if (t && (cn_dtype_of(t) != CN_U8 || cn_ndim(t) != ndim))
        t = NULL, cn_fail(CN_EFORMAT, "%s: not %d-dimensional bytes", path, ndim);
    if (t && cn_size(t, 0) != e->samples[split])
        t = NULL, cn_fail(CN_EFORMAT, "%s: %lld samples; %s has %lld", path,
                          (long long)cn_size(*out, 0), e->title, (long long)e->samples[split]);
    return t ? d : (cn_dict_free(d), NULL);
}

static uint8_t *copy_bytes(const cn_tensor *t, int64_t samples)
{
    size_t size = (size_t)(cn_numel(t) / cn_size(t, 0) * samples);
    uint8_t *copy = cn_alloc(size);
    if (copy) memcpy(copy, cn_data(t), size);
    return copy;
}

cn_dataset *cn_entry_read(const cn_entry *e, const char *folder, cn_part split, int64_t limit)
{
    cn_tensor *x, *y;
    cn_dict *images = read_idx(e, folder, split, e->images[split].name, 3, &x);
    cn_dict *labels = images ? read_idx(e, folder, split, e->labels[split].name, 1, &y) : NULL;
    cn_dataset *d = NULL;
    if (labels) {
        cn_images m = { .name = e->name,
                        .n = e->samples[split],
                        .channels = 1,
                        .height = cn_size(x, 1),
                        .width = cn_size(x, 2),
                        .classes = e->classes,
                        .n_classes = e->n_classes };
        if (limit && limit < m.n) m.n = limit;
        m.pixels = copy_bytes(x, m.n);
        m.labels = copy_bytes(y, m.n);
        if (m.pixels && m.labels) d = cn_images_dataset(&m);
        else cn_free(m.pixels), cn_free(m.labels);
    }
    cn_dict_free(images);
    cn_dict_free(labels);
    return d;
}

/* ---- comparing ---------------------------------------------------------------------------- */

static void hash_be32(cn_sha256 *h, uint32_t x)
{
    uint8_t bytes[] = { (uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x };
    cn_sha256_add(h, bytes, sizeof bytes);
}

/* Of the IDX file that holds these bytes: its header follows from the shape. */
static void hash_idx(const cn_tensor *t, char hex[65])
{
    cn_sha256 h;
    cn_sha256_start(&h);
    hash_be32(&h, 0x0800u + (uint32_t)cn_ndim(t));
    for (int i = 0; i < cn_ndim(t); i++) hash_be32(&h, (uint32_t)cn_size(t, i));
    cn_sha256_add(&h, cn_data(t), (size_t)cn_numel(t));
    cn_sha256_end(&h, hex);
}

static bool verify_file(const cn_entry *e, const char *folder, cn_part split, const cn_idx_file *f,
                        int ndim)
{
    cn_tensor *t;
    char hex[65];
    cn_dict *d = read_idx(e, folder, split, f->name, ndim, &t);
    if (!d) return false;
    hash_idx(t, hex);
    cn_dict_free(d);
    if (strcmp(hex, f->sha256) == 0) return true;
    return cn_fail(CN_EFORMAT,
                   "%s/%s: damaged, or not the published file: its SHA-256 is %s, not %s", folder,
                   f->name, hex, f->sha256);
}

bool cn_entry_verify(const cn_entry *e, const char *folder)
{
    for (int s = CN_TRAIN; s <= CN_TEST; s++)
        if (!verify_file(e, folder, (cn_part)s, &e->images[s], 3) ||
            !verify_file(e, folder, (cn_part)s, &e->labels[s], 1))
            return false;
    return true;
}
