/* error.c - the sticky first error of a thread. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct {
    cn_code code;
    bool placed; /* the message says where */
    char text[600];
} tls;

bool cn_ok(void)
{
    return tls.code == CN_OK;
}

const char *cn_error(void)
{
    return tls.code == CN_OK ? "" : tls.text;
}

cn_code cn_error_code(void)
{
    return tls.code;
}

void cn_error_clear(void)
{
    tls.code = CN_OK;
}

/* The length of the UTF-8 character at p; 0: it is none. */
static size_t character(const unsigned char *p)
{
    size_t n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    bool overlong = (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xF0 && p[1] < 0x90);
    bool beyond = (*p == 0xED && p[1] >= 0xA0) || (*p == 0xF4 && p[1] >= 0x90);
    return overlong || beyond ? 0 : n;
}

/* Messages are one line of UTF-8, whatever a name in a hostile file contains. */
static void clean(char *text)
{
    while (*text) {
        size_t n = character((const unsigned char *)text);
        if (n == 0 || (unsigned char)*text < 32 || *text == 127) *text = '?';
        text += n ? n : 1;
    }
}

bool cn_fail(cn_code code, const char *fmt, ...)
{
    if (tls.code != CN_OK) return false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(tls.text, sizeof tls.text, fmt, args);
    va_end(args);
    clean(tls.text);
    tls.code = code, tls.placed = false;
    return false;
}

static CN_PRINTF(1, 0) void put_before(const char *fmt, va_list args)
{
    char old[sizeof tls.text];
    memcpy(old, tls.text, sizeof old);
    int n = vsnprintf(tls.text, sizeof tls.text, fmt, args);
    size_t at = n < 0 ? 0 : (size_t)n < sizeof tls.text ? (size_t)n : sizeof tls.text - 1;
    snprintf(tls.text + at, sizeof tls.text - at, "%s", old);
    clean(tls.text);
}

void cn_error_prefix(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (tls.code != CN_OK) put_before(fmt, args);
    va_end(args);
}

void cn_error_place(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (tls.code != CN_OK && !tls.placed) put_before(fmt, args);
    va_end(args);
    tls.placed = true;
}

const char *cn_version(void)
{
    return CN_VERSION;
}
