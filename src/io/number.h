/* number.h - numbers in text, with a point for a point whatever the locale says. */
#ifndef CN_IO_NUMBER_H
#define CN_IO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of text[0 .. size-1] must be one number; decimal ("-1.5e3"), "inf" or "nan" in any case. */
bool cn_parse_double(const char *text, size_t size, double *out);
/* Decimal digits, perhaps after a sign; false when it does not fit. */
bool cn_parse_int(const char *text, size_t size, int64_t *out);

/* The shortest text that reads back as the same number; of a float32, if `single`. */
#define CN_NUMBER_ROOM 32
const char *cn_format_double(char buf[CN_NUMBER_ROOM], double x, bool single);

#endif
