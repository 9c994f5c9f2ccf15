/* story.c - text of a small grammar, for places without any other. */
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

/* What "$" and a letter stand for: one of these, the i-th with a probability in proportion to 1 / i.
   "$x" is a made-up name. */
typedef struct Rule {
    char letter;
    const char *choices; /* between '|' */
} Rule;

static const Rule grammar[] = {
    { 'L', "$B $v $o.|$B $v $o, and $B $v $o.|'$B $v $o,' said $n.||$B $v $o $w; but $n $v it." },
    { 'B', "The $p|The $k $p|$n|Then the $p|And $n|My $p|No $p|At $h the $p" },
    { 'o', "the $p|the $k $p|the $p of the $p|$n|a $k $p|that $p of $n" },
    { 'n', "the Traveller|the Doctor|I|$x|Filby" },
    { 'v', "was in|saw|came to|went through|thought of|remembered|found|had" },
    { 'w', "in the $p|with $n|for a while|at $h|again" },
    { 'h', "noon|dawn|eight o'clock|last" },
    { 'p',
      "time|machine|light|world|night|hand|river|fire|garden|stair|lamp|table|palace|moon|jewel|box|puzzle" },
    { 'k', "little|old|white|strange|dark|great|silent|far|quiet" },
};

enum { NAMES = 600, RULES = sizeof grammar / sizeof grammar[0] };

typedef struct Story {
    cn_rng rng;
    cn_tokens *parts; /* of the text */
} Story;

/* 0 .. n - 1, each i as often as 1 / (i + 1) says. */
static int64_t zipf(cn_rng *rng, int64_t n)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += 1 / (double)(i + 1);
    double left = cn_rng_uniform(rng) * total;
    for (int64_t i = 0; i + 1 < n; i++) {
        left -= 1 / (double)(i + 1);
        if (left < 0) return i;
    }
    return n - 1;
}

/* The same name for the same number. */
static bool add_name(Story *s, int64_t number)
{
    static const char *const syllables[] = { "ta", "ren", "lo", "mi", "sor",  "ve", "dan",
                                             "ki", "bel", "ro", "nu", "gath", "el" };
    enum { SYLLABLES = sizeof syllables / sizeof syllables[0] };
    char name[32] = "";
    size_t used = 0;
    for (int64_t left = number + SYLLABLES; left; left /= SYLLABLES) {
        const char *syllable = syllables[left % SYLLABLES];
        size_t n = strlen(syllable);
        memcpy(name + used, syllable, n); /* three at most: the numbers are below NAMES */
        used += n;
    }
    name[0] = (char)(name[0] - 'a' + 'A');
    return cn_tokens_add(s->parts, name, used);
}

static const char *choices_of(char letter)
{
    int i = 0;
    while (i + 1 < RULES && grammar[i].letter != letter) i++;
    return grammar[i].choices;
}

/* Rules lead only to rules further down, so this ends. */
static bool expand(Story *s, char letter)
{
    const char *text = choices_of(letter);
    int64_t n = 1;
    bool ok = true;
    for (const char *c = text; *c; c++) n += *c == '|';
    for (int64_t skip = zipf(&s->rng, n); skip; skip--) text = strchr(text, '|') + 1;
    while (ok && *text && *text != '|') {
        size_t plain = strcspn(text, "$|");
        ok = cn_tokens_add(s->parts, text, plain);
        text += plain;
        if (!ok || *text != '$') continue;
        ok = text[1] == 'x' ? add_name(s, zipf(&s->rng, NAMES)) : expand(s, text[1]);
        text += 2;
    }
    return ok;
}

char *cn_text_story(uint64_t seed, int64_t lines)
{
    Story s = { .rng = cn_rng_make(seed, 0), .parts = cn_tokens_make() };
    bool ok = s.parts != NULL;
    for (int64_t i = 0; ok && i < lines; i++)
        ok = expand(&s, 'L') && cn_tokens_add(s.parts, "\n", 1);
    char *text = ok ? cn_tokens_join(s.parts, "") : NULL;
    cn_tokens_free(s.parts);
    return text;
}
