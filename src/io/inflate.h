/* inflate.h - expanding deflate and gzip data, within limits, through zlib. Builds without zlib
   answer CN_EUNSUPPORTED. */
#ifndef CN_IO_INFLATE_H
#define CN_IO_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one file may expand to in all. */
#define CN_MAX_EXPANDED ((uint64_t)16 << 30)

/* Raw deflate data that must give exactly `size` bytes; released with cn_free(). A size that
   deflate cannot reach from so little is refused before anything is allocated. */
uint8_t *cn_inflate(const void *packed, size_t packed_size, uint64_t size, const char *what);

/* A whole gzip file, of one or more members; *size gets what it expands to. */
uint8_t *cn_gunzip(const void *packed, size_t packed_size, size_t *size, const char *what);

#endif
