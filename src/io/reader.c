/* reader.c - a bounds-checked cursor over bytes. */
#include "io/reader.h"

#include <cenote/base.h>

cn_reader cn_reader_of(const void *bytes, size_t size, const char *what)
{
    return (cn_reader){
        .bytes = bytes,
        .size = bytes ? size : 0,
        .what = what ? what : "(memory)",
    };
}

size_t cn_reader_left(const cn_reader *r)
{
    return r->size - r->at;
}

static bool cut(cn_reader *r, uint64_t at, uint64_t n)
{
    r->failed = true;
    r->at = r->size;
    return cn_fail(CN_EFORMAT,
                   "%s: %llu bytes are missing at offset %llu: the file is cut short or damaged",
                   r->what, (unsigned long long)n, (unsigned long long)at);
}

bool cn_reader_seek(cn_reader *r, uint64_t at)
{
    if (r->failed) return false;
    if (at > r->size) return cut(r, r->size, at - r->size);
    r->at = (size_t)at;
    return true;
}

const uint8_t *cn_reader_take(cn_reader *r, uint64_t n)
{
    if (r->failed) return NULL;
    if (n > cn_reader_left(r)) return cut(r, r->size, n - cn_reader_left(r)), NULL;
    const uint8_t *p = r->bytes + r->at;
    r->at += (size_t)n;
    return p;
}

static uint64_t little_endian(cn_reader *r, int n)
{
    const uint8_t *p = cn_reader_take(r, (uint64_t)n);
    uint64_t v = 0;
    for (int i = n; p && i-- > 0;) v = v << 8 | p[i];
    return v;
}

uint8_t cn_reader_u8(cn_reader *r)
{
    return (uint8_t)little_endian(r, 1);
}

uint16_t cn_reader_le16(cn_reader *r)
{
    return (uint16_t)little_endian(r, 2);
}

uint32_t cn_reader_le32(cn_reader *r)
{
    return (uint32_t)little_endian(r, 4);
}

uint64_t cn_reader_le64(cn_reader *r)
{
    return little_endian(r, 8);
}

uint32_t cn_reader_be32(cn_reader *r)
{
    return __builtin_bswap32((uint32_t)little_endian(r, 4));
}
