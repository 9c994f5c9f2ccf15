/* segment.c - Chinese words: the most probable way to cut, and a hidden Markov model for new ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "text/chinese.h"
#include "text/tokens.h"

enum { MAX_WORD = 16 }; /* characters of a word */

/* Where in its word a character stands. */
enum { BEGIN, MIDDLE, END, SINGLE, STATES };

struct cn_segmenter {
    cn_vocab *words, *characters;
    double *log_p;          /* of each word */
    double unseen;          /* log p of a character that is no word */
    int64_t longest;        /* characters of the longest word */
    double (*emit)[STATES]; /* log p of each character in each state; of character 0: unseen ones */
    double start[STATES], move[STATES][STATES];
    bool known_only;
};

/* ---- reading the dictionary ---------------------------------------------------------------------- */

typedef struct Entries {
    cn_tokens *words;
    double *times; /* of each */
} Entries;

/* One line, "word frequency". */
static bool read_entry(Entries *e, const char *line, int64_t number)
{
    const char *blank = strpbrk(line, " \t");
    char *end = NULL;
    double times = blank ? strtod(blank, &end) : 0;
    if (!blank || blank == line || !(times > 0) || isinf(times) || *(end + strspn(end, " \t")))
        return cn_fail(CN_EFORMAT,
                       "cn_segmenter_new: line %lld of the dictionary is not 'word "
                       "frequency'",
                       (long long)number);
    e->times[e->words->count] = times;
    return cn_tokens_add(e->words, line, (size_t)(blank - line));
}

static bool read_entries(Entries *e, const char *dictionary)
{
    cn_tokens *lines = cn_tokenize(dictionary, CN_LINES);
    bool ok = lines != NULL;
    if (ok) {
        e->words = cn_tokens_make();
        e->times = cn_alloc(((size_t)lines->count + 1) * sizeof *e->times);
        ok = e->words && e->times;
    }
    for (int64_t i = 0; ok && i < lines->count; i++) {
        const char *line = lines->bytes + lines->start[i];
        if (*line) ok = read_entry(e, line, i + 1);
    }
    cn_tokens_free(lines);
    if (ok && !e->words->count)
        return cn_fail(CN_EINVALID, "cn_segmenter_new: the dictionary is empty");
    return ok;
}

/* ---- the two models ------------------------------------------------------------------------------ */

static bool make_words(cn_segmenter *s, const Entries *e)
{
    double total = 0;
    s->words = cn_vocab_new(e->words);
    s->log_p =
        s->words ? cn_alloc_zeroed((size_t)cn_vocab_size(s->words) * sizeof *s->log_p) : NULL;
    if (!s->log_p) return false;
    for (int64_t i = 0; i < e->words->count; i++) {
        total += e->times[i];
        s->log_p[cn_vocab_id(s->words, cn_token(e->words, i))] += e->times[i];
    }
    for (int64_t id = 1; id < cn_vocab_size(s->words); id++)
        s->log_p[id] = log(s->log_p[id] / total);
    s->unseen = log(0.5 / total);
    return true;
}

/* How many characters a word has. */
static int64_t count_characters(const char *word)
{
    int64_t n = 0;
    for (; *word; word += cn_character_bytes(word)) n++;
    return n;
}

/* What a word says about the characters in it, and about what follows what. */
static void count_word(cn_segmenter *s, const char *word, double times)
{
    int64_t n = count_characters(word);
    if (n > s->longest) s->longest = n < MAX_WORD ? n : MAX_WORD;
    for (int64_t i = 0; i < n; i++) {
        int state = n == 1 ? SINGLE : i == 0 ? BEGIN : i == n - 1 ? END : MIDDLE;
        char character[5] = "";
        size_t bytes = cn_character_bytes(word);
        memcpy(character, word, bytes);
        s->emit[cn_vocab_id(s->characters, character)][state] += times;
        word += bytes;
    }
    s->start[n == 1 ? SINGLE : BEGIN] += times;
    if (n == 2) s->move[BEGIN][END] += times;
    if (n < 3) return;
    s->move[BEGIN][MIDDLE] += times;
    s->move[MIDDLE][MIDDLE] += times * (double)(n - 3);
    s->move[MIDDLE][END] += times;
}

/* Counts, and one more, to logarithms of probabilities. Words follow each other independently. */
static void take_logarithms(cn_segmenter *s)
{
    double total[STATES] = { 0 }, words = ++s->start[BEGIN] + ++s->start[SINGLE];
    int64_t n = cn_vocab_size(s->characters);
    for (int64_t c = 0; c < n; c++)
        for (int i = 0; i < STATES; i++) total[i] += s->emit[c][i] += 1;
    for (int64_t c = 0; c < n; c++)
        for (int i = 0; i < STATES; i++) s->emit[c][i] = log(s->emit[c][i] / total[i]);
    for (int i = BEGIN; i <= MIDDLE; i++) {
        double inner = s->move[i][MIDDLE] + s->move[i][END];
        for (int j = MIDDLE; j <= END; j++) s->move[i][j] /= inner > 0 ? inner : 1;
    }
    for (int j = 0; j < STATES; j++) {
        s->start[j] = log(s->start[j] / words);
        for (int i = 0; i < STATES; i++) s->move[i][j] = i < END ? log(s->move[i][j]) : s->start[j];
    }
}

static bool make_states(cn_segmenter *s, const Entries *e)
{
    char *all = cn_tokens_join(e->words, "");
    cn_tokens *characters = all ? cn_tokenize(all, CN_CHARACTERS) : NULL;
    s->characters = characters ? cn_vocab_new(characters) : NULL;
    if (s->characters)
        s->emit = cn_alloc_zeroed((size_t)cn_vocab_size(s->characters) * sizeof *s->emit);
    if (s->emit) {
        for (int64_t i = 0; i < e->words->count; i++)
            count_word(s, cn_token(e->words, i), e->times[i]);
        take_logarithms(s);
    }
    cn_tokens_free(characters);
    cn_free(all);
    return s->emit != NULL;
}

cn_segmenter *cn_segmenter_new_with(const cn_segmenter_options *o)
{
    Entries e = { 0 };
    cn_segmenter *s = cn_alloc_zeroed(sizeof *s);
    bool ok = s && read_entries(&e, o->dictionary ? o->dictionary : cn_chinese_words) &&
              make_words(s, &e) && make_states(s, &e);
    if (ok) s->known_only = o->known_only;
    cn_tokens_free(e.words);
    cn_free(e.times);
    if (ok) return s;
    cn_segmenter_free(s);
    return NULL;
}

void cn_segmenter_free(cn_segmenter *s)
{
    if (!s) return;
    cn_vocab_free(s->words);
    cn_vocab_free(s->characters);
    cn_free(s->log_p);
    cn_free(s->emit);
    cn_free(s);
}

/* ---- a run of Chinese characters ------------------------------------------------------------------- */

/* Character i is at bytes[at[i]] .. bytes[at[i + 1]]; `next` says where the piece that begins there ends. */
typedef struct Run {
    const char *bytes;
    size_t *at;
    int64_t *next;
    double *best; /* log p of the best way to cut what begins here */
    int64_t n;
} Run;

static double log_p_of(const cn_segmenter *s, const Run *r, int64_t from, int64_t to)
{
    char word[4 * MAX_WORD + 1];
    size_t bytes = r->at[to] - r->at[from];
    memcpy(word, r->bytes + r->at[from], bytes);
    word[bytes] = 0;
    int64_t id = cn_vocab_id(s->words, word);
    if (id) return s->log_p[id];
    return to == from + 1 ? s->unseen : -(double)INFINITY;
}

/* The best way to cut, from the end on. */
static void cut_into_words(const cn_segmenter *s, Run *r)
{
    r->best[r->n] = 0;
    for (int64_t i = r->n - 1; i >= 0; i--) {
        r->best[i] = -(double)INFINITY;
        for (int64_t j = i + 1; j <= r->n && j - i <= s->longest; j++) {
            double p = log_p_of(s, r, i, j) + r->best[j];
            if (!(p > r->best[i])) continue;
            r->best[i] = p;
            r->next[i] = j;
        }
    }
}

/* Viterbi's algorithm: the most probable states of the characters from .. to, which begin and end with a
   word. */
static bool cut_by_states(const cn_segmenter *s, Run *r, int64_t from, int64_t to)
{
    int64_t n = to - from;
    double score[STATES] = { 0 }, next[STATES];
    unsigned char(*back)[STATES] = cn_alloc((size_t)n * sizeof *back);
    if (!back) return false;
    for (int64_t i = 0; i < n; i++) {
        char character[5] = "";
        memcpy(character, r->bytes + r->at[from + i], r->at[from + i + 1] - r->at[from + i]);
        const double *emit = s->emit[cn_vocab_id(s->characters, character)];
        for (int j = 0; j < STATES; j++) {
            int best = 0;
            for (int k = 1; i && k < STATES; k++)
                if (score[k] + s->move[k][j] > score[best] + s->move[best][j]) best = k;
            next[j] = emit[j] + (i ? score[best] + s->move[best][j] : s->start[j]);
            back[i][j] = (unsigned char)best;
        }
        memcpy(score, next, sizeof score);
    }
    int state = score[END] > score[SINGLE] ? END : SINGLE;
    int64_t end = to;
    for (int64_t i = n - 1; i >= 0; state = back[i--][state]) {
        if (state == END || state == SINGLE) end = from + i + 1;
        r->next[from + i] = end; /* of the pieces only the first character's counts */
    }
    cn_free(back);
    return true;
}

/* Single characters side by side, of which one is no word, may be a new word. */
static bool find_new_words(const cn_segmenter *s, Run *r)
{
    bool ok = true;
    for (int64_t i = 0, end; ok && i < r->n; i = end) {
        bool unknown = false;
        for (end = i; end < r->n && r->next[end] == end + 1; end++)
            unknown = unknown || !(log_p_of(s, r, end, end + 1) > s->unseen);
        if (unknown && end > i + 1) ok = cut_by_states(s, r, i, end);
        if (end == i) end = r->next[i];
    }
    return ok;
}

static bool add_pieces(const Run *r, cn_tokens *out)
{
    bool ok = true;
    for (int64_t i = 0; ok && i < r->n; i = r->next[i])
        ok = cn_tokens_add(out, r->bytes + r->at[i], r->at[r->next[i]] - r->at[i]);
    return ok;
}

static bool cut_run(const cn_segmenter *s, const char *text, size_t bytes, cn_tokens *out)
{
    size_t room = bytes / 3 + 1; /* these characters have three bytes */
    Run r = { .bytes = text };
    r.at = cn_alloc(room * sizeof *r.at);
    r.next = cn_alloc(room * sizeof *r.next);
    r.best = cn_alloc(room * sizeof *r.best);
    bool ok = r.at && r.next && r.best;
    if (ok) {
        for (size_t i = 0; i < bytes; i += 3) r.at[r.n++] = i;
        r.at[r.n] = bytes;
        cut_into_words(s, &r);
        ok = (s->known_only || find_new_words(s, &r)) && add_pieces(&r, out);
    }
    cn_free(r.at);
    cn_free(r.next);
    cn_free(r.best);
    return ok;
}

/* ---- whole texts ------------------------------------------------------------------------------------- */

/* U+3400 .. U+9FFF: all have three bytes, the first 0xE3 .. 0xE9. */
static bool is_chinese(const char *c)
{
    const unsigned char *u = (const unsigned char *)c;
    return u[0] >= 0xE3 && u[0] <= 0xE9 && (u[0] > 0xE3 || u[1] >= 0x90);
}

static bool is_word_character(const char *c)
{
    return (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
           *c == '_' || (*c == '.' && c[1] >= '0' && c[1] <= '9');
}

cn_tokens *cn_segment(const cn_segmenter *s, const char *text)
{
    if (!s || !text) return NULL;
    cn_tokens *check = cn_tokenize(text, CN_LINES), *out = check ? cn_tokens_make() : NULL;
    bool ok = out != NULL; /* and so the text is UTF-8 */
    cn_tokens_free(check);
    for (size_t n; ok && *text; text += n) {
        n = 0;
        while (is_chinese(text + n)) n += 3;
        if (n) {
            ok = cut_run(s, text, n, out);
            continue;
        }
        while (is_word_character(text + n)) n++;
        if (!n) n = cn_character_bytes(text);
        if (!strchr(" \t\r\n\v\f", *text)) ok = cn_tokens_add(out, text, n);
    }
    if (ok) return out;
    cn_tokens_free(out);
    return NULL;
}
