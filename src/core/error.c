/* error.c - the sticky first error of a thread. */
#include <cenote/base.h>

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

bool cn_fail(cn_code code, const char *fmt, ...)
{
    if (tls.code != CN_OK) return false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(tls.text, sizeof tls.text, fmt, args);
    va_end(args);
    tls.code = code;
    return false;
}

const char *cn_version(void)
{
    return CN_VERSION;
}
