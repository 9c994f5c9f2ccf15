/* transformer_layers.c - one layer of a Transformer's encoder and decoder (Vaswani et al. 2017;
   D2L 11.7): attention and a small network, each added to its input and normalised, after the sum
   or (norm_first) before the branch. */
#include "nn/transformer.h"

#include <string.h>

/* ---- parts --------------------------------------------------------------------------------- */

static cn_module *attention(const cn_layer_options *o)
{
    const cn_ffi_arg args[] = {
        { "embed_dim", { .kind = CN_KIND_INT, .u.i = o->width } },
        { "num_heads", { .kind = CN_KIND_INT, .u.i = o->heads } },
        { "dropout", { .kind = CN_KIND_FLOAT, .u.f = o->dropout } },
        { "bias", { .kind = CN_KIND_BOOL, .u.i = o->bias } },
        { "batch_first", { .kind = CN_KIND_BOOL, .u.i = o->batch_first } },
    };
    return cn_module_create(&cn_class_MultiheadAttention, args, (int)CN_COUNT(args));
}

cn_module *cn_transformer_norm(const cn_layer_options *o)
{
    const cn_ffi_arg args[] = {
        { "normalized_shape", { .kind = CN_KIND_INT, .u.i = o->width } },
        { "eps", { .kind = CN_KIND_FLOAT, .u.f = o->eps } },
        { "bias", { .kind = CN_KIND_BOOL, .u.i = o->bias } },
    };
    return cn_module_create(&cn_class_LayerNorm, args, (int)CN_COUNT(args));
}

static cn_module *linear(int64_t in, int64_t out, bool bias)
{
    return cn_linear_layer(out, .in = in, .no_bias = !bias);
}

bool cn_check_layer_options(const cn_module *m, const cn_layer_options *o)
{
    if (strcmp(o->activation, "relu") != 0 && strcmp(o->activation, "gelu") != 0)
        return cn_fail(CN_EINVALID, "%s: activation must be 'relu' or 'gelu', not '%s'",
                       m->cls->name, o->activation);
    return o->feedforward > 0 || cn_fail(CN_EINVALID,
                                         "%s: dim_feedforward must be positive, got "
                                         "%lld",
                                         m->cls->name, (long long)o->feedforward);
}

/* In PyTorch's order, which is that of the state_dict. */
static bool add_parts(cn_module *m, int attentions)
{
    static const char *const attention_names[] = { "self_attn", "multihead_attn" };
    static const char *const norm_names[] = { "norm1", "norm2", "norm3" };
    static const char *const dropout_names[] = { "dropout1", "dropout2", "dropout3" };
    const cn_layer_options *o = m->options;
    if (!cn_check_layer_options(m, o)) return false;
    for (int i = 0; i < attentions; i++)
        if (!cn_module_add(m, attention_names[i], attention(o))) return false;
    if (!cn_module_add(m, "linear1", linear(o->width, o->feedforward, o->bias)) ||
        !cn_module_add(m, "dropout", cn_dropout_layer(o->dropout)) ||
        !cn_module_add(m, "linear2", linear(o->feedforward, o->width, o->bias)))
        return false;
    for (int i = 0; i <= attentions; i++)
        if (!cn_module_add(m, norm_names[i], cn_transformer_norm(o))) return false;
    for (int i = 0; i <= attentions; i++)
        if (!cn_module_add(m, dropout_names[i], cn_dropout_layer(o->dropout))) return false;
    return true;
}

/* ---- branches: x + dropout(branch(x)) ------------------------------------------------------ */

typedef struct {
    cn_module *m;
    int attentions; /* 1 in the encoder, 2 in the decoder */
    cn_tensor *memory, *mask[2], *padding[2];
} Layer;

static cn_module *child(const Layer *l, int i)
{
    return l->m->children[i].module;
}

/* Children: the attentions, linear1, dropout, linear2, the norms, the dropouts of the branches. */
static cn_tensor *feed_forward(const Layer *l, cn_tensor *x)
{
    const cn_layer_options *o = l->m->options;
    x = cn_forward(child(l, l->attentions), x);
    x = strcmp(o->activation, "gelu") == 0 ? cn_gelu(x) : cn_relu(x);
    return cn_forward(child(l, l->attentions + 2), cn_forward(child(l, l->attentions + 1), x));
}

static cn_tensor *run_branch(const Layer *l, int i, cn_tensor *x)
{
    if (!x) return NULL;
    if (i == l->attentions) return feed_forward(l, x);
    cn_tensor *seen = i == 0 ? x : l->memory;
    const cn_attention_inputs in = { x, seen, seen, l->padding[i], l->mask[i], false };
    return cn_attend(child(l, i), &in, NULL);
}

static cn_tensor *run_layer(const Layer *l, cn_tensor *x)
{
    const cn_layer_options *o = l->m->options;
    int norms = l->attentions + 3, dropouts = norms + l->attentions + 1;
    for (int i = 0; i <= l->attentions; i++) {
        cn_module *norm = child(l, norms + i);
        cn_tensor *y = run_branch(l, i, o->norm_first ? cn_forward(norm, x) : x);
        x = cn_add(x, cn_forward(child(l, dropouts + i), y));
        if (!o->norm_first) x = cn_forward(norm, x);
    }
    return x;
}

/* ---- classes ------------------------------------------------------------------------------- */

static bool is_hint(const cn_module *m, bool is_causal, const cn_tensor *mask, const char *name)
{
    return !is_causal || mask ||
           cn_fail(CN_EINVALID, "%s: is_causal is a hint about %s, which must be given, too",
                   m->cls->name, name);
}

static bool encoder_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return add_parts(m, 1);
}

static bool encoder_forward(cn_module *m, cn_io *io)
{
    Layer l = { .m = m, .attentions = 1, .mask = { io->in[1] }, .padding = { io->in[2] } };
    const bool *is_causal = io->args;
    if (!is_hint(m, *is_causal, io->in[1], "src_mask")) return false;
    return (io->out[0] = run_layer(&l, io->in[0])) != NULL;
}

static bool decoder_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return add_parts(m, 2);
}

static bool decoder_forward(cn_module *m, cn_io *io)
{
    Layer l = { .m = m,
                .attentions = 2,
                .memory = io->in[1],
                .mask = { io->in[2], io->in[3] },
                .padding = { io->in[4], io->in[5] } };
    const bool *is_causal = io->args;
    if (!is_hint(m, is_causal[0], io->in[2], "tgt_mask") ||
        !is_hint(m, is_causal[1], io->in[3], "memory_mask"))
        return false;
    return (io->out[0] = run_layer(&l, io->in[0])) != NULL;
}

#define OPTIONS                                                                                    \
    "(int d_model, int nhead, int dim_feedforward=2048, float dropout=0.1, str "                   \
    "activation='relu', float layer_norm_eps=1e-05, bool batch_first=False, bool "                 \
    "norm_first=False, bool bias=True)"

const cn_module_class cn_class_TransformerEncoderLayer = {
    .name = "TransformerEncoderLayer",
    .schema = "TransformerEncoderLayer" OPTIONS,
    .inputs = "(Tensor src, Tensor? src_mask=None, Tensor? src_key_padding_mask=None, bool "
              "is_causal=False) -> Tensor",
    .doc = "Self-attention, then a network of two linear layers (D2L 11.7).",
    .options_size = sizeof(cn_layer_options),
    .build = encoder_build,
    .forward = encoder_forward,
};

const cn_module_class cn_class_TransformerDecoderLayer = {
    .name = "TransformerDecoderLayer",
    .schema = "TransformerDecoderLayer" OPTIONS,
    .inputs =
        "(Tensor tgt, Tensor memory, Tensor? tgt_mask=None, Tensor? memory_mask=None, Tensor? "
        "tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None, bool "
        "tgt_is_causal=False, bool memory_is_causal=False) -> Tensor",
    .doc = "Self-attention, attention to what the encoder made, then a network of two linear "
           "layers (D2L 11.7).",
    .options_size = sizeof(cn_layer_options),
    .build = decoder_build,
    .forward = decoder_forward,
};

/* ---- in C ---------------------------------------------------------------------------------- */

cn_layer_options cn_layer_options_of(const cn_transformer_options *o)
{
    return (cn_layer_options){ .width = o->features ? o->features : 512,
                               .heads = o->heads ? o->heads : 8,
                               .feedforward = o->feedforward ? o->feedforward : 2048,
                               .dropout = o->dropout,
                               .activation = o->gelu ? "gelu" : "relu",
                               .eps = o->eps > 0 ? o->eps : 1e-5,
                               .batch_first = o->batch_first,
                               .norm_first = o->norm_first,
                               .bias = !o->no_bias };
}

static cn_module *layer(const cn_module_class *cls, const cn_transformer_options *o)
{
    const cn_layer_options p = cn_layer_options_of(o);
    if (!o->encoders && !o->decoders) return cn_module_of(cls, &p);
    cn_fail(CN_EINVALID, "%s: it is one layer; encoders and decoders are of the Transformer",
            cls->name);
    return NULL;
}

cn_module *cn_transformer_encoder_layer_with(const cn_transformer_options *o)
{
    return layer(&cn_class_TransformerEncoderLayer, o);
}

cn_module *cn_transformer_decoder_layer_with(const cn_transformer_options *o)
{
    return layer(&cn_class_TransformerDecoderLayer, o);
}
