/* zip.c - reading ZIP archives. Layout: PKWARE's APPNOTE, sections 4.3 to 4.5.

       local header | data  ...  central directory | [ZIP64 end | locator] | end record | comment

   Only the central directory is believed for sizes (writers that stream leave zeros in the local
   headers); of the local header only its length and name count. */
#include "io/zip.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/crc32.h"
#include "io/inflate.h"
#include "io/reader.h"

enum {
    LOCAL_MAGIC = 0x04034B50,
    CENTRAL_MAGIC = 0x02014B50,
    END_MAGIC = 0x06054B50,
    END64_MAGIC = 0x06064B50,
    LOCATOR64_MAGIC = 0x07064B50,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    ZIP64_EXTRA = 1,
    ENCRYPTED = 1, /* flag */
    STORED = 0,
    DEFLATED = 8,
    MAX_MEMBERS = 1000000
};

struct cn_zip {
    const uint8_t *bytes;
    const char *what;
    cn_zip_member *members;
    const cn_zip_member **by_name;
    int count;
};

typedef struct directory {
    uint64_t offset, size, count;
} directory;

/* ---- the end of the archive --------------------------------------------------------------- */

/* The end record lies before a comment of up to 65535 bytes, whose length it gives. */
static bool find_end(const uint8_t *bytes, size_t size, const char *what, size_t *at)
{
    for (size_t comment = 0; comment <= 65535 && comment + END_SIZE <= size; comment++) {
        cn_reader r = cn_reader_of(bytes, size, what);
        cn_reader_seek(&r, size - END_SIZE - comment);
        *at = r.at;
        if (cn_reader_le32(&r) != END_MAGIC) continue;
        cn_reader_seek(&r, *at + END_SIZE - 2);
        if (cn_reader_le16(&r) == comment) return true;
    }
    return cn_fail(CN_EFORMAT, "%s: a ZIP archive without its end: cut short or damaged", what);
}

/* Takes the sizes from a ZIP64 end record, if there is one: some writers always add it. *end becomes
   where that begins. */
static bool read_end64(cn_reader r, size_t *end, directory *d)
{
    if (*end < LOCATOR64_SIZE + END64_SIZE) return true;
    size_t locator = *end - LOCATOR64_SIZE;
    cn_reader_seek(&r, locator);
    if (cn_reader_le32(&r) != LOCATOR64_MAGIC) return true;
    cn_reader_take(&r, 4);
    uint64_t at = cn_reader_le64(&r);
    bool ok = at <= locator - END64_SIZE && cn_reader_seek(&r, at);
    if (!ok || cn_reader_le32(&r) != END64_MAGIC)
        return cn_fail(CN_EFORMAT, "%s: the ZIP64 end records are damaged", r.what);
    cn_reader_seek(&r, at + 32);
    directory wide = { .count = cn_reader_le64(&r) };
    wide.size = cn_reader_le64(&r);
    wide.offset = cn_reader_le64(&r);
    bool same = (d->count == UINT16_MAX || d->count == wide.count) &&
                (d->size == UINT32_MAX || d->size == wide.size) &&
                (d->offset == UINT32_MAX || d->offset == wide.offset);
    if (!same) return cn_fail(CN_EFORMAT, "%s: the ZIP64 end record says otherwise", r.what);
    *d = wide;
    *end = (size_t)at;
    return true;
}

static bool find_directory(const uint8_t *bytes, size_t size, const char *what, directory *d)
{
    size_t end = 0;
    if (!find_end(bytes, size, what, &end)) return false;
    cn_reader r = cn_reader_of(bytes, size, what);
    cn_reader_seek(&r, end + 4);
    if (cn_reader_le32(&r) != 0) return cn_fail(CN_EUNSUPPORTED, "%s: split over disks", what);
    uint16_t here = cn_reader_le16(&r);
    d->count = cn_reader_le16(&r);
    d->size = cn_reader_le32(&r);
    d->offset = cn_reader_le32(&r);
    if (here != d->count) return cn_fail(CN_EUNSUPPORTED, "%s: split over disks", what);
    bool complete = d->offset + d->size == end;
    if (!complete && !read_end64(r, &end, d)) return false;
    if (d->offset > end || d->size != end - d->offset)
        return cn_fail(CN_EFORMAT, "%s: the ZIP directory is not where the end record says", what);
    if (d->count > MAX_MEMBERS || d->count > d->size / CENTRAL_SIZE)
        return cn_fail(CN_EFORMAT, "%s: claims %llu members", what, (unsigned long long)d->count);
    return true;
}

/* ---- members ------------------------------------------------------------------------------ */

/* Fields that are all ones in the directory entry follow in the ZIP64 extra field, in order. */
static bool read_wide_fields(cn_reader extra, cn_zip_member *m)
{
    uint64_t *const fields[] = { &m->size, &m->packed, &m->start };
    bool wanted = false;
    for (int i = 0; i < 3; i++) wanted |= *fields[i] == UINT32_MAX;
    while (wanted && cn_reader_left(&extra) >= 4) {
        uint16_t id = cn_reader_le16(&extra), size = cn_reader_le16(&extra);
        const uint8_t *body = cn_reader_take(&extra, size);
        if (!body) return false;
        if (id != ZIP64_EXTRA) continue;
        cn_reader r = cn_reader_of(body, size, extra.what);
        for (int i = 0; i < 3; i++)
            if (*fields[i] == UINT32_MAX) *fields[i] = cn_reader_le64(&r);
        return !r.failed;
    }
    return !extra.failed;
}

static char *copy_name(const uint8_t *name, size_t size, const char *what)
{
    if (memchr(name, 0, size))
        return cn_fail(CN_EFORMAT, "%s: a member's name contains a zero byte", what), NULL;
    char *copy = cn_alloc(size + 1);
    if (!copy) return NULL;
    memcpy(copy, name, size);
    copy[size] = '\0';
    if (cn_zip_name_is_safe(copy)) return copy;
    cn_free(copy);
    return cn_fail(CN_EFORMAT, "%s: a member's name leads out of the archive: refused", what), NULL;
}

static bool read_central(cn_reader *r, cn_zip_member *m)
{
    if (cn_reader_le32(r) != CENTRAL_MAGIC)
        return cn_fail(CN_EFORMAT, "%s: the ZIP directory is damaged", r->what);
    cn_reader_take(r, 4);
    uint16_t flags = cn_reader_le16(r);
    m->method = cn_reader_le16(r);
    cn_reader_take(r, 4);
    m->crc = cn_reader_le32(r);
    m->packed = cn_reader_le32(r);
    m->size = cn_reader_le32(r);
    uint16_t name_size = cn_reader_le16(r), extra_size = cn_reader_le16(r);
    uint16_t comment_size = cn_reader_le16(r);
    cn_reader_take(r, 8);
    m->start = cn_reader_le32(r);
    const uint8_t *name = cn_reader_take(r, name_size);
    const uint8_t *extra = cn_reader_take(r, extra_size);
    cn_reader_take(r, comment_size);
    if (r->failed || !(m->name = copy_name(name, name_size, r->what))) return false;
    if (flags & ENCRYPTED)
        return cn_fail(CN_EUNSUPPORTED, "%s: member '%s' is encrypted", r->what, m->name);
    if (m->method != STORED && m->method != DEFLATED)
        return cn_fail(CN_EUNSUPPORTED, "%s: member '%s' is compressed by method %d", r->what,
                       m->name, m->method);
    if (!read_wide_fields(cn_reader_of(extra, extra_size, r->what), m)) return false;
    return m->method == DEFLATED || m->packed == m->size ||
           cn_fail(CN_EFORMAT, "%s: member '%s' has two sizes", r->what, m->name);
}

/* Goes to the local header, to learn where the data begin. `limit`: where the directory begins. */
static bool locate_data(cn_reader r, cn_zip_member *m, uint64_t limit)
{
    if (!cn_reader_seek(&r, m->start)) return false;
    uint32_t magic = cn_reader_le32(&r);
    cn_reader_take(&r, 4);
    uint16_t method = cn_reader_le16(&r);
    cn_reader_take(&r, 16);
    uint16_t name_size = cn_reader_le16(&r), extra_size = cn_reader_le16(&r);
    const uint8_t *name = cn_reader_take(&r, name_size);
    cn_reader_take(&r, extra_size);
    if (r.failed) return false;
    bool same = magic == LOCAL_MAGIC && method == m->method && name_size == strlen(m->name) &&
                memcmp(name, m->name, name_size) == 0;
    m->offset = r.at;
    if (!same || m->offset > limit || m->packed > limit - m->offset)
        return cn_fail(CN_EFORMAT, "%s: member '%s' is not where the ZIP directory says", r.what,
                       m->name);
    return true;
}

static int compare_start(const void *a, const void *b)
{
    const cn_zip_member *x = *(cn_zip_member *const *)a, *y = *(cn_zip_member *const *)b;
    return (x->start > y->start) - (x->start < y->start);
}

static int compare_name(const void *a, const void *b)
{
    const cn_zip_member *x = *(cn_zip_member *const *)a, *y = *(cn_zip_member *const *)b;
    return strcmp(x->name, y->name);
}

/* Sorted by position, no member may reach into the next; sorted by name, no two may be equal. The
   latter order stays, for cn_zip_find(). */
static bool check_members(cn_zip *z)
{
    const cn_zip_member **sorted = z->by_name;
    size_t n = (size_t)z->count;
    for (size_t i = 0; i < n; i++) sorted[i] = &z->members[i];
    qsort(sorted, n, sizeof *sorted, compare_start);
    for (size_t i = 1; i < n; i++)
        if (sorted[i - 1]->offset + sorted[i - 1]->packed > sorted[i]->start)
            return cn_fail(CN_EFORMAT, "%s: members '%s' and '%s' overlap", z->what,
                           sorted[i - 1]->name, sorted[i]->name);
    qsort(sorted, n, sizeof *sorted, compare_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            return cn_fail(CN_EFORMAT, "%s: two members are named '%s'", z->what, sorted[i]->name);
    return true;
}

static bool check_expansion(const cn_zip *z)
{
    uint64_t total = 0;
    for (int i = 0; i < z->count; i++) {
        const cn_zip_member *m = &z->members[i];
        if (m->method == STORED) continue;
        if (m->size > CN_MAX_EXPANDED - total)
            return cn_fail(CN_EFORMAT, "%s: expands to more than the limit of %llu bytes", z->what,
                           (unsigned long long)CN_MAX_EXPANDED);
        total += m->size;
    }
    return true;
}

static bool read_members(cn_zip *z, cn_reader r, const directory *d)
{
    size_t n = (size_t)d->count;
    z->members = cn_alloc_zeroed(n * sizeof *z->members);
    z->by_name = cn_alloc(n * sizeof *z->by_name);
    if (!z->members || !z->by_name) return false;
    z->count = (int)n;
    cn_reader central = cn_reader_of(r.bytes, (size_t)(d->offset + d->size), r.what);
    cn_reader_seek(&central, d->offset);
    for (size_t i = 0; i < n; i++)
        if (!read_central(&central, &z->members[i]) || !locate_data(r, &z->members[i], d->offset))
            return false;
    if (cn_reader_left(&central))
        return cn_fail(CN_EFORMAT, "%s: the ZIP directory has more than it says", r.what);
    return check_members(z) && check_expansion(z);
}

/* ---- the interface ------------------------------------------------------------------------ */

cn_zip *cn_zip_open(const void *bytes, size_t size, const char *what)
{
    directory d = { 0 };
    cn_reader r = cn_reader_of(bytes, size, what);
    if (!find_directory(r.bytes, r.size, r.what, &d)) return NULL;
    cn_zip *z = cn_alloc_zeroed(sizeof *z);
    if (!z) return NULL;
    z->bytes = r.bytes, z->what = r.what;
    return read_members(z, r, &d) ? z : (cn_zip_close(z), NULL);
}

void cn_zip_close(cn_zip *z)
{
    if (!z) return;
    for (int i = 0; i < z->count; i++) cn_free(z->members[i].name);
    cn_free(z->members);
    cn_free(z->by_name);
    cn_free(z);
}

bool cn_zip_name_is_safe(const char *name)
{
    bool bad = name[0] == '/';
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        bad |= strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]);
    }
    return !bad;
}

int cn_zip_count(const cn_zip *z)
{
    return z->count;
}

const cn_zip_member *cn_zip_member_at(const cn_zip *z, int i)
{
    return &z->members[i];
}

const cn_zip_member *cn_zip_find(const cn_zip *z, const char *name)
{
    const cn_zip_member wanted = { .name = (char *)name }, *key = &wanted;
    const cn_zip_member *const *found =
        bsearch(&key, z->by_name, (size_t)z->count, sizeof *z->by_name, compare_name);
    return found ? *found : NULL;
}

const void *cn_zip_bytes(const cn_zip *z, const cn_zip_member *m, void **owned)
{
    const void *bytes = z->bytes + m->offset;
    *owned = NULL;
    if (m->method == DEFLATED)
        bytes = *owned = cn_inflate(bytes, (size_t)m->packed, m->size, z->what);
    if (!bytes) return NULL;
    if (cn_crc32(0, bytes, (size_t)m->size) == m->crc) return bytes;
    cn_fail(CN_EFORMAT, "%s: the checksum of member '%s' does not match: the file is damaged",
            z->what, m->name);
    return NULL;
}
