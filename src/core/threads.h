/* threads.h - the one pool: OpenMP's, which oneDNN uses too. */
#ifndef CN_CORE_THREADS_H
#define CN_CORE_THREADS_H

#include <cenote/base.h>

/* Runs job(first, last) over 0 .. n-1 in chunks. `cost` is the price of one unit in element visits:
   below about 64 Ki visits in all everything runs here. Chunk bounds depend on n and cost only. */
void cn_parallel(int64_t n, int64_t cost, void (*job)(int64_t first, int64_t last, void *context),
                 void *context);

/* Denormals cost 24 times a normal number: flush them to zero in this thread and in the pool's. */
void cn_flush_denormals(void);

#endif
