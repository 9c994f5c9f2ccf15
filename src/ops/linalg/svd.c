/* svd.c - singular value decomposition. Golub, Van Loan, section 8.6; gradients: Giles, An extended
   collection of matrix derivative results, 2008. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

#include <string.h>

typedef struct {
    bool full_matrices;
    const char *driver;
} Params;

static bool svd_infer(const cn_call *c, cn_spec out[])
{
    const Params *p = c->params;
    if (p->driver)
        return cn_fail(CN_EINVALID, "%s: there is no choice of drivers on the CPU", c->op->name);
    if (!cn_want_matrix(c, 0, false)) return false;
    const cn_view *a = cn_in(c, 0);
    cn_shape batch = cn_batch_shape(&a->shape, 2);
    int64_t m = a->shape.dim[batch.ndim], n = a->shape.dim[batch.ndim + 1], k = m < n ? m : n;
    out[0] = (cn_spec){ a->dtype, cn_with_sizes(batch, m, p->full_matrices ? m : k) };
    out[1] = (cn_spec){ a->dtype, cn_batch_shape(&a->shape, 1) };
    out[1].shape.dim[batch.ndim] = k;
    out[2] = (cn_spec){ a->dtype, cn_with_sizes(batch, p->full_matrices ? n : k, n) };
    return true;
}

bool cn_run_svd(const cn_call *c, const cn_decompositions *by)
{
    const cn_view *a = cn_in(c, 0), *u = cn_out(c, 0), *s = cn_out(c, 1), *vh = cn_out(c, 2);
    int nd = a->shape.ndim;
    int64_t m = a->shape.dim[nd - 2], n = a->shape.dim[nd - 1];
    int64_t rank = u->shape.dim[nd - 1], rows = vh->shape.dim[nd - 2];
    size_t bytes = (size_t)(m * n) * cn_dtype_size(a->dtype);
    if (!cn_all_finite(c)) return false;
    void *work = cn_alloc(bytes);
    int64_t status = work ? 0 : CN_NO_WORKSPACE;
    for (int64_t i = 0; status == 0 && i < cn_batch_size(a, 2); i++) {
        memcpy(work, cn_matrix_at(a, i, m * n), bytes);
        status = by->svd(((const Params *)c->params)->full_matrices, m, n, work,
                         cn_matrix_at(u, i, m * rank), cn_matrix_at(s, i, m < n ? m : n),
                         cn_matrix_at(vh, i, rows * n));
        if (status > 0)
            cn_fail(CN_EINVALID, "%s: matrix %lld: no convergence", c->op->name, (long long)i);
    }
    cn_free(work);
    return status == 0;
}

static bool svd_kernel(const cn_call *c)
{
    return cn_run_svd(c, cn_own_decompositions(c));
}

/* ---- the gradient ---------------------------------------------------------------------------

   gA = U (diag(gS) + (skew(U^T gU) / E) S + S (skew(V^T gV) / E)) V^T, E_ij = s_j^2 - s_i^2, and from
   what of gU, gV is not in the space of U, V: + (1 - U U^T) gU S^-1 V^T + U S^-1 gV^T (1 - V V^T).
   Of full matrices the columns without singular values count as constants, as in PyTorch. */

typedef struct {
    cn_tensor *u, *s, *vh, *gu, *gvh; /* gu, gvh: NULL when nothing depends on them */
    int64_t m, n, k;
} Svd;

/* x - x^T over E. */
static cn_tensor *turned(const Svd *d, cn_tensor *x)
{
    cn_tensor *squares = cn_square(d->s);
    cn_tensor *e = cn_add(cn_sub(cn_unsqueeze(squares, -2), cn_unsqueeze(squares, -1)),
                          cn_eye_like(squares, d->k));
    return cn_div(cn_sub(x, cn_mt(x)), e);
}

static cn_tensor *add_if(cn_tensor *a, cn_tensor *b)
{
    return a ? cn_add(a, b) : b;
}

static cn_tensor *svd_gradient(const Svd *d, cn_tensor *inner)
{
    cn_tensor *ut = cn_mt(d->u), *v = cn_mt(d->vh);
    cn_tensor *ugu = d->gu ? cn_matmul(ut, d->gu) : NULL;
    cn_tensor *gvv = d->gvh ? cn_matmul(d->gvh, v) : NULL; /* (V^T gV)^T */
    if (ugu) inner = add_if(inner, cn_scaled_columns(turned(d, ugu), d->s));
    if (gvv) inner = add_if(inner, cn_mul(cn_unsqueeze(d->s, -1), turned(d, cn_mt(gvv))));
    cn_tensor *left = cn_matmul(d->u, inner);
    if (ugu && d->m > d->k) {
        cn_tensor *outside = cn_sub(d->gu, cn_matmul(d->u, ugu));
        left = cn_add(left, cn_div(outside, cn_unsqueeze(d->s, -2)));
    }
    cn_tensor *g = cn_matmul(left, d->vh);
    if (gvv && d->n > d->k) {
        cn_tensor *outside = cn_sub(d->gvh, cn_matmul(gvv, d->vh));
        g = cn_add(g, cn_matmul(d->u, cn_div(outside, cn_unsqueeze(d->s, -1))));
    }
    return g;
}

static void svd_backward(cn_grads *g)
{
    cn_tensor *s = cn_saved_out(g, 1), *u = cn_saved_out(g, 0), *vh = cn_saved_out(g, 2);
    if (!u || !s || !vh) return;
    Svd d = { .s = s, .m = cn_size(u, -2), .n = cn_size(vh, -1), .k = cn_size(s, -1) };
    d.u = cn_narrow(u, -1, 0, d.k), d.vh = cn_narrow(vh, -2, 0, d.k);
    if (cn_has_gout(g, 0)) d.gu = cn_narrow(cn_gout(g, 0), -1, 0, d.k);
    if (cn_has_gout(g, 2)) d.gvh = cn_narrow(cn_gout(g, 2), -2, 0, d.k);
    cn_tensor *inner =
        cn_has_gout(g, 1) || (!d.gu && !d.gvh) ? cn_on_diagonal(cn_gout(g, 1)) : NULL;
    cn_give(g, 0, svd_gradient(&d, inner));
}

const cn_op cn_op_linalg_svd = {
    CN_OP_HEAD(
        linalg_svd, "linalg.svd",
        "(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor, Tensor, Tensor)"),
    .doc = "A = U diag(S) Vh: orthonormal columns in U, rows in Vh, singular values descending.",
    .flags = CN_ROWS,
    .params_size = sizeof(Params),
    .infer = svd_infer,
    .kernel = svd_kernel,
    .saves = CN_SAVE_OUT(0) | CN_SAVE_OUT(1) | CN_SAVE_OUT(2),
    .backward = svd_backward,
    .samples = "#[3,3] | [2,3,2] False | [2,4] full_matrices=False | [1,1] | [0,0] | [0,2,2] | "
               "[0,3] False",
};

/* ---- svdvals, svd -------------------------------------------------------------------------- */

static bool decompose(cn_tensor *a, bool full, cn_tensor *out[3])
{
    return cn_apply(&cn_op_linalg_svd, &a, 1, &(Params){ full, NULL }, out, 3);
}

cn_tensor *cn_singular_values(cn_tensor *a)
{
    cn_tensor *out[3];
    return decompose(a, false, out) ? out[1] : NULL;
}

static bool svdvals_compose(cn_call *c)
{
    if (*(const char *const *)c->params)
        return cn_fail(CN_EINVALID, "%s: there is no choice of drivers on the CPU", c->op->name);
    return cn_want_matrix(c, 0, false) && cn_set_out(c, 0, cn_singular_values(c->in[0]));
}

const cn_op cn_op_svdvals = {
    CN_OP_HEAD(svdvals, "linalg.svdvals", "(Tensor A, *, str? driver=None) -> Tensor"),
    .doc = "The singular values, descending.",
    .params_size = sizeof(char *),
    .compose = svdvals_compose,
    .samples = "#[3,3] | [2,3,2] | [2,4] | [0,3] | [0,2,2]",
};

typedef struct {
    bool some, compute_uv;
} OldParams;

/* V instead of its transpose; without compute_uv U and V are zeros. */
static bool svd_compose(cn_call *c)
{
    const OldParams *p = c->params;
    cn_tensor *out[3];
    if (!decompose(c->in[0], !p->some || !p->compute_uv, out)) return false;
    if (!p->compute_uv)
        for (int i = 0; i < 3; i += 2) out[i] = cn_zeros(out[i]->v.shape, out[i]->v.dtype);
    return cn_set_out(c, 0, out[0]) && cn_set_out(c, 1, out[1]) && cn_set_out(c, 2, cn_mt(out[2]));
}

const cn_op cn_op_svd = {
    CN_OP_HEAD(svd, "svd",
               "(Tensor input, bool some=True, bool compute_uv=True) -> (Tensor, Tensor, Tensor)"),
    .doc = "input = U diag(S) V^T, with the columns that belong to singular values, or all.",
    .params_size = sizeof(OldParams),
    .compose = svd_compose,
    .samples = "[3,2] | #[2,2] False | [2,3] compute_uv=False",
};
