/* resize.h - resizing along one dimension, for interpolate. */
#ifndef CN_OPS_RESIZE_H
#define CN_OPS_RESIZE_H

#include "ops/compose.h"

typedef struct cn_resize_params {
    int64_t dim, size;          /* size: of the result */
    const char *mode;           /* nearest, nearest-exact, linear, cubic, area */
    double scale;               /* result over input; 0: what the sizes say */
    bool align_corners, smooth; /* smooth: shrinking averages over all that falls together */
} cn_resize_params;

cn_tensor *cn_resize_along(cn_tensor *input, const cn_resize_params *p);

#endif
