/* regions.c - large blocks: the smallest free piece that is large enough, and no holes between. */
#include "core/regions.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, HUGE_PAGE = 2 << 20, LEAST_REGION = 64 << 20, SPLIT = 1 << 16 };
#define MOST_REGION ((size_t)1 << 30)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cn_block *free_blocks;
static size_t reserved; /* bytes of all regions */

static void unlink_free(cn_block *b)
{
    cn_block **at = &free_blocks;
    while (*at != b) at = &(*at)->next;
    *at = b->next;
    b->free = 0;
}

static void link_free(cn_block *b)
{
    b->next = free_blocks, b->free = 1;
    free_blocks = b;
}

/* ---- regions --------------------------------------------------------------------------------- */

static cn_block *region(size_t size)
{
    void *p = NULL;
    if (posix_memalign(&p, HUGE_PAGE, size)) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(p, size, MADV_HUGEPAGE);
#endif
    cn_block *b = p;
    *b = (cn_block){ .size = size };
    reserved += size;
    return b;
}

/* Pages are only given when they are written to, so that a region may be larger than what is wanted
   now; each is as large as all before it. */
static cn_block *new_region(size_t size)
{
    size_t roomy = reserved < LEAST_REGION ? LEAST_REGION : reserved;
    if (roomy > MOST_REGION) roomy = MOST_REGION;
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    cn_block *b = roomy > size ? region(roomy) : NULL;
    return b ? b : region(size);
}

/* ---- taking and giving ----------------------------------------------------------------------- */

/* The smallest that fits; of equal ones that in lower memory, so that high memory stays untouched. */
static cn_block *best_fit(size_t size)
{
    cn_block *best = NULL;
    for (cn_block *b = free_blocks; b; b = b->next) {
        if (b->size < size) continue;
        if (!best || b->size < best->size || (b->size == best->size && b < best)) best = b;
    }
    if (best) unlink_free(best);
    return best;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is behind the first `size` bytes of b becomes a free block. */
static void split(cn_block *b, size_t size)
{
    if (b->size - size < SPLIT) return;
    cn_block *rest = (cn_block *)((char *)b + size);
    const size_t here = least(b->resident, size);
    *rest = (cn_block){
        .size = b->size - size, .before = b, .behind = b->behind, .resident = b->resident - here
    };
    if (rest->behind) rest->behind->before = rest;
    b->behind = rest, b->size = size, b->resident = here;
    link_free(rest);
}

cn_block *cn_region_take(size_t size, size_t *fresh)
{
    size = (size + PAGE - 1) / PAGE * PAGE;
    pthread_mutex_lock(&lock);
    cn_block *b = best_fit(size);
    if (!b) b = new_region(size);
    if (b) {
        split(b, size);
        *fresh = b->size - b->resident;
    }
    pthread_mutex_unlock(&lock);
    return b;
}

/* b and the block behind it become one; the latter is in no list. */
static void join(cn_block *b)
{
    const cn_block *gone = b->behind;
    b->size += gone->size, b->resident += gone->resident;
    b->behind = gone->behind;
    if (b->behind) b->behind->before = b;
}

void cn_region_give(cn_block *b)
{
    pthread_mutex_lock(&lock);
    b->resident = b->size;
    if (b->behind && b->behind->free) unlink_free(b->behind), join(b);
    if (b->before && b->before->free) b = b->before, unlink_free(b), join(b);
    link_free(b);
    pthread_mutex_unlock(&lock);
}

/* ---- giving back ----------------------------------------------------------------------------- */

/* The pages between the header and the end of a free block whose region is in use elsewhere. */
static size_t forget_pages(cn_block *b)
{
    size_t gone = 0;
#ifdef MADV_DONTNEED
    char *first = (char *)b + PAGE;
    if (b->resident > PAGE && madvise(first, b->size - PAGE, MADV_DONTNEED) == 0)
        gone = b->resident - PAGE, b->resident = PAGE;
#endif
    return gone;
}

size_t cn_region_trim(void)
{
    size_t gone = 0;
    pthread_mutex_lock(&lock);
    for (cn_block *b = free_blocks, *next; b; b = next) {
        next = b->next;
        if (b->before || b->behind) {
            gone += forget_pages(b);
            continue;
        }
        unlink_free(b);
        gone += b->resident, reserved -= b->size;
        free(b);
    }
    pthread_mutex_unlock(&lock);
    return gone;
}
