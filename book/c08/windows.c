/* windows.c - minibatches out of a long sequence (D2L 9.3.5). */
#include "book/book.h"

enum { N = 35, BATCH = 2, STEPS = 5 };

/* What holds in both ways: targets are one step later, and no window has a token twice. */
static void check_batch(Lab *lab, const cn_batch *b, bool seen[N])
{
    const int64_t *x = cn_data(b->x);
    bool once = true;
    for (int i = 0; x && i < BATCH * STEPS; i++) {
        once = once && x[i] >= 0 && x[i] < N && !seen[x[i]];
        if (x[i] >= 0 && x[i] < N) seen[x[i]] = true;
    }
    lab_shape(lab, "X", b->x, CN_SHAPE(BATCH, STEPS));
    lab_same(lab, "Y is X one step later", b->y, cn_add(b->x, cn_num(1)), 0);
    lab_same(lab, "steps follow each other", cn_diff(b->x, 1, 1),
             cn_ones(CN_SHAPE(BATCH, STEPS - 1), CN_I64), 0);
    lab_true(lab, "windows do not overlap", once);
}

static void run(Lab *lab, bool random)
{
    int64_t first[3 * BATCH], batches = 0;
    bool seen[N] = { false }, follows = true, in_order = true;
    cn_batch b;
    cn_windows *w = cn_windows_new(cn_arange(0, N, 1, CN_I64), .batch = BATCH, .steps = STEPS,
                                   .random = random, .seed = lab_options(lab)->seed);
    for (; batches < 3 && cn_windows_next(w, &b); batches++) {
        check_batch(lab, &b, seen);
        for (int r = 0; r < BATCH; r++) {
            first[batches * BATCH + r] = (int64_t)cn_at(b.x, CN_SHAPE(r, 0));
            if (batches)
                follows = follows &&
                          first[batches * BATCH + r] == first[(batches - 1) * BATCH + r] + STEPS;
        }
    }
    for (int i = 1; i < batches * BATCH; i++) in_order = in_order && first[i] > first[i - 1];
    lab_number(lab, "batches", (double)batches, 3, 0);
    lab_true(lab, random ? "the order is random" : "rows go on where they were",
             random ? !follows && !in_order : follows);
    cn_windows_free(w);
}

static void run_random(Lab *lab)
{
    run(lab, true);
}

static void run_sequential(Lab *lab)
{
    run(lab, false);
}

const Experiment experiment_c08_randsamp = {
    .id = "C08-RANDSAMP",
    .title = "Random sampling",
    .title_zh = "随机采样",
    .section = "9.3.5",
    .settings = "0 .. 34, batch 2, steps 5",
    .published = "three batches of disjoint windows",
    .run = run_random,
};

const Experiment experiment_c08_seqpart = {
    .id = "C08-SEQPART",
    .title = "Sequential partitioning",
    .title_zh = "顺序分区",
    .section = "9.3.5",
    .settings = "0 .. 34, batch 2, steps 5",
    .published = "three batches, each row goes on",
    .run = run_sequential,
};
