/* transformer.c - stacks of layers, and the Transformer of an encoder and a decoder (Vaswani et al.
   2017; D2L 11.7). */
#include "nn/transformer.h"

#include <stdio.h>

/* ---- stacks: the same layer again and again, each with its own parameters ------------------ */

typedef struct {
    cn_module *layer;
    int64_t count;
    cn_module *norm;
    bool nested_tensor, mask_check; /* of the encoder: PyTorch's, and without effect */
} Stack;

static bool add_layers(cn_module *list, const Stack *o)
{
    char name[24];
    for (int64_t i = 0; i < o->count; i++) {
        snprintf(name, sizeof name, "%lld", (long long)i);
        if (!cn_module_add(list, name, cn_module_clone(o->layer))) return false;
    }
    return true;
}

/* The modules among the options are the caller's: the layers are copies, the norm gets another
   owner. */
static bool stack_build(cn_module *m, const cn_shape *input)
{
    Stack *o = m->options;
    (void)input;
    const cn_module_class *wanted = m->cls == &cn_class_TransformerEncoder
                                        ? &cn_class_TransformerEncoderLayer
                                        : &cn_class_TransformerDecoderLayer;
    if (o->layer->cls != wanted)
        return cn_fail(CN_EINVALID, "%s: its layers must be %s, not %s", m->cls->name, wanted->name,
                       o->layer->cls->name);
    if (o->count < 1)
        return cn_fail(CN_EINVALID, "%s: %lld layers", m->cls->name, (long long)o->count);
    cn_module *list = cn_module_list(NULL, 0);
    bool ok = cn_module_add(m, "layers", list) && add_layers(list, o) &&
              (!o->norm || cn_module_add(m, "norm", cn_module_keep(o->norm)));
    o->layer = o->norm = NULL;
    return ok;
}

/* io as for one of the layers, whose hints are plain bools. */
static bool run_stack(cn_module *m, cn_io *io, const bool *hints)
{
    const cn_module *layers = m->children[0].module;
    io->args = hints;
    for (int i = 0; i < layers->n_children; i++) {
        if (!cn_module_run(layers->children[i].module, io)) return false;
        io->in[0] = io->out[0];
    }
    if (m->n_children > 1) io->out[0] = cn_forward(m->children[1].module, io->out[0]);
    return io->out[0] != NULL;
}

static bool encoder_forward(cn_module *m, cn_io *io)
{
    const cn_opt_bool *is_causal = io->args;
    return run_stack(m, io, &is_causal->value);
}

typedef struct {
    cn_opt_bool target;
    bool memory;
} Causal;

static bool decoder_forward(cn_module *m, cn_io *io)
{
    const Causal *c = io->args;
    const bool hints[] = { c->target.value, c->memory };
    return run_stack(m, io, hints);
}

const cn_module_class cn_class_TransformerEncoder = {
    .name = "TransformerEncoder",
    .schema = "TransformerEncoder(Module encoder_layer, int num_layers, Module? norm=None, bool "
              "enable_nested_tensor=True, bool mask_check=True)",
    .inputs = "(Tensor src, Tensor? mask=None, Tensor? src_key_padding_mask=None, bool? "
              "is_causal=None) -> Tensor",
    .doc = "Copies of one encoder layer, one after the other (D2L 11.7).",
    .options_size = sizeof(Stack),
    .build = stack_build,
    .forward = encoder_forward,
};

const cn_module_class cn_class_TransformerDecoder = {
    .name = "TransformerDecoder",
    .schema = "TransformerDecoder(Module decoder_layer, int num_layers, Module? norm=None)",
    .inputs =
        "(Tensor tgt, Tensor memory, Tensor? tgt_mask=None, Tensor? memory_mask=None, Tensor? "
        "tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None, bool? "
        "tgt_is_causal=None, bool memory_is_causal=False) -> Tensor",
    .doc = "Copies of one decoder layer, one after the other (D2L 11.7).",
    .options_size = sizeof(Stack),
    .build = stack_build,
    .forward = decoder_forward,
};

/* Takes the modules over. */
static cn_module *stack(const cn_module_class *cls, cn_module *layer, int64_t n, cn_module *norm)
{
    const Stack options = { .layer = layer, .count = n, .norm = norm };
    cn_module *m = layer ? cn_module_of(cls, &options) : NULL;
    cn_module_free(layer);
    cn_module_free(norm);
    return m;
}

cn_module *cn_transformer_encoder(cn_module *layer, int64_t n, cn_module *norm)
{
    return stack(&cn_class_TransformerEncoder, layer, n, norm);
}

cn_module *cn_transformer_decoder(cn_module *layer, int64_t n, cn_module *norm)
{
    return stack(&cn_class_TransformerDecoder, layer, n, norm);
}

/* ---- both ---------------------------------------------------------------------------------- */

typedef struct {
    int64_t width, heads, encoders, decoders, feedforward;
    double dropout;
    const char *activation;
    cn_module *encoder, *decoder;
    double eps;
    bool batch_first, norm_first, bias;
} Transformer;

static bool redraw(const cn_entry *e, void *context)
{
    (void)context;
    bool matrix = !e->is_buffer && e->tensor && cn_ndim(e->tensor) > 1;
    return !matrix || cn_xavier_uniform(e->tensor, "weight", NULL);
}

static bool transformer_build(cn_module *m, const cn_shape *input)
{
    Transformer *o = m->options;
    const cn_layer_options layer = { o->width,       o->heads,      o->feedforward,
                                     o->dropout,     o->activation, o->eps,
                                     o->batch_first, o->norm_first, o->bias };
    (void)input;
    cn_module *encoder =
        o->encoder ? cn_module_keep(o->encoder)
                   : cn_transformer_encoder(cn_module_of(&cn_class_TransformerEncoderLayer, &layer),
                                            o->encoders, cn_transformer_norm(&layer));
    cn_module *decoder =
        o->decoder ? cn_module_keep(o->decoder)
                   : cn_transformer_decoder(cn_module_of(&cn_class_TransformerDecoderLayer, &layer),
                                            o->decoders, cn_transformer_norm(&layer));
    o->encoder = o->decoder = NULL;
    bool ok = cn_module_add(m, "encoder", encoder);
    return cn_module_add(m, "decoder", decoder) && ok && cn_visit(m, redraw, NULL);
}

typedef struct {
    cn_opt_bool source;
    Causal decoder;
} Hints;

/* Inputs: src, tgt, the masks of src, tgt, memory, and of their padding in the same order. */
static bool transformer_forward(cn_module *m, cn_io *io)
{
    const Hints *hints = io->args;
    cn_tensor *const *in = io->in;
    cn_io encoder = { .n_in = 3, .in = { in[0], in[2], in[5] }, .args = &hints->source };
    if (!cn_module_run(m->children[0].module, &encoder)) return false;
    cn_io decoder = { .n_in = 6,
                      .in = { in[1], encoder.out[0], in[3], in[4], in[6], in[7] },
                      .args = &hints->decoder };
    if (!cn_module_run(m->children[1].module, &decoder)) return false;
    io->out[0] = decoder.out[0];
    return true;
}

const cn_module_class cn_class_Transformer = {
    .name = "Transformer",
    .schema =
        "Transformer(int d_model=512, int nhead=8, int num_encoder_layers=6, int "
        "num_decoder_layers=6, int dim_feedforward=2048, float dropout=0.1, str "
        "activation='relu', Module? custom_encoder=None, Module? custom_decoder=None, float "
        "layer_norm_eps=1e-05, bool batch_first=False, bool norm_first=False, bool bias=True)",
    .inputs =
        "(Tensor src, Tensor tgt, Tensor? src_mask=None, Tensor? tgt_mask=None, Tensor? "
        "memory_mask=None, Tensor? src_key_padding_mask=None, Tensor? "
        "tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None, bool? "
        "src_is_causal=None, bool? tgt_is_causal=None, bool memory_is_causal=False) -> Tensor",
    .doc = "An encoder and a decoder of such layers (D2L 11.7).",
    .options_size = sizeof(Transformer),
    .build = transformer_build,
    .forward = transformer_forward,
};

/* ---- in C ---------------------------------------------------------------------------------- */

cn_module *cn_transformer_layer_with(const cn_transformer_options *o)
{
    const cn_layer_options l = cn_layer_options_of(o);
    const Transformer p = { .width = l.width,
                            .heads = l.heads,
                            .encoders = o->encoders ? o->encoders : 6,
                            .decoders = o->decoders ? o->decoders : 6,
                            .feedforward = l.feedforward,
                            .dropout = l.dropout,
                            .activation = l.activation,
                            .eps = l.eps,
                            .batch_first = l.batch_first,
                            .norm_first = l.norm_first,
                            .bias = l.bias };
    return cn_module_of(&cn_class_Transformer, &p);
}
