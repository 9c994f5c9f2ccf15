/* lowrank.c - the leading singular values by a random projection. Halko, Martinsson, Tropp, Finding
   structure with randomness, 2011, algorithms 4.4 and 5.1. */
#include "ops/linalg/linalg.h"

static cn_tensor *basis_of(cn_tensor *a)
{
    struct {
        const char *mode;
    } p = { "reduced" };
    cn_tensor *out[2];
    return a && cn_apply(&cn_op_linalg_qr, &a, 1, &p, out, 2) ? out[0] : NULL;
}

/* Orthonormal columns that nearly span those of a, after `rounds` rounds of refinement. */
static cn_tensor *sketch(cn_tensor *a, int64_t q, int64_t rounds)
{
    cn_tensor *y = basis_of(cn_matmul(a, cn_randn(CN_SHAPE(cn_size(a, -1), q), a->v.dtype)));
    for (int64_t i = 0; y && i < rounds; i++)
        y = basis_of(cn_matmul(a, basis_of(cn_matmul(cn_mt(a), y))));
    return y;
}

/* U, S and V of the q leading singular values of a tall matrix. */
static bool leading(cn_tensor *a, int64_t q, int64_t rounds, cn_tensor *out[3])
{
    struct {
        bool full;
        const char *driver;
    } thin = { false, NULL };
    if (!a) return false;
    cn_tensor *y = sketch(a, q, rounds), *small = cn_matmul(cn_mt(y), a);
    if (!small || !cn_apply(&cn_op_linalg_svd, &small, 1, &thin, out, 3)) return false;
    out[0] = cn_matmul(y, out[0]);
    out[2] = cn_mt(out[2]);
    return out[0] && out[2];
}

static bool give_leading(cn_call *c, cn_tensor *a, int64_t q, int64_t rounds)
{
    cn_tensor *out[3];
    if (!a) return false;
    int64_t m = cn_size(a, -2), n = cn_size(a, -1);
    if (q < 0 || q > (m < n ? m : n) || rounds < 0)
        return cn_fail(CN_EINVALID, "%s: q is %lld and niter %lld for %lld x %lld matrices",
                       c->op->name, (long long)q, (long long)rounds, (long long)m, (long long)n);
    bool wide = m < n;
    return leading(wide ? cn_mt(a) : a, q, rounds, out) && cn_set_out(c, 0, out[wide ? 2 : 0]) &&
           cn_set_out(c, 1, out[1]) && cn_set_out(c, 2, out[wide ? 0 : 2]);
}

typedef struct {
    int64_t q, niter;
} Lowrank;

static bool svd_lowrank_compose(cn_call *c)
{
    const Lowrank *p = c->params;
    if (!cn_want_matrix(c, 0, false)) return false;
    cn_tensor *a = c->in[1] ? cn_sub(c->in[0], c->in[1]) : c->in[0];
    return give_leading(c, a, p->q, p->niter);
}

const cn_op cn_op_svd_lowrank = {
    CN_OP_HEAD(svd_lowrank, "svd_lowrank",
               "(Tensor A, int q=6, int niter=2, Tensor? M=None) -> (Tensor, Tensor, Tensor)"),
    .doc = "U, S and V of the q leading singular values of A - M, nearly, by random projection.",
    .flags = CN_RANDOM,
    .params_size = sizeof(Lowrank),
    .optional = CN_SAVE_IN(1),
    .compose = svd_lowrank_compose,
    .samples = "[6,4] 2 | [2,3,5] 3 M=[1,5]",
};

typedef struct {
    cn_opt_int q;
    bool center;
    int64_t niter;
} Pca;

static bool pca_lowrank_compose(cn_call *c)
{
    const Pca *p = c->params;
    enum { USUAL = 6 };
    if (!cn_want_matrix(c, 0, false)) return false;
    cn_tensor *a = c->in[0];
    int64_t m = cn_size(a, -2), n = cn_size(a, -1), least = m < n ? m : n;
    int64_t q = p->q.given ? p->q.value : least < USUAL ? least : USUAL;
    if (p->center) a = cn_sub(a, cn_mean(a, .dim = CN_SHAPE(-2), .keepdim = true));
    return give_leading(c, a, q, p->niter);
}

const cn_op cn_op_pca_lowrank = {
    CN_OP_HEAD(pca_lowrank, "pca_lowrank",
               "(Tensor A, int? q=None, bool center=True, int niter=2) -> (Tensor, Tensor, "
               "Tensor)"),
    .doc = "svd_lowrank of A without the mean of its rows: V holds the principal directions.",
    .flags = CN_RANDOM,
    .params_size = sizeof(Pca),
    .compose = pca_lowrank_compose,
    .samples = "[6,4] | [2,3,5] 2 False",
};
