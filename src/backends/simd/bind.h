/* bind.h - how the kernels of the table meet the ops: one row per op, in the files bind_*.c. */
#ifndef CN_BACKENDS_SIMD_BIND_H
#define CN_BACKENDS_SIMD_BIND_H

#include "backends/simd/simd_table.h"
#include "core/provider.h"
#include "core/threads.h"
#include "ops/internal.h"

typedef struct cn_simd_binding {
    int op; /* CN_OP_ID_... */
    cn_kernel *kernel;
    /* NULL when the kernel takes this call, otherwise why not. NULL here: cn_simd_refuses_sparse. */
    const char *(*refuses)(const cn_call *call);
} cn_simd_binding;

/* The table in use; set before any kernel runs. */
extern const cn_simd_table *cn_simd;

/* Lists ended by a NULL kernel. */
extern const cn_simd_binding cn_simd_elementwise[], cn_simd_sums[], cn_simd_products[],
    cn_simd_networks[], cn_simd_rows[], cn_simd_norms[], cn_simd_pools[], cn_simd_dropouts[],
    cn_simd_extreme_ops[], cn_simd_gates[], cn_simd_steps[], cn_simd_attentions[];

/* Takes calls whose inputs are all dense float32. */
const char *cn_simd_refuses_sparse(const cn_call *c);
/* Of those the ones that have elements: averages of none are the reference's business. */
const char *cn_simd_refuses_empty(const cn_call *c);

/* What gemm_pack() makes of B, which is all of w, kept with w while that stays the same; in the current scope. For
   tensors that cn_may_pack() only. */
const float *cn_simd_packed(cn_tensor *w, const cn_simd_gemm *g);

/* Chooses the table; false: this processor has none. */
bool cn_simd_probe(void);
/* The row of an op in those lists, or NULL. */
const cn_simd_binding *cn_simd_bound(int op);
/* Kernels for images in blocks of channels: see cn_provider. */
bool cn_simd_knows_blocked(int op);
cn_kernel *cn_simd_find_blocked(const cn_call *call, const char **why);

static inline float *cn_simd_out(const cn_call *c, int i)
{
    return (float *)(void *)cn_out(c, i)->data;
}

static inline const float *cn_simd_in(const cn_call *c, int i)
{
    return (const float *)(const void *)cn_in(c, i)->data;
}

/* An input that may be absent. */
static inline const float *cn_simd_in_or_null(const cn_call *c, int i)
{
    return cn_in(c, i) ? cn_simd_in(c, i) : NULL;
}

static inline bool cn_simd_dense(const cn_view *v)
{
    return v->dtype == CN_F32 && v->contiguous;
}

#endif
