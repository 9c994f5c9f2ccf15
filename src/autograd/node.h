/* node.h - a recorded call. */
#ifndef CN_AUTOGRAD_NODE_H
#define CN_AUTOGRAD_NODE_H

#include "core/tape.h"

#include <cenote/autograd.h>

struct cn_hook {
    cn_hook *next;
    cn_grad_hook *call;         /* one of these two */
    cn_accumulated_hook *after; /* only of leaves */
    void *context;
    int out_index;
};

/* Where the gradient of one input goes: to the call that made it, or into a leaf. */
typedef struct cn_edge {
    cn_node *node;
    cn_tensor *leaf;
    cn_tensor *saved; /* the input itself, if backward reads it */
    uint32_t version; /* of saved, when it was saved */
    int out_index;
    cn_spec spec;
} cn_edge;

typedef struct cn_result {
    cn_tensor *saved; /* an alias without a graph: the output itself would close a cycle */
    uint32_t version;
    cn_tensor *grad; /* collected so far, while backward runs */
    cn_tensor *kept; /* what backward left for cn_grad(), if cn_retain_grad() asked for it */
    cn_spec spec;
} cn_result;

/* One block: the node, its results, its edges, its parameters. */
struct cn_node {
    const cn_op *op;
    atomic_int refs;
    int depth; /* greater than that of every input: the order of backward */
    int n_in, n_out;
    uint32_t region; /* the recomputation it belongs to; 0: none */
    bool consumed;   /* saved tensors are gone */
    bool queued;
    uint64_t retains; /* a bit for each result of cn_retain_grad() */
    char *note;       /* the labels at the time, in anomaly mode; or NULL */
    cn_node *next_dead;
    cn_hook *hooks;
    cn_result *results;
    void *params;
    cn_edge edges[];
};

/* A reference to t for a call to keep: of a view without its base, whose place in the graph may come to depend
   on the call. NULL: out of memory. */
cn_tensor *cn_tape_save(cn_tensor *t);
void cn_node_consume(cn_node *node); /* frees what it saved */
const char *cn_node_name(const cn_node *node);
/* From now on recorded calls belong to that region. Returns what it was. */
uint32_t cn_set_region(uint32_t region);

static inline bool cn_edge_wants(const cn_edge *e)
{
    return e->node || e->leaf;
}

#endif
