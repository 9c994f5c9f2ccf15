/* reader.h - the one way file contents are parsed: a cursor that cannot leave its bytes. */
#ifndef CN_IO_READER_H
#define CN_IO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are stored as the machine has them and files are little-endian");

typedef struct cn_reader {
    const uint8_t *bytes;
    size_t size, at;  /* at <= size, always */
    const char *what; /* names the source in messages */
    bool failed;      /* an error is recorded: nothing is left, and numbers read are 0 */
} cn_reader;

cn_reader cn_reader_of(const void *bytes, size_t size, const char *what);
size_t cn_reader_left(const cn_reader *r);
bool cn_reader_seek(cn_reader *r, uint64_t at);

/* The next n bytes, or NULL. */
const uint8_t *cn_reader_take(cn_reader *r, uint64_t n);

/* Numbers: 0 after a failure, so that a header can be read whole and checked once. */
uint8_t cn_reader_u8(cn_reader *r);
uint16_t cn_reader_le16(cn_reader *r);
uint32_t cn_reader_le32(cn_reader *r);
uint64_t cn_reader_le64(cn_reader *r);
uint32_t cn_reader_be32(cn_reader *r);

#endif
