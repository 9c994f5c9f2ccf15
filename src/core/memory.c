/* memory.c - the caching allocator.

   A block is a 64-byte header and the user's bytes. Sizes below 1 MiB are rounded up to classes,
   four to each power of two, and freed blocks go to a cache of the freeing thread; larger ones are
   parts of regions that all threads share (regions.h). Nothing goes back to the system unasked: fresh
   memory costs a page fault per 4 KiB, which is as dear as using it. */
#include "core/memory.h"

#include "core/regions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef CN_HOSTILE
#define CACHING 0 /* every use after free must reach the sanitizer */
#else
#define CACHING 1
#endif

enum {
    HEADER = CN_BLOCK_HEADER,
    SMALLEST_LOG2 = 6,
    LARGE_LOG2 = 20, /* 1 MiB */
    CLASSES = 4 * (LARGE_LOG2 - SMALLEST_LOG2) + 1,
    LARGE = CLASSES,              /* in place of a class: part of a region */
    THREAD_CACHE_BYTES = 8 << 20, /* of one size class */
    FLUSH_BYTES = 1 << 18         /* how far a thread's counts may run ahead of the process's */
};

typedef cn_block Block;

/* What belongs to one thread: free blocks, and counts not yet added to those of the process. */
typedef struct Cache {
    Block *free[CLASSES];
    int count[CLASSES];
    int64_t live, allocations, tensors;
} Cache;

#define FAST_TLS _Thread_local __attribute__((tls_model("initial-exec")))

static FAST_TLS Cache *thread_cache;
static pthread_key_t thread_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct {
    _Atomic int64_t live, peak, owned, allocations, tensors; /* owned: taken from the system */
    _Atomic size_t limit;
    _Atomic int64_t fail_after;
} state = { .fail_after = -1 };

/* Classes have sizes 2^k * {4, 5, 6, 7} / 4. */
static int class_of(size_t size)
{
    if (size <= (1u << SMALLEST_LOG2)) return 0;
    int log = 63 - __builtin_clzll((unsigned long long)(size - 1));
    int quarter = (int)(((size - 1) >> (log - 2)) & 3);
    return 4 * (log - SMALLEST_LOG2) + quarter + 1;
}

static size_t class_size(int class)
{
    size_t base = (size_t)1 << (SMALLEST_LOG2 + class / 4);
    return base + (base / 4) * (size_t)(class % 4);
}

static void system_free(Block *b)
{
    atomic_fetch_sub_explicit(&state.owned, (int64_t)b->size, memory_order_relaxed);
    free(b);
}

static Block *system_alloc(size_t size, int class)
{
    void *p = NULL;
    if (posix_memalign(&p, HEADER, size)) return NULL;
    Block *b = p;
    b->size = size, b->class = class;
    atomic_fetch_add_explicit(&state.owned, (int64_t)size, memory_order_relaxed);
    return b;
}

static Block *region_alloc(size_t size)
{
    size_t fresh = 0;
    Block *b = cn_region_take(size, &fresh);
    if (!b) return NULL;
    b->class = LARGE;
    atomic_fetch_add_explicit(&state.owned, (int64_t)fresh, memory_order_relaxed);
    return b;
}

static void free_list(Block *b)
{
    while (b) {
        Block *next = b->next;
        system_free(b);
        b = next;
    }
}

/* Counts are relaxed: they inform, nothing is ordered by them. */
static void flush_counts(Cache *c)
{
    int64_t live = atomic_fetch_add_explicit(&state.live, c->live, memory_order_relaxed) + c->live;
    if (live > atomic_load_explicit(&state.peak, memory_order_relaxed))
        atomic_store_explicit(&state.peak, live, memory_order_relaxed);
    atomic_fetch_add_explicit(&state.allocations, c->allocations, memory_order_relaxed);
    atomic_fetch_add_explicit(&state.tensors, c->tensors, memory_order_relaxed);
    c->live = c->allocations = c->tensors = 0;
}

static void thread_cache_free(void *p)
{
    Cache *c = p;
    flush_counts(c);
    for (int i = 0; i < CLASSES; i++) free_list(c->free[i]);
    free(c);
    thread_cache = NULL;
}

static void init_key(void)
{
    pthread_key_create(&thread_key, thread_cache_free);
}

static Cache *cache_of_thread(void)
{
    if (thread_cache) return thread_cache;
    pthread_once(&once, init_key);
    thread_cache = calloc(1, sizeof *thread_cache);
    if (thread_cache) pthread_setspecific(thread_key, thread_cache);
    return thread_cache;
}

static Block *take_cached(Cache *c, int class)
{
    Block *b = c->free[class];
    if (b) c->free[class] = b->next, c->count[class]--;
    return b;
}

static bool put_cached(Cache *c, Block *b)
{
    if (!CACHING) return false;
    if ((size_t)c->count[b->class] * b->size >= THREAD_CACHE_BYTES) return false;
    b->next = c->free[b->class];
    c->free[b->class] = b, c->count[b->class]++;
    return true;
}

void cn_trim_memory(void)
{
    if (thread_cache) {
        for (int i = 0; i < CLASSES; i++) {
            free_list(thread_cache->free[i]);
            thread_cache->free[i] = NULL, thread_cache->count[i] = 0;
        }
    }
    const size_t gone = cn_region_trim();
    atomic_fetch_sub_explicit(&state.owned, (int64_t)gone, memory_order_relaxed);
}

static bool injected_failure(void)
{
    if (atomic_load_explicit(&state.fail_after, memory_order_relaxed) < 0) return false;
    if (state.fail_after == 0) return true;
    state.fail_after--;
    return false;
}

void cn_alloc_fail_after(int64_t n)
{
    state.fail_after = n;
}

static void count(Cache *c, int64_t live)
{
    c->live += live;
    if (c->live > FLUSH_BYTES || c->live < -FLUSH_BYTES) flush_counts(c);
}

static bool over_limit(const Cache *c, size_t size)
{
    size_t limit = atomic_load_explicit(&state.limit, memory_order_relaxed);
    return limit && (size_t)(state.live + c->live) + size + HEADER > limit;
}

/* A block with room for so many bytes, header included. */
static Block *block_for(Cache *c, size_t size)
{
    if (!CACHING) return system_alloc(size, 0);
    if (size > (size_t)1 << LARGE_LOG2) return region_alloc(size);
    const int class = class_of(size);
    Block *b = take_cached(c, class);
    return b ? b : system_alloc(class_size(class), class);
}

static void give_block(Cache *c, Block *b)
{
    if (CACHING && b->class == LARGE) cn_region_give(b);
    else if (!c || !put_cached(c, b)) system_free(b);
}

void *cn_alloc(size_t size)
{
    Cache *c = cache_of_thread();
    if (!c || size > ((size_t)1 << 46) || injected_failure() || over_limit(c, size)) goto fail;
    Block *b = block_for(c, size + HEADER);
    if (!b) cn_trim_memory(), b = block_for(c, size + HEADER);
    if (!b) goto fail;
    c->allocations++;
    count(c, (int64_t)b->size);
#ifdef CN_HOSTILE
    memset((char *)b + HEADER, 0xff, size); /* NaN as float and as double */
#endif
    return (char *)b + HEADER;
fail:
    cn_fail(CN_ENOMEM, "out of memory: %zu bytes wanted, %lld in use, limit %zu (0: none)", size,
            (long long)state.live, (size_t)state.limit);
    return NULL;
}

void cn_free(void *block)
{
    if (!block) return;
    Block *b = (Block *)((char *)block - HEADER);
    int64_t size = (int64_t)b->size;
    Cache *c = cache_of_thread();
    give_block(c, b);
    if (c) count(c, -size);
}

void cn_text_free(char *text)
{
    cn_free(text);
}

void *cn_alloc_zeroed(size_t size)
{
    void *p = cn_alloc(size);
    if (p) memset(p, 0, size);
    return p;
}

void *cn_realloc(void *block, size_t size)
{
    if (!block) return cn_alloc(size);
    size_t room = ((Block *)((char *)block - HEADER))->size - HEADER;
    if (size <= room) return block;
    void *p = cn_alloc(size);
    if (!p) return NULL;
    memcpy(p, block, room);
    cn_free(block);
    return p;
}

char *cn_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = cn_alloc(n);
    if (copy) memcpy(copy, text, n);
    return copy;
}

bool cn_mul_size(size_t a, size_t b, size_t *out, const char *what)
{
    if (!__builtin_mul_overflow(a, b, out)) return true;
    return cn_fail(CN_EINVALID, "%s: %zu x %zu does not fit in memory", what, a, b);
}

void cn_set_memory_limit(size_t bytes)
{
    state.limit = bytes;
}

void cn_count_tensor(int change)
{
    Cache *c = cache_of_thread();
    if (c) c->tensors += change;
}

int64_t cn_live_tensors(void)
{
    Cache *c = cache_of_thread();
    return state.tensors + (c ? c->tensors : 0);
}

/* Other threads' latest counts may be missing, by at most FLUSH_BYTES each. */
cn_memory_stats cn_memory(void)
{
    Cache *c = cache_of_thread();
    if (c) flush_counts(c);
    return (cn_memory_stats){ .live_bytes = (size_t)state.live,
                              .peak_bytes = (size_t)state.peak,
                              .cached_bytes = (size_t)(state.owned - state.live),
                              .allocations = state.allocations,
                              .live_tensors = state.tensors };
}
