/* language.h - texts for experiments, and language models of their characters (D2L 9.2 to 9.6).

   What a chapter trains differs in one function, which runs a recurrent network from a state on; the
   rest, windows, states that go from batch to batch, clipped steps, perplexity and prediction, is here. */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "book/book.h"

/* The Time Machine with --data real, else a built-in story, as it is or cleaned. NULL when it is not to be
   had: the lab then skips the row, run() may return. The caller frees it with cn_text_free(). */
char *language_text(Lab *lab);
char *language_clean_text(Lab *lab);

/* The first characters of a text (0: all), and the vocabulary of them alone. */
typedef struct Corpus {
    cn_vocab *vocab;
    cn_tensor *ids; /* of the current scope */
} Corpus;

Corpus language_corpus(const char *text, int64_t characters);
/* The cleaned text's. vocab is NULL when there is none. */
Corpus language_characters(Lab *lab, int64_t characters);
void language_corpus_free(Corpus *c);

enum { LANGUAGE_STATES = 2, LANGUAGE_EPOCHS = 500 };

typedef struct Language {
    /* Scores (steps * batch, vocabulary), the first step of all rows first, for ids (batch, steps). state[]
       is what to go on from, NULL at the beginning, and gets what to go on from next. */
    cn_tensor *(*run)(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES]);
    void *self;
    cn_optim *optim;
    const Corpus *corpus;
} Language;

/* A recurrent layer of the library on one-hot characters, and a linear one for the scores: the book's
   RNNModel. To be `self` of language_run_net(). */
typedef struct LanguageNet {
    cn_module *net, *layer, *output; /* net, the caller's, owns the other two */
    int64_t hidden, vocabulary;
} LanguageNet;

LanguageNet language_net(cn_module *layer, int64_t hidden, int64_t vocabulary);
cn_tensor *language_run_net(void *self, cn_tensor *ids, cn_tensor *state[LANGUAGE_STATES]);

/* The book's schedule: batch 32, steps 35, clip 1, 500 epochs. */
typedef struct LanguageSchedule {
    int64_t batch, steps, epochs;
    bool random; /* windows in random order, each with a new state */
    double clip;
} LanguageSchedule;

typedef struct LanguageFit {
    double perplexity[LANGUAGE_EPOCHS]; /* of each epoch: exp of the mean cross-entropy */
    int epochs;
    double last, tokens_per_second, seconds;
} LanguageFit;

LanguageFit language_train(Lab *lab, const Language *m, const LanguageSchedule *s);
/* The perplexity as the book draws it; for lab_figure(). */
cn_figure *language_curve(const LanguageFit *fit, const char *title);
/* What a model that only knows the character before can reach at best on this text. */
double language_bigram_perplexity(const Corpus *c);
/* The prefix, which warms the state up, and the n most likely characters after it. cn_text_free() it. */
char *language_predict(const Language *m, const char *prefix, int64_t n);

#endif
