/* profile.h (internal) - taking the time of calls. */
#ifndef CN_CORE_PROFILE_H
#define CN_CORE_PROFILE_H

#include "core/op.h"

#include <cenote/profile.h>

/* What of a call, a rule or a range is kept for the time line. */
typedef struct cn_profile_event {
    const char *name;
    cn_profile_kind kind;
    int64_t begin, end; /* nanoseconds since the profile began */
    double flops, bytes;
    char shapes[64]; /* "f32(256,784) f32(256,784)"; cut off where it does not fit */
} cn_profile_event;

/* A call, a rule or a range that is open. */
typedef struct cn_profile_frame {
    const char *name;
    cn_profile_kind kind;
    int64_t begin, inside; /* inside: in the calls that it made */
} cn_profile_frame;

enum { CN_PROFILE_DEEPEST = 64 };

typedef struct cn_profile_thread {
    struct cn_profile_thread *next;
    int number;               /* from 1, in the order of their first calls */
    size_t n, room, lost;     /* events; those that found no room */
    cn_profile_event *events; /* by their end */
    int n_rows, rows_room;
    cn_profile_row *rows;
    size_t depth;
    cn_profile_frame frames[CN_PROFILE_DEEPEST];
} cn_profile_thread;

bool cn_profiling(void);
/* The threads that made calls; they do not change while no profile is taken. */
const cn_profile_thread *cn_profile_threads(void);

/* Around a call; what cn_profile_enter() returns goes to cn_profile_leave(). */
size_t cn_profile_enter(const char *name, cn_profile_kind kind);
void cn_profile_leave(size_t was, const cn_call *call); /* NULL: a rule or a range */
/* From now on calls of this thread are (not) those of a backward pass; returns what was. */
bool cn_profile_backward(bool on);

/* The floating-point operations of a call, by op->id; NULL where nobody counts them. */
typedef double cn_op_flops(const cn_call *call);
extern cn_op_flops *const cn_flops_of[];

#endif
