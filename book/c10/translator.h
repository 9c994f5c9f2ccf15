/* translator.h - the book's Transformer, trained to translate, for the rows that look into it. */
#ifndef BOOK_C10_TRANSLATOR_H
#define BOOK_C10_TRANSLATOR_H

#include "book/c09/translation.h"

/* NULL on failure; `fit` gets the curve. The caller frees it. */
cn_module *transformer_trained(Lab *lab, const Translation *t, LabFit *fit);

/* Where all heads of the encoder and the decoder look at one sentence: shapes, sums and what is hidden, and a
   map for each layer, its heads side by side. */
void transformer_draw(Lab *lab, const Translation *t, cn_module *net);

#endif
