/* plan.h - primitives that are ready to run, kept by what they were made from.

   A primitive costs up to a millisecond to make and a quarter of a microsecond to run, so each
   thread keeps those it has made. */
#ifndef CN_BACKENDS_ONEDNN_PLAN_H
#define CN_BACKENDS_ONEDNN_PLAN_H

#include "backends/onednn/adapter.h"
#include "core/provider.h"

/* A primitive, and the reorders between the caller's layouts and its own. */
typedef struct cn_dnnl_plan {
    cn_dnnl_op main;
    cn_dnnl_op before[2], after; /* of the inputs and the result; no primitive: none is needed */
    size_t before_bytes[2], after_bytes, scratch_bytes; /* what they need room for */
    int out_block;                                      /* the result stays in such blocks */
    bool unusable;                                      /* oneDNN cannot do it */
} cn_dnnl_plan;

enum { CN_DNNL_KEY_BYTES = 256 };

/* This thread's plan for a key (any struct without padding; a multiple of 8 bytes long). When there
   is none yet, `make` fills an empty one; if it fails the plan is kept as unusable. NULL: no
   memory. */
cn_dnnl_plan *cn_dnnl_plan_for(const void *key, size_t bytes,
                               bool (*make)(cn_dnnl_plan *plan, const void *key));

/* What the two kinds of kernels offer: see cn_provider. */
cn_kernel *cn_dnnl_find_product(const cn_call *c, const char **why);
cn_kernel *cn_dnnl_find_convolution(const cn_call *c, const char **why);
/* Where to send the reason for declining; gives NULL. */
cn_kernel *cn_dnnl_decline(const char **why, const char *reason);

/* Multiplications below which our own kernels win. */
enum { CN_DNNL_SMALLEST = 32 * 32 * 32 };

#endif
