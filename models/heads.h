/* heads.h - side heads, the auxiliary classifiers of GoogLeNet and Inception v3. */
#ifndef MODELS_HEADS_H
#define MODELS_HEADS_H

#include <cenote/cenote.h>

enum { CN_MAX_SIDE_HEADS = 2 };

typedef struct cn_side_head {
    const char *name, *after; /* the part that is a head, and the part whose output it takes */
} cn_side_head;

/* A chain, to be filled with cn_add_part(). In training cn_forward_all() gives the main output and then those
   of the heads, in this order; otherwise the heads are not run. */
cn_module *cn_chain_with_heads(const cn_side_head *heads, int n);

#endif
