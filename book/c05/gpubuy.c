/* gpubuy.c - what a machine can do, measured (D2L 23.5). */
#include "book/book.h"

#include <math.h>

enum { SIDE = 384, FLOATS = 1 << 21, TIMES = 4 };

/* In 10^9 multiplications and additions a second, the best of a few. */
static double matmul_rate(void)
{
    cn_tensor *a = cn_randn(CN_SHAPE(SIDE, SIDE), CN_F32),
              *b = cn_randn(CN_SHAPE(SIDE, SIDE), CN_F32);
    double best = 0;
    for (int i = 0; i < TIMES; i++) {
        double start = cn_seconds();
        CN_SCOPE
        {
            cn_matmul(a, b);
        }
        best = fmax(best, 2e-9 * SIDE * SIDE * SIDE / (cn_seconds() - start));
    }
    return best;
}

/* In 10^9 bytes a second that are read, and as many written. */
static double copy_rate(void)
{
    cn_tensor *from = cn_ones(CN_SHAPE(FLOATS), CN_F32), *to = cn_zeros(CN_SHAPE(FLOATS), CN_F32);
    double best = 0;
    for (int i = 0; i < TIMES; i++) {
        double start = cn_seconds();
        cn_copy_(to, from);
        best = fmax(best, 8e-9 * FLOATS / (cn_seconds() - start));
    }
    return best;
}

static void run(Lab *lab)
{
    double rate = matmul_rate(), copy = copy_rate();
    lab_say(lab, "engines: %s; threads: %d", cn_engines(), cn_threads());
    lab_say(lab, "matrix products %.1f GFLOP/s; copying %.1f GB/s", rate, copy);
    lab_skip(
        lab,
        "the subject is a GPU's memory, bandwidth and speed; the CPU has %.0f GFLOP/s in float32 and copies %.1f GB/s",
        rate, copy);
}

const Experiment experiment_c05_gpubuy = {
    .id = "C05-GPUBUY",
    .title = "Comparing machines",
    .title_zh = "购买GPU",
    .section = "23.5",
    .run = run,
};
