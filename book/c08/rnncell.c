/* rnncell.c - a recurrent layer: one cell for all steps (D2L 9.4.2). */
#include "book/book.h"

/* tanh(X W_xh + H W_hh + b) at each step with the parameters of the library's layer. */
static cn_tensor *unrolled(cn_module *rnn, cn_tensor *x, cn_tensor *h)
{
    enum { STEPS = 5 };
    cn_tensor *w_xh = cn_t(cn_module_slot(rnn, "weight_ih_l0"));
    cn_tensor *w_hh = cn_t(cn_module_slot(rnn, "weight_hh_l0"));
    cn_tensor *b = cn_add(cn_module_slot(rnn, "bias_ih_l0"), cn_module_slot(rnn, "bias_hh_l0"));
    cn_tensor *out[STEPS];
    for (int t = 0; t < STEPS; t++) {
        cn_tensor *mixed = cn_add(cn_matmul(cn_select(x, 0, t), w_xh), cn_matmul(h, w_hh));
        out[t] = h = cn_tanh(cn_add(mixed, b));
    }
    return cn_stack(out, STEPS, 0);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(3, 1), CN_F32), *w_xh = cn_randn(CN_SHAPE(1, 4), CN_F32);
    cn_tensor *h = cn_randn(CN_SHAPE(3, 4), CN_F32), *w_hh = cn_randn(CN_SHAPE(4, 4), CN_F32);
    cn_tensor *beside[] = { x, h }, *above[] = { w_xh, w_hh };
    lab_same(lab, "X W_xh + H W_hh and [X, H] [W_xh; W_hh]",
             cn_add(cn_matmul(x, w_xh), cn_matmul(h, w_hh)),
             cn_matmul(cn_cat(beside, 2, 1), cn_cat(above, 2, 0)), 1e-6);

    cn_module *rnn = cn_rnn_layer(512, .in = 28);
    cn_tensor *steps = cn_randn(CN_SHAPE(5, 2, 28), CN_F32),
              *h0 = cn_randn(CN_SHAPE(1, 2, 512), CN_F32);
    cn_recurrent_result r = cn_recurrent(rnn, steps, .h = h0);
    cn_tensor *scores =
        cn_matmul(cn_reshape(r.out, CN_SHAPE(10, 512)), cn_randn(CN_SHAPE(512, 28), CN_F32));
    lab_shape(lab, "outputs of 5 steps, batch 2", scores, CN_SHAPE(10, 28));
    lab_shape(lab, "the state", cn_select(r.h, 0, 0), CN_SHAPE(2, 512));
    lab_same(lab, "the layer, and one cell step by step", r.out,
             unrolled(rnn, steps, cn_select(h0, 0, 0)), 1e-5);
    lab_number(lab, "parameters, however many steps", (double)cn_parameter_count(rnn),
               512 * (28 + 512 + 2), 0);
    cn_module_free(rnn);
}

const Experiment experiment_c08_rnncell = {
    .id = "C08-RNNCELL",
    .title = "Recurrent networks with hidden states",
    .title_zh = "有隐状态的循环神经网络",
    .section = "9.4.2",
    .settings = "X (3, 1), H (3, 4); hidden 512, 28 tokens",
    .published = "both products equal; (10, 28), (2, 512)",
    .run = run,
};
