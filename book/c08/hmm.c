/* hmm.c - hidden Markov models: forward, backward, Viterbi, Baum-Welch (Rabiner, 1989). */
#include "book/book.h"

#include <math.h>
#include <string.h>

enum { N = 2, M = 3, SHORT = 6, LONG = 400, ROUNDS = 40 };

typedef struct Hmm {
    double start[N], move[N][N], emit[N][M];
} Hmm;

static const Hmm truth = { { 0.6, 0.4 },
                           { { 0.9, 0.1 }, { 0.2, 0.8 } },
                           { { 0.7, 0.2, 0.1 }, { 0.1, 0.3, 0.6 } } };

static int draw(cn_rng *rng, const double *p, int n)
{
    double left = cn_rng_uniform(rng);
    for (int i = 0; i + 1 < n; i++)
        if ((left -= p[i]) < 0) return i;
    return n - 1;
}

static void simulate(const Hmm *h, int *y, int n, uint64_t seed)
{
    cn_rng rng = cn_rng_make(seed, 0);
    for (int t = 0, state = 0; t < n; t++) {
        state = draw(&rng, t ? h->move[state] : h->start, N);
        y[t] = draw(&rng, h->emit[state], M);
    }
}

/* ---- the algorithms ---------------------------------------------------------------------------- */

/* a[t][i] = p(y_0 .. y_t, state i), each row scaled to add up to 1; returns log p(y). */
static double forward(const Hmm *h, const int *y, int n, double a[][N], double *scale)
{
    double log_p = 0;
    for (int t = 0; t < n; t++) {
        scale[t] = 0;
        for (int j = 0; j < N; j++) {
            a[t][j] = t ? 0 : h->start[j];
            for (int i = 0; t && i < N; i++) a[t][j] += a[t - 1][i] * h->move[i][j];
            scale[t] += a[t][j] *= h->emit[j][y[t]];
        }
        for (int j = 0; j < N; j++) a[t][j] /= scale[t];
        log_p += log(scale[t]);
    }
    return log_p;
}

/* b[t][i] = p(y_{t+1} .. | state i), scaled as forward() did. */
static void backward(const Hmm *h, const int *y, int n, double b[][N], const double *scale)
{
    for (int i = 0; i < N; i++) b[n - 1][i] = 1;
    for (int t = n - 2; t >= 0; t--)
        for (int i = 0; i < N; i++) {
            b[t][i] = 0;
            for (int j = 0; j < N; j++)
                b[t][i] += h->move[i][j] * h->emit[j][y[t + 1]] * b[t + 1][j] / scale[t + 1];
        }
}

/* The most probable states; returns their log p(states, y). */
static double viterbi(const Hmm *h, const int *y, int n, int *path)
{
    double best[LONG][N];
    int from[LONG][N];
    for (int t = 0; t < n; t++)
        for (int j = 0; j < N; j++) {
            best[t][j] = t ? -(double)INFINITY : log(h->start[j]);
            from[t][j] = 0;
            for (int i = 0; t && i < N; i++) {
                double p = best[t - 1][i] + log(h->move[i][j]);
                if (!(p > best[t][j])) continue;
                best[t][j] = p;
                from[t][j] = i;
            }
            best[t][j] += log(h->emit[j][y[t]]);
        }
    path[n - 1] = best[n - 1][1] > best[n - 1][0];
    for (int t = n - 1; t > 0; t--) path[t - 1] = from[t][path[t]];
    return best[n - 1][path[n - 1]];
}

static void normalise(double *p, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += p[i];
    for (int i = 0; i < n; i++) p[i] /= sum;
}

/* One round of Baum and Welch; returns log p(y) of the model before it. */
static double baum_welch(Hmm *h, const int *y, int n)
{
    double a[LONG][N], b[LONG][N], scale[LONG];
    double log_p = forward(h, y, n, a, scale);
    Hmm next;
    memset(&next, 0, sizeof next);
    backward(h, y, n, b, scale);
    for (int t = 0; t < n; t++)
        for (int i = 0; i < N; i++) {
            double here = a[t][i] * b[t][i]; /* p(state i at t | y) */
            if (t == 0) next.start[i] = here;
            next.emit[i][y[t]] += here;
            for (int j = 0; t + 1 < n && j < N; j++)
                next.move[i][j] +=
                    a[t][i] * h->move[i][j] * h->emit[j][y[t + 1]] * b[t + 1][j] / scale[t + 1];
        }
    normalise(next.start, N);
    for (int i = 0; i < N; i++) {
        normalise(next.move[i], N);
        normalise(next.emit[i], M);
    }
    *h = next;
    return log_p;
}

/* ---- all paths, one by one ------------------------------------------------------------------------ */

static double path_probability(const Hmm *h, const int *y, int n, int path)
{
    double p = 1;
    for (int t = 0, before = 0; t < n; t++) {
        int state = path >> t & 1;
        p *= (t ? h->move[before][state] : h->start[state]) * h->emit[state][y[t]];
        before = state;
    }
    return p;
}

static void check_against_all_paths(Lab *lab, uint64_t seed)
{
    int y[SHORT], path[SHORT], best = 0, found = 0;
    double a[SHORT][N], b[SHORT][N], scale[SHORT], all = 0, in_state_1 = 0;
    simulate(&truth, y, SHORT, seed);
    for (int p = 0; p < 1 << SHORT; p++) {
        double one = path_probability(&truth, y, SHORT, p);
        all += one;
        if (p >> 2 & 1) in_state_1 += one;
        if (one > path_probability(&truth, y, SHORT, best)) best = p;
    }
    double log_p = forward(&truth, y, SHORT, a, scale);
    double log_best = viterbi(&truth, y, SHORT, path);
    backward(&truth, y, SHORT, b, scale);
    for (int t = 0; t < SHORT; t++) found |= path[t] << t;
    lab_number(lab, "forward: log p, over all 64 paths", log_p, log(all), 1e-12);
    lab_number(lab, "forward and backward: p(state 1 at step 2)", a[2][1] * b[2][1],
               in_state_1 / all, 1e-12);
    lab_number(lab, "Viterbi: the best path", found, best, 0);
    lab_number(lab, "its log p", log_best, log(path_probability(&truth, y, SHORT, best)), 1e-12);
}

static void run(Lab *lab)
{
    int y[LONG];
    double log_p[ROUNDS], a[LONG][N], scale[LONG], largest_fall = 0;
    Hmm h = { { 0.5, 0.5 },
              { { 0.6, 0.4 }, { 0.4, 0.6 } },
              { { 0.5, 0.3, 0.2 }, { 0.2, 0.3, 0.5 } } };
    check_against_all_paths(lab, lab_options(lab)->seed);
    simulate(&truth, y, LONG, lab_options(lab)->seed);
    for (int i = 0; i < ROUNDS; i++) {
        log_p[i] = baum_welch(&h, y, LONG);
        if (i) largest_fall = fmax(largest_fall, log_p[i - 1] - log_p[i]);
    }
    lab_at_most(lab, "Baum-Welch: the likelihood never falls, but by", largest_fall, 1e-9);
    lab_at_least(lab, "log p gained", log_p[ROUNDS - 1] - log_p[0], 10);
    lab_at_least(lab, "log p learned, less that of the true model",
                 log_p[ROUNDS - 1] - forward(&truth, y, LONG, a, scale), -0.5);

    cn_figure *f = cn_figure_new("Baum-Welch");
    cn_figure_line(f, "log p(y)", NULL, log_p, ROUNDS);
    cn_figure_axes(f, .xlabel = "round");
    lab_figure(lab, f);
}

const Experiment experiment_c08_hmm = {
    .id = "C08-HMM",
    .title = "Hidden Markov models",
    .title_zh = "隐马尔可夫模型",
    .section = "9.1",
    .settings = "2 states, 3 symbols; all 64 paths of 6 steps; 40 rounds on 400 steps",
    .run = run,
};
