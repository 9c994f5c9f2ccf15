/* crc32.h - the checksum of ZIP and gzip. */
#ifndef CN_IO_CRC32_H
#define CN_IO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Start with 0; pass the result on to continue. */
uint32_t cn_crc32(uint32_t crc, const void *data, size_t size);

#endif
