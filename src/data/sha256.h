/* sha256.h - SHA-256 (FIPS 180-4), to recognise published files. */
#ifndef CN_DATA_SHA256_H
#define CN_DATA_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct cn_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
} cn_sha256;

void cn_sha256_start(cn_sha256 *h);
void cn_sha256_add(cn_sha256 *h, const void *data, size_t size);
void cn_sha256_end(cn_sha256 *h, char hex[65]); /* lower case, terminated */

#endif
