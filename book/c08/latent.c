/* latent.c - latent autoregressive models: a state that sums up the past (D2L 9.1.1). */
#include "book/book.h"

enum { PERIOD = 8, TAU = 4, STEPS = 40, ROWS = 16, HIDDEN = 16, UPDATES = 200 };

/* (STEPS + 1, ROWS, 1): a pulse every PERIOD steps, each row another phase. What comes next is in the
   last PERIOD values, but not in the last TAU. */
static cn_tensor *pulses(void)
{
    cn_tensor *x = cn_empty(CN_SHAPE(STEPS + 1, ROWS, 1), CN_F32);
    float *to = cn_data_mut(x);
    for (int t = 0; to && t <= STEPS; t++)
        for (int r = 0; r < ROWS; r++) *to++ = (t + r) % PERIOD == 0;
    return x;
}

/* The mean squared error of the predictions after one whole period. */
static cn_tensor *late_loss(cn_tensor *predictions, cn_tensor *x)
{
    int64_t n = STEPS - PERIOD;
    return cn_mse_loss(cn_narrow(predictions, 0, PERIOD, n), cn_narrow(x, 0, PERIOD + 1, n));
}

/* From the last TAU values at each step (zeros before the first). */
static cn_tensor *windowed(cn_module *mlp, cn_tensor *x)
{
    cn_tensor *shifted[TAU];
    for (int i = 0; i < TAU; i++)
        shifted[i] = cn_narrow(cn_pad(x, CN_SHAPE(0, 0, 0, 0, i, 0)), 0, 0, STEPS);
    return cn_forward(mlp, cn_cat(shifted, TAU, 2));
}

/* h_t = f(h_{t-1}, x_t), and the prediction from h_t. */
static cn_tensor *latent(cn_module *net, cn_tensor *x)
{
    cn_tensor *h = cn_forward(cn_module_child(net, 0), cn_narrow(x, 0, 0, STEPS));
    return cn_forward(cn_module_child(net, 1), h);
}

static double train(cn_module *net, cn_tensor *(*model)(cn_module *, cn_tensor *), cn_tensor *x,
                    double *loss)
{
    cn_optim *adam = cn_adam(net, .lr = 0.01);
    for (int i = 0; i < UPDATES && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *l = late_loss(model(net, x), x);
            loss[i] = cn_item(l);
            cn_zero_grad(net);
            if (cn_backward(l)) cn_step(adam);
        }
    cn_optim_free(adam);
    return loss[UPDATES - 1];
}

static void run(Lab *lab)
{
    static double window_loss[UPDATES], latent_loss[UPDATES];
    cn_tensor *x = pulses();
    cn_module *mlp = cn_sequential(cn_linear_layer(HIDDEN, .in = TAU), cn_relu_layer(),
                                   cn_linear_layer(1, .in = HIDDEN));
    cn_module *rnn = cn_sequential(cn_rnn_layer(HIDDEN, .in = 1), cn_linear_layer(1, .in = HIDDEN));
    double window = train(mlp, windowed, x, window_loss),
           state = train(rnn, latent, x, latent_loss);

    /* Four windows in eight are zeros only, and one of these is followed by a pulse. */
    lab_at_least(lab, "the window's error; nothing can be below", window, 0.5 * 0.25 * 0.75 - 1e-3);
    lab_at_most(lab, "the state's error", state, 0.02);
    cn_figure *f = cn_figure_new("A memory longer than the window");
    cn_figure_line(f, "window of 4", NULL, window_loss, UPDATES);
    cn_figure_line(f, "latent state", NULL, latent_loss, UPDATES);
    cn_figure_axes(f, .xlabel = "step", .ylabel = "mean squared error", .ylog = true);
    lab_figure(lab, f);
    cn_module_free(mlp);
    cn_module_free(rnn);
}

const Experiment experiment_c08_latent = {
    .id = "C08-LATENT",
    .title = "Latent autoregressive models",
    .title_zh = "隐变量自回归模型",
    .section = "9.1.1",
    .settings = "a pulse every 8 steps; MLP on 4 values, RNN with 16 units; Adam 0.01, 200 steps",
    .run = run,
};
