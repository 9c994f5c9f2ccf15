/* eigh.c - eigenvalues and eigenvectors of symmetric matrices. Golub, Van Loan, section 8.5. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *uplo; /* L: the lower triangle is read; U: the upper one */
} Params;

static bool eigh_infer(const cn_call *c, cn_spec out[])
{
    const char *uplo = ((const Params *)c->params)->uplo;
    if (!strchr("LlUu", uplo[0]) || strlen(uplo) != 1)
        return cn_fail(CN_EINVALID, "%s: UPLO is 'L' or 'U', not '%s'", c->op->name, uplo);
    if (!cn_want_matrix(c, 0, true)) return false;
    const cn_view *a = cn_in(c, 0);
    out[0] = (cn_spec){ a->dtype, cn_batch_shape(&a->shape, 1) };
    out[1] = (cn_spec){ a->dtype, a->shape };
    return true;
}

bool cn_run_eigh(const cn_call *c, const cn_decompositions *by)
{
    const cn_view *w = cn_out(c, 0), *v = cn_out(c, 1);
    int64_t n = v->shape.dim[v->shape.ndim - 1];
    bool upper = strchr("Uu", ((const Params *)c->params)->uplo[0]) != NULL;
    if (!cn_all_finite(c)) return false;
    cn_copy_view(v, cn_in(c, 0));
    for (int64_t i = 0; i < cn_batch_size(v, 2); i++) {
        int64_t status = by->eigh(upper, n, cn_matrix_at(v, i, n * n), cn_matrix_at(w, i, n));
        if (status == CN_NO_WORKSPACE) return false;
        if (status)
            return cn_fail(CN_EINVALID, "%s: matrix %lld: no convergence", c->op->name,
                           (long long)i);
    }
    return true;
}

static bool eigh_kernel(const cn_call *c)
{
    return cn_run_eigh(c, cn_own_decompositions(c));
}

/* gA = V (diag(gw) + skew(V^T gV) / E) V^T, with skew(X) = (X - X^T) / 2 and E_ij = w_j - w_i beside
   the diagonal. */
static void eigh_backward(cn_grads *g)
{
    cn_tensor *w = cn_saved_out(g, 0), *v = cn_saved_out(g, 1);
    cn_tensor *inner = NULL;
    if (!w || !v) return;
    if (cn_has_gout(g, 0) || !cn_has_gout(g, 1)) inner = cn_on_diagonal(cn_gout(g, 0));
    if (cn_has_gout(g, 1)) {
        cn_tensor *eye = cn_eye_like(w, cn_size(w, -1));
        cn_tensor *e = cn_add(cn_sub(cn_unsqueeze(w, -2), cn_unsqueeze(w, -1)), eye);
        cn_tensor *x = cn_matmul(cn_mt(v), cn_gout(g, 1)), *skew = cn_sub(x, cn_mt(x));
        cn_tensor *turn = cn_mul(cn_div(skew, e), cn_number(0.5));
        inner = inner ? cn_add(inner, turn) : turn;
    }
    cn_give(g, 0, cn_matmul(cn_matmul(v, inner), cn_mt(v)));
}

#define EIGH_SAMPLES "[3,3] | [2,3,3] U | [1,1] | [0,0] | [0,2,2] | [2,0,0]"

const cn_op cn_op_linalg_eigh = {
    CN_OP_HEAD(linalg_eigh, "linalg.eigh", "(Tensor A, str UPLO='L') -> (Tensor, Tensor)"),
    .doc = "Eigenvalues, ascending, and eigenvectors, in columns, of symmetric matrices.",
    .flags = CN_ROWS | CN_ONE_TRIANGLE,
    .params_size = sizeof(Params),
    .infer = eigh_infer,
    .kernel = eigh_kernel,
    .saves = CN_SAVE_OUT(0) | CN_SAVE_OUT(1),
    .backward = eigh_backward,
    .samples = EIGH_SAMPLES,
};

static bool eigvalsh_compose(cn_call *c)
{
    cn_tensor *out[2];
    return cn_apply(&cn_op_linalg_eigh, c->in, 1, c->params, out, 2) && cn_set_out(c, 0, out[0]);
}

const cn_op cn_op_linalg_eigvalsh = {
    CN_OP_HEAD(linalg_eigvalsh, "linalg.eigvalsh", "(Tensor A, str UPLO='L') -> Tensor"),
    .doc = "The eigenvalues of symmetric matrices, ascending.",
    .flags = CN_ONE_TRIANGLE,
    .params_size = sizeof(Params),
    .compose = eigvalsh_compose,
    .samples = EIGH_SAMPLES,
};

typedef struct {
    bool eigenvectors, upper;
} OldParams;

static bool symeig_compose(cn_call *c)
{
    const OldParams *p = c->params;
    Params q = { p->upper ? "U" : "L" };
    cn_tensor *out[2];
    if (!cn_apply(&cn_op_linalg_eigh, c->in, 1, &q, out, 2)) return false;
    if (!p->eigenvectors) out[1] = cn_empty(CN_SHAPE(0), out[0]->v.dtype);
    return cn_set_out(c, 0, out[0]) && cn_set_out(c, 1, out[1]);
}

const cn_op cn_op_symeig = {
    CN_OP_HEAD(symeig, "symeig",
               "(Tensor input, bool eigenvectors=False, bool upper=True) -> (Tensor, Tensor)"),
    .doc = "linalg.eigh by its older name; the vectors only if they are asked for.",
    .flags = CN_ONE_TRIANGLE,
    .params_size = sizeof(OldParams),
    .compose = symeig_compose,
    .samples = "[3,3] | [2,3,3] upper=False",
};
