/* utf8.h - is this text what it must be? */
#ifndef CN_IO_UTF8_H
#define CN_IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 character at the start of s[0 .. size-1], or 0 when there is none: no
   overlong forms, no surrogates, at most U+10FFFF. */
size_t cn_utf8_length(const void *s, size_t size);
bool cn_utf8_valid(const void *text, size_t size);

/* A printable copy for messages: whatever is not printable ASCII becomes '?', what is too long ends
   in "...". Returns buf. */
#define CN_PRINTABLE_ROOM 120
const char *cn_printable(char buf[CN_PRINTABLE_ROOM], const void *text, size_t size);

#endif
