/* encdec.c - the interface of encoders and decoders (D2L 10.6): two pairs that have nothing else in common. */
#include "book/book.h"
#include "models/seq2seq.h"

/* ---- a pair of convolutions: no state that recurs -------------------------------------------------- */

enum { TOKENS = 10, WIDTH = 12 };

/* Words as features: one-hot, so that nothing more is to be trained. */
static cn_tensor *features(cn_tensor *tokens)
{
    return cn_transpose(cn_to(cn_one_hot(tokens, TOKENS), CN_F32), 1,
                        2); /* (batch, tokens, steps) */
}

static bool add_convolution(cn_module *m, int64_t in)
{
    return cn_module_add(
        m, "conv", cn_conv2d_layer(WIDTH, .in = in, .kernel_hw = { 1, 3 }, .padding_hw = { 0, 1 }));
}

static bool encoder_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return add_convolution(m, TOKENS);
}

/* The mean over all steps of what a convolution finds. */
static bool encoder_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = cn_unsqueeze(features(io->in[0]), 2);
    cn_tensor *y = cn_relu(cn_forward(cn_module_at(m, "conv"), x));
    io->out[0] = cn_mean(y, .dim = CN_SHAPE(2, 3));
    return io->out[0] != NULL;
}

static bool decoder_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return cn_module_add(m, "dense", cn_linear_layer(TOKENS, .in = WIDTH + TOKENS));
}

/* Each word from the one before and that mean, which is all the state there is. */
static bool decoder_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = cn_transpose(features(io->in[0]), 1, 2), *seen = io->in[1];
    cn_tensor *both[] = { x, cn_expand(cn_unsqueeze(seen, 1),
                                       CN_SHAPE(-1, cn_size(x, 1), cn_size(seen, 1))) };
    io->out[0] = cn_forward(cn_module_at(m, "dense"), cn_cat(both, 2, 2));
    io->out[1] = seen;
    io->n_out = 2;
    return io->out[0] != NULL;
}

static const cn_module_class encoder_class = {
    .size = sizeof(cn_module_class),
    .name = "ConvolutionEncoder",
    .inputs = "(Tensor source, Tensor? lengths=None)",
    .build = encoder_build,
    .forward = encoder_forward,
};

static const cn_module_class decoder_class = {
    .size = sizeof(cn_module_class),
    .name = "LinearDecoder",
    .inputs = "(Tensor tokens, Tensor seen)",
    .build = decoder_build,
    .forward = decoder_forward,
};

static bool init_state(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                       cn_seq_state *state)
{
    (void)decoder, (void)lengths;
    *state = (cn_seq_state){ 1, { encoded->part[0] }, { 0 } };
    return true;
}

/* ---- both fit -------------------------------------------------------------------------------------- */

static void check_pair(Lab *lab, const char *what, cn_module *net)
{
    cn_tensor *x = cn_randint(0, TOKENS, CN_SHAPE(4, 7)),
              *y = cn_randint(0, TOKENS, CN_SHAPE(4, 5));
    cn_hypothesis best[3] = { { 0 } };
    lab_say(lab, "%s", what);
    cn_tensor *scores = cn_seq_scores(net, x, NULL, y);
    lab_shape(lab, "scores of all steps", scores, CN_SHAPE(4, 5, TOKENS));
    lab_true(lab, "gradients reach the encoder",
             cn_backward(cn_sum(cn_square(scores))) &&
                 cn_grad(cn_module_slot(
                     cn_module_at(cn_seq_encoder(net),
                                  cn_module_at(cn_seq_encoder(net), "rnn") ? "rnn" : "conv"),
                     cn_module_at(cn_seq_encoder(net), "rnn") ? "weight_hh_l0" : "weight")));
    const cn_seq_search search = { .bos = 2, .eos = 3, .steps = 6, .beams = 3, .alpha = 0.75 };
    int64_t n = cn_seq_predict(net, cn_narrow(x, 0, 0, 1), NULL, &search, best);
    lab_at_least(lab, "sequences of a search with three beams", (double)n, 1);
    for (int64_t i = 0; i < n; i++) cn_hypothesis_free(&best[i]);
    cn_module_free(net);
}

static void run(Lab *lab)
{
    const cn_seq2seq_options o = { .vocabulary = TOKENS, .embedding = 8, .hidden = 16 };
    check_pair(lab, "recurrent", cn_seq2seq(&o, TOKENS));
    check_pair(lab, "convolutional",
               cn_encoder_decoder(cn_module_of(&encoder_class, NULL),
                                  cn_module_of(&decoder_class, NULL), init_state));
}

const Experiment experiment_c09_encdec = {
    .id = "C09-ENCDEC",
    .title = "Encoders and decoders",
    .title_zh = "编码器与解码器架构",
    .section = "10.6",
    .run = run,
};
