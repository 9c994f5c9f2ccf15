/* numbers.c - numbers in English and French words: a translation task for places without any text. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

enum { BELOW = 10000, MOST_BYTES = 128 };

static void put(char *to, const char *word)
{
    size_t n = strlen(to);
    snprintf(to + n, MOST_BYTES - n, "%s%s", n ? " " : "", word);
}

static void put_english(char *to, int n)
{
    static const char *const units[] = {
        "zero",     "one",     "two",     "three",     "four",     "five",    "six",
        "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
        "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"
    };
    static const char *const tens[] = { "twenty", "thirty",  "forty",  "fifty",
                                        "sixty",  "seventy", "eighty", "ninety" };
    const bool more = n >= 100;
    if (n >= 1000) put(to, units[n / 1000]), put(to, "thousand"), n %= 1000;
    if (n >= 100) put(to, units[n / 100]), put(to, "hundred"), n %= 100;
    if (more && n > 0) put(to, "and");
    if (n >= 20) put(to, tens[n / 10 - 2]), n = n % 10 ? n % 10 : -1;
    if (n > 0 || (n == 0 && !more)) put(to, units[n]);
}

/* Below 100. 70 is sixty-ten and 90 is four-twenty-ten; "et" comes before 1 and 11, but not from 80 on. */
static void put_french_tens(char *to, int n)
{
    static const char *const units[] = { "zéro",   "un",    "deux",     "trois",    "quatre",
                                         "cinq",   "six",   "sept",     "huit",     "neuf",
                                         "dix",    "onze",  "douze",    "treize",   "quatorze",
                                         "quinze", "seize", "dix sept", "dix huit", "dix neuf" };
    static const char *const tens[] = { "vingt",    "trente",   "quarante",     "cinquante",
                                        "soixante", "soixante", "quatre vingt", "quatre vingt" };
    int rest = n < 20 ? n : n < 60 ? n % 10 : n % 20;
    if (n >= 20) {
        put(to, tens[n / 10 - 2]);
        if (n < 80 && (rest == 1 || rest == 11)) put(to, "et");
        if (rest == 0) return;
    }
    put(to, units[rest]);
}

/* One is not said before hundred and thousand; hundreds and 80 have an s where nothing follows. */
static void put_french(char *to, int n)
{
    const bool more = n >= 100;
    if (n >= 2000) put_french_tens(to, n / 1000);
    if (n >= 1000) put(to, "mille"), n %= 1000;
    if (n >= 200) put_french_tens(to, n / 100);
    if (n >= 100) put(to, n >= 200 && n % 100 == 0 ? "cents" : "cent"), n %= 100;
    if (n == 80) put(to, "quatre vingts");
    else if (n > 0 || !more) put_french_tens(to, n);
}

static bool add_line(cn_tokens *lines, int n)
{
    char english[MOST_BYTES] = "", french[MOST_BYTES] = "";
    put_english(english, n);
    put_french(french, n);
    return cn_tokens_add(lines, english, strlen(english)) && cn_tokens_add(lines, "\t", 1) &&
           cn_tokens_add(lines, french, strlen(french)) && cn_tokens_add(lines, "\n", 1);
}

char *cn_text_numbers(uint64_t seed, int64_t below)
{
    if (below < 1 || below > BELOW) {
        cn_fail(CN_EINVALID, "cn_text_numbers: numbers below %lld; 1 to %d can be had",
                (long long)below, BELOW);
        return NULL;
    }
    cn_rng rng = cn_rng_make(seed, 0);
    cn_tokens *lines = cn_tokens_make();
    int *order = cn_alloc((size_t)below * sizeof *order);
    bool ok = lines && order;
    for (int64_t i = 0; ok && i < below; i++) order[i] = (int)i;
    for (int64_t i = below - 1; ok && i > 0; i--) {
        int64_t j = (int64_t)(cn_rng_uniform(&rng) * (double)(i + 1));
        int kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (int64_t i = 0; ok && i < below; i++) ok = add_line(lines, order[i]);
    char *text = ok ? cn_tokens_join(lines, "") : NULL;
    cn_free(order);
    cn_tokens_free(lines);
    return text;
}
