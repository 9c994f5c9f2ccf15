/* attention.h - attention written out as in the book: scores, masked softmax, pooling. */
#ifndef BOOK_C10_ATTENTION_H
#define BOOK_C10_ATTENTION_H

#include "book/book.h"

/* softmax over the keys of scores (batch, queries, keys), of which only the first lengths (batch), or
   (batch, queries), count; NULL: all. A row without any gets zeros. */
cn_tensor *masked_softmax(cn_tensor *scores, cn_tensor *lengths);

/* Scores (batch, queries, keys) for queries and keys of the same width. */
cn_tensor *dot_scores(cn_tensor *queries, cn_tensor *keys);
cn_tensor *scaled_dot_scores(cn_tensor *queries, cn_tensor *keys);
cn_tensor *cosine_scores(cn_tensor *queries, cn_tensor *keys);
/* -|q - k|^2 width^2 / 2: the logarithm of a Gaussian kernel. */
cn_tensor *gaussian_scores(cn_tensor *queries, cn_tensor *keys, cn_tensor *width);
/* w_v tanh(W_q q + W_k k): widths may differ. */
typedef struct Additive {
    cn_module *w_q, *w_k, *w_v;
} Additive;
Additive additive_new(int64_t hidden);
void additive_free(Additive *a);
cn_tensor *additive_scores(const Additive *a, cn_tensor *queries, cn_tensor *keys);

/* Values weighed by masked_softmax(scores, lengths), and these weights unless NULL. */
cn_tensor *pool_values(cn_tensor *scores, cn_tensor *values, cn_tensor *lengths,
                       cn_tensor **weights);
/* A panel with a matrix (rows, cols), for lab_figure(). */
cn_figure *attention_map(const char *title, cn_tensor *weights);

#endif
