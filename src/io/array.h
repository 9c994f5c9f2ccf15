/* array.h - arrays as files hold them, and the tensors they become. */
#ifndef CN_IO_ARRAY_H
#define CN_IO_ARRAY_H

#include <cenote/io.h>

typedef struct cn_array {
    cn_shape shape;
    cn_dtype dtype;
    bool big_endian;
    bool fortran; /* the first index moves fastest */
    const void *bytes;
} cn_array;

/* Bytes of the elements in *out; false, without recording an error, when the shape is impossible:
   a negative size, or a product that overflows. */
bool cn_array_size(const cn_array *a, uint64_t *out);

/* Puts a tensor made of the array, whose size must have been checked, into the dictionary. */
bool cn_dict_set_array(cn_dict *d, const char *key, const cn_array *a);

/* From the other byte order. */
void cn_reverse_elements(char *data, int64_t n, size_t width);
/* Kernels rely on bools being 0 or 1. */
void cn_normalise_bools(void *data, int64_t n);

/* Makes room for `needed` items of `width` bytes in a block from cn_alloc() that grows by doubling;
   `array` is the address of the pointer to it. */
bool cn_array_grow(void *array, size_t *room, size_t needed, size_t width);

/* The elements of a tensor, row-major. *owned gets what the caller passes to cn_free() in any case:
   NULL when the elements could be used in place. */
const void *cn_elements(const cn_tensor *t, size_t *size, void **owned);

#endif
