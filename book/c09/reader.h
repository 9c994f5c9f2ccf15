/* reader.h - a small BERT (D2L 15.8) for the scores that a network has learned: a Transformer that reads both
   ways and was trained to guess words that are hidden from it. */
#ifndef BOOK_C09_READER_H
#define BOOK_C09_READER_H

#include "book/language.h"

enum {
    READER_WORDS = 14,
    READER_STEPS = 2 * READER_WORDS + 3
}; /* of a sentence; of two and <cls>, <sep> */
enum { READER_WIDTH = 32 };

typedef struct Sentence {
    int64_t n, word[READER_WORDS];
} Sentence;

/* Sentences of the book's text, or of the story, of which the last ones are kept from training. */
typedef struct Reader {
    cn_vocab *vocab; /* NULL: the lab skips the row, or an error is set */
    cn_module *net;  /* what follows is its children */
    cn_module *words, *positions, *segments, *encoder;
    Sentence *sentences;
    int64_t n, used; /* sentences, and how many of them are for training */
    cn_rng rng;
} Reader;

/* Trained as far as the lab wants it; says how well it guesses. */
Reader reader_new(Lab *lab);
void reader_free(Reader *r);

/* "<cls> a <sep>" or, with b, "<cls> a <sep> b <sep>" with padding, a row of each that is read together. */
typedef struct ReaderBatch {
    cn_tensor *ids, *segments; /* (batch, steps) int64 */
} ReaderBatch;
ReaderBatch reader_batch(const Sentence *a, const Sentence *b, int64_t n);
/* What each token means where it stands: (batch, steps, READER_WIDTH). */
cn_tensor *reader_run(const Reader *r, const ReaderBatch *batch);
/* That of the words of a single sentence, (words, READER_WIDTH), without gradients. */
cn_tensor *reader_words(const Reader *r, const Sentence *s);
int64_t reader_any_word(Reader *r); /* any word of the vocabulary */

#endif
