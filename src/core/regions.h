/* regions.h (internal) - memory for large blocks: regions of the system's, divided as needed.

   Networks ask for images of many sizes. A block that is freed is joined with its free neighbours,
   so that what one size leaves serves every other one. */
#ifndef CN_CORE_REGIONS_H
#define CN_CORE_REGIONS_H

#include <stddef.h>
#include <stdint.h>

/* What lies before the user's bytes, in 64 of its own. */
typedef struct cn_block {
    struct cn_block *next;            /* in a list of free ones */
    size_t size;                      /* header included */
    int class;                        /* of memory.c; unused in regions */
    int free;                         /* what follows is for blocks of regions only */
    struct cn_block *before, *behind; /* neighbours in memory; NULL: a region begins or ends */
    size_t resident;                  /* of a free one: bytes that the system has given, about */
} cn_block;

enum { CN_BLOCK_HEADER = 64 };
_Static_assert(sizeof(cn_block) <= CN_BLOCK_HEADER, "a header fits");

/* A block of at least `size` bytes, header included; NULL: no memory. *fresh: how many of them are
   used for the first time. */
cn_block *cn_region_take(size_t size, size_t *fresh);
void cn_region_give(cn_block *b);
/* Gives what is free back to the system; how many bytes. */
size_t cn_region_trim(void);

#endif
