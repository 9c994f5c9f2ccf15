/* checkpoint.h - recomputation, for those above autograd. */
#ifndef CN_AUTOGRAD_CHECKPOINT_H
#define CN_AUTOGRAD_CHECKPOINT_H

#include <cenote/autograd.h>
#include <cenote/rng.h>

/* cn_checkpoint() with a context that is released when no recomputation can come any more, also
   after a failure. */
cn_tensor *cn_checkpoint_owning(cn_function *f, cn_tensor *const *in, int n, void *context,
                                void (*release)(void *context));

/* To be called before drawing from a generator that someone passed: a recomputation will find it
   as it is now. False: out of memory. */
bool cn_before_drawing(cn_rng *rng);

/* Is this a second run, which must not count again what the first has counted? */
bool cn_recomputing(void);

#endif
