/* language_model.c - language models of characters: RNN (D2L 9.6), LSTM (D2L 10.1) and GRU (D2L 10.2). */
#include "models/language_model.h"
#include "models/parts.h"

enum { HIDDEN = 256, CHARACTERS = 28 };

typedef struct {
    int64_t vocabulary;
} LanguageModel;

static bool forward(cn_module *m, cn_io *io)
{
    const LanguageModel *o = cn_module_options(m);
    cn_tensor *ids = io->in[0];
    if (cn_dtype_of(ids) != CN_I64) ids = cn_to(ids, CN_I64); /* zeros, from cn_build() */
    /* Steps first, in which order the layer works: turning ids and scores is less than turning states. */
    cn_tensor *x = cn_to(cn_one_hot(cn_transpose(ids, 0, 1), o->vocabulary), CN_F32);
    cn_recurrent_result r = cn_recurrent(cn_module_at(m, "rnn"), x, .h = io->in[1], .c = io->in[2]);
    io->out[0] = cn_permute(cn_forward(cn_module_at(m, "linear"), r.out), CN_SHAPE(1, 2, 0));
    io->out[1] = r.h;
    io->out[2] = r.c;
    io->n_out = r.c ? 3 : 2;
    return io->out[0];
}

static const cn_module_class language_model = {
    .size = sizeof(cn_module_class),
    .name = "LanguageModel",
    .doc = "Scores of the token after each one, by a recurrent network (D2L 9.6).",
    .inputs = "(Tensor input, Tensor? h=None, Tensor? c=None)",
    .options_size = sizeof(LanguageModel),
    .forward = forward,
};

cn_module *cn_language_model(cn_module *layer, int64_t hidden, int64_t vocabulary)
{
    cn_module *m = cn_module_of(&language_model, &(LanguageModel){ vocabulary });
    cn_add_part(m, "rnn", layer);
    cn_add_part(m, "linear", cn_linear_layer(vocabulary, .in = hidden));
    return cn_model_drawn(m, NULL, NULL);
}

typedef cn_module *RecurrentLayer(const cn_recurrent_options *o);

typedef struct {
    RecurrentLayer *layer;
} Kind;

static cn_module *make(const cn_model_request *r)
{
    const Kind *kind = r->settings;
    int64_t hidden = cn_width(r, HIDDEN);
    cn_module *layer = kind->layer(&(cn_recurrent_options){
        .size = sizeof(cn_recurrent_options), .hidden = hidden, .in = r->classes });
    return cn_language_model(layer, hidden, r->classes);
}

#define LANGUAGE_MODEL(ident, label, heading, chapter, kind)                                       \
    const cn_model model_##ident = {                                                               \
        .name = label,                                                                             \
        .title = heading,                                                                          \
        .section = chapter,                                                                        \
        .about = "a language model of characters, 256 hidden units",                               \
        .input = { 1, { 35 } },                                                                    \
        .tokens = true,                                                                            \
        .classes = CHARACTERS,                                                                     \
        .batch = 32,                                                                               \
        .epochs = 500,                                                                             \
        .lr = 1,                                                                                   \
        .clip = 1,                                                                                 \
        .limit = 10000,                                                                            \
        .data = "timemachine",                                                                     \
        .make = make,                                                                              \
        .settings = &(const Kind){ kind },                                                         \
    }

LANGUAGE_MODEL(rnnlm, "rnnlm", "RNN", "9.6", cn_rnn_layer_with);
LANGUAGE_MODEL(gru, "gru", "GRU", "10.2", cn_gru_layer_with);
LANGUAGE_MODEL(lstm, "lstm", "LSTM", "10.1", cn_lstm_layer_with);
