/* profile.h - where the time goes: each call of an op, on a time line and in a table.

       cn_profile_start();
       ... some steps of training ...
       cn_profile_stop();
       cn_profile_save("trace.json");         for chrome://tracing or ui.perfetto.dev
       cn_profile_table(cn_profile_peak(), buf, sizeof buf);

   One profile at a time, of all threads of the process. While none is taken, a call of an op costs
   nothing more. The results of the last one stay until the next cn_profile_start(). */
#ifndef CENOTE_PROFILE_H
#define CENOTE_PROFILE_H

#include "base.h"

CN_BEGIN_DECLS

/* Forgets the last profile and begins another. False: one is being taken (CN_EINVALID). */
CN_API bool cn_profile_start(void);
/* False: none is being taken. */
CN_API bool cn_profile_stop(void);

typedef enum cn_profile_kind {
    CN_PROFILE_FORWARD = 0,
    CN_PROFILE_BACKWARD = 1, /* a call made by the backward pass */
    CN_PROFILE_RULE = 2,     /* an op's rule for gradients, besides the calls it makes */
    CN_PROFILE_RANGE = 3     /* what cn_profile_push() named, besides the calls inside */
} cn_profile_kind;

typedef struct cn_profile_row {
    const char *name; /* of the op, or the range; lives until the next cn_profile_start() */
    cn_profile_kind kind;
    int64_t calls;
    double seconds; /* in it, without the calls that it makes itself */
    double flops;   /* 0 where they are not known */
    double bytes;   /* of inputs and outputs, each once; 0 where no element is touched */
} cn_profile_row;

/* Writes the rows that fit, those with most time first; returns how many there are. */
CN_API int cn_profile_rows(cn_profile_row *out, int room);
/* The rows as text: calls, total milliseconds, share of the time; GFLOP/s and their share of `peak`
   (FLOP/s; 0: no such column) where the flops are known, GB/s elsewhere. Like snprintf: returns the
   length that it has or would have; 0: nothing was profiled, or an error. */
CN_API size_t cn_profile_table(double peak, char *buf, size_t room);
/* Writes every call as a Chrome trace: a row per thread; shapes, types, bytes, flops, forward or
   backward as arguments. The file keeps its old contents or gets the new ones whole. What exceeds a
   million calls of a thread is in the table only. */
CN_API bool cn_profile_save(const char *path);

/* FLOP/s of the fastest of a dozen products of 1024 x 1024 matrices, made now; 0 after an error. */
CN_API double cn_profile_peak(void);

/* Opens a range of this thread's time line within those that are open; returns what
   cn_profile_pop() closes it with. `name` must live until the profile is not needed any more. Nothing
   happens while no profile is taken. */
CN_API size_t cn_profile_push(const char *name);
CN_API void cn_profile_pop(size_t was);

#ifndef __cplusplus
/* CN_PROFILE("loading") { ... }. Leave it by its end. */
#define CN_PROFILE(name) CN_PROFILE_(name, __LINE__)
#define CN_PROFILE_(name, line) CN_PROFILE__(name, line)
#define CN_PROFILE__(name, line)                                                                   \
    for (size_t cn_range_##line = cn_profile_push(name), cn_first_##line = 1; cn_first_##line;     \
         cn_profile_pop(cn_range_##line), cn_first_##line = 0)
#endif

CN_END_DECLS
#endif
