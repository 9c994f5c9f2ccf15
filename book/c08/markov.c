/* markov.c - Markov chains: the next state depends on this one alone (D2L 9.1.1). */
#include "book/book.h"

enum { STATES = 3, T = 60000, STEPS = 4 };

static const double chain[STATES * STATES] = { 0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.2, 0.3, 0.5 };

static void simulate(int *x, uint64_t seed)
{
    cn_rng rng = cn_rng_make(seed, 0);
    x[0] = 0;
    for (int t = 1; t < T; t++) {
        double left = cn_rng_uniform(&rng);
        for (x[t] = 0; x[t] < STATES - 1; x[t]++)
            if ((left -= chain[x[t - 1] * STATES + x[t]]) < 0) break;
    }
}

/* How often state j comes k steps after state i, as a share of i's. */
static cn_tensor *frequencies(const int *x, int k)
{
    double n[STATES * STATES] = { 0 };
    for (int t = 0; t + k < T; t++) n[x[t] * STATES + x[t + k]]++;
    cn_tensor *counts = cn_from(n, CN_SHAPE(STATES, STATES), CN_F64);
    return cn_div(counts, cn_sum(counts, .dim = CN_SHAPE(1), .keepdim = true));
}

static void run(Lab *lab)
{
    static int x[T];
    simulate(x, lab_options(lab)->seed);
    cn_tensor *p = cn_from(chain, CN_SHAPE(STATES, STATES), CN_F64), *estimate = frequencies(x, 1);
    cn_tensor *power = p;
    lab_same(lab, "the estimated transition matrix", estimate, p, 0.02);
    lab_values(lab, "its rows add up", cn_sum(estimate, .dim = CN_SHAPE(1)), 1e-12, 1, 1, 1);
    for (int k = 2; k <= STEPS; k++) {
        char what[64] = "P^k and the frequencies k steps later, k = 2";
        what[sizeof "P^k and the frequencies k steps later, k = " - 1] = (char)('0' + k);
        power = cn_matmul(power, p);
        lab_same(lab, what, frequencies(x, k), power, 0.02);
    }
    for (int k = 0; k < 60; k++) power = cn_matmul(power, p);
    lab_same(lab, "far ahead the beginning is forgotten", cn_select(power, 0, 0),
             cn_select(power, 0, 2), 1e-12);
    lab_same(lab, "and the limit stays as it is", cn_matmul(power, p), power, 1e-12);
    cn_figure *f = cn_figure_new("Transition probabilities");
    cn_figure_heatmap(f, cn_data(estimate), STATES, STATES, .xlabel = "next", .ylabel = "state",
                      .numbers = true);
    lab_figure(lab, f);
}

const Experiment experiment_c08_markov = {
    .id = "C08-MARKOV",
    .title = "Markov models",
    .title_zh = "马尔可夫模型",
    .section = "9.1.1",
    .settings = "3 states, 60,000 steps",
    .run = run,
};
