/* tensor.h - strided N-dimensional arrays, and who owns them.

   A tensor made by any function here or by an op belongs to the innermost open scope of the calling
   thread: it lives until that scope is released. What must live longer is kept with cn_keep() and
   given back with cn_drop(). There are no other ownership verbs. */
#ifndef CENOTE_TENSOR_H
#define CENOTE_TENSOR_H

#include "base.h"

CN_BEGIN_DECLS

typedef struct cn_tensor cn_tensor;

/* ---- scopes ------------------------------------------------------------------------------- */

CN_API size_t cn_mark(void);         /* opens a scope: remembers the top of the stack of results */
CN_API void cn_release(size_t mark); /* drops every result made since `mark` */
CN_API cn_tensor *cn_return(size_t mark,
                            cn_tensor *t); /* the same, but hands t to the outer scope */
CN_API cn_tensor *cn_keep(cn_tensor *t);   /* the caller now owns a reference */
CN_API void cn_drop(cn_tensor *t);         /* gives it back; NULL is fine */

#ifndef __cplusplus
/* CN_SCOPE { ... }: a block whose results end with it. Leave it by its end, not by `return`
   (a return only delays the release until the enclosing scope ends). */
#define CN_SCOPE CN_SCOPE_(__LINE__)
#define CN_SCOPE_(line) CN_SCOPE__(line)
#define CN_SCOPE__(line)                                                                           \
    for (size_t cn_mark_##line = cn_mark(), cn_once_##line = 1; cn_once_##line;                    \
         cn_release(cn_mark_##line), cn_once_##line = 0)
#endif

/* ---- making ------------------------------------------------------------------------------- */

CN_API cn_tensor *cn_empty(cn_shape shape, cn_dtype dtype); /* contents undefined */
CN_API cn_tensor *cn_zeros(cn_shape shape, cn_dtype dtype);
CN_API cn_tensor *cn_ones(cn_shape shape, cn_dtype dtype);
CN_API cn_tensor *cn_full(cn_shape shape, double value, cn_dtype dtype);
CN_API cn_tensor *cn_from(const void *data, cn_shape shape,
                          cn_dtype dtype); /* copies row-major data */
CN_API cn_tensor *cn_scalar(double value); /* 0-d float32 */
/* Uses the caller's memory, row-major, without copying; `release(context)` is called when the last
   tensor on it is gone (NULL: never). */
CN_API cn_tensor *cn_wrap(void *data, cn_shape shape, cn_dtype dtype,
                          void (*release)(void *context), void *context);

/* ---- looking ------------------------------------------------------------------------------ */

CN_API const cn_shape *cn_shape_of(const cn_tensor *t); /* NULL of NULL */
CN_API int cn_ndim(const cn_tensor *t);                 /* -1 of NULL */
CN_API int64_t cn_size(const cn_tensor *t,
                       int dim); /* negative dims count from the end; -1: error */
CN_API int64_t cn_numel(const cn_tensor *t);
CN_API cn_dtype cn_dtype_of(const cn_tensor *t);
CN_API bool cn_is_contiguous(const cn_tensor *t);
CN_API bool cn_is_view(const cn_tensor *t); /* made to look at the memory of another tensor */
/* Do both look at one block of memory, at whatever parts of it? */
CN_API bool cn_shares_memory(const cn_tensor *a, const cn_tensor *b);
CN_API double cn_item(
    const cn_tensor *t); /* the value of a one-element tensor; NaN and an error otherwise */
CN_API double cn_at(const cn_tensor *t, cn_shape index); /* one element, by index */

/* The elements, row-major. cn_data() refuses (NULL) what is not contiguous: cn_contiguous() first.
   Writing through cn_data_mut() counts as an in-place change. */
CN_API const void *cn_data(const cn_tensor *t);
CN_API void *cn_data_mut(cn_tensor *t);

/* Copies the elements, row-major and converted to `dtype`, to `dst` (room for `count` elements). */
CN_API bool cn_read(const cn_tensor *t, cn_dtype dtype, void *dst, int64_t count) CN_MUST_CHECK;
/* Sets the elements from row-major data of `dtype`. In place: refused where autograd needs the
   old. */
CN_API bool cn_write(cn_tensor *t, cn_dtype dtype, const void *src, int64_t count) CN_MUST_CHECK;

/* Writes a readable picture of the tensor, as PyTorch prints it, like snprintf: returns the length
   it has or would have, terminates what fits. */
CN_API size_t cn_to_text(const cn_tensor *t, char *buf, size_t room);

/* ---- memory ------------------------------------------------------------------------------- */

typedef struct cn_memory_stats {
    size_t live_bytes, peak_bytes, cached_bytes; /* in use now, at most so far, kept for reuse */
    int64_t allocations, live_tensors;
} cn_memory_stats;

CN_API cn_memory_stats cn_memory(void);
CN_API void cn_set_memory_limit(
    size_t bytes);                /* 0: none. Beyond it allocations fail with CN_ENOMEM */
CN_API void cn_trim_memory(void); /* gives cached blocks back to the system */

CN_END_DECLS
#endif
