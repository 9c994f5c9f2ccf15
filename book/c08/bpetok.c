/* bpetok.c - words in pieces: byte-pair encoding (D2L 15.6.2). */
#include "book/language.h"

#include <stdio.h>
#include <string.h>

static cn_vocab *vocab_of(const char *text)
{
    cn_tokens *words = cn_tokenize(text, CN_WORDS);
    cn_vocab *v = cn_vocab_new(words);
    cn_tokens_free(words);
    return v;
}

static void check_pieces(Lab *lab, const cn_bpe *b, const char *text, const char *expected)
{
    cn_tokens *words = cn_tokenize(text, CN_WORDS), *pieces = cn_bpe_encode(b, words);
    char *joined = cn_tokens_join(pieces, " ");
    lab_text(lab, text, joined, expected);
    cn_text_free(joined);
    cn_tokens_free(pieces);
    cn_tokens_free(words);
}

static void book_example(Lab *lab)
{
    cn_vocab *v = vocab_of("fast fast fast fast faster faster faster tall tall tall tall tall "
                           "taller taller taller taller");
    cn_bpe *b = cn_bpe_new(v, .merges = 10);
    char merges[256] = "";
    for (int64_t i = 0; i < cn_bpe_merges(b); i++) {
        const char *left, *right;
        size_t used = strlen(merges);
        if (cn_bpe_merge(b, i, &left, &right))
            snprintf(merges + used, sizeof merges - used, "%s(%s, %s)", i ? " " : "", left, right);
    }
    lab_text(lab, "ten merges", merges,
             "(t, a) (ta, l) (tal, l) (f, a) (fa, s) (fas, t) (e, r) (er, _) (tall, _) (fast, _)");
    check_pieces(lab, b, "fast faster tall taller", "fast_ fast er_ tall_ tall er_");
    check_pieces(lab, b, "tallest fatter", "tall e s t _ fa t t er_");
    cn_bpe_free(b);
    cn_vocab_free(v);
}

/* Learned from a text: shorter than characters, and nothing is lost. */
static void on_a_text(Lab *lab)
{
    char *clean = language_clean_text(lab);
    if (!clean) return;
    cn_tokens *words = cn_tokenize(clean, CN_WORDS);
    cn_vocab *v = vocab_of(clean);
    cn_bpe *b = cn_bpe_new(v, .merges = 300);
    cn_tokens *pieces = cn_bpe_encode(b, words), *again = cn_bpe_decode(b, pieces);
    char *before = cn_tokens_join(words, " "), *after = cn_tokens_join(again, " ");
    lab_true(lab, "decoded as it was", before && after && strcmp(before, after) == 0);
    if (before)
        lab_at_most(lab, "pieces per character after 300 merges",
                    (double)cn_tokens_count(pieces) / (double)strlen(before), 0.6);
    cn_text_free(before);
    cn_text_free(after);
    cn_tokens_free(again);
    cn_tokens_free(pieces);
    cn_bpe_free(b);
    cn_vocab_free(v);
    cn_tokens_free(words);
    cn_text_free(clean);
}

static void run(Lab *lab)
{
    book_example(lab);
    on_a_text(lab);
}

const Experiment experiment_c08_bpetok = {
    .id = "C08-BPETOK",
    .title = "Sub-words by byte-pair encoding",
    .title_zh = "字节对编码",
    .section = "15.6.2",
    .settings = "10 merges of fast, faster, tall, taller; 300 merges of a text",
    .published = "the ten merges; tall e s t _, fa t t er_",
    .data = "timemachine",
    .run = run,
};
