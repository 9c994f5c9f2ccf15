/* ffi.h (internal) - every entry forgets the last error, works in a scope of its own, and turns
   the error
   of what it called into a code. */
#ifndef CN_FFI_FFI_H
#define CN_FFI_FFI_H

#include "core/tensor.h"

#include <cenote/ffi.h>

static inline size_t cn_ffi_enter(void)
{
    cn_error_clear();
    return cn_mark();
}

static inline int cn_ffi_leave(size_t mark, bool ok)
{
    cn_release(mark);
    if (ok && cn_ok()) return 0;
    if (cn_ok()) cn_fail(CN_EINVALID, "the call failed without a reason; this is a bug");
    return (int)cn_error_code();
}

#endif
