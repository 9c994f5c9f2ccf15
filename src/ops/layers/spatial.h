/* spatial.h - what convolution and pooling of lines, pictures and volumes share. */
#ifndef CN_OPS_LAYERS_SPATIAL_H
#define CN_OPS_LAYERS_SPATIAL_H

#include "ops/compose.h"

/* The dimensions of a volume. A picture is one deep, a line is a picture one high. */
enum { CN_DEPTH, CN_HEIGHT, CN_WIDTH, CN_SPATIAL };

/* At least `least`, and small enough for a product of two to be far from overflow. */
static inline bool cn_within(int64_t x, int64_t least)
{
    return x >= least && x <= INT32_MAX;
}

/* The parameter of a line as that of a picture, with this for the height; a missing or named one
   stays that. */
static inline cn_ints cn_pair(const cn_ints *line, int64_t height)
{
    return (cn_ints){ .n = line->n < 0 ? line->n : 2, .v = { height, line->v[0] } };
}

/* Two numbers of an option struct: the second may be left out when it is as the first, both when
   they are `otherwise`. */
static inline cn_ints cn_two(const int64_t v[2], int64_t otherwise)
{
    int64_t first = v[0] ? v[0] : otherwise;
    return (cn_ints){ .n = 2, .v = { first, v[1] ? v[1] : first } };
}

#endif
