/* prob.c - a die, rolled often (D2L 2.6.1). */
#include "book/book.h"

#include <stdio.h>

enum { FACES = 6, GROUPS = 500 };

/* How often each face comes up. */
static cn_tensor *roll(cn_tensor *weights, int64_t times)
{
    cn_tensor *faces = cn_one_hot(cn_multinomial(weights, times, true), FACES);
    return cn_to(cn_sum(faces, .dim = CN_SHAPE(0)), CN_F64);
}

static double farthest(cn_tensor *frequencies)
{
    return cn_item(cn_amax(cn_abs(cn_sub(frequencies, cn_num(1.0 / FACES)))));
}

static void draw(Lab *lab, cn_tensor *estimates)
{
    double y[GROUPS];
    const double ends[] = { 0, GROUPS - 1 }, truth[] = { 1.0 / FACES, 1.0 / FACES };
    cn_figure *figure = cn_figure_new(NULL);
    for (int i = 0; i < FACES; i++) {
        char label[32];
        snprintf(label, sizeof label, "P(die=%d)", i + 1);
        if (cn_read(cn_select(estimates, 1, i), CN_F64, y, GROUPS))
            cn_figure_line(figure, label, NULL, y, GROUPS);
    }
    cn_figure_line(figure, NULL, ends, truth, 2);
    cn_figure_axes(figure, .xlabel = "Groups of experiments", .ylabel = "Estimated probability");
    lab_figure(lab, figure);
}

static void run(Lab *lab)
{
    cn_tensor *fair = cn_full(CN_SHAPE(FACES), 1.0 / FACES, CN_F32);
    cn_manual_seed(lab_options(lab)->seed);
    cn_tensor *counts = roll(fair, 1000);
    lab_number(lab, "the counts of 1000 rolls add up to", cn_item(cn_sum(counts)), 1000, 0);
    lab_at_most(lab, "the relative frequency farthest from 1/6",
                farthest(cn_div(counts, cn_num(1000))), 0.05);
    cn_manual_seed(lab_options(lab)->seed);
    lab_same(lab, "the same seed rolls the same", roll(fair, 1000), counts, 0);

    /* 500 groups of 10: the estimate after each. */
    cn_tensor *groups[GROUPS];
    for (int i = 0; i < GROUPS; i++) groups[i] = roll(fair, 10);
    cn_tensor *running = cn_cumsum(cn_stack(groups, GROUPS, 0), 0);
    cn_tensor *estimates = cn_div(running, cn_sum(running, .dim = CN_SHAPE(1), .keepdim = true));
    lab_shape(lab, "estimates", estimates, CN_SHAPE(GROUPS, FACES));
    lab_at_most(lab, "farthest from 1/6 in the end", farthest(cn_select(estimates, 0, -1)), 0.025);
    lab_at_least(lab, "and after the first group, in comparison",
                 farthest(cn_select(estimates, 0, 0)) / farthest(cn_select(estimates, 0, -1)), 2);
    draw(lab, estimates);

    /* What it must be: a loaded die is told from a fair one. */
    const float loaded[FACES] = { 1, 1, 1, 1, 1, 5 };
    cn_tensor *six = roll(cn_from(loaded, CN_SHAPE(FACES), CN_F32), 10000);
    lab_number(lab, "of 10000 rolls of a die that prefers six, sixes",
               cn_at(six, CN_SHAPE(5)) / 10000, 0.5, 0.025);
}

const Experiment experiment_c02_prob = {
    .id = "C02-PROB",
    .title = "Sampling, and the law of large numbers",
    .title_zh = "基本概率论",
    .section = "2.6.1",
    .settings = "500 groups of 10 rolls",
    .published = "the estimates converge to 0.167",
    .run = run,
};
