/* lu.c - LU decomposition with partial pivoting. Golub, Van Loan, section 3.4; gradients: Murray,
   Differentiation of the Cholesky decomposition, and its relatives in PyTorch's documentation. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

static const char singular[] = "singular: the first 0 on the diagonal of U is number";

typedef struct {
    bool pivot, check_errors;
} Factor;

static bool lu_factor_ex_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, false)) return false;
    if (!((const Factor *)c->params)->pivot)
        return cn_fail(CN_EUNSUPPORTED, "%s: without pivoting LU is not stable; pivot must be True",
                       c->op->name);
    const cn_view *a = cn_in(c, 0);
    int nd = a->shape.ndim;
    int64_t m = a->shape.dim[nd - 2], n = a->shape.dim[nd - 1];
    out[0] = (cn_spec){ a->dtype, a->shape };
    out[1] = (cn_spec){ CN_I32, cn_batch_shape(&a->shape, 1) };
    out[1].shape.dim[nd - 2] = m < n ? m : n;
    out[2] = (cn_spec){ CN_I32, cn_batch_shape(&a->shape, 2) };
    return true;
}

bool cn_run_lu(const cn_call *c, const cn_decompositions *by)
{
    const cn_view *lu = cn_out(c, 0), *pivots = cn_out(c, 1), *info = cn_out(c, 2);
    int nd = lu->shape.ndim;
    int64_t m = lu->shape.dim[nd - 2], n = lu->shape.dim[nd - 1], k = m < n ? m : n;
    cn_copy_view(lu, cn_in(c, 0));
    for (int64_t i = 0; i < info->numel; i++) {
        int64_t status = by->lu(m, n, cn_matrix_at(lu, i, m * n), cn_matrix_at(pivots, i, k));
        if (status == CN_NO_WORKSPACE) return false;
        *(int64_t *)cn_matrix_at(info, i, 1) = status;
    }
    return !((const Factor *)c->params)->check_errors || cn_check_info(c, c->out[2], singular);
}

static bool lu_factor_ex_kernel(const cn_call *c)
{
    return cn_run_lu(c, cn_own_decompositions(c));
}

bool cn_lu_factors(cn_tensor *a, cn_tensor *out[3])
{
    return cn_apply(&cn_op_lu_factor_ex, &a, 1, &(Factor){ true, false }, out, 3);
}

/* ---- permutations -------------------------------------------------------------------------- */

static bool permutation_infer(const cn_call *c, cn_spec out[])
{
    int64_t rows = *(const int64_t *)c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (s->ndim < 1 || cn_in(c, 0)->dtype == CN_BOOL || cn_dtype_is_float(cn_in(c, 0)->dtype) ||
        rows < s->dim[s->ndim - 1])
        return cn_fail(CN_EINVALID, "%s: pivots are integers, at most as many as rows",
                       c->op->name);
    *out = (cn_spec){ CN_I64, *s };
    out->shape.dim[s->ndim - 1] = rows;
    return true;
}

/* The order of rows after the exchanges; a pivot outside the matrix is an error. */
static bool permutation_kernel(const cn_call *c)
{
    const cn_view *pivots = cn_in(c, 0), *y = cn_out(c, 0);
    int64_t rows = *(const int64_t *)c->params, k = pivots->shape.dim[pivots->shape.ndim - 1];
    for (int64_t i = 0; i < cn_batch_size(y, 1); i++) {
        const int64_t *p = cn_matrix_at(pivots, i, k);
        int64_t *row = cn_matrix_at(y, i, rows);
        for (int64_t j = 0; j < rows; j++) row[j] = j;
        for (int64_t j = 0; j < k; j++) {
            if (p[j] < 1 || p[j] > rows)
                return cn_fail(CN_EINVALID, "%s: pivot %lld is not in 1 .. %lld", c->op->name,
                               (long long)p[j], (long long)rows);
            int64_t keep = row[j];
            row[j] = row[p[j] - 1], row[p[j] - 1] = keep;
        }
    }
    return true;
}

const cn_op cn_op_lu_permutation = {
    CN_OP_HEAD(lu_permutation, "lu_permutation", "(Tensor pivots, int rows) -> Tensor"),
    .doc = "Which row of a matrix each row of L U is, from the pivots of linalg.lu_factor.",
    .flags = CN_NO_GRAD_OP | CN_ROWS,
    .params_size = sizeof(int64_t),
    .infer = permutation_infer,
    .kernel = permutation_kernel,
    .samples = "i64+<4[2,3] 4 | i64+<1[0] 0",
};

/* Rows of b (.., m, k) by index (.., m), batches broadcasting. */
static cn_tensor *pick_rows(cn_tensor *b, cn_tensor *index)
{
    cn_shape sb, si, both;
    if (!b || !index) return NULL;
    sb = cn_batch_shape(&b->v.shape, 2), si = cn_batch_shape(&index->v.shape, 1);
    if (!cn_shape_broadcast(&sb, &si, &both, "linalg.lu_solve")) return NULL;
    cn_shape s = cn_with_sizes(both, cn_size(b, -2), cn_size(b, -1));
    return cn_gather(cn_expand(b, s), -2, cn_expand(cn_unsqueeze(index, -1), s));
}

static cn_tensor *permutation(cn_tensor *pivots, int64_t rows, bool inverse)
{
    cn_tensor *p = CN_CALL(lu_permutation, &rows, pivots);
    return inverse ? cn_argsort(p, -1, false) : p;
}

/* ---- the gradient of LU ---------------------------------------------------------------------

   With k = min(m, n), and L2, U2 what sticks out of the square parts L1, U1 below or to the right:
   X = tril(L1^T gL1 - gU2 U2^T, -1) + triu(gU1 U1^T - L2^T gL2), and
   gA = P (L1^-T (X U1^-T, gU2); gL2 U1^-T). */

typedef struct {
    cn_tensor *square, *right, *below; /* the parts of a matrix; NULL: it has none */
} Parts;

static Parts parts_of(cn_tensor *t)
{
    int64_t m = cn_size(t, -2), n = cn_size(t, -1), k = m < n ? m : n;
    return (Parts){ cn_narrow(cn_narrow(t, -2, 0, k), -1, 0, k),
                    n > k ? cn_narrow(t, -1, k, n - k) : NULL,
                    m > k ? cn_narrow(t, -2, k, m - k) : NULL };
}

static cn_tensor *lu_inner_gradient(const Parts *lu, const Parts *g)
{
    cn_tensor *l =
        cn_add(cn_lower(lu->square, -1), cn_eye_like(lu->square, cn_size(lu->square, -1)));
    cn_tensor *low = cn_matmul(cn_mt(l), cn_lower(g->square, -1));
    cn_tensor *up = cn_matmul(cn_upper(g->square, 0), cn_mt(cn_upper(lu->square, 0)));
    if (lu->right) low = cn_sub(low, cn_matmul(g->right, cn_mt(lu->right)));
    if (lu->below) up = cn_sub(up, cn_matmul(cn_mt(lu->below), g->below));
    return cn_add(cn_lower(low, -1), cn_upper(up, 0));
}

static void lu_factor_ex_backward(cn_grads *g)
{
    cn_tensor *lu = cn_saved_out(g, 0), *pivots = cn_saved_out(g, 1);
    if (!lu || !pivots) return;
    Parts p = parts_of(lu), gp = parts_of(cn_gout(g, 0));
    cn_tensor *turned = cn_mt(p.square);
    cn_triangle by_u = { .upper = false, .left = false }, by_l = { true, true, true };
    cn_tensor *z = cn_solve_triangular(turned, lu_inner_gradient(&p, &gp), by_u);
    if (p.right) z = cn_cat((cn_tensor *[]){ z, gp.right }, 2, -1);
    z = cn_solve_triangular(turned, z, by_l);
    if (p.below)
        z = cn_cat((cn_tensor *[]){ z, cn_solve_triangular(turned, gp.below, by_u) }, 2, -2);
    cn_give(g, 0, pick_rows(z, permutation(pivots, cn_size(lu, -2), true)));
}

const cn_op cn_op_lu_factor_ex = {
    CN_OP_HEAD(
        lu_factor_ex, "linalg.lu_factor_ex",
        "(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor, Tensor, Tensor)"),
    .doc = "L and U in one matrix, the exchanges of rows, and 0 or the place of the first 0 of U.",
    .flags = CN_ROWS,
    .grad_outs = 1,
    .params_size = sizeof(Factor),
    .infer = lu_factor_ex_infer,
    .kernel = lu_factor_ex_kernel,
    .saves = CN_SAVE_OUT(0) | CN_SAVE_OUT(1),
    .backward = lu_factor_ex_backward,
    .samples = "#[3,3] | #[2,3,3] | [2,3,2] | [2,4] | [0,0] | [2,0,3]",
};

/* ---- lu_factor, lu ------------------------------------------------------------------------- */

static bool factor_all(cn_call *c, bool pivot, cn_tensor *out[3])
{
    return cn_apply(&cn_op_lu_factor_ex, c->in, 1, &(Factor){ pivot, false }, out, 3);
}

static bool lu_factor_compose(cn_call *c)
{
    cn_tensor *out[3];
    return cn_want_matrix(c, 0, false) && factor_all(c, *(const bool *)c->params, out) &&
           cn_check_info(c, out[2], singular) && cn_set_out(c, 0, out[0]) &&
           cn_set_out(c, 1, out[1]);
}

const cn_op cn_op_lu_factor = {
    CN_OP_HEAD(lu_factor, "linalg.lu_factor", "(Tensor A, *, bool pivot=True) -> (Tensor, Tensor)"),
    .doc = "L (whose diagonal is 1) and U in one matrix, and the exchanges of rows from 1 on.",
    .params_size = sizeof(bool),
    .compose = lu_factor_compose,
    .samples = "#[3,3] | [2,3,2]",
};

/* P (m, m): row perm[i] of P L U is row i of L U. */
static cn_tensor *permutation_matrix(cn_tensor *pivots, int64_t m, cn_dtype dtype)
{
    cn_tensor *p = permutation(pivots, m, false);
    return cn_to(cn_eq(cn_unsqueeze(p, -2), cn_unsqueeze(cn_counting(m), 1)), dtype);
}

/* L and U from the matrix that holds both. */
static cn_tensor *lower_factor(cn_tensor *lu)
{
    int64_t m = cn_size(lu, -2), n = cn_size(lu, -1), k = m < n ? m : n;
    cn_tensor *one = cn_narrow(cn_eye_like(lu, m), 1, 0, k);
    return cn_add(cn_lower(cn_narrow(lu, -1, 0, k), -1), one);
}

static cn_tensor *upper_factor(cn_tensor *lu)
{
    int64_t m = cn_size(lu, -2), n = cn_size(lu, -1);
    return cn_upper(cn_narrow(lu, -2, 0, m < n ? m : n), 0);
}

static bool linalg_lu_compose(cn_call *c)
{
    cn_tensor *out[3];
    if (!cn_want_matrix(c, 0, false) || !factor_all(c, *(const bool *)c->params, out)) return false;
    int64_t m = cn_size(out[0], -2);
    return cn_set_out(c, 0, permutation_matrix(out[1], m, out[0]->v.dtype)) &&
           cn_set_out(c, 1, lower_factor(out[0])) && cn_set_out(c, 2, upper_factor(out[0]));
}

const cn_op cn_op_linalg_lu = {
    CN_OP_HEAD(linalg_lu, "linalg.lu",
               "(Tensor A, *, bool pivot=True) -> (Tensor, Tensor, Tensor)"),
    .doc = "A = P L U: a permutation, a lower triangle with ones on its diagonal, an upper one.",
    .params_size = sizeof(bool),
    .compose = linalg_lu_compose,
    .samples = "#[3,3] | [2,3,2] | [2,4] | [0,2]",
};

/* ---- lu, lu_unpack: the older interface --------------------------------------------------------- */

typedef struct {
    bool pivot, get_infos;
} OldLu;

/* Without get_infos there is no third result to report through: a singular matrix is fine, too. */
static bool lu_compose(cn_call *c)
{
    const OldLu *p = c->params;
    cn_tensor *out[3];
    return cn_want_matrix(c, 0, false) && factor_all(c, p->pivot, out) &&
           cn_set_out(c, 0, out[0]) && cn_set_out(c, 1, out[1]) &&
           (!p->get_infos || cn_set_out(c, 2, out[2]));
}

const cn_op cn_op_lu = {
    CN_OP_HEAD(lu, "lu", "(Tensor A, bool pivot=True, bool get_infos=False) -> Tensor[]"),
    .doc = "linalg.lu_factor that accepts singular matrices; get_infos: and linalg.lu_factor_ex's "
           "third result.",
    .params_size = sizeof(OldLu),
    .compose = lu_compose,
    .samples = "#[3,3] | [2,3,2] get_infos=True | [2,4]",
};

typedef struct {
    bool data, pivots;
} Unpack;

/* What is not asked for is empty. */
static bool lu_unpack_compose(cn_call *c)
{
    const Unpack *p = c->params;
    cn_tensor *lu = c->in[0], *none = NULL;
    if (!cn_want_matrix(c, 0, false) || !(none = cn_empty(CN_SHAPE(0), lu->v.dtype))) return false;
    return cn_set_out(c, 0,
                      p->pivots ? permutation_matrix(c->in[1], cn_size(lu, -2), lu->v.dtype)
                                : none) &&
           cn_set_out(c, 1, p->data ? lower_factor(lu) : none) &&
           cn_set_out(c, 2, p->data ? upper_factor(lu) : none);
}

const cn_op cn_op_lu_unpack = {
    CN_OP_HEAD(lu_unpack, "lu_unpack",
               "(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool "
               "unpack_pivots=True) -> (Tensor, Tensor, Tensor)"),
    .doc = "P, L and U with A = P L U from the results of linalg.lu_factor.",
    .params_size = sizeof(Unpack),
    .compose = lu_unpack_compose,
    .samples = "[3,3] i32+<3[3] | [2,3,2] i32+<3[2,2] | [2,4] i32+<2[2] unpack_pivots=False",
};

/* ---- solving from the factors -------------------------------------------------------------- */

/* A = P L U: A x = b by L and U from P^T b; A^T x = b by U^T and L^T, then P. */
cn_tensor *cn_lu_solution(cn_tensor *lu, cn_tensor *pivots, cn_tensor *b, bool adjoint)
{
    cn_tensor *p = permutation(pivots, cn_size(lu, -1), adjoint);
    cn_triangle l = { adjoint, true, true }, u = { !adjoint, true, false };
    if (!adjoint) return cn_solve_triangular(lu, cn_solve_triangular(lu, pick_rows(b, p), l), u);
    cn_tensor *turned = cn_mt(lu);
    return pick_rows(cn_solve_triangular(turned, cn_solve_triangular(turned, b, u), l), p);
}

typedef struct {
    bool left, adjoint;
} LuSolve;

static bool lu_solve_compose(cn_call *c)
{
    const LuSolve *p = c->params;
    cn_tensor *lu = c->in[0], *b = c->in[2];
    cn_call system = { .op = c->op, .in = (cn_tensor *[]){ lu, b }, .n_in = 2 };
    cn_spec fits;
    if (!cn_infer_solution(&system, p->left, &fits)) return false;
    cn_tensor *x = cn_lu_solution(lu, c->in[1], p->left ? b : cn_mt(b), p->adjoint == p->left);
    return cn_set_out(c, 0, p->left ? x : cn_mt(x));
}

const cn_op cn_op_linalg_lu_solve = {
    CN_OP_HEAD(
        linalg_lu_solve, "linalg.lu_solve",
        "(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor"),
    .doc = "The X of A X = B (or X A = B, or with A transposed) from linalg.lu_factor of A.",
    .params_size = sizeof(LuSolve),
    .compose = lu_solve_compose,
    .samples =
        "#[3,3] i32+<3[3] [3,2] | #[2,3,3] i32+<3[2,3] [3,2] adjoint=True | "
        "#[2,2] i32+<2[2] [3,2] left=False | #[2,2] i32+<2[2] [2,3,2] left=False adjoint=True",
};

static bool old_lu_solve_compose(cn_call *c)
{
    cn_call system = { .op = c->op, .in = (cn_tensor *[]){ c->in[1], c->in[0] }, .n_in = 2 };
    cn_spec fits;
    return cn_infer_solution(&system, true, &fits) &&
           cn_set_out(c, 0, cn_lu_solution(c->in[1], c->in[2], c->in[0], false));
}

const cn_op cn_op_lu_solve = {
    CN_OP_HEAD(lu_solve, "lu_solve", "(Tensor b, Tensor LU_data, Tensor LU_pivots) -> Tensor"),
    .doc = "linalg.lu_solve with the right-hand side first.",
    .compose = old_lu_solve_compose,
    .samples = "[3,2] #[3,3] i32+<3[3] | [2,3,2] #[2,3,3] i32+<3[2,3]",
};
