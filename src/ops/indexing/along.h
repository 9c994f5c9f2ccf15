/* along.h - putting along one dimension, for the files of indexing. */
#ifndef CN_OPS_INDEXING_ALONG_H
#define CN_OPS_INDEXING_ALONG_H

#include "ops/compose.h"

/* What is done with the elements that meet at one place. */
typedef enum cn_put_how {
    CN_PUT_REPLACE,
    CN_PUT_SUM,
    CN_PUT_PRODUCT,
    CN_PUT_LARGEST,
    CN_PUT_SMALLEST
} cn_put_how;

/* The number that does not change such a reduction. */
cn_tensor *cn_neutral(cn_put_how how, cn_dtype dtype);

/* input with src, a number or of at least the index's shape (from CN_PUT_PRODUCT on: of its
   shape), put in where index says along dim. */
cn_tensor *cn_put_along(cn_tensor *input, int64_t dim, cn_tensor *index, cn_tensor *src,
                        cn_put_how how);
/* The part of src that an index of the same rank reads. */
cn_tensor *cn_fit_index(cn_tensor *src, const cn_tensor *index);

/* Indices into one dimension of this size as int64, made non-negative; checked. */
cn_tensor *cn_wrapped_index(cn_tensor *index, int64_t size);

/* A vector of indices repeated over the other dimensions of *input, which gets at least one
   dimension; *dim: the dimension `given`, wrapped. */
cn_tensor *cn_repeated_index(cn_tensor **input, int64_t given, cn_tensor *index, int *dim,
                             const char *what);
/* Has src the shape of such an index? */
bool cn_slices_fit(cn_tensor *src, const cn_tensor *index, const char *what);

#endif
