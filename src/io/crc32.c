/* crc32.c - CRC-32 (polynomial 0xEDB88320, reflected), eight bytes a step.

   table[k][b] is the effect of byte b followed by k zero bytes; since the CRC is linear, the
   effects of eight bytes at their distances from the end just add up (xor). Source: M. Kounavis and
   F. Berry, "A systematic approach to building high performance software-based CRC generators",
   ISCC 2005. */
#include "io/crc32.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        table[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xFF];
}

uint32_t cn_crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    pthread_once(&once, fill_table);
    crc = ~crc;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w ^= crc;
        crc = 0;
        for (int k = 0; k < 8; k++) crc ^= table[7 - k][w >> 8 * k & 0xFF];
    }
    for (; size; p++, size--) crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
    return ~crc;
}
