/* images.h - the data set of byte images and labels, in memory. */
#ifndef CN_DATA_IMAGES_H
#define CN_DATA_IMAGES_H

#include <cenote/data.h>

typedef struct cn_images {
    const char *name;
    int64_t n, channels, height, width;
    uint8_t *pixels; /* n x channels x height x width, from cn_alloc() */
    uint8_t *labels; /* n, from cn_alloc() */
    const char *const *classes;
    int n_classes;
} cn_images;

/* Samples are float32 in [0, 1] and int64. Takes pixels and labels over, even when it fails. */
cn_dataset *cn_images_dataset(const cn_images *images);

#endif
