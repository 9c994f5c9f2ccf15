/* custom.h - calls of functions of the user, as the tape keeps them. */
#ifndef CN_AUTOGRAD_CUSTOM_H
#define CN_AUTOGRAD_CUSTOM_H

#include "autograd/engine.h"

/* Not in the table: every call has a forward, and as many inputs and outputs, of its own. */
extern const cn_op cn_op_custom;

/* Its parameters. Behind the edges of the n_in inputs come those of the n_saved tensors, and
   behind them the tensors it depends on without having been given them. */
typedef struct cn_custom_params {
    const cn_custom *f;
    void *context;
    int n_in, n_saved;
} cn_custom_params;

/* One of its forwards or backwards that is running. */
struct cn_custom_call {
    cn_tensor **saved; /* forward: borrowed, in the scope of the call */
    int n_saved;
    cn_edge *depends; /* forward: where gradients go besides the inputs; each owns a reference */
    int n_depends;
    cn_grads *grads; /* backward; NULL in forward */
};

const char *cn_custom_name(const cn_node *node);

#endif
