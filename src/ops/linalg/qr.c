/* qr.c - QR decomposition by Householder's reflections. Golub, Van Loan, section 5.2; gradients:
   Roberts, Roberts, QR and LQ decomposition matrix backpropagation algorithms, 2020. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

#include <string.h>

typedef struct {
    const char *mode; /* reduced, complete, r */
} Params;

static bool is_mode(const Params *p, const char *mode)
{
    return strcmp(p->mode, mode) == 0;
}

static bool qr_infer(const cn_call *c, cn_spec out[])
{
    const Params *p = c->params;
    if (!is_mode(p, "reduced") && !is_mode(p, "complete") && !is_mode(p, "r"))
        return cn_fail(CN_EINVALID, "%s: mode is 'reduced', 'complete' or 'r', not '%s'",
                       c->op->name, p->mode);
    if (!cn_want_matrix(c, 0, false)) return false;
    const cn_view *a = cn_in(c, 0);
    cn_shape batch = cn_batch_shape(&a->shape, 2);
    int64_t m = a->shape.dim[batch.ndim], n = a->shape.dim[batch.ndim + 1];
    int64_t k = is_mode(p, "complete") || m < n ? m : n;
    out[0] = (cn_spec){ a->dtype, is_mode(p, "r") ? CN_SHAPE(0) : cn_with_sizes(batch, m, k) };
    out[1] = (cn_spec){ a->dtype, cn_with_sizes(batch, k, n) };
    return true;
}

/* Room for one matrix (m, max(n, k)) and its tau. */
typedef struct {
    char *a, *q, *tau;
    int64_t m, n, k;
    size_t size; /* of an element */
} Work;

/* The first k columns of Q into q; R from the triangle of a. */
static int64_t decompose_one(const Work *w, const cn_decompositions *by, char *q, char *r)
{
    int64_t least = w->m < w->n ? w->m : w->n;
    size_t size = w->size;
    int64_t status = by->qr(w->m, w->n, w->a, w->tau);
    for (int64_t i = 0; i < w->k; i++) {
        int64_t zeros = i < w->n ? i : w->n;
        memset(r + (size_t)(i * w->n) * size, 0, (size_t)zeros * size);
        memcpy(r + (size_t)(i * w->n + zeros) * size, w->a + (size_t)(i * w->n + zeros) * size,
               (size_t)(w->n - zeros) * size);
    }
    if (!q || status) return status;
    for (int64_t i = 0; i < w->m; i++)
        memcpy(q + (size_t)(i * w->k) * size, w->a + (size_t)(i * w->n) * size,
               (size_t)least * size);
    return by->reflections(w->m, w->k, least, q, w->tau);
}

bool cn_run_qr(const cn_call *c, const cn_decompositions *by)
{
    const cn_view *a = cn_in(c, 0), *q = cn_out(c, 0), *r = cn_out(c, 1);
    int nd = a->shape.ndim;
    Work w = { .m = a->shape.dim[nd - 2],
               .n = a->shape.dim[nd - 1],
               .k = r->shape.dim[nd - 2],
               .size = cn_dtype_size(a->dtype) };
    bool ok = true, with_q = !is_mode(c->params, "r");
    w.a = cn_alloc((size_t)(w.m * w.n + w.n + 1) * w.size);
    if (!w.a) return false;
    w.tau = w.a + (size_t)(w.m * w.n) * w.size;
    for (int64_t i = 0; ok && i < cn_batch_size(a, 2); i++) {
        memcpy(w.a, cn_matrix_at(a, i, w.m * w.n), (size_t)(w.m * w.n) * w.size);
        ok = decompose_one(&w, by, with_q ? cn_matrix_at(q, i, w.m * w.k) : NULL,
                           cn_matrix_at(r, i, w.k * w.n)) == 0;
    }
    cn_free(w.a);
    return ok;
}

static bool qr_kernel(const cn_call *c)
{
    return cn_run_qr(c, cn_own_decompositions(c));
}

/* ---- the gradient ---------------------------------------------------------------------------

   Tall: gA = (gQ + Q s(triu(gR R^T - Q^T gQ))) R^-T, where s(X) = X + X^T without the diagonal once.
   Wide, R = (R1, R2): gA = Q (tril(X - X^T) R1^-T, 0) + Q gR with X = Q^T gQ - gR R^T. */

static cn_tensor *tall_gradient(cn_tensor *q, cn_tensor *r, cn_tensor *gq, cn_tensor *gr)
{
    cn_tensor *x = cn_upper(cn_sub(cn_matmul(gr, cn_mt(r)), cn_matmul(cn_mt(q), gq)), 0);
    cn_tensor *s = cn_add(x, cn_mt(cn_upper(x, 1)));
    cn_tensor *y = cn_add(gq, cn_matmul(q, s));
    return cn_solve_triangular(cn_mt(r), y, (cn_triangle){ false, false, false });
}

static cn_tensor *wide_gradient(cn_tensor *q, cn_tensor *r, cn_tensor *gq, cn_tensor *gr)
{
    int64_t m = cn_size(r, -2), n = cn_size(r, -1);
    cn_tensor *x = cn_sub(cn_matmul(cn_mt(q), gq), cn_matmul(gr, cn_mt(r)));
    cn_tensor *low = cn_lower(cn_sub(x, cn_mt(x)), 0), *r1 = cn_narrow(r, -1, 0, m);
    cn_tensor *left =
        cn_solve_triangular(cn_mt(r1), cn_matmul(q, low), (cn_triangle){ false, false, false });
    if (!left) return NULL;
    cn_shape rest = cn_with_sizes(cn_batch_shape(&left->v.shape, 2), m, n - m);
    cn_tensor *zero = cn_zeros(rest, left->v.dtype);
    return cn_add(cn_cat((cn_tensor *[]){ left, zero }, 2, -1), cn_matmul(q, gr));
}

static void qr_backward(cn_grads *g)
{
    const Params *p = cn_grad_params(g);
    cn_tensor *q = cn_saved_out(g, 0), *r = cn_saved_out(g, 1);
    const cn_shape *s = cn_in_shape(g, 0);
    int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1];
    if (is_mode(p, "r")) {
        cn_fail(CN_EUNSUPPORTED,
                "linalg.qr: mode 'r' has no gradient, for it needs Q; take 'reduced'");
    } else if (is_mode(p, "complete") && m > n) {
        cn_fail(CN_EUNSUPPORTED, "linalg.qr: mode 'complete' has a gradient only where rows are no "
                                 "more than columns; take 'reduced'");
    } else {
        cn_give(g, 0,
                m >= n ? tall_gradient(q, r, cn_gout(g, 0), cn_gout(g, 1))
                       : wide_gradient(q, r, cn_gout(g, 0), cn_gout(g, 1)));
    }
}

const cn_op cn_op_linalg_qr = {
    CN_OP_HEAD(linalg_qr, "linalg.qr", "(Tensor A, str mode='reduced') -> (Tensor, Tensor)"),
    .doc = "A = Q R with orthonormal columns in Q and upper triangular R; mode 'r': R only.",
    .flags = CN_ROWS,
    .params_size = sizeof(Params),
    .infer = qr_infer,
    .kernel = qr_kernel,
    .saves = CN_SAVE_OUT(0) | CN_SAVE_OUT(1),
    .backward = qr_backward,
    .samples = "#[3,3] | [2,4,2] | [2,4] | #[2,2] complete | [2,3] mode=complete | [0,2] | [2,0] | "
               "[2,0,3,2]",
};

static bool qr_compose(cn_call *c)
{
    Params p = { *(const bool *)c->params ? "reduced" : "complete" };
    cn_tensor *out[2];
    return cn_apply(&cn_op_linalg_qr, c->in, 1, &p, out, 2) && cn_set_out(c, 0, out[0]) &&
           cn_set_out(c, 1, out[1]);
}

const cn_op cn_op_qr = {
    CN_OP_HEAD(qr, "qr", "(Tensor input, bool some=True) -> (Tensor, Tensor)"),
    .doc = "linalg.qr, 'reduced' or (some=False) 'complete'.",
    .params_size = sizeof(bool),
    .compose = qr_compose,
    .samples = "[3,2] | [2,3] False",
};

/* ---- householder_product ------------------------------------------------------------------- */

/* The vector of reflection k as a column: zeros, 1, and what stands below the diagonal. */
static cn_tensor *reflection(cn_tensor *vectors, int64_t k)
{
    int64_t m = cn_size(vectors, -2);
    cn_tensor *column = cn_narrow(vectors, -1, k, 1);
    cn_tensor *below = cn_arange(0, (double)m, 1, CN_I64);
    cn_tensor *mask = cn_unsqueeze(cn_gt(below, cn_number_i64(k)), 1);
    cn_tensor *unit = cn_unsqueeze(cn_eq(below, cn_number_i64(k)), 1);
    if (!column) return NULL;
    cn_tensor *zero = cn_zeros(cn_scalar_shape(), column->v.dtype);
    return cn_add(cn_where(mask, column, zero), cn_to(unit, column->v.dtype));
}

static bool fits(const cn_call *c)
{
    cn_tensor *a = c->in[0], *tau = c->in[1];
    if (!cn_want_matrix(c, 0, false) || !cn_want_dims(c, 1, 1, CN_MAX_DIMS)) return false;
    int64_t m = cn_size(a, -2), n = cn_size(a, -1), k = cn_size(tau, -1);
    cn_shape batch = cn_batch_shape(&a->v.shape, 2), other = cn_batch_shape(&tau->v.shape, 1);
    if (m >= n && n >= k && cn_shape_equal(&batch, &other) && a->v.dtype == tau->v.dtype)
        return true;
    return cn_fail(CN_EINVALID,
                   "linalg.householder_product: %lld numbers tau do not fit %lld x %lld matrices",
                   (long long)k, (long long)m, (long long)n);
}

/* The last reflection first: the product grows from the right, by Q - tau v (v^T Q). */
static bool householder_product_compose(cn_call *c)
{
    if (!fits(c)) return false;
    cn_tensor *a = c->in[0], *tau = c->in[1];
    int64_t m = cn_size(a, -2), n = cn_size(a, -1);
    cn_shape s = a->v.shape;
    cn_tensor *q = cn_expand(cn_narrow(cn_eye_like(a, m), 1, 0, n), s);
    for (int64_t k = cn_size(tau, -1) - 1; q && k >= 0; k--) {
        cn_tensor *v = reflection(a, k), *factor = cn_unsqueeze(cn_narrow(tau, -1, k, 1), -1);
        q = cn_sub(q, cn_mul(factor, cn_matmul(v, cn_matmul(cn_mt(v), q))));
    }
    return cn_set_out(c, 0, cn_clone(q));
}

const cn_op cn_op_householder_product = {
    CN_OP_HEAD(householder_product, "linalg.householder_product",
               "(Tensor input, Tensor tau) -> Tensor"),
    .doc = "The first columns of the product of reflections 1 - tau v v^T, as geqrf stores them.",
    .compose = householder_product_compose,
    .samples = "[3,2] [2] | [2,3,3] [2,2]",
};

/* ---- geqrf, ormqr: QR without forming Q --------------------------------------------------------- */

static bool geqrf_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, false)) return false;
    const cn_view *a = cn_in(c, 0);
    cn_shape tau = cn_batch_shape(&a->shape, 1);
    int64_t m = tau.dim[tau.ndim - 1], n = a->shape.dim[tau.ndim];
    tau.dim[tau.ndim - 1] = m < n ? m : n;
    out[0] = (cn_spec){ a->dtype, a->shape };
    out[1] = (cn_spec){ a->dtype, tau };
    return true;
}

static bool geqrf_kernel(const cn_call *c)
{
    const cn_decompositions *by = cn_own_decompositions(c);
    const cn_view *a = cn_out(c, 0), *tau = cn_out(c, 1);
    int nd = a->shape.ndim;
    int64_t m = a->shape.dim[nd - 2], n = a->shape.dim[nd - 1], k = m < n ? m : n;
    cn_copy_view(a, cn_in(c, 0));
    for (int64_t i = 0; i < cn_batch_size(a, 2); i++)
        if (by->qr(m, n, cn_matrix_at(a, i, m * n), cn_matrix_at(tau, i, k))) return false;
    return true;
}

const cn_op cn_op_geqrf = {
    CN_OP_HEAD(geqrf, "geqrf", "(Tensor input) -> (Tensor, Tensor)"),
    .doc =
        "R and, below its diagonal, the vectors v of the reflections 1 - tau v v^T whose product "
        "is Q; and the numbers tau.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .infer = geqrf_infer,
    .kernel = geqrf_kernel,
    .samples = "[3,3] | [2,4,2] | [2,4] | [0,2] | [2,0,3]",
};

typedef struct {
    bool left, transpose;
} Ormqr;

/* The reflections of input on x, the last first: Q x. In the other order it is Q^T x. */
static cn_tensor *reflected(cn_tensor *vectors, cn_tensor *tau, cn_tensor *x, bool last_first)
{
    int64_t count = cn_size(tau, -1);
    for (int64_t i = 0; x && i < count; i++) {
        int64_t k = last_first ? count - 1 - i : i;
        cn_tensor *v = reflection(vectors, k), *factor = cn_unsqueeze(cn_narrow(tau, -1, k, 1), -1);
        x = cn_sub(x, cn_mul(factor, cn_matmul(v, cn_matmul(cn_mt(v), x))));
    }
    return x;
}

/* x Q is (Q^T x^T)^T. */
static bool ormqr_compose(cn_call *c)
{
    const Ormqr *p = c->params;
    cn_tensor *a = c->in[0], *tau = c->in[1], *x = c->in[2];
    if (!cn_want_matrix(c, 0, false) || !cn_want_matrix(c, 2, false) ||
        !cn_want_dims(c, 1, 1, CN_MAX_DIMS))
        return false;
    int64_t m = cn_size(a, -2), k = cn_size(tau, -1), rows = cn_size(x, p->left ? -2 : -1);
    if (rows != m || k > m || k > cn_size(a, -1) || a->v.shape.ndim != x->v.shape.ndim ||
        tau->v.shape.ndim != a->v.shape.ndim - 1)
        return cn_fail(CN_EINVALID,
                       "ormqr: %lld reflections of %lld elements do not fit a side of %lld",
                       (long long)k, (long long)m, (long long)rows);
    cn_tensor *y = reflected(a, tau, p->left ? x : cn_mt(x), p->left != p->transpose);
    return cn_set_out(c, 0, p->left ? cn_clone(y) : cn_clone(cn_mt(y)));
}

const cn_op cn_op_ormqr = {
    CN_OP_HEAD(ormqr, "ormqr",
               "(Tensor input, Tensor tau, Tensor other, bool left=True, bool transpose=False) -> "
               "Tensor"),
    .doc =
        "Q other (or other Q, or with Q transposed) for the Q that geqrf stores in input and tau.",
    .params_size = sizeof(Ormqr),
    .compose = ormqr_compose,
    .samples =
        "[3,2] [2] [3,2] | [3,3] [3] [3,2] transpose=True | [2,3,2] [2,2] [2,4,3] left=False "
        "| [3,2] [2] [2,3] False True",
};
