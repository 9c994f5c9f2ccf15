/* ch09_rnn.c - D2L 9.1 and 9.6: a recurrent network learns to continue a noisy sine. */
#include <cenote/cenote.h>

#include <math.h>
#include <stdio.h>

enum { TIMES = 600, STEPS = 16, WINDOWS = TIMES - STEPS };

typedef struct {
    cn_module *rnn, *head;
} Net;

/* x[i] = series[i .. i + STEPS), y[i] = the values one step later. */
static void windows(cn_tensor **x, cn_tensor **y)
{
    cn_tensor *time = cn_arange(0, TIMES, 1, CN_F32);
    cn_tensor *clean = cn_sin(cn_mul(time, cn_num(0.1)));
    cn_tensor *series = cn_add(clean, cn_mul(cn_randn(CN_SHAPE(TIMES), CN_F32), cn_num(0.1)));
    cn_tensor *rows[WINDOWS], *next[WINDOWS];
    for (int i = 0; i < WINDOWS; i++) {
        rows[i] = cn_narrow(series, 0, i, STEPS);
        next[i] = cn_narrow(series, 0, i + 1, STEPS);
    }
    *x = cn_unsqueeze(cn_stack(rows, WINDOWS, 0), 2); /* (windows, steps, 1) */
    *y = cn_unsqueeze(cn_stack(next, WINDOWS, 0), 2);
}

static double step(const Net *n, cn_optim *adam, cn_tensor *x, cn_tensor *y)
{
    cn_recurrent_result r = cn_recurrent(n->rnn, x);
    cn_tensor *loss = cn_mse_loss(cn_forward(n->head, r.out), y);
    cn_optim_zero_grad(adam);
    cn_backward(loss);
    cn_clip_grad_norm_of(adam, 1);
    cn_step(adam);
    return cn_item(loss);
}

/* Feeds the network its own answers and compares with the sine itself. */
static void go_on(const Net *n, cn_tensor *x)
{
    cn_recurrent_result r = cn_recurrent(n->rnn, cn_narrow(x, 0, 0, 1));
    cn_tensor *value = cn_forward(n->head, cn_narrow(r.out, 1, STEPS - 1, 1));
    for (int i = 1; i <= 12; i++) {
        if (i % 4 == 0)
            printf("%2d steps ahead: %6.3f, the sine is %6.3f\n", i, cn_item(value),
                   sin(0.1 * (STEPS + i - 1)));
        r = cn_recurrent(n->rnn, value, .h = r.h);
        value = cn_forward(n->head, r.out);
    }
}

int main(void)
{
    cn_manual_seed(1);
    cn_tensor *x, *y;
    windows(&x, &y);
    cn_module *rnn = cn_rnn_layer(32, .in = 1, .batch_first = true);
    cn_module *both = cn_sequential(rnn, cn_linear_layer(1, .in = 32)); /* owns them */
    Net n = { rnn, cn_module_at(both, "1") };
    cn_optim *adam = cn_adam(both, .lr = 0.01);

    for (int i = 1; i <= 60 && cn_ok(); i++) CN_SCOPE
        {
            double loss = step(&n, adam, x, y);
            if (i % 20 == 0) printf("step %d: loss %.4f\n", i, loss);
        }
    CN_NO_GRAD go_on(&n, x);
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(adam);
    cn_module_free(both);
    return !cn_ok();
}
