/* eig.c - eigenvalues and eigenvectors of general matrices. Golub, Van Loan, chapter 7. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

#include <string.h>

static bool eig_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, true)) return false;
    const cn_view *a = cn_in(c, 0);
    cn_dtype d = cn_dtype_complex_of(a->dtype);
    out[0] = (cn_spec){ d, cn_batch_shape(&a->shape, 1) };
    out[1] = (cn_spec){ d, a->shape };
    return true;
}

bool cn_run_eig(const cn_call *c, const cn_decompositions *by)
{
    const cn_view *a = cn_in(c, 0), *w = cn_out(c, 0), *v = cn_out(c, 1);
    int64_t n = v->shape.dim[v->shape.ndim - 1];
    if (!cn_all_finite(c)) return false;
    size_t size = (size_t)(n * n) * cn_dtype_size(a->dtype);
    void *own = cn_alloc(size); /* LAPACK destroys it */
    bool ok = own != NULL;
    for (int64_t i = 0; ok && i < cn_batch_size(v, 2); i++) {
        memcpy(own, cn_matrix_at(a, i, n * n), size);
        int64_t status = by->eig(n, own, cn_matrix_at(w, i, n), cn_matrix_at(v, i, n * n));
        ok = status == 0;
        if (!ok && status != CN_NO_WORKSPACE)
            cn_fail(CN_EINVALID, "%s: matrix %lld: no convergence", c->op->name, (long long)i);
    }
    cn_free(own);
    return ok;
}

static bool eig_kernel(const cn_call *c)
{
    return cn_run_eig(c, cn_own_decompositions(c));
}

/* The solution of a x = b for complex matrices, as a real system of twice the size. */
static cn_tensor *solve_complex(cn_tensor *a, cn_tensor *b)
{
    cn_tensor *re = cn_real(a), *im = cn_imag(a);
    if (!re || !im || !b) return NULL;
    cn_tensor *above[] = { re, cn_neg(im) }, *below[] = { im, re };
    cn_tensor *rows[] = { cn_cat(above, 2, -1), cn_cat(below, 2, -1) };
    cn_tensor *parts[] = { cn_real(b), cn_imag(b) };
    cn_tensor *x = cn_solve_matrices(cn_cat(rows, 2, -2), cn_cat(parts, 2, -2));
    int64_t n = cn_size(b, -2);
    return cn_complex(cn_narrow(x, -2, 0, n), cn_narrow(x, -2, n, n));
}

/* The phase of each vector follows from its largest element, which stays real: what gv says about a
   change of phase belongs to that element. */
static cn_tensor *without_phase(cn_tensor *v, cn_tensor *gv)
{
    cn_tensor *re = cn_real(v), *im = cn_imag(v), *size = cn_detach(cn_abs(v));
    cn_tensor *by_phase = cn_sub(cn_mul(cn_imag(gv), re), cn_mul(cn_real(gv), im));
    by_phase = cn_sum(by_phase, .dim = CN_SHAPE(-2), .keepdim = true);
    cn_tensor *at = cn_argmax(size, .dim = CN_SHAPE(-2), .keepdim = true);
    cn_tensor *share = cn_div(by_phase, cn_gather(re, -2, at));
    cn_tensor *zeros = size ? cn_zeros(size->v.shape, size->v.dtype) : NULL;
    return cn_sub(gv, cn_complex(zeros, cn_scatter(zeros, -2, at, share)));
}

/* What turns of the vectors leave: off the diagonal (V^H gV - V^H V diag(re(V^H gV))) / conj(E), with
   E_ij = w_j - w_i. */
static cn_tensor *turn(cn_tensor *w, cn_tensor *v, cn_tensor *gv)
{
    cn_tensor *eye = cn_eye_like(cn_real(w), cn_size(w, -1)), *vh = cn_conj(cn_mt(v));
    cn_tensor *x = cn_matmul(vh, gv), *along = cn_unsqueeze(cn_real(cn_diagonal_of(x)), -2);
    cn_tensor *gap = cn_conj(cn_sub(cn_unsqueeze(w, -2), cn_unsqueeze(w, -1)));
    x = cn_sub(x, cn_mul(cn_matmul(vh, v), along));
    return cn_mul(cn_div(x, cn_add(gap, eye)), cn_sub(cn_number(1), eye));
}

/* gA = V^-H (diag(gw) + turn) V^H. */
static void eig_backward(cn_grads *g)
{
    cn_tensor *w = cn_saved_out(g, 0), *v = cn_saved_out(g, 1), *inner = NULL;
    if (!w || !v) return;
    if (v->v.numel == 0) {
        cn_give(g, 0, cn_zeros_of_in(g, 0));
        return;
    }
    if (cn_has_gout(g, 0) || !cn_has_gout(g, 1)) inner = cn_on_diagonal(cn_gout(g, 0));
    if (cn_has_gout(g, 1)) {
        cn_tensor *turned = turn(w, v, without_phase(v, cn_gout(g, 1)));
        inner = inner ? cn_add(inner, turned) : turned;
    }
    cn_tensor *vh = cn_conj(cn_mt(v));
    cn_give(g, 0, solve_complex(vh, cn_matmul(inner, vh)));
}

#define EIG_SAMPLES "[3,3] | [2,3,3] | #[4,4] | [1,1] | [0,0] | [0,2,2] | [2,0,0]"

const cn_op cn_op_linalg_eig = {
    CN_OP_HEAD(linalg_eig, "linalg.eig", "(Tensor A) -> (Tensor, Tensor)"),
    .doc =
        "Eigenvalues and eigenvectors, in columns, of square matrices: both complex, the vectors of "
        "length 1.",
    .flags = CN_ANY_DTYPE | CN_ROWS,
    .infer = eig_infer,
    .kernel = eig_kernel,
    .saves = CN_SAVE_OUT(0) | CN_SAVE_OUT(1),
    .backward = eig_backward,
    .samples = EIG_SAMPLES,
};

bool cn_linalg_eig(cn_tensor *a, cn_tensor **values, cn_tensor **vectors)
{
    cn_tensor *out[2];
    bool ok = cn_apply(&cn_op_linalg_eig, &a, 1, NULL, out, 2);
    *values = out[0], *vectors = out[1];
    return ok;
}

static bool eigvals_compose(cn_call *c)
{
    cn_tensor *w, *v;
    return cn_linalg_eig(c->in[0], &w, &v) && cn_set_out(c, 0, w);
}

const cn_op cn_op_linalg_eigvals = {
    CN_OP_HEAD(linalg_eigvals, "linalg.eigvals", "(Tensor A) -> Tensor"),
    .doc = "The eigenvalues of square matrices, complex, in no particular order.",
    .compose = eigvals_compose,
    .samples = EIG_SAMPLES,
};
