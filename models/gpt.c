/* gpt.c - blocks of causal self-attention, and the language model that they make. */
#include "models/gpt.h"
#include "models/parts.h"
#include "models/transformer.h"

#include <cenote/ffi.h>

#include <math.h>
#include <stdio.h>

enum { CHARACTERS = 28 };

/* ---- positions ------------------------------------------------------------------------------- */

/* Cosines (part 0) or sines of the angles, (steps, half). */
static cn_tensor *turns(int64_t first, int64_t steps, int64_t half, int part)
{
    cn_tensor *t = cn_empty(CN_SHAPE(steps, half), CN_F32);
    float *p = t ? cn_data_mut(t) : NULL;
    for (int64_t i = 0; p && i < steps; i++)
        for (int64_t j = 0; j < half; j++) {
            double angle = (double)(first + i) / pow(10000, (double)j / (double)half);
            p[i * half + j] = (float)(part ? sin(angle) : cos(angle));
        }
    return t;
}

cn_tensor *cn_rotated(cn_tensor *x, int64_t first)
{
    const int64_t size = cn_size(x, -1), half = size / 2, steps = cn_size(x, -2);
    if (size % 2 && !cn_fail(CN_EINVALID, "rotary positions: an even size is wanted, not %lld",
                             (long long)size))
        return NULL;
    cn_tensor *c = turns(first, steps, half, 0), *s = turns(first, steps, half, 1);
    cn_tensor *a = cn_narrow(x, -1, 0, half), *b = cn_narrow(x, -1, half, half);
    cn_tensor *turned[] = { cn_sub(cn_mul(a, c), cn_mul(b, s)),
                            cn_add(cn_mul(a, s), cn_mul(b, c)) };
    return cn_cat(turned, 2, -1);
}

cn_tensor *cn_alibi(int64_t heads, int64_t steps)
{
    cn_tensor *t = cn_empty(CN_SHAPE(heads, steps, steps), CN_F32);
    float *p = t ? cn_data_mut(t) : NULL;
    for (int64_t h = 0; p && h < heads; h++) {
        const double slope = pow(2, -8 * (double)(h + 1) / (double)heads);
        for (int64_t i = 0; i < steps; i++)
            for (int64_t j = 0; j < steps; j++)
                *p++ = j > i ? -INFINITY : (float)(-slope * (double)(i - j));
    }
    return t;
}

/* ---- block ----------------------------------------------------------------------------------- */

static cn_module *gelu_layer(void)
{
    cn_module *m = NULL;
    return cn_ffi_module_new("GELU", NULL, 0, &m) ? NULL : m;
}

static bool block_build(cn_module *m, const cn_shape *input)
{
    const cn_gpt_settings *o = cn_module_options(m);
    const int64_t w = o->width;
    (void)input;
    return cn_module_add(m, "ln1", cn_layer_norm_layer(CN_SHAPE(w))) &&
           cn_module_add(m, "qkv", cn_linear_layer(3 * w, .in = w)) &&
           cn_module_add(m, "proj", cn_linear_layer(w, .in = w)) &&
           cn_module_add(m, "ln2", cn_layer_norm_layer(CN_SHAPE(w))) &&
           cn_module_add(m, "ffn",
                         cn_sequential(cn_linear_layer(4 * w, .in = w), gelu_layer(),
                                       cn_linear_layer(w, .in = 4 * w))) &&
           cn_module_add(m, "dropout", cn_dropout_layer(o->dropout));
}

/* (batch, steps, 3 width) to query, key and value, each (batch, heads, steps, size). */
static bool split_heads(const cn_gpt_settings *o, cn_tensor *qkv, cn_tensor *part[3])
{
    for (int i = 0; i < 3; i++) {
        cn_tensor *x = cn_narrow(qkv, -1, i * o->width, o->width);
        x = cn_reshape(x, CN_SHAPE(cn_size(x, 0), cn_size(x, 1), o->heads, o->width / o->heads));
        part[i] = cn_transpose(x, 1, 2);
        if (o->positions == CN_POSITIONS_ROTARY && i < 2) part[i] = cn_rotated(part[i], 0);
    }
    return part[0] && part[1] && part[2];
}

static cn_tensor *attend(cn_module *m, cn_tensor *x, cn_tensor *bias)
{
    const cn_gpt_settings *o = cn_module_options(m);
    cn_tensor *part[3], *qkv = cn_forward(cn_module_at(m, "qkv"), x);
    if (!qkv || !split_heads(o, qkv, part)) return NULL;
    cn_tensor *y = cn_scaled_dot_product_attention(part[0], part[1], part[2], bias, !bias);
    y = cn_reshape(cn_transpose(y, 1, 2), *cn_shape_of(x));
    return cn_forward(cn_module_at(m, "proj"), y);
}

static bool block_forward(cn_module *m, cn_io *io)
{
    cn_module *dropout = cn_module_at(m, "dropout");
    cn_tensor *x = io->in[0], *y = cn_forward(cn_module_at(m, "ln1"), x);
    if (!y) return false;
    x = cn_add(x, cn_forward(dropout, attend(m, y, io->in[1])));
    y = cn_forward(cn_module_at(m, "ffn"), cn_forward(cn_module_at(m, "ln2"), x));
    io->out[0] = cn_add(x, cn_forward(dropout, y));
    return io->out[0] != NULL;
}

static const cn_module_class block_class = {
    .size = sizeof(cn_module_class),
    .name = "GPTBlock",
    .inputs = "(Tensor x, Tensor? bias=None)",
    .doc = "Causal self-attention, whose scores may be biased, and a position-wise network.",
    .options_size = sizeof(cn_gpt_settings),
    .build = block_build,
    .forward = block_forward,
};

/* ---- language model -------------------------------------------------------------------------- */

static const char *block_name(int64_t i, char name[32])
{
    snprintf(name, 32, "block%lld", (long long)i);
    return name;
}

static bool build(cn_module *m, const cn_shape *input)
{
    const cn_gpt_settings *o = cn_module_options(m);
    char name[32];
    (void)input;
    bool ok = cn_module_add(m, "embedding", cn_embedding_layer(o->vocabulary, o->width));
    if (ok && o->positions == CN_POSITIONS_LEARNED)
        ok = cn_module_add(m, "positions", cn_embedding_layer(o->context, o->width));
    for (int64_t i = 0; ok && i < o->layers; i++)
        ok = cn_module_add(m, block_name(i, name), cn_module_of(&block_class, o));
    return ok && cn_module_add(m, "ln", cn_layer_norm_layer(CN_SHAPE(o->width))) &&
           cn_module_add(m, "dense", cn_linear_layer(o->vocabulary, .in = o->width));
}

static cn_tensor *embedded(cn_module *m, const cn_gpt_settings *o, cn_tensor *ids)
{
    cn_tensor *x = cn_forward(cn_module_at(m, "embedding"), ids);
    const int64_t steps = cn_size(ids, 1);
    if (o->positions == CN_POSITIONS_SINUSOIDS) return cn_add(x, cn_sinusoids(0, steps, o->width));
    if (o->positions != CN_POSITIONS_LEARNED) return x;
    if (steps > o->context &&
        !cn_fail(CN_EINVALID, "gpt: %lld tokens, positions are learned for %lld", (long long)steps,
                 (long long)o->context))
        return NULL;
    cn_tensor *place = cn_arange(0, (double)steps, 1, CN_I64);
    return cn_add(x, cn_forward(cn_module_at(m, "positions"), place));
}

/* The tokens before and these, of which the last `most` count. */
static cn_tensor *joined(cn_tensor *past, cn_tensor *ids, int64_t most)
{
    cn_tensor *both[] = { past, ids }, *all = past ? cn_cat(both, 2, 1) : ids;
    const int64_t n = cn_size(all, 1);
    return n > most ? cn_narrow(all, 1, n - most, most) : all;
}

static bool forward(cn_module *m, cn_io *io)
{
    const cn_gpt_settings *o = cn_module_options(m);
    cn_tensor *ids = io->in[0];
    if (cn_dtype_of(ids) != CN_I64) ids = cn_to(ids, CN_I64); /* zeros, from cn_build() */
    const int64_t steps = cn_size(ids, 1);
    cn_tensor *all = joined(io->in[1], ids, steps > o->context ? steps : o->context), *bias = NULL;
    cn_tensor *x = all ? embedded(m, o, all) : NULL;
    if (o->positions == CN_POSITIONS_ALIBI) bias = cn_alibi(o->heads, cn_size(all, 1));
    for (int64_t i = 0; x && i < o->layers; i++) {
        char name[32];
        cn_tensor *in[] = { x, bias };
        int n = 1;
        if (!cn_forward_all(cn_module_at(m, block_name(i, name)), in, 2, &x, &n)) return false;
    }
    if (!x) return false;
    x = cn_forward(cn_module_at(m, "ln"), cn_narrow(x, 1, cn_size(x, 1) - steps, steps));
    io->out[0] = cn_transpose(cn_forward(cn_module_at(m, "dense"), x), 1, 2);
    io->out[1] = all;
    io->n_out = 2;
    return io->out[0] != NULL;
}

static const cn_module_class gpt_class = {
    .size = sizeof(cn_module_class),
    .name = "GPT",
    .doc = "Scores of the token after each one, by blocks of causal self-attention.",
    .inputs = "(Tensor input, Tensor? past=None)",
    .options_size = sizeof(cn_gpt_settings),
    .build = build,
    .forward = forward,
};

cn_module *cn_gpt(const cn_gpt_settings *given)
{
    cn_gpt_settings o = *given;
    if (!o.context) o.context = 128;
    if (!o.width) o.width = 128;
    if (!o.heads) o.heads = 4;
    if (!o.layers) o.layers = 2;
    if (o.width % o.heads && !cn_fail(CN_EINVALID, "gpt: %lld heads cannot share a width of %lld",
                                      (long long)o.heads, (long long)o.width))
        return NULL;
    return cn_module_of(&gpt_class, &o);
}

/* ---- catalogue ------------------------------------------------------------------------------- */

static cn_module *make(const cn_model_request *r)
{
    const cn_gpt_settings s = { .vocabulary = r->classes, .width = 4 * cn_width(r, 32) };
    return cn_model_drawn(cn_gpt(&s), NULL, NULL);
}

const cn_model model_gpt = {
    .name = "gpt",
    .title = "GPT",
    .section = "11.9",
    .about = "a small decoder-only Transformer on characters: 2 blocks, 128 units, 4 heads",
    .input = { 1, { 128 } },
    .tokens = true,
    .classes = CHARACTERS,
    .batch = 32,
    .epochs = 50,
    .lr = 0.1,
    .clip = 1,
    .data = "timemachine",
    .make = make,
};
