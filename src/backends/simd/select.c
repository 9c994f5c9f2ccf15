/* select.c - which kernels to use, on which threads. */
#include "backends/simd/parallel.h"
#include "backends/simd/simd_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t cn_simd_stream_from = (32 << 20) / (int)sizeof(float);

void cn_simd_parallel(int64_t n, int64_t piece, int threads, cn_simd_range_fn *fn, void *context)
{
    if (n <= piece) { /* without a division, which tiny calls would feel */
        if (n > 0) fn(context, 0, n);
        return;
    }
    const int64_t pieces = n / piece + (n % piece != 0);
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
#endif
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t begin = i * piece;
        fn(context, begin, n - begin < piece ? n : begin + piece);
    }
    (void)threads;
}

#if defined(__x86_64__)

/* Half of the largest cache: the other half holds what was read. */
static void ask_cache_size(void)
{
#ifdef _SC_LEVEL3_CACHE_SIZE
    const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (bytes > 0) cn_simd_stream_from = bytes / 2 / (long)sizeof(float);
#endif
}

extern const cn_simd_table cn_simd_avx512, cn_simd_avx2;

const cn_simd_table *cn_simd_select(void)
{
    const char *wish = getenv("CENOTE_ISA");
    const bool none = wish && strcmp(wish, "none") == 0;
    const bool at_most_avx2 = wish && strcmp(wish, "avx2") == 0;
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (none) return NULL;
    ask_cache_size();
    if (avx512 && !at_most_avx2) return &cn_simd_avx512;
    return avx2 ? &cn_simd_avx2 : NULL;
}

#else

const cn_simd_table *cn_simd_select(void)
{
    return NULL;
}

#endif
