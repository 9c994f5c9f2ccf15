/* memory.h - allocation: every byte the library takes comes from here, so that limits, statistics
   and injected failures reach all of it. */
#ifndef CN_CORE_MEMORY_H
#define CN_CORE_MEMORY_H

#include <cenote/tensor.h>

/* Like malloc and free, with two differences: blocks are 64-byte aligned and come from a cache,
   and a
   failure records CN_ENOMEM before NULL is returned. A size of 0 gives a valid block. */
CN_API void *cn_alloc(size_t size);
CN_API void *cn_alloc_zeroed(size_t size);
CN_API void *cn_realloc(void *block, size_t size); /* on failure the old block is untouched */
CN_API void cn_free(void *block);                  /* NULL is fine */
CN_API char *cn_strdup(const char *text);

/* a * b in *out; false (and an error naming `what`) when it does not fit. */
bool cn_mul_size(size_t a, size_t b, size_t *out, const char *what);

/* For tests: the n-th allocation from now fails (0: the next one), and all after it; -1: none. */
CN_API void cn_alloc_fail_after(int64_t n);

void cn_count_tensor(int change); /* +1, -1 */
/* Tensors that exist now, as far as this thread knows. */
CN_API int64_t cn_live_tensors(void);

#endif
