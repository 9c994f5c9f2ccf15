/* svm.c - support vector machines with hard and soft margins. */
#include "book/ml/svm.h"
#include "book/book.h"
#include "book/ml/eight.h"

#include <math.h>

enum { SOFT = 80 };

/* The offset among the weights, as a constant feature: multipliers have no equation to keep. */
static void hard(Lab *lab)
{
    double k[EIGHT * EIGHT], w[3] = { 0 }, margin[EIGHT];
    eight_products(true, k);
    Svm s = { .n = EIGHT, .k = k, .y = eight_y, .limit = (double)INFINITY };
    svm_ascent(&s, 5000);
    for (int i = 0; i < EIGHT; i++) {
        margin[i] = svm_margin(&s, i);
        for (int f = 0; f < 3; f++) w[f] += s.a[i] * s.y[i] * eight_x[i][f];
    }
    lab_values(lab, "multipliers", cn_from(s.a, CN_SHAPE(EIGHT), CN_F64), 5e-5, 0.1309, 0.0732, 0,
               0, 0, 0.2442, 0, 0.3885);
    lab_values(lab, "w and b", cn_from(w, CN_SHAPE(3), CN_F64), 1e-12, 4.0 / 7, 4.0 / 7, -3.0 / 7);
    lab_values(lab, "margins: 1 for support vectors", cn_from(margin, CN_SHAPE(EIGHT), CN_F64),
               5e-5, 1, 1, 2.1429, 2.1429, 1.2857, 1, 2.4286, 1);
    lab_number(lab, "primal", svm_primal(&s), 0.418367, 5e-7);
    lab_number(lab, "dual", svm_dual(&s), 0.418367, 5e-7);
    lab_at_most(lab, "their difference", fabs(svm_primal(&s) - svm_dual(&s)), 1e-14);
}

/* The offset free: both margins are as wide as they can be. */
static void free_offset(Lab *lab)
{
    double k[EIGHT * EIGHT], sum = 0, plus = (double)INFINITY, minus = (double)INFINITY;
    eight_products(false, k);
    Svm s = { .n = EIGHT, .k = k, .y = eight_y, .limit = (double)INFINITY };
    lab_true(lab, "with a free offset, by pairs of multipliers", svm_smo(&s, 1e-12));
    for (int i = 0; i < EIGHT; i++) {
        sum += s.a[i] * s.y[i];
        if (s.y[i] > 0) plus = fmin(plus, svm_margin(&s, i));
        else minus = fmin(minus, svm_margin(&s, i));
    }
    lab_at_most(lab, "the sum of multipliers times labels", fabs(sum), 1e-12);
    lab_number(lab, "the nearest point of class +1 has the margin", plus, 1, 1e-10);
    lab_number(lab, "of class -1", minus, 1, 1e-10);
    lab_at_most(lab, "slackness", svm_slackness(&s), 1e-10);
    /* The other problem pays for its offset, too: its w is feasible here, so not shorter. */
    lab_at_most(lab, "|w|^2 / 2, not above the other's", svm_primal(&s), 16.0 / 49 + 1e-12);
}

/* Two clouds that overlap. */
static void clouds(double x[SOFT][2], double y[SOFT], double k[SOFT * SOFT])
{
    for (int i = 0; i < SOFT; i++) {
        y[i] = i < SOFT / 2 ? 1 : -1;
        for (int f = 0; f < 2; f++) x[i][f] = y[i] + cn_rng_normal(cn_default_rng());
    }
    for (int i = 0; i < SOFT; i++)
        for (int j = 0; j < SOFT; j++) k[i * SOFT + j] = x[i][0] * x[j][0] + x[i][1] * x[j][1];
}

/* Both classes, and of each the support vectors apart. */
static void draw(Lab *lab, const Svm *s, double x[SOFT][2])
{
    enum { GROUPS = 4 };
    static const char *const names[] = { "-1", "+1", "-1, support", "+1, support" };
    double at[GROUPS][2][SOFT], w[2] = { 0 };
    size_t n[GROUPS] = { 0 };
    for (int i = 0; i < SOFT; i++) {
        const int g = (s->y[i] > 0) + 2 * (s->a[i] > 0);
        for (int f = 0; f < 2; f++) at[g][f][n[g]] = x[i][f];
        n[g]++;
    }
    for (int i = 0; i < SOFT; i++)
        for (int f = 0; f < 2; f++) w[f] += s->a[i] * s->y[i] * x[i][f];
    cn_figure *figure = cn_figure_new("A soft margin");
    for (int g = 0; g < GROUPS; g++) cn_figure_scatter(figure, names[g], at[g][0], at[g][1], n[g]);
    for (int side = -1; side <= 1; side++) {
        const double from[] = { -4, 4 },
                     to[] = { (side - s->b + 4 * w[0]) / w[1], (side - s->b - 4 * w[0]) / w[1] };
        cn_figure_line(figure, NULL, from, to, 2);
    }
    cn_figure_axes(figure, .xlabel = "x1", .ylabel = "x2", .xmin = -4, .xmax = 4, .ymin = -4,
                   .ymax = 4);
    lab_figure(lab, figure);
}

static void soft(Lab *lab)
{
    double x[SOFT][2], y[SOFT], k[SOFT * SOFT], right = 0, at_limit = 0;
    clouds(x, y, k);
    Svm s = { .n = SOFT, .k = k, .y = y, .limit = 1 };
    lab_true(lab, "clouds that overlap, C = 1: solved", svm_smo(&s, 1e-10));
    for (int i = 0; i < SOFT; i++) {
        right += svm_margin(&s, i) > 0;
        at_limit += s.a[i] >= s.limit;
    }
    lab_at_most(lab, "slackness", svm_slackness(&s), 1e-9);
    lab_at_most(lab, "primal less dual", fabs(svm_primal(&s) - svm_dual(&s)), 1e-7);
    lab_at_least(lab, "points beyond their margin, of 80", at_limit, 3);
    lab_at_least(lab, "accuracy", right / SOFT, 0.8);
    draw(lab, &s, x);
}

static void run(Lab *lab)
{
    hard(lab);
    free_offset(lab);
    soft(lab);
}

const Experiment experiment_ml_svm = {
    .id = "ML-SVM",
    .title = "Support vector machines",
    .title_zh = "支持向量机",
    .section = "12.2.3",
    .settings = "8 points, hard margin, 5,000 steps of projected ascent; 80 points, C = 1",
    .published = "w* = [0.5714, 0.5714], b* = -0.4286, primal = dual = 0.418367",
    .run = run,
};
