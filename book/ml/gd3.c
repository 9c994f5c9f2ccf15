/* gd3.c - batch, stochastic and mini-batch gradient descent on one convex problem: the loss by
   samples seen and by time (D2L 12.5). */
#include "book/opt/airfoil.h"

#include <math.h>

enum { METHODS = 3 };

static const struct {
    const char *name;
    double lr;
    int batch, epochs;
} methods[METHODS] = { { "batch", 1, 1500, 10 },
                       { "stochastic", 0.005, 1, 2 },
                       { "mini-batch of 50", 0.2, 50, 2 } };

/* The loss when an epoch's samples were first seen. */
static double after_an_epoch(const AirfoilRun *r)
{
    for (int i = 0; i < r->n; i++)
        if (r->epoch[i] >= 1) return r->loss[i];
    return (double)NAN;
}

static void draw(Lab *lab, const AirfoilRun *runs)
{
    cn_figure *figure = cn_figure_new("Batch, stochastic, mini-batch");
    cn_figure_panel(figure, "by samples");
    for (int i = 0; i < METHODS; i++)
        cn_figure_line(figure, methods[i].name, runs[i].epoch, runs[i].loss, (size_t)runs[i].n);
    cn_figure_axes(figure, .xlabel = "epoch", .ylabel = "loss");
    cn_figure_panel(figure, "by time");
    for (int i = 0; i < METHODS; i++)
        cn_figure_line(figure, methods[i].name, runs[i].seconds, runs[i].loss, (size_t)runs[i].n);
    cn_figure_axes(figure, .xlabel = "seconds", .ylabel = "loss", .xlog = true);
    lab_figure(lab, figure);
}

static void run(Lab *lab)
{
    Airfoil a;
    AirfoilRun runs[METHODS];
    double first[METHODS], cost[METHODS];
    if (!airfoil_open(lab, &a)) return;
    lab_say(lab, "method            loss after 1 epoch   last   updates/epoch   sec/epoch");
    for (int i = 0; i < METHODS; i++) {
        runs[i] = airfoil_train(&a, descent, &methods[i].lr, methods[i].batch, methods[i].epochs);
        first[i] = after_an_epoch(&runs[i]);
        cost[i] = airfoil_seconds(&runs[i], methods[i].epochs);
        lab_say(lab, "%-20s %15.3f  %5.3f  %14d   %9.4f", methods[i].name, first[i],
                airfoil_loss(&runs[i]), AIRFOIL_ROWS / methods[i].batch, cost[i]);
        lab_at_most(lab, methods[i].name, airfoil_loss(&runs[i]), a.best + 0.02);
    }
    lab_at_least(lab, "after one epoch the stochastic loss is lower than the batch one, by",
                 first[0] - first[1], 0.01);
    lab_at_least(lab, "the mini-batch one, by", first[0] - first[2], 0.01);
    lab_at_least(lab, "time of an epoch: stochastic against mini-batch", cost[1] / cost[2], 3);
    draw(lab, runs);
}

const Experiment experiment_ml_gd3 = {
    .id = "ML-GD3",
    .title = "Batch, stochastic and mini-batch gradient descent",
    .title_zh = "批量、随机与小批量梯度下降",
    .section = "12.5",
    .settings = "(rate, batch, epochs): (1, 1500, 10), (0.005, 1, 2), (0.2, 50, 2)",
    .data = "airfoil",
    .run = run,
};
