/* apps.c - what recurrent networks are used for: sounds told apart by their spectra over time. The other
   applications, time series and translation, have experiments of their own. */
#include "book/book.h"

#include <math.h>

enum { FRAMES = 12, SAMPLES = 64, BINS = SAMPLES / 2 + 1, KINDS = 3, TRAIN = 192, TEST = 96 };

static const double PI = 3.14159265358979323846;

/* One sound: its tone rises, falls or stays, which no single frame shows; and noise. */
static void make_sound(float *to, int kind, cn_rng *rng)
{
    double tone = 0.2 + 0.05 * cn_rng_uniform(rng), phase = 2 * PI * cn_rng_uniform(rng);
    double slope = (kind - 1) * 0.1 / (FRAMES * SAMPLES);
    for (int i = 0; i < FRAMES * SAMPLES; i++) {
        phase += 2 * PI * (tone + slope * (i - FRAMES * SAMPLES / 2));
        to[i] = (float)(sin(phase) + 0.5 * cn_rng_normal(rng));
    }
}

/* Spectrograms (FRAMES, n, BINS) of n sounds: log of the size of each frame's Fourier transform. */
static cn_tensor *sounds(int n, uint64_t seed, cn_tensor **kinds)
{
    cn_rng rng = cn_rng_make(seed, 0);
    cn_tensor *x = cn_empty(CN_SHAPE(n, FRAMES, SAMPLES), CN_F32);
    float *to = cn_data_mut(x);
    *kinds = cn_to(cn_remainder(cn_arange(0, n, 1, CN_I64), cn_num(KINDS)), CN_I64);
    for (int i = 0; to && i < n; i++) make_sound(to + i * FRAMES * SAMPLES, i % KINDS, &rng);
    return cn_transpose(cn_log1p(cn_abs(cn_rfft(x))), 0, 1);
}

static cn_tensor *scores(cn_module *net, cn_tensor *x)
{
    cn_recurrent_result r = cn_recurrent(cn_module_child(net, 0), x);
    return cn_forward(cn_module_child(net, 1), cn_select(r.h, 0, 0)); /* after the last frame */
}

static double accuracy(cn_module *net, cn_tensor *x, cn_tensor *kinds)
{
    cn_tensor *right = cn_eq(cn_argmax(scores(net, x), .dim = CN_SHAPE(1)), kinds);
    return cn_item(cn_mean(cn_to(right, CN_F32)));
}

static void run(Lab *lab)
{
    enum { UPDATES = 100 };
    double loss[UPDATES];
    cn_tensor *kinds, *test_kinds;
    cn_tensor *x = sounds(TRAIN, 1, &kinds), *test = sounds(TEST, 2, &test_kinds);
    cn_module *net = cn_sequential(cn_lstm_layer(24, .in = BINS), cn_linear_layer(KINDS, .in = 24));
    cn_optim *adam = cn_adam(net, .lr = 0.01);
    for (int i = 0; i < UPDATES && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *l = cn_cross_entropy(scores(net, x), kinds);
            loss[i] = cn_item(l);
            cn_zero_grad(net);
            if (cn_backward(l)) cn_step(adam);
        }
    CN_NO_GRAD
    {
        lab_at_least(lab, "accuracy on unheard sounds", accuracy(net, test, test_kinds), 0.9);
        lab_at_most(lab, "the same with the frames in reverse: rising and falling change places",
                    accuracy(net, cn_flip(test, CN_SHAPE(0)), test_kinds), 0.5);
    }
    cn_figure *f = cn_figure_new("Tones that rise, stay and fall");
    cn_figure_line(f, "train loss", NULL, loss, UPDATES);
    cn_figure_axes(f, .xlabel = "step");
    lab_figure(lab, f);
    cn_optim_free(adam);
    cn_module_free(net);
}

const Experiment experiment_c08_apps = {
    .id = "C08-APPS",
    .title = "Applications of recurrent networks: sounds",
    .title_zh = "循环神经网络的应用：语音",
    .section = "9.4",
    .settings = "192 sounds of 12 frames, LSTM with 24 units on spectra, Adam 0.01, 100 steps",
    .trains = true,
    .run = run,
};
