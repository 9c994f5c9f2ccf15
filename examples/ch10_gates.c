/* ch10_gates.c - D2L 10.1 and 10.2: which of RNN, GRU and LSTM remembers the first of many steps? */
#include <cenote/cenote.h>

#include <stdio.h>

enum { SYMBOLS = 4, STEPS = 10, BATCH = 64, HIDDEN = 32 };

/* Random symbols as one-hot vectors (batch, steps, SYMBOLS); the answer is the first of each. */
static void sequences(cn_tensor **x, cn_tensor **answer)
{
    cn_tensor *symbols = cn_randint(0, SYMBOLS, CN_SHAPE(BATCH, STEPS));
    *x = cn_to(cn_one_hot(symbols, SYMBOLS), CN_F32);
    *answer = cn_select(symbols, 1, 0);
}

static cn_tensor *scores(cn_module *net, cn_tensor *x)
{
    cn_recurrent_result r = cn_recurrent(cn_module_at(net, "0"), x);
    return cn_forward(cn_module_at(net, "1"), cn_select(r.h, 0, 0)); /* from the last state */
}

static double accuracy(cn_module *net)
{
    cn_tensor *x, *answer;
    sequences(&x, &answer);
    cn_tensor *right = cn_eq(cn_argmax(scores(net, x), .dim = CN_SHAPE(1)), answer);
    return cn_item(cn_mean(cn_to(right, CN_F32)));
}

/* Adds 2 to the biases of an LSTM's second gate of four, the one that keeps the memory. */
static cn_module *remembering(cn_module *lstm)
{
    CN_SCOPE CN_NO_GRAD
    {
        cn_tensor *bias = cn_module_slot(lstm, "bias_ih_l0");
        cn_add_(cn_narrow(bias, 0, HIDDEN, HIDDEN), cn_num(2));
    }
    return lstm;
}

static void train_one(const char *name, cn_module *layer)
{
    cn_module *net = cn_sequential(layer, cn_linear_layer(SYMBOLS, .in = HIDDEN));
    cn_optim *adam = cn_adam(net, .lr = 0.02);
    for (int i = 0; i < 150 && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *x, *answer;
            sequences(&x, &answer);
            cn_optim_zero_grad(adam);
            cn_backward(cn_cross_entropy(scores(net, x), answer));
            cn_clip_grad_norm_of(adam, 1);
            cn_step(adam);
        }
    CN_SCOPE printf("%-15s: %5d parameters, right in %.2f of the cases\n", name,
                    (int)cn_parameter_count(net), accuracy(net));
    cn_optim_free(adam);
    cn_module_free(net);
}

int main(void)
{
    cn_manual_seed(1);
    train_one("RNN", cn_rnn_layer(HIDDEN, .in = SYMBOLS, .batch_first = true));
    train_one("GRU", cn_gru_layer(HIDDEN, .in = SYMBOLS, .batch_first = true));
    train_one("LSTM", cn_lstm_layer(HIDDEN, .in = SYMBOLS, .batch_first = true));
    train_one("LSTM, gate open",
              remembering(cn_lstm_layer(HIDDEN, .in = SYMBOLS, .batch_first = true)));
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    return !cn_ok();
}
