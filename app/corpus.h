/* corpus.h - texts for language models, character by character. */
#ifndef APP_CORPUS_H
#define APP_CORPUS_H

#include "app/run.h"

/* The texts that have names: the book's, cleaned as in the book, and a built-in one. Any other is a file,
   whose path has a '/' or a '.'; its line ends become blanks. */
typedef struct {
    const char *name, *about;
} CorpusName;
extern const CorpusName corpus_names[]; /* ended by a NULL name */

/* The vocabulary of a new run, all characters of its text, into the folder; c->vocab becomes its path. */
bool corpus_begin(Config *c, const char *folder);
/* The book trains with the first c->limit characters (0: ten of eleven); what is tested is a tenth as many
   after them. Each example is as many steps as the model takes, and the same one step later. */
cn_dataset *corpus_data(const Config *c, cn_part split);

#endif
