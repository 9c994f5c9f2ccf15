/* sample.h - the example calls of the table, made real: for tests, benches and golden files.

   A sample is a list of arguments separated by blanks, each with `name=` before it or by position:
       [2,3]        a float tensor, elements of either sign and at least 0.1 from 0
       +[2,3]       a positive one           f64[2]    of another float type
       #[3,3]       matrices whose diagonal outweighs the rest: either triangle is that of a
                    symmetric positive definite one
       c[2,3]         complex numbers whose parts are like [2,3]
       i64<9[3]     integers 0 .. 8          bool[4]   booleans
       i64+<9[3]    integers 1 .. 9
       i64(3,2,2)   a vector of these integers
       {[2] [3]}    a list of tensors; what stands between brackets: {1 0:-1:2 ... None i64<3[2]}
       anything else is a value as in Python: 3, 0.5, True, None, mean, (1,2) */
#ifndef CN_OPS_SAMPLE_H
#define CN_OPS_SAMPLE_H

#include "core/schema.h"

typedef struct cn_sample {
    cn_bound bound;
    cn_ffi_arg args[CN_MAX_ARGS];
    int n_args;
    char text[512];                               /* the sample, cut into pieces */
    cn_ffi_value items[CN_MAX_ARGS][CN_MAX_DIMS]; /* what lists point to */
    cn_ffi_value bounds[CN_MAX_DIMS][3];          /* what slices point to */
} cn_sample;

/* Copies sample number `index` of the op to `text`; false when there are no more. */
bool cn_sample_text(const cn_op *op, int index, char *text, size_t room);

/* The same without an op: only args and what they point to. `who` is for messages. */
bool cn_sample_args(const char *who, const char *text, cn_dtype real, uint64_t seed, cn_sample *s);

/* Makes the arguments, in the current scope; float tensors without a type get `real`. Element
   values
   depend on (seed, argument, element) only. Clear with cn_bound_clear(&s->bound). */
bool cn_sample_make(const cn_op *op, const char *text, cn_dtype real, uint64_t seed, cn_sample *s);

#endif
