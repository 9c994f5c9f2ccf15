/* autocast.h (internal) - converting the inputs of calls. */
#ifndef CN_CORE_AUTOCAST_H
#define CN_CORE_AUTOCAST_H

#include "core/op.h"

#include <cenote/autocast.h>

/* What an op wants of its float inputs, by op->id. */
typedef enum cn_cast_rule { CN_CAST_NONE, CN_CAST_LOW, CN_CAST_WIDE } cn_cast_rule;
extern const unsigned char cn_cast_rules[];

typedef struct cn_cast_copy cn_cast_copy;

/* Autocast in a thread, with its copies of parameters. */
typedef struct cn_autocast {
    bool on, paused; /* paused: within an op whose inputs were converted */
    cn_dtype dtype;
    cn_cast_copy *copies;
} cn_autocast;

cn_autocast cn_autocast_now(void); /* to look at */
/* Is it on for the next call? */
bool cn_autocasting(void);
/* Changes to another state for a while, that of `like` without its copies; returns what
   cn_autocast_leave() goes back to. */
cn_autocast cn_autocast_enter(const cn_autocast *like);
void cn_autocast_leave(cn_autocast back);

/* in[0 .. n-1] as op wants them, to `to`. Sets *changed if the op has a rule. False: an error. */
bool cn_autocast_inputs(const cn_op *op, cn_tensor *const *in, int n, cn_tensor **to,
                        bool *changed);
bool cn_autocast_pause(bool on); /* returns what was */

#endif
