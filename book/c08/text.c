/* text.c - reading, cleaning and splitting a text (D2L 9.2.1, 9.2.2). */
#include "book/language.h"

#include <string.h>

/* ---- TEXT ------------------------------------------------------------------------------------------ */

static void run_text(Lab *lab)
{
    char *text = language_text(lab), *clean = cn_text_clean(text);
    cn_tokens *lines = text ? cn_tokenize(clean, CN_LINES) : NULL;
    if (!text) return;
    bool real = lab_options(lab)->real;
    lab_number(lab, "lines", (double)cn_tokens_count(lines), real ? 3221 : 3000, 0);
    if (real) {
        lab_text(lab, "line 0", cn_token(lines, 0), "the time machine by h g wells");
        lab_text(lab, "line 10", cn_token(lines, 10),
                 "twinkled and his usually pale face was flushed and animated the");
    }
    lab_true(lab, "letters and single blanks only",
             clean && strspn(clean, "abcdefghijklmnopqrstuvwxyz \n") == strlen(clean) &&
                 !strstr(clean, "  ") && !strstr(clean, " \n") && !strstr(clean, "\n "));
    char *example = cn_text_clean("'I said--\"Eight\", Mr. O'Neil?' ");
    lab_text(lab, "a line with punctuation", example, "i said eight mr o neil");
    cn_text_free(example);
    cn_tokens_free(lines);
    cn_text_free(clean);
    cn_text_free(text);
}

const Experiment experiment_c08_text = {
    .id = "C08-TEXT",
    .title = "Reading and cleaning text",
    .title_zh = "读取数据集",
    .section = "9.2.1",
    .published = "3221 lines",
    .data = "timemachine",
    .run = run_text,
};

/* ---- TOKEN ----------------------------------------------------------------------------------------- */

/* The words of lines 0 to 10, as the book prints them. */
static const char *const printed[] = {
    "the time machine by h g wells",
    "",
    "",
    "",
    "",
    "i",
    "",
    "",
    "the time traveller for so it will be convenient to speak of him",
    "was expounding a recondite matter to us his grey eyes shone and",
    "twinkled and his usually pale face was flushed and animated the",
};

static void check_line(Lab *lab, const char *line, const char *expected)
{
    cn_tokens *words = cn_tokenize(line, CN_WORDS), *letters = cn_tokenize(line, CN_CHARACTERS);
    char *joined = cn_tokens_join(words, " "), *spelled = cn_tokens_join(letters, "");
    lab_text(lab, "words", joined, expected);
    lab_true(lab, "characters",
             spelled && strcmp(spelled, line) == 0 &&
                 cn_tokens_count(letters) == (int64_t)strlen(line));
    cn_text_free(joined);
    cn_text_free(spelled);
    cn_tokens_free(words);
    cn_tokens_free(letters);
}

static void run_token(Lab *lab)
{
    enum { LINES = sizeof printed / sizeof printed[0] };
    char *clean = language_clean_text(lab);
    if (!clean) return;
    cn_tokens *lines = cn_tokenize(clean, CN_LINES), *all = cn_tokenize(clean, CN_WORDS);
    int64_t words = 0;
    for (int64_t i = 0; i < LINES; i++)
        check_line(lab, lab_options(lab)->real ? cn_token(lines, i) : printed[i], printed[i]);
    for (int64_t i = 0; i < cn_tokens_count(lines); i++) {
        cn_tokens *t = cn_tokenize(cn_token(lines, i), CN_WORDS);
        words += cn_tokens_count(t);
        cn_tokens_free(t);
    }
    lab_number(lab, "words of all lines, and of the text", (double)words,
               (double)cn_tokens_count(all), 0);
    cn_tokens_free(lines);
    cn_tokens_free(all);
    cn_text_free(clean);
}

const Experiment experiment_c08_token = {
    .id = "C08-TOKEN",
    .title = "Words and characters",
    .title_zh = "词元化",
    .section = "9.2.2",
    .published = "the words of lines 0 to 10",
    .data = "timemachine",
    .run = run_token,
};
