/* rng.h - Philox 4x32-10, a counter-based generator: what is drawn depends on (seed, stream,
   position)
   only, never on the number of threads. Source: Salmon et al., "Parallel random numbers: as easy as
   1, 2, 3", SC 2011. */
#ifndef CENOTE_RNG_H
#define CENOTE_RNG_H

#include "base.h"

CN_BEGIN_DECLS

typedef struct cn_rng {
    uint64_t seed, stream;
    uint64_t position; /* in blocks of four 32-bit numbers */
} cn_rng;

CN_API cn_rng cn_rng_make(uint64_t seed, uint64_t stream);
/* The four numbers at one position: the whole generator, without state. */
CN_API void cn_philox(uint64_t seed, uint64_t stream, uint64_t position, uint32_t out[4]);

CN_API uint32_t cn_rng_u32(cn_rng *rng);
CN_API int64_t cn_rng_below(cn_rng *rng, int64_t n); /* uniform in 0 .. n-1, without bias */
CN_API double cn_rng_uniform(cn_rng *rng);           /* in [0, 1) */
CN_API double cn_rng_normal(cn_rng *rng);            /* mean 0, variance 1 */
CN_API void cn_rng_permutation(cn_rng *rng, int64_t n, int64_t *out); /* 0 .. n-1, shuffled */

/* This thread's default generator: what random ops use when no generator is given. */
CN_API void cn_manual_seed(uint64_t seed);
CN_API cn_rng *cn_default_rng(void);

CN_END_DECLS
#endif
