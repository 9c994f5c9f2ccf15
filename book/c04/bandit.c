/* bandit.c - ten arms, each with its chance: explore or exploit (D2L 4.7.4.3). */
#include "book/book.h"

#include <math.h>

enum { ARMS = 10, PULLS = 2000, SEEDS = 20 };

static const double chance[ARMS] = { .50, .42, .90, .25, .55, .38, .60, .32, .50, .45 };

typedef struct {
    double wins[ARMS], pulls[ARMS];
    int t;
    cn_rng rng;
} Bandit;

static int best_arm(const double value[ARMS])
{
    int best = 0;
    for (int i = 1; i < ARMS; i++)
        if (value[i] > value[best]) best = i;
    return best;
}

/* ---- policies -------------------------------------------------------------------------------- */

static int greedy(Bandit *b)
{
    double mean[ARMS];
    for (int i = 0; i < ARMS; i++) mean[i] = b->pulls[i] > 0 ? b->wins[i] / b->pulls[i] : 0;
    return best_arm(mean);
}

static int explore(Bandit *b, double epsilon)
{
    if (cn_rng_uniform(&b->rng) < epsilon) return (int)cn_rng_below(&b->rng, ARMS);
    return greedy(b);
}

static int epsilon_greedy(Bandit *b)
{
    return explore(b, 0.1);
}

static int annealed(Bandit *b)
{
    return explore(b, fmin(1, 20.0 / (b->t + 1)));
}

/* Optimism: the mean, and more for what is little known (Auer et al., 2002, who take sqrt 2 for
   0.5). */
static int upper_bound(Bandit *b)
{
    double value[ARMS];
    for (int i = 0; i < ARMS; i++) {
        if (b->pulls[i] == 0) return i;
        value[i] = b->wins[i] / b->pulls[i] + 0.5 * sqrt(log(b->t + 1) / b->pulls[i]);
    }
    return best_arm(value);
}

/* Of shape a >= 1 (Marsaglia and Tsang, 2000). */
static double draw_gamma(cn_rng *rng, double a)
{
    double d = a - 1. / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double z = cn_rng_normal(rng), r = 1 + c * z, v = r * r * r, u = cn_rng_uniform(rng);
        if (v > 0 && log(1 - u) < z * z / 2 + d - d * v + d * log(v)) return d * v;
    }
}

/* A draw from what is believed about each arm, Beta(1 + wins, 1 + losses). */
static int thompson(Bandit *b)
{
    double value[ARMS];
    for (int i = 0; i < ARMS; i++) {
        double won = draw_gamma(&b->rng, 1 + b->wins[i]);
        double lost = draw_gamma(&b->rng, 1 + b->pulls[i] - b->wins[i]);
        value[i] = won / (won + lost);
    }
    return best_arm(value);
}

static const struct {
    const char *name;
    int (*choose)(Bandit *b);
    double book;
} policies[] = {
    { "greedy", greedy, 824 },      { "epsilon 0.1", epsilon_greedy, 116.5 },
    { "annealed", annealed, 68.5 }, { "UCB", upper_bound, 36.5 },
    { "Thompson", thompson, 31.5 },
};
enum { POLICIES = sizeof policies / sizeof policies[0] };

/* ---- a run ----------------------------------------------------------------------------------- */

/* Adds what was missed, compared with always pulling the best arm, to the curve. */
static void play(int (*choose)(Bandit *b), uint64_t seed, double regret[PULLS])
{
    double most = chance[best_arm(chance)], missed = 0;
    Bandit b = { .rng = cn_rng_make(seed, 3) };
    for (b.t = 0; b.t < PULLS; b.t++) {
        int arm = choose(&b);
        missed += most - chance[arm];
        regret[b.t] += missed / SEEDS;
        b.wins[arm] += cn_rng_uniform(&b.rng) < chance[arm];
        b.pulls[arm]++;
    }
}

static void run(Lab *lab)
{
    static double regret[POLICIES][PULLS];
    cn_figure *f = cn_figure_new("Regret");
    bool ordered = true;
    for (int i = 0; i < POLICIES; i++) {
        for (int t = 0; t < PULLS; t++) regret[i][t] = 0;
        for (int k = 0; k < SEEDS; k++)
            play(policies[i].choose, lab_options(lab)->seed + (uint64_t)k, regret[i]);
        double end = regret[i][PULLS - 1];
        lab_say(lab, "%s: regret %.1f, published %.1f", policies[i].name, end, policies[i].book);
        ordered = ordered && (!i || end < regret[i - 1][PULLS - 1]);
        cn_figure_line(f, policies[i].name, NULL, regret[i], PULLS);
    }
    cn_figure_axes(f, .xlabel = "pulls", .ylabel = "mean regret", .ylog = true);
    lab_figure(lab, f);
    lab_true(lab, "greedy > epsilon > annealed > UCB > Thompson", ordered);
    /* Greedy never leaves the first arm that it has won with. */
    lab_number(lab, "greedy: regret, 0.4 for each pull", regret[0][PULLS - 1], 0.4 * PULLS, 60);
    /* Epsilon: a tenth of the pulls misses the mean gap, for ever. */
    double gap = 0;
    for (int i = 0; i < ARMS; i++) gap += (0.9 - chance[i]) / ARMS;
    lab_number(lab, "epsilon: regret of the last 1000 pulls",
               regret[1][PULLS - 1] - regret[1][PULLS - 1001], 0.1 * gap * 1000, 10);
    lab_at_most(lab, "Thompson: regret of the last 1000 pulls",
                regret[4][PULLS - 1] - regret[4][PULLS - 1001], 10);
}

const Experiment experiment_c04_bandit = {
    .id = "C04-BANDIT",
    .title = "Multi-armed bandits",
    .title_zh = "多臂老虎机",
    .section = "4.7.4",
    .settings = "10 arms of .50 .42 .90 .25 .55 .38 .60 .32 .50 .45, 2000 pulls",
    .published =
        "mean regret: greedy 824.0, epsilon 0.1 116.5, annealed 68.5, UCB 36.5, Thompson 31.5",
    .run = run,
};
