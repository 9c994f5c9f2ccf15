/* packed.h - copies of weights in the layout of a kernel, kept while the weights stay the same.

   A kernel that wants its weights in another order asks for the copy it made last time, and makes
   and keeps one when there is none. A change in place outdates all copies of a storage; they die
   with it. */
#ifndef CN_CORE_PACKED_H
#define CN_CORE_PACKED_H

#include "core/tensor.h"

/* Is a copy worth keeping, and safe? Not for weights that training is about to change, nor for
   memory
   that somebody may write to behind our back. */
bool cn_may_pack(const cn_tensor *t);
/* The copy in this layout, a number of the caller's choice, in the current scope; or NULL. */
cn_tensor *cn_packed_find(const cn_tensor *t, uint64_t layout);
bool cn_packed_keep(const cn_tensor *t, uint64_t layout, cn_tensor *copy);
void cn_packed_free(cn_storage *s); /* all copies of a storage that ends */

#endif
