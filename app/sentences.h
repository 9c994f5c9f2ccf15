/* sentences.h - pairs of sentences for networks that translate. */
#ifndef APP_SENTENCES_H
#define APP_SENTENCES_H

#include "app/run.h"
#include "models/encoder_decoder.h"

/* Names: "fra-eng", the book's English-French pairs, and "numbers", which are generated. Any other is a
   file, whose path has a '/' or a '.', of lines "source TAB target". */

/* The vocabularies of a new run, of the pairs that it is trained with, into the folder, and their paths. */
bool sentences_begin(Config *c, const char *folder);
/* The book trains with the first c->limit pairs (0: ten of eleven); what is tested is a tenth as many after
   them. */
cn_dataset *sentences_data(const Config *c, cn_part split);

#endif
