/* timer.c - how long things take (D2L 3.1.2). */
#include "book/book.h"

#include <math.h>
#include <time.h>

enum { NAPS = 4, ELEMENTS = 10000 };

static void run(Lab *lab)
{
    /* The book's Timer: a list of times, of which mean, sum and running sum are asked. */
    double times[NAPS], before = cn_seconds();
    for (int i = 0; i < NAPS; i++) {
        double start = cn_seconds();
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        times[i] = cn_seconds() - start;
    }
    double all = cn_seconds() - before;
    cn_tensor *t = cn_from(times, CN_SHAPE(NAPS), CN_F64);
    lab_at_least(lab, "a nap of 5 ms, the shortest of 4, in ms", 1e3 * cn_item(cn_amin(t)), 5);
    lab_at_most(lab, "timer.sum() and what passed in all", cn_item(cn_sum(t)), all);
    lab_number(lab, "4 timer.avg() - timer.sum()", 4 * cn_item(cn_mean(t)) - cn_item(cn_sum(t)), 0,
               1e-12);
    lab_number(lab, "the last of timer.cumsum()", cn_item(cn_select(cn_cumsum(t, 0), 0, -1)),
               cn_item(cn_sum(t)), 1e-12);

    double backwards = 0, last = cn_seconds();
    for (int i = 0; i < 10000; i++) {
        double now = cn_seconds();
        backwards = fmax(backwards, last - now);
        last = now;
    }
    lab_number(lab, "the clock went back by", backwards, 0, 0);

    /* Why vectors: one by one, and at once. */
    cn_tensor *a = cn_ones(CN_SHAPE(ELEMENTS), CN_F32), *b = cn_ones(CN_SHAPE(ELEMENTS), CN_F32);
    double start = cn_seconds();
    for (int64_t i = 0; i < ELEMENTS; i++) CN_SCOPE
        {
            cn_add(cn_select(a, 0, i), cn_select(b, 0, i));
        }
    double loop = cn_seconds() - start;
    start = cn_seconds();
    cn_tensor *sum = cn_add(a, b);
    lab_say(lab, "%d sums one by one: %.5f sec; at once: %.5f sec", ELEMENTS, loop,
            cn_seconds() - start);
    lab_number(lab, "the sum of both", cn_item(cn_sum(sum)), 2 * ELEMENTS, 0);

    /* The line that all trainers end with. */
    cn_dataset *train = lab_images(lab, CN_TRAIN, 512, 512);
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(10, .in = 784));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);
    LabFit fit = lab_fit(lab, net, train, .optim = sgd, .batch = 64, .epochs = 2);
    lab_say(lab, "%.1f examples/sec on cpu", fit.examples_per_second);
    lab_number(lab, "examples/sec times seconds", fit.examples_per_second * fit.seconds, 2 * 512,
               2);
    cn_optim_free(sgd);
    cn_module_free(net);
}

const Experiment experiment_tool_timer = {
    .id = "TOOL-TIMER",
    .title = "Timer and throughput",
    .title_zh = "计时器",
    .section = "3.1.2",
    .run = run,
};
