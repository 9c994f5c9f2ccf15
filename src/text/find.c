/* find.c - the texts of the book, where they are installed. */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "data/catalogue.h"
#include "io/zip.h"
#include "text/tokens.h"

char *cn_text_find(const char *name)
{
    char path[CN_PATH_ROOM];
    if (!name) return NULL;
    return cn_find_file("text", name, path) ? cn_text_read(path) : NULL;
}

/* ---- sentences and their translations -------------------------------------------------------- */

/* The member of an archive whose name is this, in whatever folder. */
static const cn_zip_member *member_named(const cn_zip *z, const char *name)
{
    for (int i = 0; i < cn_zip_count(z); i++) {
        const cn_zip_member *m = cn_zip_member_at(z, i);
        const char *slash = strrchr(m->name, '/');
        if (strcmp(slash ? slash + 1 : m->name, name) == 0) return m;
    }
    return NULL;
}

static char *read_member(const cn_zip *z, const char *name, const char *path)
{
    const cn_zip_member *m = member_named(z, name);
    if (!m) return cn_fail(CN_EFORMAT, "%s: there is no %s in it", path, name), NULL;
    void *owned = NULL;
    const void *bytes = cn_zip_bytes(z, m, &owned);
    char *text = bytes ? cn_text_from(bytes, (size_t)m->size, path) : NULL;
    cn_free(owned);
    return text;
}

static char *read_archive(const char *path, const char *name)
{
    cn_mapping m;
    if (!cn_map_file(path, &m)) return NULL;
    cn_zip *z = cn_zip_open(m.bytes, m.size, path);
    char *text = z ? read_member(z, name, path) : NULL;
    cn_zip_close(z);
    cn_unmap_file(&m);
    return text;
}

char *cn_text_translations(void)
{
    char path[CN_PATH_ROOM];
    bool before = cn_ok();
    if (cn_find_file("fra-eng", "fra.txt", path)) return cn_text_read(path);
    if (!before || cn_error_code() != CN_ENOTFOUND) return NULL;
    cn_error_clear();
    return cn_find_file("translation", "fra-eng.zip", path) ? read_archive(path, "fra.txt") : NULL;
}
