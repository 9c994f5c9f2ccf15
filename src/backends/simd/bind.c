/* bind.c - the provider of our own vector kernels. */
#include "backends/simd/bind.h"

const cn_simd_table *cn_simd;

static const cn_simd_binding *by_op[CN_NUM_OPS];

const cn_simd_binding *cn_simd_bound(int op)
{
    return by_op[op];
}

static void enter(const cn_simd_binding *list)
{
    for (; list->kernel; list++) by_op[list->op] = list;
}

bool cn_simd_probe(void)
{
    cn_simd = cn_simd_select();
    if (!cn_simd) return false;
    static const cn_simd_binding *const lists[] = {
        cn_simd_elementwise, cn_simd_sums,  cn_simd_products, cn_simd_networks,
        cn_simd_rows,        cn_simd_norms, cn_simd_pools,    cn_simd_dropouts,
        cn_simd_extreme_ops, cn_simd_gates, cn_simd_steps,    cn_simd_attentions,
    };
    for (size_t i = 0; i < CN_COUNT(lists); i++) enter(lists[i]);
    return true;
}

const char *cn_simd_refuses_sparse(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && !cn_simd_dense(cn_in(c, i))) return "not dense float32";
    return NULL;
}

const char *cn_simd_refuses_empty(const cn_call *c)
{
    return cn_in(c, 0)->numel ? cn_simd_refuses_sparse(c) : "empty";
}

static bool knows(int op)
{
    return by_op[op] || cn_simd_knows_blocked(op);
}

static cn_kernel *find(const cn_call *c, const char **why)
{
    const cn_simd_binding *b = by_op[c->op->id];
    if (!b) return NULL;
    const char *reason = b->refuses ? b->refuses(c) : cn_simd_refuses_sparse(c);
    if (!reason) return b->kernel;
    *why = reason;
    return NULL;
}

extern const cn_provider cn_provider_simd;
const cn_provider cn_provider_simd = { sizeof(cn_provider), "simd", cn_simd_probe, knows, find,
                                       cn_simd_find_blocked };
