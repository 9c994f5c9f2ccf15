/* vocab.c - tokens by number, the most frequent first. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

typedef struct Word {
    int64_t count; /* how often it occurs; reserved ones are not counted */
    int64_t token; /* where it is in `tokens` */
} Word;

struct cn_vocab {
    cn_tokens *tokens; /* by id */
    int64_t *count;    /* by id */
    int64_t *slots;    /* hash table of ids, -1: empty */
    size_t n_slots;    /* a power of two */
};

/* ---- a hash table of places in a list of tokens ---------------------------------------------- */

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ^ (h >> 32);
}

/* The slot of this token, or the empty one where it belongs. */
static int64_t *slot_of(int64_t *slots, size_t n, const cn_tokens *t, const char *token)
{
    size_t i = hash(token) & (n - 1);
    while (slots[i] >= 0 && strcmp(t->bytes + t->start[slots[i]], token) != 0)
        i = (i + 1) & (n - 1);
    return &slots[i];
}

/* At least twice as many slots as tokens, all empty. */
static int64_t *make_slots(int64_t tokens, size_t *n)
{
    size_t bytes;
    *n = 16;
    while (*n < 2 * (size_t)tokens) *n *= 2;
    int64_t *slots =
        cn_mul_size(*n, sizeof *slots, &bytes, "a vocabulary") ? cn_alloc(bytes) : NULL;
    if (slots) memset(slots, 0xFF, bytes);
    return slots;
}

/* ---- counting and ordering -------------------------------------------------------------------- */

/* words[i] for each different token, in the order in which they first occur; how many, or -1. */
static int64_t count_words(const cn_tokens *t, Word *words)
{
    size_t n_slots;
    int64_t n = 0, *slots = make_slots(t->count, &n_slots);
    if (!slots) return -1;
    /* A slot holds the place of a token's first occurrence; words are found from there. */
    int64_t *word_at = cn_alloc(((size_t)t->count + 1) * sizeof *word_at);
    for (int64_t i = 0; word_at && i < t->count; i++) {
        int64_t *slot = slot_of(slots, n_slots, t, t->bytes + t->start[i]);
        if (*slot < 0) {
            *slot = i;
            word_at[i] = n;
            words[n++] = (Word){ 0, i };
        }
        words[word_at[*slot]].count++;
    }
    cn_free(slots);
    n = word_at ? n : -1;
    cn_free(word_at);
    return n;
}

static int more_frequent_first(const void *a, const void *b)
{
    const Word *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->token < y->token ? -1 : x->token > y->token;
}

/* ---- building ---------------------------------------------------------------------------------- */

static bool is_known(const cn_vocab *v, const char *token)
{
    return *slot_of(v->slots, v->n_slots, v->tokens, token) >= 0;
}

static bool add(cn_vocab *v, const char *token, int64_t count)
{
    int64_t *slot = slot_of(v->slots, v->n_slots, v->tokens, token);
    if (!cn_tokens_add(v->tokens, token, strlen(token))) return false;
    *slot = v->tokens->count - 1;
    v->count[*slot] = count;
    return true;
}

static bool add_reserved(cn_vocab *v, const char *const *reserved)
{
    bool ok = add(v, "<unk>", 0);
    for (; ok && reserved && *reserved; reserved++)
        ok = is_known(v, *reserved)
                 ? cn_fail(CN_EINVALID, "cn_vocab_new: '%s' is reserved twice", *reserved)
                 : add(v, *reserved, 0);
    return ok;
}

/* A text that occurs may be a reserved one: it keeps that id and gets its count. */
static bool add_words(cn_vocab *v, const cn_tokens *t, const Word *words, int64_t n, int64_t least)
{
    bool ok = true;
    for (int64_t i = 0; ok && i < n; i++) {
        const char *token = t->bytes + t->start[words[i].token];
        if (is_known(v, token)) v->count[cn_vocab_id(v, token)] = words[i].count;
        else if (words[i].count >= least) ok = add(v, token, words[i].count);
    }
    return ok;
}

static bool fill(cn_vocab *v, const cn_vocab_options *o)
{
    const cn_tokens none = { 0 }, *t = o->tokens ? o->tokens : &none;
    int64_t n_reserved = 1, n = 0;
    while (o->reserved && o->reserved[n_reserved - 1]) n_reserved++;
    Word *words = cn_alloc(((size_t)t->count + 1) * sizeof *words);
    if (words) n = count_words(t, words);
    bool ok = words && n >= 0;
    if (ok) qsort(words, (size_t)n, sizeof *words, more_frequent_first);
    v->tokens = ok ? cn_tokens_make() : NULL;
    v->count = ok ? cn_alloc((size_t)(n + n_reserved) * sizeof *v->count) : NULL;
    v->slots = ok ? make_slots(n + n_reserved, &v->n_slots) : NULL;
    ok = v->tokens && v->count && v->slots && add_reserved(v, o->reserved) &&
         add_words(v, t, words, n, o->min_freq);
    cn_free(words);
    return ok;
}

cn_vocab *cn_vocab_new_with(const cn_vocab_options *o)
{
    cn_vocab *v = cn_alloc_zeroed(sizeof *v);
    if (v && fill(v, o)) return v;
    cn_vocab_free(v);
    return NULL;
}

void cn_vocab_free(cn_vocab *v)
{
    if (!v) return;
    cn_tokens_free(v->tokens);
    cn_free(v->count);
    cn_free(v->slots);
    cn_free(v);
}

/* ---- looking ----------------------------------------------------------------------------------- */

int64_t cn_vocab_size(const cn_vocab *v)
{
    return v ? v->tokens->count : -1;
}

int64_t cn_vocab_id(const cn_vocab *v, const char *token)
{
    if (!v || !token) return 0;
    int64_t id = *slot_of(v->slots, v->n_slots, v->tokens, token);
    return id < 0 ? 0 : id;
}

const char *cn_vocab_token(const cn_vocab *v, int64_t id)
{
    if (v && (id < 0 || id >= v->tokens->count)) {
        cn_fail(CN_EINVALID, "cn_vocab_token: there is no token %lld among %lld", (long long)id,
                (long long)v->tokens->count);
        return NULL;
    }
    return v ? cn_token(v->tokens, id) : NULL;
}

int64_t cn_vocab_frequency(const cn_vocab *v, int64_t id)
{
    return cn_vocab_token(v, id) ? v->count[id] : 0;
}

cn_tensor *cn_vocab_encode(const cn_vocab *v, const cn_tokens *tokens)
{
    if (!v || !tokens) return NULL;
    cn_tensor *ids = cn_empty(CN_SHAPE(tokens->count), CN_I64);
    int64_t *to = cn_data_mut(ids);
    for (int64_t i = 0; to && i < tokens->count; i++)
        to[i] = cn_vocab_id(v, tokens->bytes + tokens->start[i]);
    return ids;
}

cn_tokens *cn_vocab_decode(const cn_vocab *v, const cn_tensor *ids)
{
    if (!v || !ids) return NULL;
    size_t bytes;
    int64_t n = cn_numel(ids);
    if (!cn_mul_size((size_t)n + 1, sizeof(int64_t), &bytes, "cn_vocab_decode")) return NULL;
    int64_t *id = cn_alloc(bytes);
    cn_tokens *t = cn_tokens_make();
    bool ok = id && t && cn_read(ids, CN_I64, id, n);
    for (int64_t i = 0; ok && i < n; i++) {
        const char *token = cn_vocab_token(v, id[i]);
        ok = token && cn_tokens_add(t, token, strlen(token));
    }
    cn_free(id);
    if (ok) return t;
    cn_tokens_free(t);
    return NULL;
}
