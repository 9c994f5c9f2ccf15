/* minib.c - descent, SGD and mini-batches, by epochs and by time (D2L 12.5.4). */
#include "book/opt/airfoil.h"

static void run(Lab *lab)
{
    static const struct {
        const char *name;
        double lr;
        int batch, epochs;
        double published;
    } runs[] = { { "gd", 1, 1500, 10, 0.247 },
                 { "sgd", 0.005, 1, 2, 0.245 },
                 { "batch size 100", 0.4, 100, 2, 0.246 },
                 { "batch size 10", 0.05, 10, 2, 0.246 } };
    Airfoil a;
    if (!airfoil_open(lab, &a)) return;
    const bool real = lab_options(lab)->real;
    cn_figure *figure = cn_figure_new("Loss and time");
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        AirfoilRun r = airfoil_train(&a, descent, &runs[i].lr, runs[i].batch, runs[i].epochs);
        if (real) lab_number(lab, runs[i].name, airfoil_loss(&r), runs[i].published, 0.01);
        else lab_at_most(lab, runs[i].name, airfoil_loss(&r), a.best + 0.02);
        lab_say(lab, "loss: %.3f, %.3f sec/epoch", airfoil_loss(&r),
                airfoil_seconds(&r, runs[i].epochs));
        cn_figure_line(figure, runs[i].name, r.seconds, r.loss, (size_t)r.n);
    }
    cn_figure_axes(figure, .xlabel = "time (sec)", .ylabel = "loss", .xlog = true);
    lab_figure(lab, figure);
    airfoil_case(lab, &a, NULL,
                 &(AirfoilCase){ .name = "by the library, rate 0.01",
                                 .rule = descent,
                                 .hyper = { 0.01 },
                                 .optim = "SGD lr=0.01",
                                 .published = 0.243 });
}

const Experiment experiment_opt_minib = {
    .id = "OPT-MINIB",
    .title = "Mini-batch stochastic gradient descent",
    .title_zh = "小批量随机梯度下降",
    .section = "12.5.4",
    .settings = "(rate, batch, epochs): (1, 1500, 10), (0.005, 1, 2), (0.4, 100, 2), (0.05, 10, 2)",
    .published = "loss 0.247, 0.245, 0.246, 0.246; by the framework 0.243",
    .data = "airfoil",
    .run = run,
};
