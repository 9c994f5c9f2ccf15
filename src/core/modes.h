/* modes.h - how many things want to see every call, in the whole process.

   A call looks at this one number; only when it is not zero it asks what there is: anomaly mode and
   autocast belong to threads, a profile to all. */
#ifndef CN_CORE_MODES_H
#define CN_CORE_MODES_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_int cn_modes __attribute__((visibility("hidden")));

static inline void cn_mode_count(bool was, bool on)
{
    if (was != on) atomic_fetch_add_explicit(&cn_modes, on ? 1 : -1, memory_order_relaxed);
}

#endif
