/* number.c - numbers in text. */
#include "io/number.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any number that was printed to be read again. */
#define MAX_TEXT 400

static locale_t plain;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_locale(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

bool cn_parse_double(const char *text, size_t size, double *out)
{
    char copy[MAX_TEXT], *end;
    if (size == 0 || size >= sizeof copy || memchr(text, 0, size)) return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    /* strtod() also takes blanks before the number, and hexadecimal. */
    if (copy[0] == ' ' || (copy[0] >= '\t' && copy[0] <= '\r') || strpbrk(copy, "xX("))
        return false;
    pthread_once(&once, make_locale);
    if (!plain) return false;
    *out = strtod_l(copy, &end, plain);
    return *end == '\0';
}

bool cn_parse_int(const char *text, size_t size, int64_t *out)
{
    int64_t value = 0;
    size_t i = size && (text[0] == '-' || text[0] == '+');
    bool negative = i && text[0] == '-', fits = i < size;
    for (; fits && i < size; i++) {
        int digit = text[i] - '0';
        fits = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(value, (int64_t)10, &value) &&
               !__builtin_sub_overflow(value, (int64_t)digit, &value);
    }
    if (!fits || (!negative && value == INT64_MIN)) return false;
    *out = negative ? value : -value;
    return true;
}

const char *cn_format_double(char buf[CN_NUMBER_ROOM], double x, bool single)
{
    double back;
    pthread_once(&once, make_locale);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(buf, CN_NUMBER_ROOM, "%.*g", digits, x);
        back = strtod(buf, NULL);
        if (single ? (float)back == (float)x : back == x) break;
    }
    if (plain) uselocale(before);
    return buf;
}
