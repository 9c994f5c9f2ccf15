/* translate.c - cenote translate: sentences through a trained network. */
#include "app/json.h"
#include "app/sentences.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOS = 2, EOS = 3 };

static const Option options[] = {
    { "beam", "N", OPT_INT, "1", 1, 1000,
      "how many translations to keep in view; 1: greedy search" },
    { "alpha", "X", OPT_FLOAT, "0.75", 0, 10,
      "a translation's score is its log probability / length^X" },
    { "length", "N", OPT_INT, NULL, 1, 10000,
      "words of the longest translation (default: as the model was trained)" },
    { "reference", "TEXT", OPT_TEXT, NULL, 0, 0,
      "what a single sentence should become: prints BLEU" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

typedef struct {
    const Args *args;
    Config config;
    cn_module *net;
    cn_vocab *source, *target;
    json_t *all; /* NULL: lines are printed */
} Translator;

static bool translator_open(const Args *args, Translator *t)
{
    const char *folder = operand(args, 0);
    *t = (Translator){ .args = args };
    if (!config_load(&t->config, folder)) return false;
    if (!t->config.model->translates)
        return cn_fail(CN_EINVALID, "translate: %s does not translate", t->config.model->name);
    t->source = cn_vocab_load(t->config.vocab);
    t->target = t->source ? cn_vocab_load(t->config.targets) : NULL;
    t->net = t->target ? run_network(&t->config, folder) : NULL;
    if (json_wanted(args)) t->all = json_array();
    return t->net != NULL;
}

static void translator_close(Translator *t)
{
    cn_module_free(t->net);
    cn_vocab_free(t->source);
    cn_vocab_free(t->target);
    json_decref(t->all);
}

static double bleu_of(const cn_tokens *words, const char *reference)
{
    enum { BIGRAMS = 2 };
    cn_tokens *wanted = reference ? cn_pairs_tokenize(reference) : NULL;
    double score = wanted ? cn_bleu(words, wanted, BIGRAMS) : (double)NAN;
    cn_tokens_free(wanted);
    return score;
}

static bool show(Translator *t, const char *sentence, const char *text, double score, double bleu)
{
    if (t->all)
        return json_array_append_new(t->all,
                                     json_pack("{s:s, s:s, s:f, s:o}", "source", sentence,
                                               "translation", text, "score", score, "bleu",
                                               isnan(bleu) ? json_null() : json_real(bleu))) == 0 ||
               cn_fail(CN_EINVALID, "translate: a sentence is not UTF-8, or memory ran out");
    if (isnan(bleu)) printf("%s\n", text);
    else printf("%s\tBLEU %.3f\n", text, bleu);
    return true;
}

/* `reference` NULL: there is none. */
static bool translate(Translator *t, const char *sentence, const char *reference)
{
    const Args *args = t->args;
    int64_t steps = t->config.model->input.dim[0];
    const cn_seq_search search = { .bos = BOS,
                                   .eos = EOS,
                                   .steps = given(args, "length") ? int_of(args, "length") : steps,
                                   .beams = int_of(args, "beam"),
                                   .alpha = float_of(args, "alpha") };
    double score = 0;
    cn_tokens *words = cn_translate(t->net, t->source, t->target, sentence, steps, &search, &score);
    double bleu = words ? bleu_of(words, reference) : (double)NAN;
    char *text = words && cn_ok() ? cn_tokens_join(words, " ") : NULL;
    bool ok = text && show(t, sentence, text, score, bleu);
    cn_text_free(text);
    cn_tokens_free(words);
    return ok;
}

/* Lines "sentence", or "sentence TAB reference". */
static bool translate_lines(Translator *t, FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    bool ok = true;
    for (ssize_t n; ok && (n = getline(&line, &room, in)) >= 0;) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
        char *tab = strchr(line, '\t');
        if (tab) *tab = 0;
        ok = translate(t, line, tab ? tab + 1 : NULL);
    }
    free(line);
    return ok;
}

static bool translate_all(Translator *t)
{
    const char *reference = text_of(t->args, "reference");
    int n = operand_count(t->args);
    if (reference && n != 2)
        return cn_fail(CN_EINVALID, "--reference belongs to a single sentence on the command line");
    if (n == 1) return translate_lines(t, stdin);
    for (int i = 1; i < n; i++)
        if (!translate(t, operand(t->args, i), reference)) return false;
    return true;
}

static int run(const Args *args)
{
    Translator t;
    int code = EXIT_OK;
    if (!translator_open(args, &t) || !translate_all(&t)) code = failed(args);
    else if (t.all)
        code = print_json(args, json_pack("{s:s, s:i, s:s, s:O}", "schema", "cenote-translate", "v",
                                          1, "model", t.config.model->name, "translations", t.all));
    translator_close(&t);
    return code;
}

const Command command_translate = {
    .name = "translate",
    .operands = "DIR [SENTENCE...]",
    .least = 1,
    .most = -1,
    .about = "translate sentences with a trained network",
    .details =
        "Translates each SENTENCE, or each line of standard input, with the network in run folder DIR, word by word "
        "as it was trained. A line may have a second part after a tab, what should come out: then BLEU (with "
        "bigrams, as the book has it) stands behind the translation.",
    .examples = "cenote translate runs/numbers \"eighty one\" --reference \"quatre vingt un\"\n"
                "cenote translate runs/fra-eng --beam 5 < sentences.txt",
    .options = options,
    .run = run,
};
