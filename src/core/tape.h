/* tape.h - the recorded calls: what core must know of autograd, which implements it. */
#ifndef CN_CORE_TAPE_H
#define CN_CORE_TAPE_H

#include "core/op.h"

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

bool cn_grad_enabled(void);
/* Remembers a finished call whose outputs need gradients. False when out of memory. */
bool cn_tape_record(const cn_call *call);

/* From now on t is, for autograd, what r is. */
void cn_tape_adopt(cn_tensor *t, const cn_tensor *r);

#endif
