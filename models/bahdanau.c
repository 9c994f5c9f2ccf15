/* bahdanau.c - seq2seq with additive attention (D2L 11.4). */
#include "models/bahdanau.h"
#include "models/parts.h"
#include "models/translator.h"

static bool build(cn_module *m, const cn_shape *input)
{
    const cn_seq2seq_options *o = cn_module_options(m);
    const int64_t h = o->hidden;
    (void)input;
    return cn_module_add(m, "embedding", cn_embedding_layer(o->vocabulary, o->embedding)) &&
           cn_module_add(m, "w_q", cn_linear_layer(h, .in = h, .no_bias = true)) &&
           cn_module_add(m, "w_k", cn_linear_layer(h, .in = h, .no_bias = true)) &&
           cn_module_add(m, "w_v", cn_linear_layer(1, .in = h, .no_bias = true)) &&
           cn_module_add(m, "rnn",
                         cn_gru_layer(h, .in = o->embedding + h, .layers = o->layers,
                                      .dropout = o->dropout)) &&
           cn_module_add(m, "dense", cn_linear_layer(o->vocabulary, .in = h));
}

/* keys: w_k of all outputs of the encoder, the same for all steps */
static cn_tensor *weights_of(cn_module *m, cn_tensor *h, cn_tensor *keys, cn_tensor *padding)
{
    cn_tensor *query = cn_unsqueeze(cn_select(h, 0, -1), 1);
    cn_tensor *sum = cn_add(cn_forward(cn_module_at(m, "w_q"), query), keys);
    cn_tensor *scores = cn_transpose(cn_forward(cn_module_at(m, "w_v"), cn_tanh(sum)), 1, 2);
    return cn_softmax(cn_masked_fill(scores, cn_unsqueeze(padding, 1), cn_num(-1e6)), -1);
}

cn_tensor *cn_bahdanau_weights(cn_module *m, const cn_seq_state *s)
{
    return weights_of(m, s->part[2], cn_forward(cn_module_at(m, "w_k"), s->part[0]), s->part[1]);
}

/* One step of x (1, batch, embedding): the output (1, batch, hidden). */
static cn_tensor *go_on(cn_module *m, cn_tensor *x, cn_io *io, cn_tensor *keys, cn_tensor **h)
{
    cn_tensor *context = cn_matmul(weights_of(m, *h, keys, io->in[2]), io->in[1]);
    cn_tensor *both[] = { cn_transpose(context, 0, 1), x };
    cn_recurrent_result r = cn_recurrent(cn_module_at(m, "rnn"), cn_cat(both, 2, 2), .h = *h);
    *h = r.h;
    return r.out;
}

static bool forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = cn_forward(cn_module_at(m, "embedding"), cn_transpose(io->in[0], 0, 1));
    cn_tensor *keys = cn_forward(cn_module_at(m, "w_k"), io->in[1]), *h = io->in[3], *y = NULL;
    const int64_t steps = cn_size(io->in[0], 1);
    for (int64_t i = 0; i < steps; i++) {
        cn_tensor *step = go_on(m, cn_narrow(x, 0, i, 1), io, keys, &h);
        cn_tensor *both[] = { y, step };
        if (!step) return false;
        y = i ? cn_cat(both, 2, 0) : step;
    }
    io->n_out = 4;
    io->out[0] = cn_transpose(cn_forward(cn_module_at(m, "dense"), y), 0, 1);
    io->out[1] = io->in[1], io->out[2] = io->in[2], io->out[3] = h;
    return io->out[0] != NULL;
}

static const cn_module_class decoder_class = {
    .size = sizeof(cn_module_class),
    .name = "BahdanauDecoder",
    .inputs = "(Tensor tokens, Tensor outputs, Tensor padding, Tensor hidden)",
    .doc = "GRUs that write a sentence, looking at all of the source (D2L 11.4).",
    .options_size = sizeof(cn_seq2seq_options),
    .build = build,
    .forward = forward,
};

cn_module *cn_bahdanau_decoder(const cn_seq2seq_options *given)
{
    cn_seq2seq_options o = *given;
    if (!o.embedding) o.embedding = 32;
    if (!o.hidden) o.hidden = 32;
    if (!o.layers) o.layers = 2;
    return cn_module_of(&decoder_class, &o);
}

bool cn_bahdanau_init_state(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                            cn_seq_state *state)
{
    cn_tensor *outputs = cn_transpose(encoded->part[0], 0, 1);
    (void)decoder;
    if (!outputs) return false;
    const int64_t batch = cn_size(outputs, 0), steps = cn_size(outputs, 1);
    cn_tensor *padding =
        lengths ? cn_ge(cn_arange(0, (double)steps, 1, CN_I64), cn_unsqueeze(lengths, -1))
                : cn_zeros(CN_SHAPE(batch, steps), CN_BOOL);
    *state = (cn_seq_state){ 3, { outputs, padding, encoded->part[1] }, { 0, 0, 1 } };
    return padding != NULL;
}

cn_module *cn_bahdanau(const cn_seq2seq_options *o, int64_t target_vocabulary)
{
    cn_seq2seq_options target = *o;
    target.vocabulary = target_vocabulary;
    return cn_seq_drawn(cn_encoder_decoder(cn_seq2seq_encoder(o), cn_bahdanau_decoder(&target),
                                           cn_bahdanau_init_state));
}

static cn_module *make(const cn_model_request *r)
{
    const cn_seq2seq_options o = { .vocabulary = r->classes,
                                   .embedding = cn_width(r, 32),
                                   .hidden = cn_width(r, 32),
                                   .dropout = 0.1 };
    return cn_bahdanau(&o, cn_targets(r));
}

TRANSLATOR(bahdanau, "Bahdanau attention", "11.4",
           "seq2seq whose decoder looks at all of the source");
