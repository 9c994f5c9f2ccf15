/* compose.h - what ops that are made of other ops share. */
#ifndef CN_OPS_COMPOSE_H
#define CN_OPS_COMPOSE_H

#include "ops/internal.h"

/* Sets output i if the caller has room for it; false when the tensor is the NULL of a failed
   call. */
static inline bool cn_set_out(cn_call *c, int i, cn_tensor *t)
{
    if (!t || !cn_call_grow(c, i + 1)) return false;
    if (i < c->n_out) c->out[i] = t;
    return true;
}

/* Can the caller take that many outputs? */
static inline bool cn_room_for(cn_call *c, int64_t count)
{
    return c->grows || count <= c->n_out ||
           cn_fail(CN_EUNSUPPORTED, "%s: %lld results, but there is room for %d", c->op->name,
                   (long long)count, c->n_out);
}

/* For bodies shared by all types: no integer is NaN. */
#define CN_IS_NAN(x) ((x) != (x))

/* A list of dimensions as parameter structs hold it. */
cn_ints cn_ints_of(const cn_shape *s);
cn_ints cn_one_dim(cn_opt_int dim); /* none: all */

/* t with dims (none given: all) merged into one dimension, whose place goes to *dim. The others
   keep
   their order. A view where strides allow it. */
cn_tensor *cn_merge_dims(cn_tensor *t, const cn_ints *dims, const char *what, int *dim);

/* A shape seen from one of its dimensions. */
typedef struct cn_lines {
    int64_t outer, size, inner;
} cn_lines;
cn_lines cn_lines_of(const cn_shape *s, int dim);

/* The shape without dimension dim; of a 0-d tensor: itself. */
cn_shape cn_without_dim(const cn_shape *s, int dim);
/* n in dimension dim, ones elsewhere: a vector of that shape runs along dim when broadcast. */
cn_shape cn_shape_along(int ndim, int dim, int64_t n);

/* t times a number in t's type: for integers it is cut, for bool any but 0 is true. */
cn_tensor *cn_scaled_in_type(cn_tensor *t, const cn_number_arg *factor);
/* sqrt(t), with gradient 0 where t is 0. */
cn_tensor *cn_root(cn_tensor *t);
/* As an index, such a tensor chooses places by what is true; uint8 does as it did before bool. */
static inline bool cn_is_mask(const cn_tensor *t)
{
    return t->v.dtype == CN_BOOL || t->v.dtype == CN_U8;
}

/* cn_narrow() in memory of its own, and in the layout of the input. */
cn_tensor *cn_narrow_copy(cn_tensor *input, int dim, int64_t start, int64_t length);
/* 0, 1, .. n-1 as int64. */
cn_tensor *cn_counting(int64_t n);
/* Zeros of the shape and type of input i of a recorded call. */
cn_tensor *cn_zeros_of_in(cn_grads *g, int i);

#endif
