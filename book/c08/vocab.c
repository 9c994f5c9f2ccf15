/* vocab.c - vocabularies and the corpus as numbers (D2L 9.2.3, 9.2.4). */
#include "book/language.h"

#include <string.h>

/* ---- VOCAB ----------------------------------------------------------------------------------------- */

static void check_book(Lab *lab, const cn_vocab *v, const cn_tokens *lines)
{
    static const char *const first[] = { "<unk>", "the", "i",   "and", "of",
                                         "a",     "to",  "was", "in",  "that" };
    for (int64_t i = 0; i < 10; i++) lab_text(lab, "an entry", cn_vocab_token(v, i), first[i]);
    cn_tokens *line_0 = cn_tokenize(cn_token(lines, 0), CN_WORDS),
              *line_10 = cn_tokenize(cn_token(lines, 10), CN_WORDS);
    lab_values(lab, "line 0", cn_vocab_encode(v, line_0), 0, 1, 19, 50, 40, 2183, 2184, 400);
    lab_values(lab, "line 10", cn_vocab_encode(v, line_10), 0, 2186, 3, 25, 1044, 362, 113, 7, 1421,
               3, 1045, 1);
    cn_tokens_free(line_0);
    cn_tokens_free(line_10);
}

/* Whatever the text: order, frequencies, and there and back. */
static void check_structure(Lab *lab, const cn_vocab *v, const cn_tokens *words)
{
    int64_t total = 0, size = cn_vocab_size(v);
    bool falls = true;
    for (int64_t i = 1; i < size; i++) {
        total += cn_vocab_frequency(v, i);
        falls = falls && (i == 1 || cn_vocab_frequency(v, i) <= cn_vocab_frequency(v, i - 1));
    }
    cn_tokens *again = cn_vocab_decode(v, cn_vocab_encode(v, words));
    char *before = cn_tokens_join(words, " "), *after = cn_tokens_join(again, " ");
    lab_true(lab, "the most frequent come first", falls);
    lab_number(lab, "frequencies add up to the words", (double)total,
               (double)cn_tokens_count(words), 0);
    lab_true(lab, "to numbers and back", before && after && strcmp(before, after) == 0);
    cn_text_free(before);
    cn_text_free(after);
    cn_tokens_free(again);
}

static void check_rare(Lab *lab, const cn_vocab *all, const cn_tokens *words)
{
    const char *const reserved[] = { "<pad>", "<bos>", NULL };
    cn_vocab *v = cn_vocab_new(words, .min_freq = 10, .reserved = reserved);
    int64_t frequent = 0;
    for (int64_t i = 1; i < cn_vocab_size(all); i++) frequent += cn_vocab_frequency(all, i) >= 10;
    lab_number(lab, "<unk>, two reserved ones and what occurs ten times", (double)cn_vocab_size(v),
               (double)frequent + 3, 0);
    lab_number(lab, "<bos>", (double)cn_vocab_id(v, "<bos>"), 2, 0);
    lab_number(lab, "what it lacks is <unk>",
               (double)cn_vocab_id(v, cn_vocab_token(all, cn_vocab_size(all) - 1)), 0, 0);
    cn_vocab_free(v);
}

static void run_vocab(Lab *lab)
{
    char *clean = language_clean_text(lab);
    if (!clean) return;
    cn_tokens *words = cn_tokenize(clean, CN_WORDS), *lines = cn_tokenize(clean, CN_LINES);
    cn_vocab *v = cn_vocab_new(words);
    if (lab_options(lab)->real) check_book(lab, v, lines);
    check_structure(lab, v, words);
    check_rare(lab, v, words);
    cn_vocab_free(v);
    cn_tokens_free(words);
    cn_tokens_free(lines);
    cn_text_free(clean);
}

const Experiment experiment_c08_vocab = {
    .id = "C08-VOCAB",
    .title = "Vocabularies",
    .title_zh = "词表",
    .section = "9.2.3",
    .published = "<unk> the i and of a to was in that; lines 0 and 10 as numbers",
    .data = "timemachine",
    .run = run_vocab,
};

/* ---- CORPUS ---------------------------------------------------------------------------------------- */

static void run_corpus(Lab *lab)
{
    Corpus c = language_characters(lab, 0), part = language_characters(lab, 10000);
    if (!c.vocab || !part.vocab) return;
    bool real = lab_options(lab)->real;
    if (real) {
        lab_number(lab, "characters", (double)cn_numel(c.ids), 170580, 0);
        lab_text(lab, "the second most frequent", cn_vocab_token(c.vocab, 2), "e");
    }
    lab_number(lab, "vocabulary", (double)cn_vocab_size(c.vocab), 28, 0);
    lab_text(lab, "the most frequent", cn_vocab_token(c.vocab, 1), " ");
    lab_at_most(lab, "the largest number", cn_item(cn_amax(c.ids)), 27);
    lab_at_least(lab, "the least: nothing is unknown", cn_item(cn_amin(c.ids)), 1);
    lab_number(lab, "at most 10,000", (double)cn_numel(part.ids), 10000, 0);
    language_corpus_free(&c);
    language_corpus_free(&part);
}

const Experiment experiment_c08_corpus = {
    .id = "C08-CORPUS",
    .title = "The corpus, character by character",
    .title_zh = "语料库",
    .section = "9.2.4",
    .published = "(170580, 28)",
    .data = "timemachine",
    .run = run_corpus,
};
