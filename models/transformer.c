/* transformer.c - blocks of attention, and an encoder and a decoder made of them (D2L 11.7). */
#include "models/transformer.h"
#include "models/parts.h"
#include "models/translator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_MAX = CN_SEQ_PARTS - 2 };

/* ---- positions ------------------------------------------------------------------------------- */

cn_tensor *cn_sinusoids(int64_t first, int64_t steps, int64_t width)
{
    cn_tensor *t = cn_empty(CN_SHAPE(1, steps, width), CN_F32);
    float *p = t ? cn_data_mut(t) : NULL;
    for (int64_t i = 0; p && i < steps; i++)
        for (int64_t j = 0; j < width; j++) {
            double even = (double)(j / 2 * 2);
            double angle = (double)(first + i) / pow(10000, even / (double)width);
            p[i * width + j] = (float)(j % 2 ? cos(angle) : sin(angle));
        }
    return t;
}

/* ---- parts of a block ------------------------------------------------------------------------ */

typedef struct {
    int64_t width;
    double dropout;
} AddNorm;

static bool add_norm_build(cn_module *m, const cn_shape *input)
{
    const AddNorm *o = cn_module_options(m);
    (void)input;
    return cn_module_add(m, "dropout", cn_dropout_layer(o->dropout)) &&
           cn_module_add(m, "ln", cn_layer_norm_layer(CN_SHAPE(o->width)));
}

static bool add_norm_forward(cn_module *m, cn_io *io)
{
    cn_tensor *y = cn_forward(cn_module_at(m, "dropout"), io->in[1]);
    io->out[0] = cn_forward(cn_module_at(m, "ln"), cn_add(y, io->in[0]));
    return io->out[0] != NULL;
}

static const cn_module_class add_norm_class = {
    .size = sizeof(cn_module_class),
    .name = "AddNorm",
    .inputs = "(Tensor x, Tensor y)",
    .doc = "LayerNorm(x + Dropout(y)) (D2L 11.7.3).",
    .options_size = sizeof(AddNorm),
    .build = add_norm_build,
    .forward = add_norm_forward,
};

cn_module *cn_add_norm(int64_t width, double dropout)
{
    const AddNorm o = { width, dropout };
    return cn_module_of(&add_norm_class, &o);
}

cn_module *cn_position_wise(int64_t in, int64_t hidden, int64_t out)
{
    return cn_sequential(cn_linear_layer(hidden, .in = in), cn_relu_layer(),
                         cn_linear_layer(out, .in = hidden));
}

/* ---- block ----------------------------------------------------------------------------------- */

typedef struct {
    cn_transformer_settings s;
    bool cross;
} Block;

static cn_transformer_settings resolved(const cn_transformer_settings *given)
{
    cn_transformer_settings o = *given;
    if (!o.width) o.width = 32;
    if (!o.feedforward) o.feedforward = 64;
    if (!o.heads) o.heads = 4;
    if (!o.layers) o.layers = 2;
    return o;
}

static bool add_attention(cn_module *m, const char *name, const char *norm,
                          const cn_transformer_settings *s)
{
    return cn_module_add(m, name,
                         cn_attention_layer(s->width, s->heads, .dropout = s->dropout,
                                            .batch_first = true, .no_bias = true)) &&
           cn_module_add(m, norm, cn_add_norm(s->width, s->dropout));
}

static bool block_build(cn_module *m, const cn_shape *input)
{
    const Block *o = cn_module_options(m);
    (void)input;
    return add_attention(m, "attention", "addnorm1", &o->s) &&
           (!o->cross || add_attention(m, "cross", "addnorm2", &o->s)) &&
           cn_module_add(m, "ffn", cn_position_wise(o->s.width, o->s.feedforward, o->s.width)) &&
           cn_module_add(m, "addnorm3", cn_add_norm(o->s.width, o->s.dropout));
}

static cn_tensor *add_and_norm(cn_module *m, const char *norm, cn_tensor *x, cn_tensor *y)
{
    cn_tensor *in[] = { x, y }, *out[1];
    int n = 1;
    if (!x || !y) return NULL;
    return cn_forward_all(cn_module_at(m, norm), in, 2, out, &n) ? out[0] : NULL;
}

static bool block_forward(cn_module *m, cn_io *io)
{
    const Block *o = cn_module_options(m);
    cn_tensor *x = io->in[0], *seen = io->in[1], *memory = io->in[4];
    x = add_and_norm(m, "addnorm1", x,
                     cn_attention(cn_module_at(m, "attention"), x, seen, seen,
                                  .attn_mask = io->in[2], .key_padding_mask = io->in[3]));
    if (o->cross)
        x = add_and_norm(m, "addnorm2", x,
                         cn_attention(cn_module_at(m, "cross"), x, memory, memory,
                                      .key_padding_mask = io->in[5]));
    io->out[0] = add_and_norm(m, "addnorm3", x, cn_forward(cn_module_at(m, "ffn"), x));
    return io->out[0] != NULL;
}

static const cn_module_class block_class = {
    .size = sizeof(cn_module_class),
    .name = "TransformerBlock",
    .inputs =
        "(Tensor x, Tensor seen, Tensor? hidden_steps=None, Tensor? hidden_keys=None, Tensor? "
        "memory=None, Tensor? hidden_memory=None)",
    .doc = "Attention, to the memory too if it has one, and a position-wise network (D2L 11.7).",
    .options_size = sizeof(Block),
    .build = block_build,
    .forward = block_forward,
};

cn_module *cn_transformer_block(const cn_transformer_settings *given, bool cross)
{
    const Block o = { resolved(given), cross };
    return cn_module_of(&block_class, &o);
}

cn_tensor *cn_transformer_weights(cn_module *block, const char *part, cn_tensor *queries,
                                  cn_tensor *keys, cn_tensor *hidden_steps, cn_tensor *hidden_keys)
{
    cn_tensor *weights = NULL;
    cn_attention(cn_module_at(block, part), queries, keys, keys, .attn_mask = hidden_steps,
                 .key_padding_mask = hidden_keys, .weights = &weights, .per_head = true);
    return weights;
}

/* ---- what encoder and decoder share ---------------------------------------------------------- */

static const char *block_name(int64_t i, char name[32])
{
    snprintf(name, 32, "block%lld", (long long)i);
    return name;
}

static bool add_blocks(cn_module *m, const cn_transformer_settings *o, bool cross)
{
    char name[32];
    if (o->layers < 1 || o->layers > LAYERS_MAX)
        return cn_fail(CN_EINVALID, "transformer: %lld layers; 1 to %d are possible",
                       (long long)o->layers, LAYERS_MAX);
    if (!cn_module_add(m, "embedding", cn_embedding_layer(o->vocabulary, o->width)) ||
        !cn_module_add(m, "dropout", cn_dropout_layer(o->dropout)))
        return false;
    for (int64_t i = 0; i < o->layers; i++)
        if (!cn_module_add(m, block_name(i, name), cn_transformer_block(o, cross))) return false;
    return true;
}

/* Positions are between -1 and 1, so embeddings are made larger by the root of their width. */
static cn_tensor *embedded(cn_module *m, const cn_transformer_settings *o, cn_tensor *tokens,
                           int64_t first)
{
    cn_tensor *x = cn_forward(cn_module_at(m, "embedding"), tokens);
    x = cn_mul(x, cn_num(sqrt((double)o->width)));
    x = cn_add(x, cn_sinusoids(first, cn_size(tokens, 1), o->width));
    return cn_forward(cn_module_at(m, "dropout"), x);
}

static cn_tensor *run_block(cn_module *m, int64_t i, cn_tensor *const in[6])
{
    char name[32];
    cn_tensor *out[1];
    int n = 1;
    if (!in[0] || !in[1]) return NULL;
    return cn_forward_all(cn_module_at(m, block_name(i, name)), in, 6, out, &n) ? out[0] : NULL;
}

/* ---- encoder --------------------------------------------------------------------------------- */

static bool encoder_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return add_blocks(m, cn_module_options(m), false);
}

/* (batch, steps): true from step lengths[i] of row i on. */
static cn_tensor *padding_of(cn_tensor *tokens, cn_tensor *lengths)
{
    cn_tensor *step = cn_arange(0, (double)cn_size(tokens, 1), 1, CN_I64);
    if (!lengths) return cn_zeros(*cn_shape_of(tokens), CN_BOOL);
    return cn_ge(step, cn_unsqueeze(lengths, -1));
}

static bool encoder_forward(cn_module *m, cn_io *io)
{
    const cn_transformer_settings *o = cn_module_options(m);
    cn_tensor *x = embedded(m, o, io->in[0], 0), *hidden = padding_of(io->in[0], io->in[1]);
    for (int64_t i = 0; i < o->layers; i++)
        x = run_block(m, i, (cn_tensor *[6]){ x, x, NULL, hidden });
    io->n_out = 2;
    io->out[0] = x;
    io->out[1] = hidden;
    return x && hidden;
}

static const cn_module_class encoder_class = {
    .size = sizeof(cn_module_class),
    .name = "TransformerTokensEncoder",
    .inputs = "(Tensor source, Tensor? lengths=None)",
    .doc = "Embedding, positions and blocks of self-attention (D2L 11.7.4).",
    .options_size = sizeof(cn_transformer_settings),
    .build = encoder_build,
    .forward = encoder_forward,
};

cn_module *cn_transformer_tokens_encoder(const cn_transformer_settings *given)
{
    const cn_transformer_settings o = resolved(given);
    return cn_module_of(&encoder_class, &o);
}

/* ---- decoder --------------------------------------------------------------------------------- */

static bool decoder_build(cn_module *m, const cn_shape *input)
{
    const cn_transformer_settings *o = cn_module_options(m);
    (void)input;
    return add_blocks(m, o, true) &&
           cn_module_add(m, "dense", cn_linear_layer(o->vocabulary, .in = o->width));
}

/* What `steps` steps after `before` others must not see: what comes after each of them. */
static cn_tensor *future(int64_t before, int64_t steps)
{
    cn_tensor *row = cn_arange((double)before, (double)(before + steps), 1, CN_I64);
    return cn_gt(cn_arange(0, (double)(before + steps), 1, CN_I64), cn_unsqueeze(row, -1));
}

static bool decoder_forward(cn_module *m, cn_io *io)
{
    const cn_transformer_settings *o = cn_module_options(m);
    const int64_t before = cn_size(io->in[3], 1), steps = cn_size(io->in[0], 1);
    cn_tensor *x = embedded(m, o, io->in[0], before), *hidden = future(before, steps);
    io->n_out = 3 + (int)o->layers;
    io->out[1] = io->in[1], io->out[2] = io->in[2];
    for (int64_t i = 0; i < o->layers; i++) {
        cn_tensor *both[] = { io->in[3 + i], x };
        cn_tensor *seen = x ? cn_cat(both, 2, 1) : NULL;
        x = run_block(m, i, (cn_tensor *[6]){ x, seen, hidden, NULL, io->in[1], io->in[2] });
        io->out[3 + i] = seen;
    }
    io->out[0] = cn_forward(cn_module_at(m, "dense"), x);
    return io->out[0] != NULL;
}

/* One input for each layer that there may be: the first `layers` are given. */
static const cn_module_class decoder_class = {
    .size = sizeof(cn_module_class),
    .name = "TransformerTokensDecoder",
    .inputs =
        "(Tensor tokens, Tensor memory, Tensor hidden_memory, Tensor seen0, Tensor? seen1=None, "
        "Tensor? seen2=None, Tensor? seen3=None, Tensor? seen4=None, Tensor? seen5=None, "
        "Tensor? seen6=None, Tensor? seen7=None, Tensor? seen8=None, Tensor? seen9=None, "
        "Tensor? seen10=None, Tensor? seen11=None, Tensor? seen12=None)",
    .doc = "Blocks of attention to the steps so far and to what was encoded (D2L 11.7.5).",
    .options_size = sizeof(cn_transformer_settings),
    .build = decoder_build,
    .forward = decoder_forward,
};

cn_module *cn_transformer_tokens_decoder(const cn_transformer_settings *given)
{
    const cn_transformer_settings o = resolved(given);
    return cn_module_of(&decoder_class, &o);
}

bool cn_transformer_init_state(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                               cn_seq_state *state)
{
    const cn_transformer_settings *o = cn_module_options(decoder);
    const int64_t batch = cn_size(encoded->part[0], 0);
    (void)lengths;
    *state =
        (cn_seq_state){ .n = 2 + (int)o->layers, .part = { encoded->part[0], encoded->part[1] } };
    for (int i = 2; i < state->n; i++)
        if (!(state->part[i] = cn_zeros(CN_SHAPE(batch, 0, o->width), CN_F32))) return false;
    return true;
}

/* ---- both ------------------------------------------------------------------------------------ */

cn_module *cn_transformer_translator(const cn_transformer_settings *o, int64_t target_vocabulary)
{
    cn_transformer_settings target = *o;
    target.vocabulary = target_vocabulary;
    return cn_seq_drawn(cn_encoder_decoder(cn_transformer_tokens_encoder(o),
                                           cn_transformer_tokens_decoder(&target),
                                           cn_transformer_init_state));
}

static cn_module *make(const cn_model_request *r)
{
    const cn_transformer_settings o = { .vocabulary = r->classes,
                                        .width = cn_width(r, 32),
                                        .feedforward = cn_width(r, 64),
                                        .dropout = 0.1 };
    return cn_transformer_translator(&o, cn_targets(r));
}

TRANSLATOR(transformer, "Transformer", "11.7",
           "an encoder and a decoder of 2 blocks, 32 units, 4 heads");
