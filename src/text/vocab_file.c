/* vocab_file.c - vocabularies in files: a token a line, in the order of their ids. */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "text/tokens.h"

bool cn_vocab_save(const cn_vocab *v, const char *path)
{
    if (!v || !path) return false;
    int64_t n = cn_vocab_size(v);
    for (int64_t i = 0; i < n; i++)
        if (strpbrk(cn_vocab_token(v, i), "\r\n"))
            return cn_fail(CN_EINVALID,
                           "cn_vocab_save: token %lld has a line end, which no line can hold",
                           (long long)i);
    cn_file *f = cn_file_create(path);
    for (int64_t i = 0; f && i < n; i++) {
        const char *token = cn_vocab_token(v, i);
        cn_file_put(f, token, strlen(token));
        cn_file_put(f, "\n", 1);
    }
    return f && cn_file_finish(f, true);
}

/* The lines as reserved tokens: their order is that of the ids. */
static cn_vocab *from_lines(const cn_tokens *lines)
{
    int64_t n = cn_tokens_count(lines);
    const char **names = cn_alloc((size_t)n * sizeof *names);
    if (!names) return NULL;
    for (int64_t i = 1; i < n; i++) names[i - 1] = cn_token(lines, i);
    names[n - 1] = NULL;
    cn_vocab *v = cn_vocab_new(NULL, .reserved = names);
    cn_free(names);
    return v;
}

cn_vocab *cn_vocab_load(const char *path)
{
    char *text = path ? cn_text_read(path) : NULL;
    cn_tokens *lines = text ? cn_tokenize(text, CN_LINES) : NULL;
    cn_vocab *v = NULL;
    if (lines && (!cn_tokens_count(lines) || strcmp(cn_token(lines, 0), "<unk>") != 0))
        cn_fail(CN_EFORMAT, "%s: no vocabulary: its first line is not \"<unk>\"", path);
    else if (lines) v = from_lines(lines);
    cn_tokens_free(lines);
    cn_text_free(text);
    return v;
}
