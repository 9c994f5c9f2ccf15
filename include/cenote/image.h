/* image.h - pictures in files: JPEG, PNG, PPM and PGM, as tensors of uint8 (channels, height, width). */
#ifndef CENOTE_IMAGE_H
#define CENOTE_IMAGE_H

#include "tensor.h"

CN_BEGIN_DECLS

typedef enum cn_image_mode {
    CN_IMAGE_AS_IS =
        0, /* 1 channel of grey, 2 with alpha, 3 of RGB, 4 with alpha; palettes are RGB */
    CN_IMAGE_GRAY = 1, /* 1 channel; colours by the weights of ITU-R 601, alpha left out */
    CN_IMAGE_RGB = 2,  /* 3 channels; alpha left out */
    CN_IMAGE_RGBA = 3, /* 4 channels; opaque where the file has no alpha */
    CN_IMAGE_INDEX = 4 /* 1 channel: the entries of a PNG's palette, as in masks of segmentation */
} cn_image_mode;

/* Reads a picture, recognised by its content. Samples of 16 bits are rounded to 8, CMYK becomes
   RGB; a JPEG's orientation is not applied. A damaged or shortened file is CN_EFORMAT; a size that
   the file cannot hold is refused before memory is taken. CN_EUNSUPPORTED when this build has no
   libpng or libjpeg. */
CN_API cn_tensor *cn_image_read(const char *path, cn_image_mode mode);
/* The same from memory; `what` names it in messages. */
CN_API cn_tensor *cn_image_decode(const void *bytes, size_t size, cn_image_mode mode,
                                  const char *what);

/* Writes uint8 (channels, height, width) or (height, width) as the extension says: .png (1 to 4
   channels), .jpg or .jpeg (1 or 3, quality 95), .pgm (1), .ppm (3). The file is replaced whole. */
CN_API bool cn_image_write(const char *path, const cn_tensor *image);

CN_END_DECLS
#endif
