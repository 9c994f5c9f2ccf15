/* zip_writer.c - writing ZIP archives: members stored, nothing that depends on time or machine,
   ZIP64 only where a size, an offset or a count needs it. */
#include "io/zip.h"

#include <string.h>

#include "core/memory.h"
#include "io/crc32.h"

enum {
    LOCAL_SIZE = 30,
    LOCAL_EXTRA64 = 4 + 16,
    CENTRAL_EXTRA64 = 4 + 24,
    VERSION = 20,
    VERSION64 = 45,
    UTF8_NAMES = 1 << 11,
    DATE_1980 = 0x21,   /* 1 January, the earliest there is */
    PAD_EXTRA = 0x4246, /* "FB": what PyTorch pads with */
    MAX_ALIGN = 4096
};

typedef struct member {
    char *name;
    uint64_t start, size;
    uint32_t crc;
} member;

struct cn_zip_writer {
    cn_file *file;
    member *members;
    size_t count, room;
    bool failed;
};

/* Little-endian numbers, one after the other. */
typedef struct record {
    uint8_t bytes[128];
    size_t size;
} record;

static void put(record *r, uint64_t value, int n)
{
    for (int i = 0; i < n; i++) r->bytes[r->size++] = (uint8_t)(value >> 8 * i);
}

static uint32_t narrow(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static bool is_wide(const member *m)
{
    return m->size >= UINT32_MAX || m->start >= UINT32_MAX;
}

cn_zip_writer *cn_zip_create(cn_file *f)
{
    cn_zip_writer *w = f ? cn_alloc_zeroed(sizeof *w) : NULL;
    if (w) w->file = f;
    return w;
}

static member *new_member(cn_zip_writer *w, const char *name)
{
    if (strlen(name) > UINT16_MAX || !cn_zip_name_is_safe(name))
        return cn_fail(CN_EINVALID, "zip: '%.100s' cannot be the name of a member", name), NULL;
    if (w->count == w->room) {
        size_t room = w->room ? w->room * 2 : 16;
        member *members = cn_realloc(w->members, room * sizeof *members);
        if (!members) return NULL;
        w->members = members, w->room = room;
    }
    member *m = &w->members[w->count];
    *m = (member){ .name = cn_strdup(name), .start = cn_file_size(w->file) };
    if (!m->name) return NULL;
    w->count++;
    return m;
}

static void put_common(record *r, const member *m, bool wide)
{
    put(r, wide ? VERSION64 : VERSION, 2);
    put(r, UTF8_NAMES, 2);
    put(r, 0, 2); /* stored */
    put(r, 0, 2); /* midnight */
    put(r, DATE_1980, 2);
    put(r, m->crc, 4);
    put(r, wide ? UINT32_MAX : m->size, 4);
    put(r, wide ? UINT32_MAX : m->size, 4);
    put(r, strlen(m->name), 2);
}

static void put_extra64(record *r, uint64_t size, const member *m)
{
    put(r, 1, 2);
    put(r, size - 4, 2);
    put(r, m->size, 8);
    put(r, m->size, 8);
}

/* What to add after `at` to reach a multiple of `align`: nothing, or at least a field's header. */
static size_t padding(uint64_t at, size_t align)
{
    size_t pad = (size_t)(-at & (align - 1));
    while (pad && pad < 4) pad += align;
    return pad;
}

static void write_local(cn_file *f, const member *m, size_t align)
{
    static const uint8_t zeros[MAX_ALIGN];
    bool wide = m->size >= UINT32_MAX;
    size_t extra = wide ? LOCAL_EXTRA64 : 0;
    size_t pad = padding(m->start + LOCAL_SIZE + strlen(m->name) + extra, align);
    record r = { .size = 0 };
    put(&r, 0x04034B50, 4);
    put_common(&r, m, wide);
    put(&r, extra + pad, 2);
    cn_file_put(f, r.bytes, r.size);
    cn_file_put(f, m->name, strlen(m->name));
    r.size = 0;
    if (wide) put_extra64(&r, LOCAL_EXTRA64, m);
    if (pad) put(&r, PAD_EXTRA, 2), put(&r, pad - 4, 2);
    cn_file_put(f, r.bytes, r.size);
    if (pad) cn_file_put(f, zeros, pad - 4);
}

bool cn_zip_add(cn_zip_writer *w, const char *name, const cn_span *spans, int n, size_t align)
{
    if (!w) return false;
    member *m = new_member(w, name);
    if (!m) return w->failed = true, false;
    for (int i = 0; i < n; i++) {
        m->crc = cn_crc32(m->crc, spans[i].data, spans[i].size);
        m->size += spans[i].size;
    }
    write_local(w->file, m, align);
    for (int i = 0; i < n; i++) cn_file_put(w->file, spans[i].data, spans[i].size);
    return true;
}

static void write_central(cn_file *f, const member *m)
{
    bool wide = is_wide(m);
    record r = { .size = 0 };
    put(&r, 0x02014B50, 4);
    put(&r, VERSION64, 2);
    put_common(&r, m, wide);
    put(&r, wide ? CENTRAL_EXTRA64 : 0, 2);
    put(&r, 0, 4); /* no comment, disk 0 */
    put(&r, 0, 6); /* no attributes */
    put(&r, wide ? UINT32_MAX : m->start, 4);
    cn_file_put(f, r.bytes, r.size);
    cn_file_put(f, m->name, strlen(m->name));
    r.size = 0;
    if (wide) put_extra64(&r, CENTRAL_EXTRA64, m), put(&r, m->start, 8);
    cn_file_put(f, r.bytes, r.size);
}

static void write_end64(cn_file *f, uint64_t start, uint64_t size, uint64_t count)
{
    record r = { .size = 0 };
    put(&r, 0x06064B50, 4);
    put(&r, 44, 8); /* bytes that follow */
    put(&r, VERSION64, 2);
    put(&r, VERSION64, 2);
    put(&r, 0, 8); /* disk 0, twice */
    put(&r, count, 8);
    put(&r, count, 8);
    put(&r, size, 8);
    put(&r, start, 8);
    put(&r, 0x07064B50, 4);
    put(&r, 0, 4);
    put(&r, start + size, 8);
    put(&r, 1, 4);
    cn_file_put(f, r.bytes, r.size);
}

static void write_end(cn_file *f, uint64_t start, uint64_t count)
{
    uint64_t size = cn_file_size(f) - start;
    uint16_t count16 = count < UINT16_MAX ? (uint16_t)count : UINT16_MAX;
    if (start >= UINT32_MAX || size >= UINT32_MAX || count >= UINT16_MAX)
        write_end64(f, start, size, count);
    record r = { .size = 0 };
    put(&r, 0x06054B50, 4);
    put(&r, 0, 4); /* disk 0, twice */
    put(&r, count16, 2);
    put(&r, count16, 2);
    put(&r, narrow(size), 4);
    put(&r, narrow(start), 4);
    put(&r, 0, 2); /* no comment */
    cn_file_put(f, r.bytes, r.size);
}

bool cn_zip_finish(cn_zip_writer *w, bool ok)
{
    if (!w) return false;
    ok = ok && !w->failed;
    uint64_t start = cn_file_size(w->file);
    for (size_t i = 0; ok && i < w->count; i++) write_central(w->file, &w->members[i]);
    if (ok) write_end(w->file, start, w->count);
    for (size_t i = 0; i < w->count; i++) cn_free(w->members[i].name);
    cn_free(w->members);
    cn_free(w);
    return ok;
}
