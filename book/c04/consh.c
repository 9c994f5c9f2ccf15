/* consh.c - concept shift: old weights go on with new data (D2L 4.7.3.3). */
#include "book/book.h"

enum { N = 1000, D = 10, LIMIT = 1000 };

/* Inputs of very different spread, whose label is the side of a plane. */
static LabData sample(cn_tensor *plane)
{
    cn_tensor *scale = cn_exp(cn_linspace(0, -3, D, CN_F32));
    cn_tensor *x = cn_mul(cn_randn(CN_SHAPE(N, D), CN_F32), scale);
    return (LabData){ x, cn_to(cn_gt(cn_mv(x, plane), cn_num(0)), CN_I64) };
}

static LabRegression problem(const LabData *d, int steps)
{
    return (LabRegression){ d->x, cn_to(cn_one_hot(d->y, 2), CN_F32), NULL, 2, steps };
}

static double accuracy(const LabData *d, cn_tensor *w)
{
    return lab_correct(cn_matmul(d->x, w), d->y) / N;
}

/* Steps of training on d until the test accuracy reaches the goal. */
static int steps_to(double goal, cn_tensor *w, const LabData *d, const LabData *test)
{
    LabRegression r = problem(d, 20);
    int steps = 0;
    while (steps < LIMIT && accuracy(test, w) < goal) {
        lab_regress(&r, w);
        steps += r.steps;
    }
    return steps;
}

static void run(Lab *lab)
{
    /* The weights of the narrow directions are large; then the concept drifts a little. */
    static const float turns[D] = { 1, -1, -1, 1, 1, -1, 1, -1, 1, -1 };
    cn_tensor *plane = cn_exp(cn_linspace(0, 3, D, CN_F32));
    cn_tensor *turn = cn_mul(cn_from(turns, CN_SHAPE(D), CN_F32), plane);
    cn_tensor *shifted = cn_add(plane, cn_mul(turn, cn_num(0.35)));
    LabData old_data = sample(plane), new_data = sample(shifted), test = sample(shifted);
    cn_tensor *w = cn_zeros(CN_SHAPE(D, 2), CN_F32), *scratch = cn_zeros(CN_SHAPE(D, 2), CN_F32);
    LabRegression before = problem(&old_data, LIMIT), after = problem(&new_data, LIMIT);
    lab_regress(&before, w);
    lab_regress(&after, scratch);
    double frozen = accuracy(&test, w), retrained = accuracy(&test, scratch);
    lab_at_least(lab, "accuracy on the old concept", accuracy(&old_data, w), 0.93);
    lab_at_most(lab, "the frozen model on the new one", frozen, retrained - 0.02);

    double goal = retrained - 0.005;
    cn_tensor *warm = cn_clone(w), *cold = cn_zeros(CN_SHAPE(D, 2), CN_F32);
    int from_old = steps_to(goal, warm, &new_data, &test);
    int from_zero = steps_to(goal, cold, &new_data, &test);
    lab_say(lab,
            "frozen %.3f, retrained %.3f; steps to %.3f: %d from the old weights, %d from zero",
            frozen, retrained, goal, from_old, from_zero);
    lab_at_least(lab, "accuracy of the old weights after some new data", accuracy(&test, warm),
                 goal);
    lab_at_most(lab, "steps that took, against training anew", (double)from_old / from_zero, 0.7);
}

const Experiment experiment_c04_consh = {
    .id = "C04-CONSH",
    .title = "Concept shift and going on with old weights",
    .title_zh = "概念偏移纠正",
    .section = "4.7.3",
    .run = run,
};
