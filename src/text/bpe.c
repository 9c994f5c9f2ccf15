/* bpe.c - byte-pair encoding: words in pieces, learned by merging (Sennrich et al., 2016). */
#include <string.h>

#include "core/memory.h"
#include "text/counts.h"
#include "text/tokens.h"

struct cn_bpe {
    cn_vocab *letters; /* "<unk>" and the characters: symbols 0 .. */
    cn_tokens *text;   /* of each symbol: the letters, then what the merges made */
    cn_counts ranks;   /* (left, right): its place is the merge, so letters + place its symbol */
    int64_t n_letters;
    char *end;
};

/* The words of the training text: word w has symbols from start[w] on, n[w] of them. */
typedef struct Corpus {
    int64_t *id, *start, *n, *times;
    int64_t words;
} Corpus;

/* ---- one merge ------------------------------------------------------------------------------- */

/* Replaces (left, right) by `merged`, from the left; how many symbols there are now. */
static int64_t merge_in(int64_t *id, int64_t n, const int64_t pair[2], int64_t merged)
{
    int64_t to = 0;
    for (int64_t i = 0; i < n; i++) {
        bool here = i + 1 < n && id[i] == pair[0] && id[i + 1] == pair[1];
        id[to++] = here ? merged : id[i];
        i += here;
    }
    return to;
}

/* The place of the most frequent pair in `pairs`, the first of those that are as frequent; -1: there
   is none; -2: no memory. Symbol 0, an unknown character, is never part of one. */
static int64_t best_pair(const Corpus *c, cn_counts *pairs)
{
    cn_counts_empty(pairs);
    for (int64_t w = 0; w < c->words; w++) {
        const int64_t *id = c->id + c->start[w];
        for (int64_t i = 0; i + 1 < c->n[w]; i++)
            if (id[i] && id[i + 1] && !cn_counts_add(pairs, id + i, c->times[w])) return -2;
    }
    int64_t best = -1;
    for (int64_t i = 0; i < pairs->used; i++)
        if (best < 0 || pairs->count[i] > pairs->count[best]) best = i;
    return best;
}

static bool add_merge(cn_bpe *b, const int64_t pair[2])
{
    const char *left = cn_token(b->text, pair[0]), *right = cn_token(b->text, pair[1]);
    size_t n_left = strlen(left), n_right = strlen(right);
    char *both = cn_alloc(n_left + n_right + 1); /* a copy: adding moves the bytes of both */
    if (!both) return false;
    memcpy(both, left, n_left);
    memcpy(both + n_left, right, n_right);
    bool ok = cn_counts_add(&b->ranks, pair, 1) && cn_tokens_add(b->text, both, n_left + n_right);
    cn_free(both);
    return ok;
}

static bool learn_merges(cn_bpe *b, Corpus *c, int64_t merges, int64_t least)
{
    cn_counts pairs = { .length = 2 };
    bool ok = true;
    for (int64_t m = 0; ok && m < merges; m++) {
        int64_t best = best_pair(c, &pairs);
        ok = best > -2;
        if (best < 0 || pairs.count[best] < least) break;
        const int64_t *pair = pairs.keys + 2 * best;
        ok = add_merge(b, pair);
        for (int64_t w = 0; ok && w < c->words; w++)
            c->n[w] = merge_in(c->id + c->start[w], c->n[w], pair, b->n_letters + m);
    }
    cn_counts_free(&pairs);
    return ok;
}

/* ---- from words to characters ------------------------------------------------------------------ */

/* The characters of a word and its end, added to `letters`. */
static bool add_letters(cn_tokens *letters, const char *word, const char *end)
{
    bool ok = true;
    for (size_t n; ok && *word; word += n) {
        n = cn_character_bytes(word);
        ok = cn_tokens_add(letters, word, n);
    }
    return ok && (!*end || cn_tokens_add(letters, end, strlen(end)));
}

static void free_corpus(Corpus *c)
{
    cn_free(c->id);
    cn_free(c->start);
    cn_free(c->n);
    cn_free(c->times);
}

/* All words of the vocabulary that occur, as characters in `letters`; c has the rest. */
static bool split_words(const cn_vocab *words, const char *end, cn_tokens *letters, Corpus *c)
{
    size_t all = (size_t)cn_vocab_size(words);
    c->start = cn_alloc(all * sizeof *c->start);
    c->n = cn_alloc(all * sizeof *c->n);
    c->times = cn_alloc(all * sizeof *c->times);
    bool ok = c->start && c->n && c->times;
    for (int64_t id = 0; ok && id < (int64_t)all; id++) {
        int64_t times = cn_vocab_frequency(words, id), start = letters->count;
        if (!times) continue;
        ok = add_letters(letters, cn_vocab_token(words, id), end);
        c->start[c->words] = start;
        c->n[c->words] = letters->count - start;
        c->times[c->words++] = times;
    }
    return ok;
}

/* Numbers for the characters: the symbols to begin with. */
static bool number_letters(cn_bpe *b, const cn_tokens *letters, Corpus *c)
{
    b->letters = cn_vocab_new(letters);
    b->text = b->letters ? cn_tokens_make() : NULL;
    c->id = b->text ? cn_alloc(((size_t)letters->count + 1) * sizeof *c->id) : NULL;
    if (!c->id) return false;
    for (int64_t i = 0; i < letters->count; i++)
        c->id[i] = cn_vocab_id(b->letters, cn_token(letters, i));
    b->n_letters = cn_vocab_size(b->letters);
    bool ok = true;
    for (int64_t i = 0; ok && i < b->n_letters; i++) {
        const char *letter = cn_vocab_token(b->letters, i);
        ok = cn_tokens_add(b->text, letter, strlen(letter));
    }
    return ok;
}

/* ---- making ------------------------------------------------------------------------------------ */

static bool train(cn_bpe *b, const cn_bpe_options *o)
{
    Corpus c = { 0 };
    b->ranks.length = 2;
    b->end = cn_strdup(o->end ? o->end : "_");
    cn_tokens *letters = b->end ? cn_tokens_make() : NULL;
    bool ok = letters && split_words(o->words, b->end, letters, &c) &&
              number_letters(b, letters, &c) && learn_merges(b, &c, o->merges, o->min_freq);
    cn_tokens_free(letters);
    free_corpus(&c);
    return ok;
}

cn_bpe *cn_bpe_new_with(const cn_bpe_options *o)
{
    if (!o->words) return NULL;
    if (o->merges < 0) {
        cn_fail(CN_EINVALID, "cn_bpe_new: %lld merges; it must not be negative",
                (long long)o->merges);
        return NULL;
    }
    cn_bpe *b = cn_alloc_zeroed(sizeof *b);
    if (b && train(b, o)) return b;
    cn_bpe_free(b);
    return NULL;
}

void cn_bpe_free(cn_bpe *b)
{
    if (!b) return;
    cn_vocab_free(b->letters);
    cn_tokens_free(b->text);
    cn_counts_free(&b->ranks);
    cn_free(b->end);
    cn_free(b);
}

/* ---- looking ----------------------------------------------------------------------------------- */

int64_t cn_bpe_merges(const cn_bpe *b)
{
    return b ? b->ranks.used : -1;
}

bool cn_bpe_merge(const cn_bpe *b, int64_t i, const char **left, const char **right)
{
    if (!b) return false;
    if (i < 0 || i >= b->ranks.used)
        return cn_fail(CN_EINVALID, "cn_bpe_merge: there is no merge %lld among %lld", (long long)i,
                       (long long)b->ranks.used);
    *left = cn_token(b->text, b->ranks.keys[2 * i]);
    *right = cn_token(b->text, b->ranks.keys[2 * i + 1]);
    return true;
}

const cn_tokens *cn_bpe_symbols(const cn_bpe *b)
{
    return b ? b->text : NULL;
}

/* ---- encoding ---------------------------------------------------------------------------------- */

/* The earliest merge that is possible in these symbols; -1: none. */
static int64_t earliest_merge(const cn_bpe *b, const int64_t *id, int64_t n)
{
    int64_t first = -1;
    for (int64_t i = 0; i + 1 < n; i++) {
        int64_t rank = cn_counts_find(&b->ranks, id + i);
        if (rank >= 0 && (first < 0 || rank < first)) first = rank;
    }
    return first;
}

static int64_t merge_all(const cn_bpe *b, int64_t *id, int64_t n)
{
    int64_t rank;
    while ((rank = earliest_merge(b, id, n)) >= 0)
        n = merge_in(id, n, b->ranks.keys + 2 * rank, b->n_letters + rank);
    return n;
}

static bool encode_word(const cn_bpe *b, const char *word, cn_tokens *out)
{
    cn_tokens *letters = cn_tokens_make();
    bool ok = letters && add_letters(letters, word, b->end);
    int64_t n = ok ? letters->count : 0, *id = cn_alloc(((size_t)n + 1) * sizeof *id);
    for (int64_t i = 0; id && i < n; i++) id[i] = cn_vocab_id(b->letters, cn_token(letters, i));
    n = id ? merge_all(b, id, n) : 0;
    for (int64_t i = 0; ok && i < n; i++) {
        const char *piece = cn_token(b->text, id[i]);
        ok = cn_tokens_add(out, piece, strlen(piece));
    }
    ok = ok && id;
    cn_free(id);
    cn_tokens_free(letters);
    return ok;
}

cn_tokens *cn_bpe_encode(const cn_bpe *b, const cn_tokens *words)
{
    if (!b || !words) return NULL;
    cn_tokens *pieces = cn_tokens_make();
    bool ok = pieces != NULL;
    for (int64_t i = 0; ok && i < words->count; i++)
        ok = encode_word(b, words->bytes + words->start[i], pieces);
    if (ok) return pieces;
    cn_tokens_free(pieces);
    return NULL;
}

cn_tokens *cn_bpe_decode(const cn_bpe *b, const cn_tokens *pieces)
{
    if (!b || !pieces) return NULL;
    cn_tokens *words = cn_tokens_make();
    char *text = words ? cn_tokens_join(pieces, "") : NULL;
    size_t end = strlen(b->end);
    bool ok = text != NULL;
    for (const char *word = text, *stop; ok && *word; word = *stop ? stop + end : stop) {
        stop = end ? strstr(word, b->end) : NULL;
        if (!stop) stop = word + strlen(word);
        ok = cn_tokens_add(words, word, (size_t)(stop - word));
    }
    cn_free(text);
    if (ok) return words;
    cn_tokens_free(words);
    return NULL;
}
