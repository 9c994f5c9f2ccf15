/* get.c - putting data sets into the cache: copied, or downloaded. */
#include "data/catalogue.h"
#include "data/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "data/dataset.h"

static bool make_folders(const char *path)
{
    char part[CN_PATH_ROOM];
    for (size_t n = 1;; n++) {
        if (path[n] != '/' && path[n] != '\0') continue;
        memcpy(part, path, n);
        part[n] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return cn_fail_errno(part, "make the folder");
        if (!path[n]) return true;
    }
}

/* ---- copying ------------------------------------------------------------------------------- */

static bool copy_file(const char *from_folder, const char *name, const char *to_folder)
{
    char from[CN_PATH_ROOM], to[CN_PATH_ROOM];
    cn_mapping m;
    if (!cn_idx_path(from_folder, name, from))
        return cn_fail(CN_ENOTFOUND, "%s/%s: it has gone", from_folder, name);
    if (!cn_join_path(to, to_folder, strrchr(from, '/') + 1) || !cn_map_file(from, &m))
        return false;
    bool ok = cn_write_file_atomic(to, m.bytes, m.size);
    cn_unmap_file(&m);
    return ok;
}

static bool copy_files(const cn_entry *e, const char *from, const char *to)
{
    if (!cn_entry_verify(e, from)) return false;
    if (strcmp(from, to) == 0) return true;
    bool ok = make_folders(to);
    for (int s = CN_TRAIN; ok && s <= CN_TEST; s++)
        ok = copy_file(from, e->images[s].name, to) && copy_file(from, e->labels[s].name, to);
    return ok;
}

/* ---- downloading --------------------------------------------------------------------------- */

static bool url_of(const cn_entry *e, const char *file, char url[CN_PATH_ROOM])
{
    const char *mirror = getenv("CENOTE_MIRROR");
    int n = mirror && *mirror ? snprintf(url, CN_PATH_ROOM, "%s/%s/%s.gz", mirror, e->name, file)
                              : snprintf(url, CN_PATH_ROOM, "%s/%s.gz", e->publisher, file);
    return (n > 0 && n < CN_PATH_ROOM) ||
           cn_fail(CN_EINVALID, "data set %s: the URL of its mirror is too long", e->name);
}

static bool fetch_file(const cn_entry *e, const char *file, const char *to,
                       const cn_data_get_options *o)
{
    char url[CN_PATH_ROOM], path[CN_PATH_ROOM], name[64];
    if (cn_idx_path(to, file, path)) return true; /* from an earlier attempt; checked at the end */
    snprintf(name, sizeof name, "%.60s.gz", file);
    return url_of(e, file, url) && cn_join_path(path, to, name) &&
           cn_fetch(url, path, name, o->watch, o->watch_context);
}

/* What is not as published is removed, so that the next attempt begins anew. */
static void remove_files(const cn_entry *e, const char *folder)
{
    char path[CN_PATH_ROOM];
    for (int s = CN_TRAIN; s <= CN_TEST; s++) {
        if (cn_idx_path(folder, e->images[s].name, path)) unlink(path);
        if (cn_idx_path(folder, e->labels[s].name, path)) unlink(path);
    }
}

static bool fetch_files(const cn_entry *e, const char *to, const cn_data_get_options *o)
{
    bool ok = make_folders(to);
    for (int s = CN_TRAIN; ok && s <= CN_TEST; s++)
        ok = fetch_file(e, e->images[s].name, to, o) && fetch_file(e, e->labels[s].name, to, o);
    if (!ok || cn_entry_verify(e, to)) return ok;
    remove_files(e, to);
    return false;
}

bool cn_data_get_with(const cn_data_get_options *options)
{
    cn_data_get_options o;
    char from[CN_PATH_ROOM], to[CN_PATH_ROOM];
    if (!cn_options_copy(&o, sizeof o, options, "data set")) return false;
    const cn_entry *e = cn_entry_find(o.name);
    if (!e || !e->images[0].name) return e != NULL;
    if (!cn_entry_cache(e, to)) return false;
    if (cn_entry_is_here(e, from)) return copy_files(e, from, to);
    return fetch_files(e, to, &o);
}
