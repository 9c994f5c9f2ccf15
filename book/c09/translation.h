/* translation.h - what the rows about machine translation share: pairs of sentences, and a network that is
   trained with them. */
#ifndef BOOK_C09_TRANSLATION_H
#define BOOK_C09_TRANSLATION_H

#include "book/book.h"
#include "models/seq2seq.h"

/* The book's 600 English-French pairs with --data real, else numbers in words in both languages, of
   which some are kept from training. */
typedef struct Translation {
    char *text;
    cn_pairs pairs;      /* for training; data NULL: the lab skips the row, or an error is set */
    int64_t steps, used; /* tokens of a sentence, pairs in training */
} Translation;

Translation translation_new(Lab *lab);
void translation_free(Translation *t);
/* The i-th line of the text: its two sides, to be freed with free(). False: there is none. */
bool translation_line(const Translation *t, int64_t i, char **source, char **target);

/* The book's seq2seq, trained with it; NULL on failure. `fit` gets the curve. The caller frees it. */
cn_module *translation_train(Lab *lab, const Translation *t, bool bidirectional, LabFit *fit);
/* What it makes of a sentence, with so many beams; cn_text_free() it. */
char *translation_of(const Translation *t, cn_module *net, const char *sentence, int64_t beams);
/* BLEU with bigrams of that. */
double translation_bleu(const Translation *t, cn_module *net, const char *sentence,
                        const char *reference);
/* Which share of the lines first .. first + n - 1 is translated without a fault. */
double translation_right(const Translation *t, cn_module *net, int64_t first, int64_t n);
/* With the book's pairs: the last loss, which the book divides by the number of steps, 10, is at most a tenth
   above the book's (seeds differ by that much), and of its four sentences so many come out without a
   fault. */
void translation_check_book(Lab *lab, const Translation *t, cn_module *net, const LabFit *fit,
                            double book_loss, int right);
cn_figure *translation_curve(const LabFit *fit);

#endif
