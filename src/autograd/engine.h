/* engine.h - one backward pass. */
#ifndef CN_AUTOGRAD_ENGINE_H
#define CN_AUTOGRAD_ENGINE_H

#include "autograd/grads.h"
#include "autograd/heap.h"

typedef struct cn_capture {
    cn_tensor *target; /* whose gradient is wanted (cn_grad_of) */
    cn_tensor *grad;   /* collected so far; owned */
} cn_capture;

typedef struct cn_engine {
    cn_heap heap;
    cn_capture *captures; /* NULL: accumulate in leaves */
    cn_capture *hooked;   /* leaves with hooks, and their gradients so far */
    int n_captures, n_hooked;
    bool retain, create;
    bool watching;   /* anomaly mode: look for NaN in what is handed in */
    bool profiled;   /* take the time of rules */
    cn_grads *outer; /* the call whose recomputed graph this is: what leaves `region` goes there */
    uint32_t region;
} cn_engine;

/* A call in its turn. */
struct cn_grads {
    cn_engine *engine;
    cn_node *node;
};

/* A pass over the calls of one region, which `outer`, in its turn, has recorded just now. */
bool cn_backward_within(cn_grads *outer, uint32_t region, cn_tensor *const *outs,
                        cn_tensor *const *cotangents, int n);

#endif
