/* rl.c - an agent on a frozen lake: value iteration and Q-learning (D2L 4.7.4.5, 17). */
#include "book/book.h"

#include <math.h>

enum {
    SIDE = 4,
    STATES = SIDE * SIDE,
    ACTIONS = 4,
    EPISODES = 2000,
    STEPS = 100,
    LEARNING = 20000
};

static const char lake[] = "SFFF"
                           "FHFH"
                           "FFFH"
                           "HFFG";
static const double discount = 0.95;

/* ---- the world ------------------------------------------------------------------------------- */

static bool is_end(int state)
{
    return lake[state] == 'H' || lake[state] == 'G';
}

/* Left, down, right, up; who would leave the lake stays. */
static int move(int state, int action)
{
    static const int dx[] = { -1, 0, 1, 0 }, dy[] = { 0, 1, 0, -1 };
    int x = state % SIDE + dx[action], y = state / SIDE + dy[action];
    return x < 0 || y < 0 || x >= SIDE || y >= SIDE ? state : y * SIDE + x;
}

/* The ice is slippery: with a third each to either side instead. */
static int slip(cn_rng *rng, int state, int action)
{
    int turn = (int)cn_rng_below(rng, 3) + ACTIONS - 1;
    return move(state, (action + turn) % ACTIONS);
}

/* ---- planning, with the world known ---------------------------------------------------------- */

/* The mean of reward and discounted value over where an action may lead. */
static double action_value(const double v[STATES], int state, int action)
{
    double sum = 0;
    for (int turn = ACTIONS - 1; turn <= ACTIONS + 1; turn++) {
        int next = move(state, (action + turn) % ACTIONS);
        sum += ((lake[next] == 'G') + discount * v[next]) / 3;
    }
    return sum;
}

static int best_of(const double q[ACTIONS])
{
    int best = 0;
    for (int a = 1; a < ACTIONS; a++)
        if (q[a] > q[best]) best = a;
    return best;
}

/* V(s) = max over a of Q(s, a), until it does not change; what changed last is returned. */
static double value_iteration(double v[STATES], int policy[STATES])
{
    double change = 1;
    for (int i = 0; i < 1000 && change > 1e-12; i++) {
        double next[STATES];
        change = 0;
        for (int s = 0; s < STATES; s++) {
            double q[ACTIONS];
            for (int a = 0; a < ACTIONS; a++) q[a] = is_end(s) ? 0 : action_value(v, s, a);
            policy[s] = best_of(q);
            next[s] = q[policy[s]];
            change = fmax(change, fabs(next[s] - v[s]));
        }
        for (int s = 0; s < STATES; s++) v[s] = next[s];
    }
    return change;
}

/* ---- learning, from what happens ------------------------------------------------------------- */

static void q_learning(cn_rng *rng, int policy[STATES])
{
    double q[STATES][ACTIONS] = { { 0 } };
    for (int episode = 0; episode < LEARNING; episode++) {
        double rate = 0.5 / (1 + episode / 500.0), epsilon = fmax(0.3, 1 - episode / 5000.0);
        int s = 0;
        for (int i = 0; i < STEPS && !is_end(s); i++) {
            bool tries = cn_rng_uniform(rng) < epsilon;
            int a = tries ? (int)cn_rng_below(rng, ACTIONS) : best_of(q[s]);
            int next = slip(rng, s, a);
            double target = (lake[next] == 'G') + discount * q[next][best_of(q[next])];
            q[s][a] += rate * (target - q[s][a]);
            s = next;
        }
    }
    for (int s = 0; s < STATES; s++) policy[s] = best_of(q[s]);
}

/* The share of episodes that reach the goal. */
static double success(cn_rng *rng, const int policy[STATES])
{
    double reached = 0;
    for (int episode = 0; episode < EPISODES; episode++) {
        int s = 0;
        for (int i = 0; i < STEPS && !is_end(s); i++) s = slip(rng, s, policy[s]);
        reached += lake[s] == 'G';
    }
    return reached / EPISODES;
}

static void draw(Lab *lab, const double v[STATES])
{
    cn_figure *f = cn_figure_new("V*");
    cn_figure_heatmap(f, v, SIDE, SIDE, .numbers = true);
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    double v[STATES] = { 0 };
    int optimal[STATES] = { 0 }, learned[STATES] = { 0 };
    cn_rng rng = cn_rng_make(lab_options(lab)->seed, 4);
    lab_at_most(lab, "value iteration: last change", value_iteration(v, optimal), 1e-12);
    lab_number(lab, "V*(start)", v[0], 0.1805, 5e-5);
    lab_at_most(lab, "values of holes and goal", fabs(v[5]) + fabs(v[STATES - 1]), 0);
    double planned = success(&rng, optimal), mean = 0;
    lab_number(lab, "the optimal policy reaches the goal", planned, 0.736, 0.04);
    for (int k = 0; k < 5; k++) {
        rng = cn_rng_make(lab_options(lab)->seed + (uint64_t)k, 5);
        q_learning(&rng, learned);
        double reached = success(&rng, learned);
        lab_say(lab, "Q-learning, run %d: %.1f %%", k + 1, 100 * reached);
        mean += reached / 5;
    }
    lab_at_least(lab, "Q-learning reaches it, against the optimal policy", mean / planned, 0.9);
    const int left[STATES] = { 0 };
    lab_at_most(lab, "who always goes left", success(&rng, left), 0.2);
    draw(lab, v);
}

const Experiment experiment_c04_rl = {
    .id = "C04-RL",
    .title = "Reinforcement learning: agent and environment",
    .title_zh = "强化学习",
    .section = "4.7.4",
    .settings = "FrozenLake 4 x 4, slippery, discount 0.95",
    .published = "V*(start) 0.1805; the goal is reached in 73.6 %, by Q-learning in 71.2 to 74.1 %",
    .run = run,
};
