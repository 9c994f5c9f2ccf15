/* error.c - the sticky first error of a thread. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct {
    cn_code code;
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

/* Messages are one line, whatever a name in a hostile file contains. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 32 || *text == 127) *text = '?';
}

bool cn_fail(cn_code code, const char *fmt, ...)
{
    if (tls.code != CN_OK) return false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(tls.text, sizeof tls.text, fmt, args);
    va_end(args);
    clean(tls.text);
    tls.code = code;
    return false;
}

void cn_error_prefix(const char *fmt, ...)
{
    char old[sizeof tls.text];
    if (tls.code == CN_OK) return;
    memcpy(old, tls.text, sizeof old);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(tls.text, sizeof tls.text, fmt, args);
    va_end(args);
    size_t at = n < 0 ? 0 : (size_t)n < sizeof tls.text ? (size_t)n : sizeof tls.text - 1;
    snprintf(tls.text + at, sizeof tls.text - at, "%s", old);
}

const char *cn_version(void)
{
    return CN_VERSION;
}
