/* online.c - a model trained once, and one that goes on learning (D2L 4.7.4). */
#include "book/book.h"

#include <math.h>

enum { D = 4, FIRST = 300, STREAM = 3000 };

/* y = w x + noise, where w turns slowly in the plane of the first two inputs. */
typedef struct {
    double x[D], y;
} Example;

static Example observe(cn_rng *rng, double angle)
{
    Example e;
    for (int i = 0; i < D; i++) e.x[i] = cn_rng_normal(rng);
    e.y = 2 * (cos(angle) * e.x[0] + sin(angle) * e.x[1]) - e.x[2] + 0.1 * cn_rng_normal(rng);
    return e;
}

static double predict(const double w[D], const Example *e)
{
    double y = 0;
    for (int i = 0; i < D; i++) y += w[i] * e->x[i];
    return y;
}

static double squared(double x)
{
    return x * x;
}

/* One step of gradient descent on what was just seen. */
static void update(double w[D], const Example *e, double lr)
{
    double error = predict(w, e) - e->y;
    for (int i = 0; i < D; i++) w[i] -= lr * error * e->x[i];
}

/* Least squares on a batch: the model that is then installed and left alone. */
static bool train_once(const Example *batch, double w[D])
{
    cn_tensor *x = cn_zeros(CN_SHAPE(FIRST, D), CN_F64), *y = cn_zeros(CN_SHAPE(FIRST), CN_F64);
    double *xs = cn_data_mut(x), *ys = cn_data_mut(y);
    for (int i = 0; xs && ys && i < FIRST; i++) {
        for (int k = 0; k < D; k++) xs[i * D + k] = batch[i].x[k];
        ys[i] = batch[i].y;
    }
    return cn_read(cn_linalg_lstsq(x, cn_unsqueeze(y, 1)), CN_F64, w, D);
}

/* What both have lost so far after each example. */
typedef struct {
    double frozen[STREAM], online[STREAM];
} Losses;

static void run_stream(Lab *lab, double drift, Losses *l)
{
    Example batch[FIRST];
    double installed[D], learning[D];
    cn_rng rng = cn_rng_make(lab_options(lab)->seed, 1);
    for (int i = 0; i < FIRST; i++) batch[i] = observe(&rng, 0);
    if (!train_once(batch, installed)) return;
    for (int i = 0; i < D; i++) learning[i] = installed[i];
    double frozen = 0, online = 0;
    for (int t = 0; t < STREAM; t++) {
        Example e = observe(&rng, drift * t);
        l->frozen[t] = frozen += squared(predict(installed, &e) - e.y);
        l->online[t] = online += squared(predict(learning, &e) - e.y);
        update(learning, &e, 0.05);
    }
}

/* From nothing, on a stream without drift: how much more is lost per example than by the best
   model in hindsight. */
static void average_regret(Lab *lab, double regret[STREAM])
{
    const double best[D] = { 2, 0, -1, 0 };
    double w[D] = { 0 }, sum = 0;
    cn_rng rng = cn_rng_make(lab_options(lab)->seed, 2);
    for (int t = 0; t < STREAM; t++) {
        Example e = observe(&rng, 0);
        sum += squared(predict(w, &e) - e.y) - squared(predict(best, &e) - e.y);
        regret[t] = sum / (t + 1);
        update(w, &e, 0.2 / sqrt(t + 4));
    }
}

static void run(Lab *lab)
{
    static Losses still, drifting;
    static double regret[STREAM];
    run_stream(lab, 0, &still);
    run_stream(lab, 3e-3, &drifting);
    average_regret(lab, regret);
    lab_number(lab, "batch learning without drift: loss per example, the variance of the noise",
               still.frozen[STREAM - 1] / STREAM, 0.01, 0.002);
    lab_at_most(lab, "which online learning does not beat there",
                still.frozen[STREAM - 1] / still.online[STREAM - 1], 1);
    lab_at_least(lab, "with drift the trained model loses per example",
                 drifting.frozen[STREAM - 1] / STREAM, 1);
    lab_at_most(lab, "online learning, against that",
                drifting.online[STREAM - 1] / drifting.frozen[STREAM - 1], 0.05);
    bool falls = true;
    for (int t = 50; 2 * t < STREAM; t *= 2) falls = falls && regret[2 * t] < regret[t];
    lab_true(lab, "the average regret falls whenever the time doubles", falls);
    lab_at_most(lab, "average regret in the end, against that of 50 examples",
                regret[STREAM - 1] / regret[50], 0.1);

    cn_figure *f = cn_figure_new(NULL);
    cn_figure_panel(f, "Loss so far, with drift");
    cn_figure_line(f, "trained once", NULL, drifting.frozen, STREAM);
    cn_figure_line(f, "online", NULL, drifting.online, STREAM);
    cn_figure_axes(f, .xlabel = "examples", .width = 320, .height = 240);
    cn_figure_panel(f, "Average regret, without drift");
    cn_figure_line(f, NULL, NULL, regret, STREAM);
    cn_figure_axes(f, .xlabel = "examples", .xlog = true, .ylog = true, .width = 320,
                   .height = 240);
    lab_figure(lab, f);
}

const Experiment experiment_c04_online = {
    .id = "C04-BATCHL C04-ONLINE",
    .title = "Batch learning and online learning",
    .title_zh = "批量学习与在线学习",
    .section = "4.7.4",
    .run = run,
};
