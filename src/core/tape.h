/* tape.h - the recorded calls: what core must know of autograd, which implements it. */
#ifndef CN_CORE_TAPE_H
#define CN_CORE_TAPE_H

#include "core/op.h"

#include <cenote/autograd.h>

/* What is to be freed: filled and emptied in turn, so that no depth of graph needs a deep stack. */
typedef struct cn_dead {
    cn_tensor *tensors;
    cn_node *nodes;
} cn_dead;

void cn_dead_tensor(cn_dead *dead,
                    cn_tensor *t); /* gives a reference back; queues it when it was the last */
void cn_dead_node(cn_dead *dead, cn_node *node);
void cn_node_bury(cn_dead *dead); /* frees the first queued node, queues what it held */
void cn_bury(cn_dead *dead);      /* frees everything queued */
void cn_hooks_free(cn_hook *hooks);

/* Remembers a finished call whose outputs need gradients. False when out of memory. */
bool cn_tape_record(const cn_call *call);

/* From now on t is, for autograd, what r is. */
void cn_tape_adopt(cn_tensor *t, const cn_tensor *r);

/* ---- views.c -------------------------------------------------------------------------------- */

/* `view`, just made, shows a part of `of`. */
void cn_tape_link(cn_tensor *view, cn_tensor *of);
/* Fails, saying why no change can be recorded through t, whose `fixed` is set. */
bool cn_tape_refuse(const char *who, const cn_tensor *t);
/* The values of t are about to become those of r: records it. */
bool cn_tape_change(cn_tensor *t, cn_tensor *r);
/* t as it is now, with its place in the graph but memory of its own: for a call whose result t will become, and
   whose backward may read t. Owned by the scope. */
cn_tensor *cn_tape_shadow(cn_tensor *t);
bool cn_tape_refresh(cn_tensor *t);
/* Gives a view its place in the graph as it is after changes in place, if there were some. */
static inline bool cn_refresh(cn_tensor *t)
{
    return cn_is_current(t) || cn_tape_refresh(t);
}

#endif
