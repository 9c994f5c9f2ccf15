/* embedding.h - what embedding and embedding_bag share. */
#ifndef CN_OPS_EMBEDDING_H
#define CN_OPS_EMBEDDING_H

#include "ops/compose.h"

/* The row that padding_idx names, counted from the end when negative; -1: none. */
bool cn_padding_row(const cn_opt_int *padding_idx, const cn_tensor *weight, const char *what,
                    int64_t *row);
/* Scales the rows of weight that the indices name to a norm of at most max_norm, in place. */
bool cn_bound_rows(const cn_call *c, cn_tensor *index, cn_tensor *weight, double max_norm,
                   double norm_type);

#endif
