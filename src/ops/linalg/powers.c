/* powers.c - products of matrices with themselves and in chains. */
#include "ops/linalg/linalg.h"

#include <math.h>
#include <string.h>

/* ---- matrix_power -------------------------------------------------------------------------- */

/* By squaring: a^n for n > 0. */
static cn_tensor *positive_power(cn_tensor *a, uint64_t n)
{
    cn_tensor *y = NULL;
    for (; n && a; n >>= 1) {
        if (n & 1) y = y ? cn_matmul(y, a) : a;
        if (n > 1) a = cn_matmul(a, a);
    }
    return a ? y : NULL;
}

/* The unit in a's shape, which has a gradient: 0. */
static cn_tensor *unit_of(cn_tensor *a)
{
    cn_tensor *always = cn_ones(cn_scalar_shape(), CN_BOOL);
    return cn_where(always, cn_eye_like(a, cn_size(a, -1)), a);
}

static bool matrix_power_compose(cn_call *c)
{
    int64_t n = *(const int64_t *)c->params;
    cn_tensor *a = c->in[0];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    if (cn_size(a, -2) != cn_size(a, -1))
        return cn_fail(CN_EINVALID, "linalg.matrix_power: %lld x %lld: the matrix must be square",
                       (long long)cn_size(a, -2), (long long)cn_size(a, -1));
    if (n == 0) return cn_set_out(c, 0, unit_of(a));
    if (n == 1) return cn_set_out(c, 0, cn_clone(a));
    uint64_t times = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    return cn_set_out(c, 0, positive_power(n < 0 ? cn_linalg_inv(a) : a, times));
}

const cn_op cn_op_matrix_power = {
    CN_OP_HEAD(matrix_power, "linalg.matrix_power", "(Tensor A, int n) -> Tensor"),
    .aliases = "matrix_power",
    .doc = "The n-th power of square matrices: of their inverses for negative n, the unit for 0.",
    .params_size = sizeof(int64_t),
    .compose = matrix_power_compose,
    .samples = "[3,3] 3 | [2,2,2] 6 | [2,2] 0 | [2,2] 1 | #[3,3] -2 | [0,0] 2",
};

/* ---- multi_dot ------------------------------------------------------------------------------

   The order that costs the fewest multiplications: Cormen and others, Introduction to Algorithms,
   section on matrix-chain multiplication. */

enum { LONGEST_CHAIN = 64 };

typedef struct {
    cn_tensor *t[LONGEST_CHAIN];
    double cost[LONGEST_CHAIN][LONGEST_CHAIN];
    int split[LONGEST_CHAIN]
             [LONGEST_CHAIN]; /* the product of i .. j is (i .. split)(split+1 .. j) */
} Chain;

static double times(const Chain *ch, int i, int k, int j)
{
    return (double)cn_size(ch->t[i], 0) * (double)cn_size(ch->t[k], 1) *
           (double)cn_size(ch->t[j], 1);
}

static void plan(Chain *ch, int n)
{
    for (int length = 2; length <= n; length++)
        for (int i = 0, j = length - 1; j < n; i++, j++) {
            ch->cost[i][j] = (double)INFINITY;
            for (int k = i; k < j; k++) {
                double cost = ch->cost[i][k] + ch->cost[k + 1][j] + times(ch, i, k, j);
                if (cost < ch->cost[i][j]) ch->cost[i][j] = cost, ch->split[i][j] = k;
            }
        }
}

static cn_tensor *carry_out(const Chain *ch, int i, int j)
{
    if (i == j) return ch->t[i];
    int k = ch->split[i][j];
    return cn_mm(carry_out(ch, i, k), carry_out(ch, k + 1, j));
}

/* The first may be a row, the last a column, given as vectors. */
static bool fill_chain(cn_call *c, Chain *ch)
{
    int n = c->n_in;
    memset(ch->cost, 0, sizeof ch->cost);
    for (int i = 0; i < n; i++) {
        bool end = i == 0 || i == n - 1;
        if (!cn_want_dims(c, i, end ? 1 : 2, 2)) return false;
        ch->t[i] = c->in[i];
        if (cn_ndim(c->in[i]) == 1) ch->t[i] = cn_unsqueeze(c->in[i], i == 0 ? 0 : 1);
        if (!ch->t[i]) return false;
        if (i && cn_size(ch->t[i - 1], 1) != cn_size(ch->t[i], 0))
            return cn_fail(
                CN_EINVALID, "linalg.multi_dot: tensor %d has %lld columns, the next %lld rows",
                i - 1, (long long)cn_size(ch->t[i - 1], 1), (long long)cn_size(ch->t[i], 0));
    }
    return true;
}

static bool multi_dot_compose(cn_call *c)
{
    int n = c->n_in;
    if (n < 2 || n > LONGEST_CHAIN)
        return cn_fail(CN_EINVALID, "linalg.multi_dot: %d tensors; it takes 2 to %d", n,
                       LONGEST_CHAIN);
    Chain *ch = cn_alloc(sizeof *ch);
    cn_tensor *y = NULL;
    if (ch && fill_chain(c, ch)) {
        plan(ch, n);
        y = carry_out(ch, 0, n - 1);
    }
    cn_free(ch);
    if (cn_ndim(c->in[n - 1]) == 1) y = cn_squeeze(y, CN_SHAPE(-1));
    if (cn_ndim(c->in[0]) == 1) y = cn_squeeze(y, CN_SHAPE(0));
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_multi_dot = {
    CN_OP_HEAD(multi_dot, "linalg.multi_dot", "(Tensor[] tensors) -> Tensor"),
    .aliases = "chain_matmul",
    .doc = "The product of matrices in the cheapest order; vectors may stand at the ends.",
    .compose = multi_dot_compose,
    .samples =
        "{[2,3] [3,4] [4,2]} | {[3] [3,4] [4]} | {[2,3] [3]} | {[3] [3,2]} | {[2,3] [3,5] [5,2] "
        "[2,4]}",
};

/* ---- matrix_exp -----------------------------------------------------------------------------

   Scaling and squaring: exp(A) = exp(A / 2^s)^(2^s), where A / 2^s is so small (norm below 0.7) that 16
   terms of the series do. They are evaluated in powers of A^4. Higham, Functions of Matrices, 10.3. */

static int squarings(cn_tensor *a)
{
    double norm = 0;
    CN_NO_GRAD CN_SCOPE if (a->v.numel)
    {
        norm = cn_item(cn_amax(cn_sum(cn_abs(cn_to(a, CN_F64)), .dim = CN_SHAPE(-2))));
    }
    return isfinite(norm) && norm > 0.7 ? (int)ceil(log2(norm / 0.7)) : 0;
}

/* sum over k = first .. first + 3 of a^(k - first) / k! */
static cn_tensor *four_terms(cn_tensor *const power[4], int first)
{
    cn_tensor *y = NULL;
    for (int k = 0; k < 4; k++) {
        cn_tensor *term = cn_mul(power[k], cn_number(1 / tgamma(first + k + 1.0)));
        y = y ? cn_add(y, term) : term;
    }
    return y;
}

static cn_tensor *small_exp(cn_tensor *a)
{
    cn_tensor *eye = cn_eye_like(a, cn_size(a, -1)), *a2 = cn_matmul(a, a);
    cn_tensor *power[4] = { eye, a, a2, cn_matmul(a2, a) }, *a4 = cn_matmul(a2, a2);
    cn_tensor *y = cn_mul(a4, cn_number(1 / tgamma(17.0)));
    for (int first = 12; y && first >= 0; first -= 4) {
        y = cn_add(y, four_terms(power, first));
        if (first) y = cn_matmul(y, a4);
    }
    return y;
}

static bool matrix_exp_compose(cn_call *c)
{
    if (!cn_want_matrix(c, 0, true)) return false;
    cn_dtype dtype = c->in[0]->v.dtype;
    bool single =
        dtype == CN_F32; /* squarings double the error each time: there is double for that */
    cn_tensor *a = single ? cn_to(c->in[0], CN_F64) : c->in[0];
    int s = a ? squarings(a) : 0;
    cn_tensor *y = small_exp(cn_mul(a, cn_number(ldexp(1, -s))));
    for (int i = 0; y && i < s; i++) y = cn_matmul(y, y);
    return cn_set_out(c, 0, single ? cn_to(y, dtype) : y);
}

const cn_op cn_op_matrix_exp = {
    CN_OP_HEAD(matrix_exp, "linalg.matrix_exp", "(Tensor A) -> Tensor"),
    .aliases = "matrix_exp",
    .doc = "exp of square matrices: the sum of A^k / k!.",
    .compose = matrix_exp_compose,
    .samples = "[3,3] | [2,2,2] | #[2,2] | [1,1] | [0,0] | [0,2,2]",
};

/* ---- vander -------------------------------------------------------------------------------- */

static bool vander_compose(cn_call *c)
{
    const cn_opt_int *p = c->params;
    cn_tensor *x = c->in[0];
    if (x->v.shape.ndim == 0) x = cn_reshape(x, CN_SHAPE(1));
    if (!x || !cn_want_dims(c, 0, 0, CN_MAX_DIMS - 1)) return false;
    int64_t n = p->given ? p->value : cn_size(x, -1);
    if (n < 2)
        return cn_fail(CN_EINVALID, "linalg.vander: N is %lld; it must be at least 2",
                       (long long)n);
    if (x->v.dtype == CN_BOOL) return cn_fail(CN_EINVALID, "linalg.vander: not defined for bool");
    if (!cn_dtype_is_float(x->v.dtype)) x = cn_to(x, CN_I64);
    cn_tensor *column = cn_unsqueeze(x, -1);
    if (!column) return false;
    cn_shape s = column->v.shape;
    cn_tensor *one = cn_ones(s, column->v.dtype);
    s.dim[s.ndim - 1] = n - 1;
    cn_tensor *factors = cn_cat((cn_tensor *[]){ one, cn_expand(column, s) }, 2, -1);
    return cn_set_out(c, 0, cn_cumprod(factors, -1));
}

const cn_op cn_op_vander = {
    CN_OP_HEAD(vander, "linalg.vander", "(Tensor x, *, int? N=None) -> Tensor"),
    .doc = "Powers 0 .. N - 1 of every element, along a new last dimension.",
    .params_size = sizeof(cn_opt_int),
    .compose = vander_compose,
    .samples = "[3] | [2,3] N=2 | [2] N=4 | i64<9[3] | [] N=3",
};
