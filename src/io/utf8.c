/* utf8.c - UTF-8, checked byte by byte (Unicode 15, table 3-7). */
#include "io/utf8.h"

#include <stdio.h>
#include <string.h>

static size_t announced(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
}

size_t cn_utf8_length(const void *s, size_t size)
{
    const unsigned char *p = s;
    size_t n = size ? announced(p[0]) : 0;
    if (n > size) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (n > 2 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))) return 0;
    if (n > 3 && ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))) return 0;
    return n;
}

bool cn_utf8_valid(const void *text, size_t size)
{
    const unsigned char *p = text;
    while (size) {
        size_t n = cn_utf8_length(p, size);
        if (!n) return false;
        p += n, size -= n;
    }
    return true;
}

const char *cn_printable(char buf[CN_PRINTABLE_ROOM], const void *text, size_t size)
{
    const unsigned char *p = text;
    size_t room = CN_PRINTABLE_ROOM - 4, n = size < room ? size : room;
    for (size_t i = 0; i < n; i++) buf[i] = p[i] < ' ' || p[i] > '~' ? '?' : (char)p[i];
    snprintf(buf + n, CN_PRINTABLE_ROOM - n, "%s", n < size ? "..." : "");
    return buf;
}
