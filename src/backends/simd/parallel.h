/* parallel.h - the one way kernels use more than one thread. */
#ifndef CN_BACKENDS_SIMD_PARALLEL_H
#define CN_BACKENDS_SIMD_PARALLEL_H

#include <stdint.h>

/* Results of at least so many floats are gone from the caches before anybody reads them: they are
   written past the caches, which saves reading what they overwrite. */
extern int64_t cn_simd_stream_from;

/* Works on items begin .. end-1. */
typedef void cn_simd_range_fn(void *context, int64_t begin, int64_t end);

/* Calls fn for 0 .. n-1, cut into pieces of `piece` items (the last may be shorter), on up to
   `threads` threads. The cut depends on n and piece only. */
void cn_simd_parallel(int64_t n, int64_t piece, int threads, cn_simd_range_fn *fn, void *context);

#endif
