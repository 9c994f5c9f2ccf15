/* seq2seq.c - an encoder and a decoder of GRUs (D2L 10.7). */
#include "models/seq2seq.h"
#include "models/parts.h"
#include "models/translator.h"

/* ---- what both are made of ----------------------------------------------------------------- */

static cn_seq2seq_options resolved(const cn_seq2seq_options *given)
{
    cn_seq2seq_options o = *given;
    if (!o.embedding) o.embedding = 32;
    if (!o.hidden) o.hidden = 32;
    if (!o.layers) o.layers = 2;
    return o;
}

/* One-way unless `o` says otherwise; `in` values come at each step. */
static bool add_layers(cn_module *m, const cn_seq2seq_options *o, int64_t in)
{
    return cn_module_add(m, "embedding", cn_embedding_layer(o->vocabulary, o->embedding)) &&
           cn_module_add(m, "rnn",
                         cn_gru_layer(o->hidden, .in = in, .layers = o->layers,
                                      .dropout = o->dropout, .bidirectional = o->bidirectional));
}

/* Tokens (batch, steps) to vectors (steps, batch, embedding). */
static cn_tensor *embedded(cn_module *m, cn_tensor *tokens)
{
    return cn_forward(cn_module_at(m, "embedding"), cn_transpose(tokens, 0, 1));
}

/* ---- encoder ------------------------------------------------------------------------------- */

static bool encoder_build(cn_module *m, const cn_shape *input)
{
    const cn_seq2seq_options *o = cn_module_options(m);
    (void)input;
    return add_layers(m, o, o->embedding) &&
           (!o->bidirectional ||
            cn_module_add(m, "merge", cn_linear_layer(o->hidden, .in = 2 * o->hidden)));
}

/* (layers * 2, batch, hidden), the two ways of a layer one after the other, to (layers, batch, hidden). */
static cn_tensor *merged(cn_module *m, const cn_seq2seq_options *o, cn_tensor *h)
{
    cn_tensor *ways = cn_reshape(h, CN_SHAPE(o->layers, 2, -1, o->hidden));
    cn_tensor *both[] = { cn_select(ways, 1, 0), cn_select(ways, 1, 1) };
    return cn_tanh(cn_forward(cn_module_at(m, "merge"), cn_cat(both, 2, 2)));
}

static bool encoder_forward(cn_module *m, cn_io *io)
{
    const cn_seq2seq_options *o = cn_module_options(m);
    cn_recurrent_result r = cn_recurrent(cn_module_at(m, "rnn"), embedded(m, io->in[0]));
    io->n_out = 2;
    io->out[0] = r.out;
    io->out[1] = o->bidirectional ? merged(m, o, r.h) : r.h;
    return io->out[1] != NULL;
}

static const cn_module_class encoder_class = {
    .size = sizeof(cn_module_class),
    .name = "Seq2SeqEncoder",
    .inputs = "(Tensor source, Tensor? lengths=None)",
    .doc = "GRUs that read a sentence (D2L 10.7.1).",
    .options_size = sizeof(cn_seq2seq_options),
    .build = encoder_build,
    .forward = encoder_forward,
};

cn_module *cn_seq2seq_encoder(const cn_seq2seq_options *given)
{
    cn_seq2seq_options o = resolved(given);
    return cn_module_of(&encoder_class, &o);
}

/* ---- decoder ------------------------------------------------------------------------------- */

static bool decoder_build(cn_module *m, const cn_shape *input)
{
    const cn_seq2seq_options *o = cn_module_options(m);
    (void)input;
    if (o->bidirectional)
        return cn_fail(CN_EINVALID, "seq2seq: a decoder cannot be bidirectional: it would have to "
                                    "know the words that it has not said yet");
    return add_layers(m, o, o->embedding + o->hidden) &&
           cn_module_add(m, "dense", cn_linear_layer(o->vocabulary, .in = o->hidden));
}

static bool decoder_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = embedded(m, io->in[0]), *context = io->in[2];
    const cn_shape *s = cn_shape_of(x);
    if (!s) return false;
    cn_tensor *always = cn_expand(context, CN_SHAPE(s->dim[0], s->dim[1], cn_size(context, -1)));
    cn_tensor *both[] = { x, always };
    cn_recurrent_result r =
        cn_recurrent(cn_module_at(m, "rnn"), cn_cat(both, 2, 2), .h = io->in[1]);
    io->n_out = 3;
    io->out[0] = cn_transpose(cn_forward(cn_module_at(m, "dense"), r.out), 0, 1);
    io->out[1] = r.h;
    io->out[2] = context;
    return io->out[0] != NULL;
}

static const cn_module_class decoder_class = {
    .size = sizeof(cn_module_class),
    .name = "Seq2SeqDecoder",
    .inputs = "(Tensor tokens, Tensor hidden, Tensor context)",
    .doc = "GRUs that write a sentence, with the encoder's last state at each step (D2L 10.7.2).",
    .options_size = sizeof(cn_seq2seq_options),
    .build = decoder_build,
    .forward = decoder_forward,
};

cn_module *cn_seq2seq_decoder(const cn_seq2seq_options *given)
{
    cn_seq2seq_options o = resolved(given);
    return cn_module_of(&decoder_class, &o);
}

bool cn_seq2seq_init_state(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                           cn_seq_state *state)
{
    (void)decoder, (void)lengths;
    cn_tensor *hidden = encoded->part[1];
    *state = (cn_seq_state){ 2, { hidden, cn_select(hidden, 0, -1) }, { 1, 0 } };
    return state->part[1] != NULL;
}

/* ---- both ---------------------------------------------------------------------------------- */

cn_module *cn_seq2seq(const cn_seq2seq_options *o, int64_t target_vocabulary)
{
    cn_seq2seq_options target = *o;
    target.vocabulary = target_vocabulary;
    target.bidirectional = false;
    return cn_seq_drawn(cn_encoder_decoder(cn_seq2seq_encoder(o), cn_seq2seq_decoder(&target),
                                           cn_seq2seq_init_state));
}

static cn_module *make(const cn_model_request *r)
{
    const cn_seq2seq_options o = { .vocabulary = r->classes,
                                   .embedding = cn_width(r, 32),
                                   .hidden = cn_width(r, 32),
                                   .dropout = 0.1 };
    return cn_seq2seq(&o, cn_targets(r));
}

TRANSLATOR(seq2seq, "seq2seq", "10.7", "an encoder and a decoder of 2 x 32 GRUs");
