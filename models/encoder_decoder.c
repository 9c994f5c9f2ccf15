/* encoder_decoder.c - what encoders and decoders of all kinds share. */
#include "models/encoder_decoder.h"

#include <math.h>
#include <string.h>

typedef struct {
    cn_init_state *init_state;
} EncoderDecoder;

cn_module *cn_seq_encoder(cn_module *net)
{
    return cn_module_at(net, "encoder");
}

cn_module *cn_seq_decoder(cn_module *net)
{
    return cn_module_at(net, "decoder");
}

/* ---- parameters ---------------------------------------------------------------------------- */

/* The matrices of queries, keys and values lie in one, but each is drawn by its own size. */
static bool xavier(cn_tensor *t, const char *name, void *context)
{
    double gain = 1;
    if (cn_ndim(t) != 2) return true;
    if (strncmp(name, "in_proj", 7) == 0) {
        double out = (double)cn_size(t, 0), in = (double)cn_size(t, 1);
        gain = sqrt((in + out) / (in + out / 3));
    }
    (void)context;
    return cn_xavier_uniform(t, "weight", &gain);
}

static bool draw(cn_module *half)
{
    for (int i = 0; half && i < cn_module_children(half); i++) {
        cn_module *part = cn_module_child(half, i);
        bool table = strcmp(cn_module_name(part), "Embedding") == 0;
        if (!table && !cn_init(part, xavier, NULL)) return false;
    }
    return half && cn_ok();
}

cn_module *cn_seq_drawn(cn_module *net)
{
    if (net && draw(cn_seq_encoder(net)) && draw(cn_seq_decoder(net))) return net;
    cn_module_free(net);
    return NULL;
}

/* ---- running ------------------------------------------------------------------------------- */

static bool encode(cn_module *net, cn_tensor *source, cn_tensor *lengths, cn_seq_state *encoded)
{
    cn_tensor *in[] = { source, lengths };
    encoded->n = CN_SEQ_PARTS;
    return cn_forward_all(cn_seq_encoder(net), in, lengths ? 2 : 1, encoded->part, &encoded->n);
}

bool cn_seq_begin(cn_module *net, cn_tensor *source, cn_tensor *lengths, cn_seq_state *state)
{
    const EncoderDecoder *o = cn_module_options(net);
    cn_seq_state encoded = { 0 };
    *state = (cn_seq_state){ 0 };
    return o && encode(net, source, lengths, &encoded) &&
           o->init_state(cn_seq_decoder(net), &encoded, lengths, state);
}

cn_tensor *cn_seq_step(cn_module *net, cn_tensor *tokens, cn_seq_state *state)
{
    cn_tensor *in[CN_MAX_IO] = { tokens }, *out[CN_MAX_IO] = { NULL };
    int n = CN_MAX_IO;
    memcpy(in + 1, state->part, (size_t)state->n * sizeof *in);
    if (!cn_forward_all(cn_seq_decoder(net), in, state->n + 1, out, &n)) return NULL;
    if (n != state->n + 1) {
        cn_fail(CN_EINVALID, "decoder %s: it took a state of %d tensors and gave one of %d",
                cn_module_name(cn_seq_decoder(net)), state->n, n - 1);
        return NULL;
    }
    memcpy(state->part, out + 1, (size_t)state->n * sizeof *out);
    return out[0];
}

cn_tensor *cn_seq_scores(cn_module *net, cn_tensor *source, cn_tensor *lengths, cn_tensor *target)
{
    cn_tensor *in[] = { source, target, lengths }, *scores = NULL;
    int n = 1;
    return cn_forward_all(net, in, 3, &scores, &n) ? scores : NULL;
}

static bool forward(cn_module *m, cn_io *io)
{
    cn_seq_state state;
    cn_tensor *source = io->in[0];
    if (cn_dtype_of(source) != CN_I64) source = cn_to(source, CN_I64); /* zeros, from cn_build() */
    if (cn_seq_begin(m, source, io->in[2], &state))
        io->out[0] = cn_seq_step(m, io->in[1] ? io->in[1] : source, &state);
    return io->out[0] != NULL;
}

static const cn_module_class encoder_decoder_class = {
    .size = sizeof(cn_module_class),
    .name = "EncoderDecoder",
    .inputs = "(Tensor source, Tensor? target=None, Tensor? lengths=None)",
    .doc = "An encoder, and a decoder that goes on from what it made (D2L 10.6).",
    .options_size = sizeof(EncoderDecoder),
    .forward = forward,
};

cn_module *cn_encoder_decoder(cn_module *encoder, cn_module *decoder, cn_init_state *init_state)
{
    cn_module *m = cn_module_of(&encoder_decoder_class, &(EncoderDecoder){ init_state });
    bool ok = cn_module_add(m, "encoder", encoder);
    ok = cn_module_add(m, "decoder", decoder) && ok;
    if (ok) return m;
    cn_module_free(m);
    return NULL;
}

/* ---- states -------------------------------------------------------------------------------- */

bool cn_seq_select(cn_seq_state *state, cn_tensor *rows)
{
    for (int i = 0; i < state->n; i++) {
        state->part[i] = cn_index_select(state->part[i], state->batch[i], rows);
        if (!state->part[i]) return false;
    }
    return true;
}

bool cn_seq_hold(cn_seq_state *held, const cn_seq_state *state)
{
    for (int i = 0; i < state->n; i++) cn_keep(state->part[i]);
    cn_seq_drop(held);
    *held = *state;
    return cn_ok();
}

void cn_seq_drop(cn_seq_state *held)
{
    for (int i = 0; i < held->n; i++) cn_drop(held->part[i]);
    *held = (cn_seq_state){ 0 };
}

/* ---- training ------------------------------------------------------------------------------ */

cn_tensor *cn_seq_shifted(cn_tensor *target, int64_t bos)
{
    cn_tensor *first = cn_full(CN_SHAPE(cn_size(target, 0), 1), (double)bos, CN_I64);
    cn_tensor *both[] = { first, cn_narrow(target, 1, 0, cn_size(target, 1) - 1) };
    return cn_cat(both, 2, 1);
}

/* (batch, steps), true where a step does not count. */
static cn_tensor *padding(cn_tensor *lengths, int64_t steps)
{
    cn_tensor *step = cn_arange(0, (double)steps, 1, CN_I64);
    return cn_ge(cn_unsqueeze(step, 0), cn_unsqueeze(lengths, 1));
}

cn_tensor *cn_sequence_mask(cn_tensor *x, cn_tensor *lengths, double value)
{
    cn_tensor *mask = padding(lengths, cn_size(x, 1));
    for (int i = 2; i < cn_ndim(x); i++) mask = cn_unsqueeze(mask, i);
    return cn_masked_fill(x, mask, cn_num(value));
}

/* (batch, steps): 0 where a step does not count. */
static cn_tensor *token_losses(cn_tensor *scores, cn_tensor *target, cn_tensor *lengths)
{
    cn_tensor *rows = cn_reshape(scores, CN_SHAPE(-1, cn_size(scores, 2)));
    cn_tensor *each =
        cn_cross_entropy(rows, cn_reshape(target, CN_SHAPE(-1)), .reduction = CN_REDUCE_NONE);
    return cn_sequence_mask(cn_reshape(each, *cn_shape_of(target)), lengths, 0);
}

cn_tensor *cn_masked_cross_entropy(cn_tensor *scores, cn_tensor *target, cn_tensor *lengths)
{
    if (cn_ndim(scores) == 3 && cn_ndim(target) == 2 && cn_ndim(lengths) == 1)
        return cn_mean(token_losses(scores, target, lengths), .dim = CN_SHAPE(1));
    cn_fail(CN_EINVALID, "masked_cross_entropy: scores (batch, steps, vocabulary), targets (batch, "
                         "steps) and lengths (batch) are wanted");
    return NULL;
}

cn_tensor *cn_seq_run(cn_module *net, const cn_batch *b, void *context)
{
    enum { BOS = 2 };
    (void)context;
    return cn_seq_scores(net, b->x, b->extra[0], cn_seq_shifted(b->y, BOS));
}

cn_tensor *cn_seq_loss(cn_tensor *scores, const cn_batch *b, void *context)
{
    (void)context;
    cn_tensor *sum = cn_sum(token_losses(scores, b->y, b->extra[1]));
    return cn_div(sum, cn_to(cn_sum(b->extra[1]), CN_F32));
}

/* ---- prediction ---------------------------------------------------------------------------- */

typedef struct {
    cn_module *net;
    cn_seq_state held;
    int64_t vocabulary;
} Prediction;

/* The step of a search: beam i goes on from what was beam parent[i], with token[i]. */
static bool go_on(void *context, int64_t beams, const int64_t *parent, const int64_t *token,
                  float *log_probs)
{
    Prediction *p = context;
    bool ok = false;
    CN_SCOPE CN_NO_GRAD
    {
        cn_seq_state state = p->held;
        cn_tensor *tokens = cn_from(token, CN_SHAPE(beams, 1), CN_I64);
        cn_tensor *scores = cn_seq_select(&state, cn_from(parent, CN_SHAPE(beams), CN_I64))
                                ? cn_seq_step(p->net, tokens, &state)
                                : NULL;
        cn_tensor *now = cn_log_softmax(cn_select(scores, 1, 0), 1);
        if (now && cn_size(now, 1) != p->vocabulary)
            cn_fail(CN_EINVALID, "seq_predict: the decoder scores %lld tokens, not %lld",
                    (long long)cn_size(now, 1), (long long)p->vocabulary);
        ok = cn_ok() && cn_read(now, CN_F32, log_probs, beams * p->vocabulary) &&
             cn_seq_hold(&p->held, &state);
    }
    return ok;
}

/* Encodes the source, and asks for one step how many tokens there are. */
static bool start(Prediction *p, cn_tensor *source, cn_tensor *lengths, int64_t bos)
{
    bool ok = false;
    CN_SCOPE CN_NO_GRAD
    {
        cn_seq_state state, first;
        if (cn_seq_begin(p->net, source, lengths, &state)) {
            first = state;
            cn_tensor *scores =
                cn_seq_step(p->net, cn_full(CN_SHAPE(1, 1), (double)bos, CN_I64), &first);
            p->vocabulary = scores ? cn_size(scores, 2) : 0;
            ok = scores && cn_seq_hold(&p->held, &state);
        }
    }
    return ok;
}

int64_t cn_seq_predict(cn_module *net, cn_tensor *source, cn_tensor *lengths,
                       const cn_seq_search *s, cn_hypothesis *out)
{
    Prediction p = { .net = net };
    int64_t found = -1;
    if (start(&p, source, lengths, s->bos))
        found = cn_beam_search(out, go_on, &p, .vocabulary = p.vocabulary, .bos = s->bos,
                               .eos = s->eos, .steps = s->steps, .beams = s->beams ? s->beams : 1,
                               .alpha = s->alpha, .keep = s->keep);
    cn_seq_drop(&p.held);
    return found;
}
