/* bench_limits.c - measuring times, and what the machine gives. */
#include "app/bench.h"

#include <cenote/ops.h>
#include <pthread.h>
#include <stdlib.h>

enum { MOST_STEPS = 200000, WARM_UP = 3 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool measure(bool (*step)(void *context), void *context, double seconds, Times *out)
{
    double *times = malloc(MOST_STEPS * sizeof *times);
    if (!times) return cn_fail(CN_ENOMEM, "bench: out of memory");
    bool ok = true;
    for (int i = 0; ok && i < WARM_UP; i++) ok = step(context);
    int64_t n = 0;
    for (double start = cn_seconds();
         ok && n < MOST_STEPS && (n < 3 || cn_seconds() - start < seconds); n++) {
        double t = cn_seconds();
        ok = step(context);
        times[n] = cn_seconds() - t;
    }
    if (ok) {
        qsort(times, (size_t)n, sizeof *times, by_size);
        *out = (Times){ times[n / 2], times[0], times[n * 9 / 10], n };
    }
    free(times);
    return ok;
}

double peak_flops(void)
{
    enum { N = 1024 };
    double best = 0;
    CN_SCOPE
    {
        cn_tensor *a = cn_ones(CN_SHAPE(N, N), CN_F32);
        for (int i = 0; i < 12 && cn_ok(); i++) {
            CN_SCOPE
            {
                double t = cn_seconds();
                cn_mm(a, a);
                t = cn_seconds() - t;
                double rate = 2.0 * N * N * N / t;
                if (rate > best) best = rate;
            }
        }
    }
    return best;
}

/* ---- memory -------------------------------------------------------------------------------- */

enum { TRIAD_FLOATS = 16 << 20, TRIAD_ROUNDS = 6, MOST_THREADS = 64 };

typedef struct {
    float *z;
    const float *x, *y;
    int64_t n;
} Triad;

static void *triad(void *context)
{
    const Triad *t = context;
    for (int64_t i = 0; i < t->n; i++) t->z[i] = t->x[i] + 3 * t->y[i];
    return NULL;
}

/* One round on all threads; seconds. */
static double triad_time(float *memory, int threads)
{
    pthread_t thread[MOST_THREADS];
    Triad part[MOST_THREADS];
    bool started[MOST_THREADS] = { false };
    const int64_t n = TRIAD_FLOATS / threads;
    const double start = cn_seconds();
    for (int i = 0; i < threads; i++) {
        float *z = memory + i * n;
        part[i] = (Triad){ z, z + TRIAD_FLOATS, z + 2 * TRIAD_FLOATS, n };
        if (i > 0) started[i] = pthread_create(&thread[i], NULL, triad, &part[i]) == 0;
    }
    for (int i = 0; i < threads; i++) {
        if (started[i]) pthread_join(thread[i], NULL);
        else triad(&part[i]);
    }
    return cn_seconds() - start;
}

double peak_bandwidth(void)
{
    const int threads = cn_threads() < MOST_THREADS ? cn_threads() : MOST_THREADS;
    double best = 0;
    float *memory = malloc(3 * sizeof(float) * TRIAD_FLOATS);
    if (!memory) return 0;
    for (int64_t i = 0; i < 3 * (int64_t)TRIAD_FLOATS; i++) memory[i] = 1;
    for (int i = 0; i < TRIAD_ROUNDS; i++) {
        const double rate = 3 * sizeof(float) * (double)TRIAD_FLOATS / triad_time(memory, threads);
        if (rate > best) best = rate;
    }
    free(memory);
    return best;
}
