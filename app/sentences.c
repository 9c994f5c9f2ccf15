/* sentences.c - pairs of sentences for networks that translate. */
#include "app/sentences.h"

#include <string.h>

static char *pairs_text(const char *name)
{
    enum { SEED = 0, NUMBERS = 1000 };
    if (strcmp(name, "fra-eng") == 0) return cn_text_translations();
    if (strcmp(name, "numbers") == 0) return cn_text_numbers(SEED, NUMBERS);
    if (strpbrk(name, "/.")) return cn_text_read(name);
    cn_fail(CN_ENOTFOUND,
            "there are no sentences '%s'; try fra-eng, numbers or a file such as ./pairs.txt",
            name);
    return NULL;
}

typedef struct {
    int64_t skip, n;
} Span;

static Span part_of(const Config *c, const char *text, cn_part split)
{
    int64_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p != '\n' && (p[1] == '\n' || !p[1]);
    int64_t most = lines - lines / 11;
    int64_t n = c->limit && c->limit < most ? c->limit : most;
    int64_t after = n / 10 < lines - n ? n / 10 : lines - n;
    return split == CN_TRAIN ? (Span){ 0, n } : (Span){ n, after > 0 ? after : 1 };
}

bool sentences_begin(Config *c, const char *folder)
{
    char *text = pairs_text(c->data);
    cn_pairs p = { 0 };
    if (text)
        p = cn_pairs_new(text, .steps = c->model->input.dim[0],
                         .limit = part_of(c, text, CN_TRAIN).n);
    bool ok = p.data && config_in_folder(c, folder) && cn_vocab_save(p.source, c->vocab) &&
              cn_vocab_save(p.target, c->targets);
    cn_pairs_free(&p);
    cn_text_free(text);
    return ok;
}

cn_dataset *sentences_data(const Config *c, cn_part split)
{
    char *text = pairs_text(c->data);
    cn_vocab *source = text ? cn_vocab_load(c->vocab) : NULL;
    cn_vocab *target = source ? cn_vocab_load(c->targets) : NULL;
    cn_pairs p = { 0 };
    if (target) {
        Span part = part_of(c, text, split);
        p = cn_pairs_new(text, .steps = c->model->input.dim[0], .skip = part.skip, .limit = part.n,
                         .source = source, .target = target);
    }
    cn_vocab_free(source);
    cn_vocab_free(target);
    cn_text_free(text);
    return p.data;
}
