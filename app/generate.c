/* generate.c - cenote generate: text from a trained language model. */
#include "app/json.h"
#include "app/run.h"

#include <cenote/autograd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    { "prefix", "TEXT", OPT_TEXT, NULL, 0, 0,
      "what the text begins with (default: the most frequent character, which is not written)" },
    { "length", "N", OPT_INT, "200", 1, 1e7, "how many characters to write" },
    { "temperature", "X", OPT_FLOAT, "1", 0, 1e6,
      "below 1: likelier characters are preferred; 0: always the likeliest" },
    { "top-k", "N", OPT_INT, "0", 0, 1e9, "only the N likeliest; 0: all" },
    { "top-p", "X", OPT_FLOAT, "0", 0, 1,
      "only the likeliest that have this probability together; 0: all" },
    { "seed", "N", OPT_INT, "0", 0, 1e18, "the same seed writes the same text" },
    { "model", "NAME", OPT_TEXT, NULL, 0, 0, "this network, instead of that of a run folder" },
    { "weights", "FILE", OPT_TEXT, NULL, 0, 0, "its weights: .pt, .pth, .safetensors and so on" },
    { "vocab", "FILE", OPT_TEXT, NULL, 0, 0, "its vocabulary, a token a line, \"<unk>\" first" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* ---- a network that reads and writes ---------------------------------------------------------- */

enum { STATES = 2 }; /* at most: h and c, or tokens with their keys and values */

typedef struct {
    cn_module *net;
    cn_vocab *vocab;
    cn_tensor *state[STATES]; /* kept */
    float *scores;            /* of each token as the next one */
} Writer;

static void writer_close(Writer *w)
{
    for (int i = 0; i < STATES; i++) cn_drop(w->state[i]);
    free(w->scores);
    cn_vocab_free(w->vocab);
    cn_module_free(w->net);
}

static bool choose(const Args *args, Config *c)
{
    const char *model = text_of(args, "model"), *folder = operand(args, 0);
    int files = given(args, "weights") + given(args, "vocab");
    if (files != (model ? 2 : 0) || !model == !folder) {
        cn_fail(CN_EINVALID,
                "generate: a run folder is wanted, or --model with --weights and --vocab");
        return false;
    }
    if (!(model ? config_of_model(c, model) : config_load(c, folder))) return false;
    if (!c->model->tokens)
        return cn_fail(CN_EINVALID, "generate: %s is no language model", c->model->name);
    return !model ||
           snprintf(c->vocab, sizeof c->vocab, "%s", text_of(args, "vocab")) <
               (int)sizeof c->vocab ||
           cn_fail(CN_EINVALID, "--vocab: the path is too long");
}

static bool writer_open(const Args *args, const Config *c, Writer *w)
{
    const char *weights = text_of(args, "weights");
    w->vocab = cn_vocab_load(c->vocab);
    if (w->vocab) w->net = weights ? network_from(c, weights) : run_network(c, operand(args, 0));
    if (!w->net) return false;
    cn_train_mode(w->net, false);
    w->scores = calloc((size_t)cn_vocab_size(w->vocab), sizeof *w->scores);
    return w->scores || cn_fail(CN_ENOMEM, "generate: out of memory");
}

/* Reads one more token: the state goes on, scores[] are those of what may follow. */
static bool read_token(Writer *w, int64_t id)
{
    bool ok = false;
    CN_SCOPE CN_NO_GRAD
    {
        cn_tensor *in[1 + STATES] = { cn_full(CN_SHAPE(1, 1), (double)id, CN_I64) };
        cn_tensor *out[1 + STATES] = { NULL };
        int n = 1 + STATES, inputs = 1;
        memcpy(in + 1, w->state, sizeof w->state);
        while (inputs < 1 + STATES && in[inputs]) inputs++;
        ok = cn_forward_all(w->net, in, inputs, out, &n) &&
             cn_read(out[0], CN_F32, w->scores, cn_vocab_size(w->vocab));
        for (int i = 0; i < STATES; i++) {
            cn_tensor *old = w->state[i];
            w->state[i] = cn_keep(out[1 + i]);
            cn_drop(old);
        }
    }
    return ok;
}

static bool read_prefix(Writer *w, const char *prefix)
{
    if (!prefix)
        return cn_vocab_size(w->vocab) > 1 ? read_token(w, 1)
                                           : cn_fail(CN_EFORMAT, "the vocabulary is empty");
    cn_tokens *t = cn_tokenize(prefix, CN_CHARACTERS);
    int64_t n = cn_tokens_count(t);
    bool ok = t && (n > 0 || cn_fail(CN_EINVALID, "--prefix: there is no character in it"));
    for (int64_t i = 0; ok && i < n; i++) {
        int64_t id = cn_vocab_id(w->vocab, cn_token(t, i));
        ok = id ? read_token(w, id)
                : cn_fail(CN_EINVALID, "--prefix: character %lld, '%s', is not in the vocabulary",
                          (long long)i + 1, cn_token(t, i));
    }
    cn_tokens_free(t);
    return ok;
}

/* The ids of what follows what was read, without "<unk>", which is no text. */
static bool write_tokens(const Args *args, Writer *w, int64_t *ids, int64_t n)
{
    cn_rng rng = cn_rng_make((uint64_t)int_of(args, "seed"), 0);
    for (int64_t i = 0; i < n; i++) {
        ids[i] =
            1 + cn_sample_token(w->scores + 1, cn_vocab_size(w->vocab) - 1, &rng,
                                .temperature = float_of(args, "temperature"),
                                .top_k = int_of(args, "top-k"), .top_p = float_of(args, "top-p"));
        if (!ids[i] || (i + 1 < n && !read_token(w, ids[i]))) return false;
    }
    return true;
}

static char *written(const Args *args, Writer *w)
{
    int64_t n = int_of(args, "length");
    cn_tokens *t = NULL;
    CN_SCOPE
    {
        cn_tensor *ids = cn_empty(CN_SHAPE(n), CN_I64);
        int64_t *id = cn_data_mut(ids);
        if (id && read_prefix(w, text_of(args, "prefix")) && write_tokens(args, w, id, n))
            t = cn_vocab_decode(w->vocab, ids);
    }
    char *text = t ? cn_tokens_join(t, "") : NULL;
    cn_tokens_free(t);
    return text;
}

static int print(const Args *args, const Config *c, const char *text)
{
    const char *prefix = text_of(args, "prefix");
    if (json_wanted(args))
        return print_json(args, json_pack("{s:s, s:i, s:s, s:o, s:o, s:I}", "schema",
                                          "cenote-generate", "v", 1, "model", c->model->name,
                                          "prefix", json_text(prefix), "text", json_text(text),
                                          "seed", (json_int_t)int_of(args, "seed")));
    printf("%s%s\n", prefix ? prefix : "", text);
    return EXIT_OK;
}

static int run(const Args *args)
{
    Config c;
    Writer w = { .net = NULL };
    char *text = choose(args, &c) && writer_open(args, &c, &w) ? written(args, &w) : NULL;
    int code = text ? print(args, &c, text) : failed(args);
    cn_text_free(text);
    writer_close(&w);
    return code;
}

const Command command_generate = {
    .name = "generate",
    .operands = "[DIR]",
    .most = 1,
    .about = "write text with a trained language model",
    .details =
        "Reads the prefix and goes on with it, character by character, each drawn from what the network in run "
        "folder DIR finds likely. With --model, --weights and --vocab: a network whose parts come from files.",
    .examples =
        "cenote generate runs/gru --prefix \"time traveller \" --length 100 --temperature 0.5\n"
        "cenote generate --model gru --weights runs/gru/model.safetensors --vocab runs/gru/vocab.txt",
    .options = options,
    .run = run,
};
