/* finite.c - a finite sample: with and without putting back (D2L 12.4.4). */
#include "book/book.h"

#include <math.h>
#include <string.h>

enum { N = 1000, TRIALS = 60 };

/* The share of N examples that N draws with putting back meet. */
static double met(void)
{
    int seen = 0;
    for (int k = 0; k < TRIALS; k++) {
        bool got[N] = { false };
        for (int i = 0; i < N; i++) {
            int64_t j = cn_rng_below(cn_default_rng(), N);
            seen += !got[j];
            got[j] = true;
        }
    }
    return (double)seen / (N * TRIALS);
}

/* An epoch of a loader over 0 .. N-1, in the order of its batches. */
static bool epoch(cn_loader *loader, int64_t order[N])
{
    cn_batch b;
    int64_t n = 0;
    while (cn_loader_next(loader, &b)) {
        if (n + b.size > N || !cn_read(b.x, CN_I64, order + n, b.size)) return false;
        n += b.size;
    }
    return n == N;
}

static bool each_once(const int64_t order[N])
{
    bool got[N] = { false };
    for (int i = 0; i < N; i++) {
        if (order[i] < 0 || order[i] >= N || got[order[i]]) return false;
        got[order[i]] = true;
    }
    return true;
}

static void run(Lab *lab)
{
    const double chance = 1 - pow(1 - 1.0 / N, N);
    lab_number(lab, "chance to be drawn at least once", chance, 0.63, 0.005);
    lab_number(lab, "1 - 1 / e", chance, 1 - exp(-1), 3e-4);
    lab_number(lab, "share drawn in 60 trials", met(), chance, 0.006);

    int64_t one[N], other[N];
    cn_dataset *data = cn_dataset_from_tensors(cn_arange(0, N, 1, CN_I64), NULL);
    cn_loader *loader = cn_loader_new(data, .batch = 32, .shuffle = true, .seed = 1);
    bool got = epoch(loader, one) && epoch(loader, other);
    lab_true(lab, "an epoch of a loader has each example once", got && each_once(one));
    lab_true(lab, "so has the next", got && each_once(other));
    int same = 0;
    for (int i = 0; i < N; i++) same += got && one[i] == other[i];
    lab_true(lab, "in another order", got && memcmp(one, other, sizeof one) != 0);
    lab_at_most(lab, "examples at the same place", same, 10);
    cn_loader_free(loader);
    cn_dataset_free(data);
}

const Experiment experiment_opt_finite = {
    .id = "OPT-FINITE",
    .title = "Sampling from a finite sample",
    .title_zh = "随机梯度和有限样本",
    .section = "12.4.4",
    .published = "0.63",
    .run = run,
};
