/* image.h (internal) - pictures between the tensors and the libraries that know the formats. */
#ifndef CN_IO_IMAGE_H
#define CN_IO_IMAGE_H

#include <cenote/image.h>

#include "core/file.h"

/* Rows from top to bottom, the channels of a pixel side by side. */
typedef struct cn_picture {
    int64_t width, height;
    int channels;
    uint8_t *samples; /* from cn_alloc() */
} cn_picture;

/* Checks what a header claims, and takes the memory: at most `per_byte` samples for every byte of a
   file of `size`, which is what the format can reach. */
bool cn_picture_make(cn_picture *p, uint64_t width, uint64_t height, int channels, size_t size,
                     uint64_t per_byte, const char *what);

/* Decoders free nothing: p->samples are the caller's in any case. `index`: palettes as they are. */
bool cn_png_decode(cn_picture *p, const void *bytes, size_t size, bool index, const char *what);
bool cn_jpeg_decode(cn_picture *p, const void *bytes, size_t size, const char *what);
bool cn_pnm_decode(cn_picture *p, const void *bytes, size_t size, const char *what);

bool cn_png_encode(cn_file *f, const cn_picture *p, const char *path);
bool cn_jpeg_encode(cn_file *f, const cn_picture *p, const char *path);
bool cn_pnm_encode(cn_file *f, const cn_picture *p, const char *path);

#endif
