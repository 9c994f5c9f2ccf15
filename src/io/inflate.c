/* inflate.c - deflate and gzip through zlib. */
#include "io/inflate.h"

#include <cenote/base.h>

#ifdef CN_WITH_ZLIB

#include <zlib.h>

#include "core/memory.h"

/* Deflate never makes more than 1032 bytes of one. */
#define MAX_RATIO 1032u
/* zlib counts in 32 bits. */
#define MAX_CHUNK ((size_t)1 << 30)

static voidpf allocate(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return cn_alloc((size_t)items * size);
}

static void release(voidpf opaque, voidpf block)
{
    (void)opaque;
    cn_free(block);
}

static bool bad_data(const z_stream *z, int status, const char *what)
{
    if (status == Z_MEM_ERROR) return cn_fail(CN_ENOMEM, "%s: no memory to expand it", what);
    return cn_fail(CN_EFORMAT, "%s: the compressed data are damaged (%s)", what,
                   z->msg ? z->msg : "they end too early or too late");
}

static bool start(z_stream *z, int window_bits, const void *packed, const char *what)
{
    *z = (z_stream){ .zalloc = allocate, .zfree = release, .next_in = (Bytef *)packed };
    int status = inflateInit2(z, window_bits);
    return status == Z_OK || bad_data(z, status, what);
}

/* Expands into [out, out + room) until the stream ends (Z_STREAM_END) or nothing more can be done
   without room or input (Z_BUF_ERROR). z->next_in and *in_left move on. */
static int expand(z_stream *z, size_t *in_left, uint8_t *out, size_t room, size_t *made)
{
    int status = Z_OK;
    const size_t all_room = room;
    z->next_out = out;
    while (status == Z_OK) {
        uInt in = (uInt)(*in_left < MAX_CHUNK ? *in_left : MAX_CHUNK);
        uInt space = (uInt)(room < MAX_CHUNK ? room : MAX_CHUNK);
        z->avail_in = in, z->avail_out = space;
        status = inflate(z, Z_NO_FLUSH);
        *in_left -= in - z->avail_in, room -= space - z->avail_out;
    }
    *made = all_room - room;
    return status;
}

static uint64_t most(size_t packed_size)
{
    uint64_t limit = CN_MAX_EXPANDED / MAX_RATIO;
    return packed_size < limit ? packed_size * MAX_RATIO : CN_MAX_EXPANDED;
}

uint8_t *cn_inflate(const void *packed, size_t packed_size, uint64_t size, const char *what)
{
    z_stream z;
    size_t made = 0;
    if (size > most(packed_size))
        return cn_fail(CN_EFORMAT, "%s: %zu compressed bytes cannot or may not give %llu", what,
                       packed_size, (unsigned long long)size),
               NULL;
    uint8_t *out = cn_alloc((size_t)size);
    if (!out || !start(&z, -MAX_WBITS, packed, what)) return cn_free(out), NULL;
    int status = expand(&z, &packed_size, out, (size_t)size, &made);
    bool ok = status == Z_STREAM_END && made == size && packed_size == 0;
    if (!ok) bad_data(&z, status, what);
    inflateEnd(&z);
    return ok ? out : (cn_free(out), NULL);
}

static bool make_room(uint8_t **out, size_t *room, uint64_t limit, const char *what)
{
    if (*room >= limit)
        return cn_fail(CN_EFORMAT, "%s: expands to more than the limit of %llu bytes", what,
                       (unsigned long long)limit);
    size_t wanted = *room > limit / 2 ? (size_t)limit : *room * 2;
    uint8_t *more = cn_realloc(*out, wanted);
    if (!more) return false;
    *out = more, *room = wanted;
    return true;
}

/* One member after the other: what follows a stream's end must be another one. */
static bool gunzip_members(z_stream *z, size_t left, uint8_t **out, size_t *room, size_t *size,
                           const char *what)
{
    uint64_t limit = most(left) + 1;
    for (;;) {
        size_t made;
        int status = expand(z, &left, *out + *size, *room - *size, &made);
        *size += made;
        if (status == Z_STREAM_END) {
            if (left == 0) return true;
            inflateReset(z);
        } else if (*size < *room || status != Z_BUF_ERROR) {
            return bad_data(z, status, what);
        }
        if (*size == *room && !make_room(out, room, limit, what)) return false;
    }
}

uint8_t *cn_gunzip(const void *packed, size_t packed_size, size_t *size, const char *what)
{
    z_stream z;
    size_t room = packed_size < 1024 ? 4096 : packed_size * 4;
    uint8_t *out = cn_alloc(room);
    *size = 0;
    if (!out || !start(&z, MAX_WBITS + 16, packed, what)) return cn_free(out), NULL;
    bool ok = gunzip_members(&z, packed_size, &out, &room, size, what);
    inflateEnd(&z);
    return ok ? out : (cn_free(out), NULL);
}

#else

static uint8_t *unsupported(const char *what)
{
    cn_fail(CN_EUNSUPPORTED, "%s: compressed, and this build has no zlib: expand it first", what);
    return NULL;
}

uint8_t *cn_inflate(const void *packed, size_t packed_size, uint64_t size, const char *what)
{
    (void)packed, (void)packed_size, (void)size;
    return unsupported(what);
}

uint8_t *cn_gunzip(const void *packed, size_t packed_size, size_t *size, const char *what)
{
    (void)packed, (void)packed_size, (void)size;
    return unsupported(what);
}

#endif
