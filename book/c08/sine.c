/* sine.c - predicting a noisy sine, one step and many steps ahead (D2L 9.1.2, 9.1.3). */
#include "book/book.h"

#include <math.h>

enum { T = 1000, TAU = 4, TRAIN = 600, MAX_STEPS = 64, EPOCHS = 5 };

typedef struct Sine {
    double time[T], x[T];
    cn_module *net;
    double loss[EPOCHS]; /* over the training windows, after each epoch */
} Sine;

/* Windows x[t] .. x[t + TAU - 1] for t = 0 .. n - 1. */
static cn_tensor *windows(const double *x, int n)
{
    cn_tensor *w = cn_empty(CN_SHAPE(n, TAU), CN_F32);
    float *to = cn_data_mut(w);
    for (int t = 0; to && t < n; t++)
        for (int i = 0; i < TAU; i++) *to++ = (float)x[t + i];
    return w;
}

static cn_tensor *squares(cn_tensor *output, const cn_batch *b, void *context)
{
    (void)context;
    return cn_mse_loss(output, b->y);
}

static void learn(Lab *lab, Sine *s)
{
    cn_rng rng = cn_rng_make(lab_options(lab)->seed, 0);
    for (int t = 0; t < T; t++) {
        s->time[t] = t + 1;
        s->x[t] = sin(0.01 * (t + 1)) + 0.2 * cn_rng_normal(&rng);
    }
    cn_tensor *y = cn_to(cn_from(s->x + TAU, CN_SHAPE(TRAIN, 1), CN_F64), CN_F32);
    cn_dataset *d = cn_dataset_from_tensors(windows(s->x, TRAIN), y);
    s->net = cn_sequential(cn_linear_layer(10, .in = TAU), cn_relu_layer(),
                           cn_linear_layer(1, .in = 10));
    cn_init(s->net, cn_xavier_uniform, NULL);
    cn_optim *adam = cn_adam(s->net, .lr = 0.01);
    for (int e = 0; e < EPOCHS; e++) {
        cn_score score = { (double)NAN, 0, 0 };
        lab_fit(lab, s->net, d, .optim = adam, .loss = squares, .batch = 16, .epochs = 1,
                .seed = (uint64_t)e + 1);
        cn_evaluate(s->net, d, TRAIN, squares, NULL, &score);
        s->loss[e] = score.loss;
        lab_say(lab, "epoch %d, loss: %f", e + 1, score.loss);
    }
    cn_optim_free(adam);
    cn_dataset_free(d);
}

/* Predictions of x[TAU] .. x[T - 1] into y, each from what was observed. */
static void predict_one_step(const Sine *s, double *y)
{
    for (int t = 0; t < TAU; t++) y[t] = (double)NAN;
    cn_tensor *out = cn_forward(s->net, windows(s->x, T - TAU));
    if (!cn_read(out, CN_F64, y + TAU, T - TAU)) y[TAU] = (double)NAN;
}

/* y[0 .. TAU-1 + steps) where the first TAU are given and the others follow from the ones before. */
static void run_freely(const Sine *s, double *y, int steps)
{
    for (int t = 0; t < steps; t++)
        CN_SCOPE y[TAU + t] = cn_item(cn_forward(s->net, windows(y + t, 1)));
}

/* ---- SINE ---------------------------------------------------------------------------------------- */

static void run_sine(Lab *lab)
{
    static Sine s;
    static double one[T];
    learn(lab, &s);
    CN_NO_GRAD predict_one_step(&s, one);
    lab_at_most(lab, "loss after 5 epochs; the noise alone has 0.04", s.loss[EPOCHS - 1], 0.075);
    lab_at_least(lab, "and not less than noise allows", s.loss[EPOCHS - 1], 0.04);
    cn_figure *f = cn_figure_new("One step ahead");
    cn_figure_line(f, "data", s.time, s.x, T);
    cn_figure_line(f, "1-step preds", s.time, one, T);
    cn_figure_axes(f, .xlabel = "time", .ylabel = "x");
    lab_figure(lab, f);
    cn_module_free(s.net);
}

const Experiment experiment_c08_sine = {
    .id = "C08-SINE",
    .title = "A noisy sine, one step ahead",
    .title_zh = "带噪声的正弦序列预测",
    .section = "9.1.2",
    .settings = "T 1000, noise 0.2, tau 4, batch 16, 600 windows, MLP 4-10-1, Adam 0.01, 5 epochs",
    .published = "0.076846 0.056340 0.053779 0.056320 0.051650",
    .run = run_sine,
};

/* ---- KSTEP --------------------------------------------------------------------------------------- */

/* Root of the mean squared distance from the sine itself, from time `from` on. */
static double error_of(const double *y, int from, int end)
{
    double sum = 0;
    for (int t = from; t < end; t++) {
        double d = y[t] - sin(0.01 * (t + 1));
        sum += d * d;
    }
    return sqrt(sum / (end - from));
}

static double spread(const double *y, int from, int end)
{
    double low = y[from], high = y[from];
    for (int t = from; t < end; t++) {
        low = fmin(low, y[t]);
        high = fmax(high, y[t]);
    }
    return high - low;
}

/* Predictions k steps ahead of x[0 .. T-1]. */
static void predict_k_steps(const Sine *s, int k, double *y)
{
    double window[TAU + MAX_STEPS];
    for (int t = 0; t < T; t++) {
        int first = t - k - TAU + 1; /* where the observed values begin */
        y[t] = (double)NAN;
        if (first < 0 || !cn_ok()) continue;
        for (int i = 0; i < TAU; i++) window[i] = s->x[first + i];
        run_freely(s, window, k);
        y[t] = window[TAU + k - 1];
    }
}

static void run_kstep(Lab *lab)
{
    static const int ahead[] = { 1, 4, 16, 64 };
    static const char *const names[] = { "1-step preds", "4-step preds", "16-step preds",
                                         "64-step preds" };
    static Sine s;
    static double one[T], freely[T], y[T];
    double error[4];
    learn(lab, &s);
    cn_figure *f = cn_figure_new("k steps ahead"), *g = cn_figure_new("From step 604 on alone");
    CN_NO_GRAD
    {
        predict_one_step(&s, one);
        for (int t = 0; t < TRAIN + TAU; t++) freely[t] = s.x[t];
        run_freely(&s, freely + TRAIN, T - TRAIN - TAU);
        for (int i = 0; i < 4; i++) {
            predict_k_steps(&s, ahead[i], y);
            error[i] = error_of(y, TAU + MAX_STEPS, T);
            lab_say(lab, "%d steps: error %.3f", ahead[i], error[i]);
            cn_figure_line(f, names[i], s.time, y, T);
            if (ahead[i] == 1) lab_number(lab, "two ways of one step", y[T - 1], one[T - 1], 1e-6);
        }
    }
    lab_at_least(lab, "error of 16 steps against 4", error[2] / error[1], 1);
    lab_at_least(lab, "error of 64 steps against 1", error[3] / error[0], 1.5);
    lab_at_most(lab, "the last 150 free predictions: high - low (the sine: 1.4)",
                spread(freely, T - 150, T), 0.7);
    cn_figure_axes(f, .xlabel = "time", .ylabel = "x");
    lab_figure(lab, f);
    cn_figure_line(g, "data", s.time, s.x, T);
    cn_figure_line(g, "1-step preds", s.time, one, T);
    cn_figure_line(g, "multistep preds", s.time + TRAIN + TAU, freely + TRAIN + TAU,
                   T - TRAIN - TAU);
    cn_figure_axes(g, .xlabel = "time", .ylabel = "x");
    lab_figure(lab, g);
    cn_module_free(s.net);
}

const Experiment experiment_c08_kstep = {
    .id = "C08-KSTEP",
    .title = "Many steps ahead: errors add up",
    .title_zh = "k步预测",
    .section = "9.1.3",
    .settings = "as before; k = 1, 4, 16, 64",
    .published = "figures: after a few steps the free prediction decays",
    .run = run_kstep,
};
