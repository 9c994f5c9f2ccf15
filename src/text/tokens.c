/* tokens.c - lists of texts in one block, and how text is split into them. */
#include "text/tokens.h"

#include <string.h>

#include "core/memory.h"
#include "io/utf8.h"

/* ---- making -------------------------------------------------------------------------------- */

cn_tokens *cn_tokens_make(void)
{
    return cn_alloc_zeroed(sizeof(cn_tokens));
}

void cn_tokens_free(cn_tokens *t)
{
    if (!t) return;
    cn_free(t->bytes);
    cn_free(t->start);
    cn_free(t);
}

/* Makes *block at least `need` bytes large, doubling it. */
static bool grow(void **block, size_t *room, size_t need)
{
    if (need <= *room) return true;
    size_t more = *room > need / 2 ? 2 * *room : need + 64;
    void *b = cn_realloc(*block, more);
    if (!b) return false;
    *block = b;
    *room = more;
    return true;
}

bool cn_tokens_add(cn_tokens *t, const char *token, size_t bytes)
{
    void *start = t->start, *text = t->bytes;
    bool ok = grow(&start, &t->start_room, ((size_t)t->count + 1) * sizeof *t->start);
    t->start = start;
    ok = ok && grow(&text, &t->room, t->used + bytes + 1);
    t->bytes = text;
    if (!ok) return false;
    t->start[t->count++] = t->used;
    memcpy(t->bytes + t->used, token, bytes);
    t->used += bytes;
    t->bytes[t->used++] = 0;
    return true;
}

/* NULL, and nothing left of it, when it was not made whole. */
static cn_tokens *whole(cn_tokens *t, bool ok)
{
    if (ok) return t;
    cn_tokens_free(t);
    return NULL;
}

/* ---- splitting ------------------------------------------------------------------------------ */

size_t cn_character_bytes(const char *text)
{
    size_t n = 1;
    while (((unsigned char)text[n] & 0xC0) == 0x80) n++;
    return n;
}

static const char white[] = " \t\n\v\f\r";

static bool add_words(cn_tokens *t, const char *text)
{
    bool ok = true;
    for (text += strspn(text, white); ok && *text; text += strspn(text, white)) {
        size_t n = strcspn(text, white);
        ok = cn_tokens_add(t, text, n);
        text += n;
    }
    return ok;
}

static bool add_characters(cn_tokens *t, const char *text)
{
    bool ok = true;
    for (size_t n; ok && *text; text += n) {
        n = cn_character_bytes(text);
        if (*text != '\n' && *text != '\r') ok = cn_tokens_add(t, text, n);
    }
    return ok;
}

static bool add_lines(cn_tokens *t, const char *text)
{
    bool ok = true;
    while (ok && *text) {
        size_t n = strcspn(text, "\n"), visible = n;
        if (visible && text[visible - 1] == '\r') visible--;
        ok = cn_tokens_add(t, text, visible);
        text += n + (text[n] == '\n');
    }
    return ok;
}

cn_tokens *cn_tokenize(const char *text, cn_split_by how)
{
    static bool (*const split[])(cn_tokens *, const char *) = { add_words, add_characters,
                                                                add_lines };
    if (!text || (unsigned)how > CN_LINES) {
        cn_fail(CN_EINVALID, "cn_tokenize: %s", text ? "no such way to split" : "the text is NULL");
        return NULL;
    }
    if (!cn_utf8_valid(text, strlen(text))) {
        cn_fail(CN_EFORMAT, "cn_tokenize: the text is not UTF-8");
        return NULL;
    }
    cn_tokens *t = cn_tokens_make();
    return t ? whole(t, split[how](t, text)) : NULL;
}

cn_tokens *cn_tokens_from(const char *const *tokens, int64_t n)
{
    cn_tokens *t = cn_tokens_make();
    bool ok = t != NULL;
    for (int64_t i = 0; ok && i < n; i++)
        ok = cn_utf8_valid(tokens[i], strlen(tokens[i]))
                 ? cn_tokens_add(t, tokens[i], strlen(tokens[i]))
                 : cn_fail(CN_EFORMAT, "cn_tokens_from: token %lld is not UTF-8", (long long)i);
    return whole(t, ok);
}

cn_tokens *cn_tokens_part(const cn_tokens *t, int64_t start, int64_t n)
{
    if (!t || start < 0 || n < 0 || start > t->count || n > t->count - start) {
        cn_fail(CN_EINVALID, "cn_tokens_part: %lld tokens from %lld on, of %lld", (long long)n,
                (long long)start, (long long)cn_tokens_count(t));
        return NULL;
    }
    cn_tokens *part = cn_tokens_make();
    bool ok = part != NULL;
    for (int64_t i = 0; ok && i < n; i++) {
        const char *token = t->bytes + t->start[start + i];
        ok = cn_tokens_add(part, token, strlen(token));
    }
    return whole(part, ok);
}

/* ---- looking -------------------------------------------------------------------------------- */

int64_t cn_tokens_count(const cn_tokens *t)
{
    return t ? t->count : -1;
}

const char *cn_token(const cn_tokens *t, int64_t i)
{
    if (t && i >= 0 && i < t->count) return t->bytes + t->start[i];
    if (t)
        cn_fail(CN_EINVALID, "cn_token: there is no token %lld in a list of %lld", (long long)i,
                (long long)t->count);
    return NULL;
}

char *cn_tokens_join(const cn_tokens *t, const char *between)
{
    if (!t) return NULL;
    size_t gap = strlen(between), total = 0;
    if (!cn_mul_size((size_t)t->count, gap, &total, "cn_tokens_join")) return NULL;
    char *text = cn_alloc(total + t->used + 1), *to = text;
    for (int64_t i = 0; text && i < t->count; i++) {
        if (i) to = (char *)memcpy(to, between, gap) + gap;
        size_t n = strlen(t->bytes + t->start[i]);
        to = (char *)memcpy(to, t->bytes + t->start[i], n) + n;
    }
    if (text) *to = 0;
    return text;
}
