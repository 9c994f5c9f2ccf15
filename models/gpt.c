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

cn_tensor *cn_alibi(int64_t heads, int64_t first, int64_t steps)
{
    cn_tensor *t = cn_empty(CN_SHAPE(heads, steps, first + steps), CN_F32);
    float *p = t ? cn_data_mut(t) : NULL;
    for (int64_t h = 0; p && h < heads; h++) {
        const double slope = pow(2, -8 * (double)(h + 1) / (double)heads);
        for (int64_t i = first; i < first + steps; i++)
            for (int64_t j = 0; j < first + steps; j++)
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

/* (batch, steps, 3 width) at positions from `first` on to query, key and value, each (batch, heads, steps,
   size). */
static bool split_heads(const cn_gpt_settings *o, cn_tensor *qkv, int64_t first, cn_tensor *part[3])
{
    for (int i = 0; i < 3; i++) {
        cn_tensor *x = cn_narrow(qkv, -1, i * o->width, o->width);
        x = cn_reshape(x, CN_SHAPE(cn_size(x, 0), cn_size(x, 1), o->heads, o->width / o->heads));
        part[i] = cn_transpose(x, 1, 2);
        if (o->positions == CN_POSITIONS_ROTARY && i < 2) part[i] = cn_rotated(part[i], first);
    }
    return part[0] && part[1] && part[2];
}

/* Keys and values join those of earlier steps, behind them in `memory`. */
static bool remember(cn_tensor *memory, int64_t first, cn_tensor *part[3])
{
    for (int i = 1; i < 3; i++) {
        cn_tensor *all = cn_select(memory, 0, i - 1);
        if (!cn_copy_(cn_narrow(all, 2, first, cn_size(part[i], 2)), part[i])) return false;
        part[i] = all;
    }
    return true;
}

static cn_tensor *attend(cn_module *m, cn_tensor *x, cn_io *io)
{
    const cn_gpt_settings *o = cn_module_options(m);
    cn_tensor *bias = io->in[1], *memory = io->in[2], *part[3];
    const int64_t first = memory ? cn_size(memory, 3) - cn_size(x, 1) : 0;
    cn_tensor *qkv = cn_forward(cn_module_at(m, "qkv"), x);
    if (!qkv || !split_heads(o, qkv, first, part) || (memory && !remember(memory, first, part)))
        return NULL;
    cn_tensor *y =
        cn_scaled_dot_product_attention(part[0], part[1], part[2], bias, !bias && first == 0);
    y = cn_reshape(cn_transpose(y, 1, 2), *cn_shape_of(x));
    return cn_forward(cn_module_at(m, "proj"), y);
}

static bool block_forward(cn_module *m, cn_io *io)
{
    cn_module *dropout = cn_module_at(m, "dropout");
    cn_tensor *x = io->in[0], *y = cn_forward(cn_module_at(m, "ln1"), x);
    if (!y) return false;
    x = cn_add(x, cn_forward(dropout, attend(m, y, io)));
    y = cn_forward(cn_module_at(m, "ffn"), cn_forward(cn_module_at(m, "ln2"), x));
    io->out[0] = cn_add(x, cn_forward(dropout, y));
    return io->out[0] != NULL;
}

static const cn_module_class block_class = {
    .size = sizeof(cn_module_class),
    .name = "GPTBlock",
    .inputs = "(Tensor x, Tensor? bias=None, Tensor? memory=None)",
    .doc =
        "Causal self-attention, whose scores may be biased, and a position-wise network. memory: keys and "
        "values of the steps before these (2, batch, heads, steps, size), with room for those of these.",
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

/* Tokens at positions from `first` on. */
static cn_tensor *embedded(cn_module *m, const cn_gpt_settings *o, cn_tensor *ids, int64_t first)
{
    cn_tensor *x = cn_forward(cn_module_at(m, "embedding"), ids);
    const int64_t last = first + cn_size(ids, 1);
    if (o->positions == CN_POSITIONS_SINUSOIDS)
        return cn_add(x, cn_sinusoids(first, last - first, o->width));
    if (o->positions != CN_POSITIONS_LEARNED) return x;
    if (last > o->context &&
        !cn_fail(CN_EINVALID, "gpt: %lld tokens, positions are learned for %lld", (long long)last,
                 (long long)o->context))
        return NULL;
    cn_tensor *place = cn_arange((double)first, (double)last, 1, CN_I64);
    return cn_add(x, cn_forward(cn_module_at(m, "positions"), place));
}

/* What is added to scores of `steps` queries after `first` others; NULL: nothing, or plain causality. */
static cn_tensor *bias_of(const cn_gpt_settings *o, int64_t first, int64_t steps)
{
    if (o->positions == CN_POSITIONS_ALIBI) return cn_alibi(o->heads, first, steps);
    if (first == 0 || steps == 1) return NULL;
    return cn_tril(cn_ones(CN_SHAPE(steps, first + steps), CN_BOOL), first);
}

/* The tokens before and these, of which the last `most` count. */
static cn_tensor *joined(cn_tensor *past, cn_tensor *ids, int64_t most)
{
    cn_tensor *both[] = { past, ids }, *all = past ? cn_cat(both, 2, 1) : ids;
    const int64_t n = cn_size(all, 1);
    return n > most ? cn_narrow(all, 1, n - most, most) : all;
}

/* What is read: `ids` after `first` others, which the cache knows, or all that counts. */
typedef struct {
    cn_tensor *ids, *all, *cache;
    int64_t first;
    bool keeps; /* a cache for what follows; only where nobody asks for gradients */
} Reading;

/* When the context is full, what follows is read together with half a context before it. */
static Reading begin(cn_module *m, cn_io *io, cn_tensor *ids)
{
    const cn_gpt_settings *o = cn_module_options(m);
    const int64_t steps = cn_size(ids, 1), before = io->in[1] ? cn_size(io->in[1], 1) : 0;
    const bool full = before + steps > o->context;
    const int64_t most = !full ? o->context : steps > o->context / 2 ? steps : o->context / 2;
    Reading r = { .all = joined(io->in[1], ids, most),
                  .keeps = !cn_is_training(m) && !cn_grad_enabled() };
    if (before && io->in[2] && !full && r.keeps) r.cache = io->in[2], r.first = before, r.ids = ids;
    else r.ids = r.all;
    return r;
}

/* ---- cache ------------------------------------------------------------------------------------ */

/* Keys and values of all blocks: (2 layers, batch, heads, room + 1, size). Behind the room is the number of steps
   that are taken. Whoever goes on from a cache takes the steps behind those that he knows; who comes second,
   or finds no room, makes a copy: so one cache may be gone on from more than once, by one thread at a time. */
static float *taken(cn_tensor *cache)
{
    float *p = cn_data_mut(cache);
    return p ? p + (cn_size(cache, 3) - 1) * cn_size(cache, 4) : NULL;
}

static bool is_cache_of(const cn_gpt_settings *o, const cn_tensor *t, int64_t batch, int64_t first)
{
    const cn_shape *s = cn_shape_of(t);
    const int64_t want[] = { 2 * o->layers, batch, o->heads, s->dim[3], o->width / o->heads };
    bool fits =
        s->ndim == 5 && first < s->dim[3] && cn_dtype_of(t) == CN_F32 && cn_is_contiguous(t);
    for (int i = 0; fits && i < 5; i++) fits = s->dim[i] == want[i];
    return fits ||
           cn_fail(CN_EINVALID, "gpt: the cache is not that of the %lld tokens before these",
                   (long long)first);
}

static cn_tensor *cache_new(const cn_gpt_settings *o, const Reading *r, int64_t steps)
{
    const int64_t room = 2 * steps < o->context ? 2 * steps
                         : steps > o->context   ? steps
                                                : o->context;
    cn_tensor *t = cn_empty(
        CN_SHAPE(2 * o->layers, cn_size(r->ids, 0), o->heads, room + 1, o->width / o->heads),
        CN_F32);
    float *n = t ? taken(t) : NULL;
    if (!n) return NULL;
    *n = (float)steps;
    return r->cache && !cn_copy_(cn_narrow(t, 3, 0, r->first), cn_narrow(r->cache, 3, 0, r->first))
               ? NULL
               : t;
}

/* One with these steps, of which the new ones are to be written. */
static cn_tensor *cache_with(const cn_gpt_settings *o, const Reading *r)
{
    const int64_t steps = r->first + cn_size(r->ids, 1);
    if (!r->cache) return cache_new(o, r, steps);
    if (!is_cache_of(o, r->cache, cn_size(r->ids, 0), r->first)) return NULL;
    float *n = steps < cn_size(r->cache, 3) ? taken(r->cache) : NULL;
    if (!n || *n != (float)r->first) return cache_new(o, r, steps);
    *n = (float)steps;
    return r->cache;
}

/* ---- forward ----------------------------------------------------------------------------------- */

/* x through the blocks; keys and values of all of them, or NULL, in *cache. */
static cn_tensor *through(cn_module *m, cn_tensor *x, const Reading *r, cn_tensor **cache)
{
    const cn_gpt_settings *o = cn_module_options(m);
    cn_tensor *bias = bias_of(o, r->first, cn_size(r->ids, 1));
    *cache = r->keeps ? cache_with(o, r) : NULL;
    if (r->keeps && !*cache) return NULL;
    const int64_t steps = r->first + cn_size(r->ids, 1);
    cn_tensor *known = *cache ? cn_narrow(*cache, 3, 0, steps) : NULL;
    for (int64_t i = 0; x && i < o->layers; i++) {
        char name[32];
        cn_tensor *memory = known ? cn_narrow(known, 0, 2 * i, 2) : NULL;
        cn_tensor *in[] = { x, bias, memory };
        int n = 1;
        if (!cn_forward_all(cn_module_at(m, block_name(i, name)), in, 3, &x, &n)) return NULL;
    }
    return x;
}

static bool forward(cn_module *m, cn_io *io)
{
    const cn_gpt_settings *o = cn_module_options(m);
    cn_tensor *ids = io->in[0];
    if (cn_dtype_of(ids) != CN_I64) ids = cn_to(ids, CN_I64); /* zeros, from cn_build() */
    const int64_t steps = cn_size(ids, 1);
    const Reading r = begin(m, io, ids);
    cn_tensor *x = r.ids ? embedded(m, o, r.ids, r.first) : NULL;
    if (!x || !(x = through(m, x, &r, &io->out[2]))) return false;
    x = cn_forward(cn_module_at(m, "ln"), cn_narrow(x, 1, cn_size(x, 1) - steps, steps));
    io->out[0] = cn_transpose(cn_forward(cn_module_at(m, "dense"), x), 1, 2);
    io->out[1] = r.all;
    io->n_out = io->out[2] ? 3 : 2;
    return io->out[0] != NULL;
}

static const cn_module_class gpt_class = {
    .size = sizeof(cn_module_class),
    .name = "GPT",
    .doc = "Scores of the token after each one, by blocks of causal self-attention.",
    .inputs = "(Tensor input, Tensor? past=None, Tensor? cache=None)",
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
