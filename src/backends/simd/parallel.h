/* parallel.h - the one way kernels use more than one thread. */
#ifndef CN_BACKENDS_SIMD_PARALLEL_H
#define CN_BACKENDS_SIMD_PARALLEL_H

#include <stdint.h>

/* Works on items begin .. end-1. */
typedef void cn_simd_range_fn(void *context, int64_t begin, int64_t end);

/* Calls fn for 0 .. n-1, cut into pieces of `piece` items (the last may be shorter), on up to
   `threads` threads. The cut depends on n and piece only. */
void cn_simd_parallel(int64_t n, int64_t piece, int threads, cn_simd_range_fn *fn, void *context);

#endif
