/* pairs.c - sentences and their translations as a data set (D2L 10.5). */
#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

enum { PAD = 1, EOS = 3 };
static const char *const reserved[] = { "<pad>", "<bos>", "<eos>", NULL };

/* ---- sentences ------------------------------------------------------------------------------- */

/* U+00A0 and U+202F, which French puts before its marks. */
static size_t no_break_space(const char *text)
{
    if (memcmp(text, "\xC2\xA0", 2) == 0) return 2;
    return strncmp(text, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

/* Lower case of A-Z, of the Latin letters with accents, whose two forms are 32 apart (U+00C0 .. DE), and of
   the French ligature (U+0152). */
static size_t lower(char *to, const char *text)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
    if (first != 0xC3 && first != 0xC5) {
        *to = (char)(first < 0x80 ? tolower(first) : first);
        return 1;
    }
    bool upper = first == 0xC3 && second >= 0x80 && second <= 0x9E && second != 0x97;
    to[0] = text[0];
    to[1] = (char)(upper ? second + 0x20 : first == 0xC5 && second == 0x92 ? 0x93 : second);
    return 2;
}

cn_tokens *cn_pairs_tokenize(const char *sentence)
{
    char *plain = sentence ? cn_alloc(2 * strlen(sentence) + 1) : NULL, *to = plain;
    if (!plain) return NULL;
    while (*sentence) {
        size_t space = no_break_space(sentence);
        if (space) {
            *to++ = ' ';
            sentence += space;
            continue;
        }
        if (strchr(",.!?", *sentence) && to > plain && to[-1] != ' ') *to++ = ' ';
        size_t n = lower(to, sentence);
        to += n;
        sentence += n;
    }
    *to = 0;
    cn_tokens *t = cn_tokenize(plain, CN_WORDS);
    cn_free(plain);
    return t;
}

/* Ids with the last of them <eos> unless cut, then <pad>; the valid length. */
static int64_t write_ids(const cn_vocab *v, const cn_tokens *t, int64_t first, int64_t n,
                         int64_t steps, int64_t *to)
{
    int64_t length = n + 1 < steps ? n + 1 : steps;
    for (int64_t i = 0; i < steps; i++)
        to[i] = i >= length ? PAD : i == n ? EOS : cn_vocab_id(v, cn_token(t, first + i));
    return length;
}

cn_tensor *cn_pairs_encode(const cn_vocab *v, const cn_tokens *tokens, int64_t steps,
                           int64_t *length)
{
    if (!v || !tokens || steps < 1) {
        cn_fail(CN_EINVALID, "cn_pairs_encode: %s", steps < 1 ? "steps must be positive" : "NULL");
        return NULL;
    }
    cn_tensor *ids = cn_empty(CN_SHAPE(1, steps), CN_I64);
    int64_t *to = cn_data_mut(ids);
    int64_t n = to ? write_ids(v, tokens, 0, tokens->count, steps, to) : 0;
    if (length) *length = n;
    return ids;
}

/* ---- one side of all pairs -------------------------------------------------------------------- */

typedef struct Side {
    cn_tokens *words; /* of all sentences, one after the other */
    int64_t *end;     /* of each sentence in `words` */
    cn_vocab *vocab;
    int64_t *ids, *length; /* (pairs, steps), (pairs) */
} Side;

typedef struct Pairs {
    Side side[2];
    int64_t n, steps;
} Pairs;

static void free_pairs(void *self)
{
    Pairs *p = self;
    if (!p) return;
    for (int s = 0; s < 2; s++) {
        cn_tokens_free(p->side[s].words);
        cn_free(p->side[s].end);
        cn_free(p->side[s].ids);
        cn_free(p->side[s].length);
    }
    cn_free(p);
}

static bool add_sentence(Side *s, int64_t pair, const char *sentence, size_t bytes)
{
    char *copy = cn_alloc(bytes + 1);
    if (!copy) return false;
    memcpy(copy, sentence, bytes);
    copy[bytes] = 0;
    cn_tokens *t = cn_pairs_tokenize(copy);
    bool ok = t != NULL;
    for (int64_t i = 0; ok && i < t->count; i++) {
        const char *word = cn_token(t, i);
        ok = cn_tokens_add(s->words, word, strlen(word));
    }
    s->end[pair] = s->words->count;
    cn_tokens_free(t);
    cn_free(copy);
    return ok;
}

static bool add_line(Pairs *p, const char *line, size_t bytes, int64_t number)
{
    const char *tab = memchr(line, '\t', bytes);
    if (!tab)
        return cn_fail(CN_EFORMAT, "cn_pairs_new: line %lld has no tab between source and target",
                       (long long)number);
    const char *target = tab + 1;
    size_t rest = bytes - (size_t)(target - line);
    const char *more = memchr(target, '\t', rest);
    bool ok = add_sentence(&p->side[0], p->n, line, (size_t)(tab - line)) &&
              add_sentence(&p->side[1], p->n, target, more ? (size_t)(more - target) : rest);
    p->n += ok;
    return ok;
}

static int64_t count_lines(const char *text)
{
    int64_t n = 1;
    for (; (text = strchr(text, '\n')); text++) n++;
    return n;
}

static bool read_pairs(Pairs *p, const cn_pairs_options *o)
{
    bool ok = true;
    int64_t room = o->limit ? o->limit : count_lines(o->text), line = 0;
    for (int s = 0; ok && s < 2; s++) {
        p->side[s].words = cn_tokens_make();
        p->side[s].end = cn_alloc((size_t)room * sizeof(int64_t));
        ok = p->side[s].words && p->side[s].end;
    }
    int64_t skip = o->skip;
    for (const char *text = o->text; ok && *text && p->n < room;) {
        size_t n = strcspn(text, "\n"), visible = n && text[n - 1] == '\r' ? n - 1 : n;
        line++;
        if (visible && skip) skip--;
        else if (visible) ok = add_line(p, text, visible, line);
        text += n + (text[n] == '\n');
    }
    if (ok && !p->n) return cn_fail(CN_EINVALID, "cn_pairs_new: there are no pairs in this text");
    return ok;
}

static bool encode_side(Side *s, const Pairs *p, const cn_vocab *given, int64_t min_freq)
{
    size_t bytes;
    if (!given) s->vocab = cn_vocab_new(s->words, .min_freq = min_freq, .reserved = reserved);
    const cn_vocab *v = given ? given : s->vocab;
    if (!v || !cn_mul_size((size_t)p->n, (size_t)p->steps * sizeof(int64_t), &bytes, "pairs"))
        return false;
    s->ids = cn_alloc(bytes);
    s->length = cn_alloc((size_t)p->n * sizeof *s->length);
    for (int64_t i = 0; s->ids && s->length && i < p->n; i++) {
        int64_t first = i ? s->end[i - 1] : 0;
        s->length[i] =
            write_ids(v, s->words, first, s->end[i] - first, p->steps, s->ids + i * p->steps);
    }
    return s->ids && s->length;
}

/* ---- the data set ------------------------------------------------------------------------------ */

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const Pairs *p = self;
    size_t row = (size_t)p->steps * sizeof(int64_t);
    for (int64_t i = 0; i < n; i++)
        for (int s = 0; s < 2; s++) {
            memcpy((char *)out[s] + (size_t)i * row, p->side[s].ids + index[i] * p->steps, row);
            ((int64_t *)out[2 + s])[i] = p->side[s].length[index[i]];
        }
    return true;
}

static cn_dataset *dataset_of(Pairs *p)
{
    cn_field words = { CN_I64, CN_SHAPE(p->steps) }, number = { CN_I64, cn_scalar_shape() };
    cn_dataset_class c = { .size = sizeof c,
                           .name = "pairs",
                           .samples = p->n,
                           .fields = 4,
                           .field = { words, words, number, number },
                           .self = p,
                           .get = get,
                           .destroy = free_pairs };
    return cn_dataset_new(&c);
}

static bool check(const cn_pairs_options *o)
{
    if (!o->text) return cn_fail(CN_EINVALID, "cn_pairs_new: the text is NULL");
    if (o->steps < 0 || o->limit < 0 || o->skip < 0)
        return cn_fail(CN_EINVALID, "cn_pairs_new: a negative option");
    return !o->source == !o->target ||
           cn_fail(CN_EINVALID, "cn_pairs_new: one vocabulary is given; both are wanted, or none");
}

cn_pairs cn_pairs_new_with(const cn_pairs_options *given)
{
    cn_pairs_options options = { 0 }, *o = &options;
    memcpy(o, given, given->size < sizeof options ? given->size : sizeof options);
    cn_pairs result = { 0 };
    if (!check(o)) return result;
    Pairs *p = cn_alloc_zeroed(sizeof *p);
    if (!p) return result;
    int64_t min_freq = o->min_freq ? o->min_freq : 2;
    p->steps = o->steps ? o->steps : 10;
    bool ok = read_pairs(p, o) && encode_side(&p->side[0], p, o->source, min_freq) &&
              encode_side(&p->side[1], p, o->target, min_freq);
    result.source = p->side[0].vocab;
    result.target = p->side[1].vocab;
    if (ok) result.data = dataset_of(p); /* takes p over */
    else free_pairs(p);
    if (!result.data) cn_pairs_free(&result);
    return result;
}

void cn_pairs_free(cn_pairs *p)
{
    if (!p) return;
    cn_dataset_free(p->data);
    cn_vocab_free(p->source);
    cn_vocab_free(p->target);
    *p = (cn_pairs){ 0 };
}
