/* autocast.h - mixed precision: products in a 16-bit type, everything that sums up in float32.

       CN_AUTOCAST(CN_BF16) {
           loss = cn_cross_entropy(cn_forward(net, x), y);
       }
       cn_backward(loss);

   As torch.autocast. Parameters stay float32, and so do their gradients: what a product needs is
   converted on its way in, and the conversion is recorded. A parameter is converted once until it
   changes. Inside,
     - matrix products, linear layers, convolutions, attention and recurrent layers take their float
       inputs as the 16-bit type and return it; sums are made in float32 inside;
     - softmax, normalisations, losses, sums, products, norms, exponentials, logarithms and powers
       take float32;
     - everything else takes what it gets; mixed operands give the wider type.
   float64 is left alone. The backward pass computes in the types that were recorded, inside or
   outside the scope. */
#ifndef CENOTE_AUTOCAST_H
#define CENOTE_AUTOCAST_H

#include "base.h"

CN_BEGIN_DECLS

/* Per thread: CN_BF16 or CN_F16; CN_NO_DTYPE: off, as it is at first. Returns what it was (CN_NO_DTYPE
   or a type); on other types an error, and nothing changes. */
CN_API int cn_set_autocast(int dtype);

#ifndef __cplusplus
/* CN_AUTOCAST(CN_BF16) { ... }; CN_AUTOCAST(CN_NO_DTYPE) { ... } within it. Leave it by its end. */
#define CN_AUTOCAST(dtype) CN_AUTOCAST_(dtype, __LINE__)
#define CN_AUTOCAST_(dtype, line) CN_AUTOCAST__(dtype, line)
#define CN_AUTOCAST__(dtype, line)                                                                 \
    for (int cn_cast_##line = cn_set_autocast(dtype), cn_once_##line = 1; cn_once_##line;          \
         cn_set_autocast(cn_cast_##line), cn_once_##line = 0)
#endif

CN_END_DECLS
#endif
