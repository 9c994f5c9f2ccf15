/* threads.c - OpenMP behind two functions. */
#include "core/threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { WORTH_IT = 1 << 16, CHUNK = 1 << 14 };

static atomic_int chosen;

static int default_threads(void)
{
    const char *env = getenv("CENOTE_NUM_THREADS");
    int n = env ? atoi(env) : 0;
#ifdef _OPENMP
    if (n <= 0) n = omp_get_max_threads();
#endif
    return n > 0 ? n : 1;
}

int cn_threads(void)
{
    int n = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (n > 0) return n;
    cn_set_threads(0);
    return chosen;
}

void cn_set_threads(int n)
{
    if (n <= 0) n = default_threads();
    if (n > 1024) n = 1024;
    chosen = n;
#ifdef _OPENMP
    omp_set_num_threads(n); /* oneDNN asks OpenMP */
#endif
    cn_flush_denormals();
}

static void flush_here(void)
{
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040u); /* flush to zero, denormals are zero */
#endif
}

void cn_flush_denormals(void)
{
    flush_here();
#ifdef _OPENMP
#pragma omp parallel num_threads(chosen > 0 ? chosen : 1)
    flush_here();
#endif
}

void cn_parallel(int64_t n, int64_t cost, void (*job)(int64_t first, int64_t last, void *context),
                 void *context)
{
#ifdef _OPENMP
    int threads = n * cost < WORTH_IT ? 1 : cn_threads();
    if (threads > 1 && !omp_in_parallel()) {
        int64_t chunk = cost >= CHUNK ? 1 : CHUNK / (cost > 0 ? cost : 1);
        int64_t chunks = (n + chunk - 1) / chunk;
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < chunks; i++) {
            int64_t last = (i + 1) * chunk;
            job(i * chunk, last < n ? last : n, context);
        }
        return;
    }
#endif
    (void)cost;
    job(0, n, context);
}
