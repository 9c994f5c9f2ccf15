/* corpus.c - texts for language models. */
#include "app/corpus.h"

#include <stdio.h>
#include <string.h>

const CorpusName corpus_names[] = {
    { "timemachine", "The Time Machine of H. G. Wells, letters and blanks only" },
    { "story", "a generated story, letters and blanks only: always there" },
    { NULL, NULL },
};

/* ---- the text ---------------------------------------------------------------------------------- */

/* Takes the text over. */
static char *cleaned(char *text)
{
    char *clean = cn_text_clean(text);
    cn_text_free(text);
    return clean;
}

static char *file_text(const char *path)
{
    char *text = cn_text_read(path);
    for (char *c = text; c && *c; c++)
        if (*c == '\n') *c = ' ';
    return text;
}

static char *corpus_text(const char *name)
{
    enum { SEED = 0, LINES = 3000 };
    if (strcmp(name, "timemachine") == 0) return cleaned(cn_text_find("timemachine.txt"));
    if (strcmp(name, "story") == 0) return cleaned(cn_text_story(SEED, LINES));
    if (strpbrk(name, "/.")) return file_text(name);
    cn_fail(
        CN_ENOTFOUND,
        "there is no text '%s'; language models learn from timemachine, story or a file such as "
        "./text.txt",
        name);
    return NULL;
}

static cn_tokens *corpus_characters(const char *name)
{
    char *text = corpus_text(name);
    cn_tokens *t = text ? cn_tokenize(text, CN_CHARACTERS) : NULL;
    cn_text_free(text);
    return t;
}

bool corpus_begin(Config *c, const char *folder)
{
    cn_tokens *t = corpus_characters(c->data);
    cn_vocab *v = t ? cn_vocab_new(t) : NULL;
    bool ok = v && config_in_folder(c, folder) && cn_vocab_save(v, c->vocab);
    cn_vocab_free(v);
    cn_tokens_free(t);
    return ok;
}

/* ---- examples ---------------------------------------------------------------------------------- */

typedef struct {
    int64_t start, length;
} Span;

static Span part_of(const Config *c, int64_t characters, cn_part split)
{
    int64_t most = characters - characters / 11;
    int64_t n = c->limit && c->limit < most ? c->limit : most;
    int64_t after = n / 10 < characters - n ? n / 10 : characters - n;
    return split == CN_TRAIN ? (Span){ 0, n } : (Span){ n, after };
}

/* Windows that do not overlap; what is left at the end is dropped. */
static cn_dataset *windows(const Config *c, cn_tensor *ids, Span part)
{
    int64_t steps = c->model->input.dim[0], n = (part.length - 1) / steps;
    if (n < 1) {
        cn_fail(CN_EINVALID, "%s: a part of %lld characters is too short for %lld steps", c->data,
                (long long)part.length, (long long)steps);
        return NULL;
    }
    cn_tensor *x = cn_reshape(cn_narrow(ids, 0, part.start, n * steps), CN_SHAPE(n, steps));
    cn_tensor *y = cn_reshape(cn_narrow(ids, 0, part.start + 1, n * steps), CN_SHAPE(n, steps));
    return cn_dataset_from_tensors(x, y);
}

cn_dataset *corpus_data(const Config *c, cn_part split)
{
    cn_dataset *d = NULL;
    cn_vocab *v = cn_vocab_load(c->vocab);
    cn_tokens *t = v ? corpus_characters(c->data) : NULL;
    CN_SCOPE
    {
        cn_tensor *ids = t ? cn_vocab_encode(v, t) : NULL;
        if (ids) d = windows(c, ids, part_of(c, cn_numel(ids), split));
    }
    cn_tokens_free(t);
    cn_vocab_free(v);
    return d;
}
