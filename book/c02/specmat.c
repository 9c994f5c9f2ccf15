/* specmat.c - special matrices, told by what defines them (D2L 2.3). */
#include "book/book.h"

/* Symmetric, and all eigenvalues above 0. */
static bool is_positive_definite(cn_tensor *a)
{
    double skew = cn_item(cn_amax(cn_abs(cn_sub(a, cn_t(a)))));
    return skew < 1e-12 && cn_item(cn_amin(cn_linalg_eigh(a).values)) > 0;
}

static bool is_orthogonal(cn_tensor *a)
{
    cn_tensor *product = cn_matmul(a, cn_t(a)), *one = cn_eye(cn_size(a, 0), CN_F64);
    return cn_item(cn_amax(cn_abs(cn_sub(product, one)))) < 1e-12;
}

static void run(Lab *lab)
{
    const double known[2][2] = { { 2, -1 }, { -1, 2 } }, saddle[2][2] = { { 1, 2 }, { 2, 1 } };
    const double turn[2][2] = { { 0.6, -0.8 }, { 0.8, 0.6 } };
    cn_tensor *definite = cn_from(known, CN_SHAPE(2, 2), CN_F64);
    cn_tensor *indefinite = cn_from(saddle, CN_SHAPE(2, 2), CN_F64);
    cn_tensor *rotation = cn_from(turn, CN_SHAPE(2, 2), CN_F64);
    lab_true(lab, "[[2, -1], [-1, 2]] is positive definite", is_positive_definite(definite));
    lab_true(lab, "[[1, 2], [2, 1]] is not", !is_positive_definite(indefinite));
    lab_true(lab, "a rotation is orthogonal", is_orthogonal(rotation));
    lab_true(lab, "[[2, -1], [-1, 2]] is not", !is_orthogonal(definite));

    cn_tensor *a = cn_randn(CN_SHAPE(6, 6), CN_F64), *gram = cn_matmul(a, cn_t(a));
    lab_true(lab, "A A^T of a random A is positive definite", is_positive_definite(gram));
    cn_tensor *x = cn_randn(CN_SHAPE(6), CN_F64);
    lab_at_least(lab, "x^T A A^T x", cn_item(cn_dot(x, cn_mv(gram, x))), 0);
    lab_true(lab, "Q of its QR factors is orthogonal", is_orthogonal(cn_linalg_qr(a).q));

    /* Rows of the identity in another order: P x puts x into that order. */
    cn_tensor *order = cn_randperm(6), *p = cn_index_select(cn_eye(6, CN_F64), 0, order);
    lab_true(lab, "a permutation matrix is orthogonal", is_orthogonal(p));
    lab_same(lab, "P x, and x in that order", cn_mv(p, x), cn_index_select(x, 0, order), 0);
    lab_same(lab, "its inverse, and its transpose", cn_linalg_inv(p), cn_t(p), 0);
    lab_same(lab, "P A, and the rows of A in that order", cn_matmul(p, a),
             cn_index_select(a, 0, order), 0);
}

const Experiment experiment_c02_specmat = {
    .id = "C02-SPECMAT",
    .title = "Positive definite, orthogonal and permutation matrices",
    .title_zh = "正定、正交与置换矩阵",
    .section = "2.3",
    .run = run,
};
