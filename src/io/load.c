/* load.c - choosing the format: by content when reading, by extension when writing. */
#include <cenote/io.h>

#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "io/formats.h"
#include "io/inflate.h"
#include "io/reader.h"

typedef struct format {
    const char *extension; /* NULL: only read */
    bool (*matches)(const uint8_t *bytes, size_t size);
    cn_dict *(*read)(const void *bytes, size_t size, const char *what);
    bool (*write)(cn_file *f, const cn_dict *d, const char *path);
    /* Instead of read(): may keep parts of the mapping (NULL: the bytes are not mapped). */
    cn_dict *(*read_mapped)(const void *bytes, size_t size, const char *what,
                            cn_shared_mapping *mapping);
} format;

static bool is_npy(const uint8_t *bytes, size_t size)
{
    return size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

/* A ZIP archive begins with a local header, or with its end when it is empty. */
static bool is_zip(const uint8_t *bytes, size_t size)
{
    return size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

/* No magic: a header length that cannot exceed a hundred million, and the brace that begins it. The
   length may look like the magic of a pickle (384 is 80 01) or of gzip, so those ask here, too. */
static bool is_safetensors(const uint8_t *bytes, size_t size)
{
    return size >= 9 && memcmp(bytes + 4, "\0\0\0", 4) == 0 && bytes[8] == '{';
}

static bool is_idx(const uint8_t *bytes, size_t size)
{
    return size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E;
}

static bool is_gzip(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B && !is_safetensors(bytes, size);
}

static bool is_pickle(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x80 && bytes[1] <= 5 && !is_safetensors(bytes, size);
}

static bool is_tar(const uint8_t *bytes, size_t size)
{
    return size >= 512 && memcmp(bytes + 257, "ustar", 5) == 0;
}

static cn_dict *read_zip(const void *bytes, size_t size, const char *what,
                         cn_shared_mapping *mapping)
{
    cn_zip *z = cn_zip_open(bytes, size, what);
    if (!z) return NULL;
    cn_dict *d = cn_is_torch_archive(z) ? cn_read_torch_archive(z, what, mapping)
                                        : cn_read_npz_archive(z, what);
    cn_zip_close(z);
    return d;
}

/* In the order of asking: the first match wins. */
static const format formats[] = {
    { ".npy", is_npy, cn_read_npy, cn_write_npy, NULL },
    { ".npz", is_zip, NULL, cn_write_npz, read_zip },
    { ".pt", is_pickle, cn_read_torch_stream, cn_write_torch, NULL },
    { ".pth", is_tar, cn_read_torch_tar, cn_write_torch, NULL },
    { ".safetensors", is_safetensors, cn_read_safetensors, cn_write_safetensors, NULL },
    { NULL, is_idx, cn_read_idx, NULL, NULL },
};

#define N_FORMATS (sizeof formats / sizeof formats[0])

static cn_dict *read_plain(const void *bytes, size_t size, const char *what,
                           cn_shared_mapping *mapping)
{
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        if (!f->matches(bytes, size)) continue;
        return f->read ? f->read(bytes, size, what) : f->read_mapped(bytes, size, what, mapping);
    }
    cn_fail(CN_EFORMAT, "%s: %s: not a .npy, .npz, .pt, .safetensors or IDX file", what,
            size ? "unknown contents" : "empty");
    return NULL;
}

static cn_dict *read_any(const void *bytes, size_t size, const char *what,
                         cn_shared_mapping *mapping)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    if (!is_gzip(r.bytes, r.size)) return read_plain(r.bytes, r.size, r.what, mapping);
    uint8_t *expanded = cn_gunzip(r.bytes, r.size, &size, r.what);
    cn_dict *d = expanded ? read_plain(expanded, size, r.what, NULL) : NULL;
    cn_free(expanded);
    return d;
}

cn_dict *cn_load_bytes(const void *bytes, size_t size, const char *what)
{
    return read_any(bytes, size, what, NULL);
}

cn_dict *cn_load(const char *path)
{
    cn_shared_mapping *m = cn_map_shared(path);
    cn_dict *d = m ? read_any(m->of.bytes, m->of.size, path, m) : NULL;
    cn_mapping_drop(m);
    return d;
}

cn_dict *cn_pickle_names(const char *path)
{
    cn_mapping m;
    bool clean = cn_ok();
    cn_dict *found = cn_map_file(path, &m) ? cn_dict_new() : NULL;
    if (!found) return cn_unmap_file(&m), NULL;
    bool whole = (!is_zip(m.bytes, m.size) && !is_pickle(m.bytes, m.size)) ||
                 cn_audit_pickles(m.bytes, m.size, path, found);
    cn_unmap_file(&m);
    if (!whole && clean) cn_error_clear();
    return found;
}

static const format *format_of(const char *path)
{
    size_t n = strlen(path);
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        size_t m = f->extension ? strlen(f->extension) : 0;
        if (m && n > m && strcasecmp(path + n - m, f->extension) == 0) return f;
    }
    cn_fail(CN_EINVALID, "%s: the name must end in .npy, .npz, .pt, .pth or .safetensors", path);
    return NULL;
}

bool cn_save(const char *path, const cn_dict *d)
{
    if (!path) return cn_fail(CN_EINVALID, "save: the path is NULL");
    if (!d) return cn_fail(CN_EINVALID, "save: the dictionary is NULL");
    const format *chosen = format_of(path);
    cn_file *f = chosen ? cn_file_create(path) : NULL;
    return f && cn_file_finish(f, chosen->write(f, d, path));
}
