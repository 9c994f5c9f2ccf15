/* test_linalg.c - what makes decompositions decompositions, where golden values cannot say it:
   products that give the matrix back, orthonormal vectors, gradients that do not depend on signs,
   singular matrices; by our own routines and by LAPACK's. */
#include "core/provider.h"
#include "core/schema.h"

#include <cenote/autograd.h>
#include <cenote/ops.h>
#include <cenote/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- calls by name, with arguments in a row -------------------------------------------------- */

static bool call(const char *name, cn_tensor *input, const char *option, cn_ffi_value value,
                 cn_tensor *out[])
{
    const cn_op *op = cn_op_find(name);
    cn_ffi_arg args[] = { { NULL, { .kind = CN_KIND_TENSOR, .u.t = input } }, { option, value } };
    cn_schema schema;
    cn_bound bound;
    if (!op || !cn_schema_parse(op->schema, &schema)) fail_msg("no op '%s'", name);
    bool ok = cn_bind(&schema, name, args, option ? 2 : 1, &bound);
    ok = ok && cn_apply(op, bound.in, bound.n_in, bound.params, out, schema.n_out);
    cn_bound_clear(&bound);
    return ok;
}

static const cn_ffi_value none = { .kind = CN_KIND_NONE };
static const cn_ffi_value yes = { .kind = CN_KIND_BOOL, .u.i = 1 };
static const cn_ffi_value no = { .kind = CN_KIND_BOOL, .u.i = 0 };

static cn_ffi_value text(const char *s)
{
    return (cn_ffi_value){ .kind = CN_KIND_STR, .u.s = s };
}

static cn_tensor *one(const char *name, cn_tensor *input)
{
    cn_tensor *out[4] = { NULL };
    return call(name, input, NULL, none, out) ? out[0] : NULL;
}

/* ---- comparisons ------------------------------------------------------------------------------ */

static cn_tensor *transposed(cn_tensor *t)
{
    return cn_transpose(t, -2, -1);
}

static double largest(cn_tensor *t)
{
    return cn_numel(t) ? cn_item(cn_amax(cn_abs(t))) : 0;
}

static void same(const char *what, cn_tensor *got, cn_tensor *want, double tolerance)
{
    cn_tensor *difference = cn_sub(got, want);
    if (!difference) fail_msg("%s: %s", what, cn_error());
    double d = largest(difference), scale = 1 + largest(want);
    if (!(d <= tolerance * scale)) fail_msg("%s: they differ by %g", what, d);
}

/* Are the columns orthonormal? */
static void orthonormal(const char *what, cn_tensor *q, double tolerance)
{
    cn_tensor *eye = cn_eye(cn_size(q, -1), cn_dtype_of(q));
    same(what, cn_matmul(transposed(q), q), eye, tolerance);
}

static void ordered(const char *what, cn_tensor *values, bool descending)
{
    int64_t n = cn_size(values, -1);
    if (n < 2) return;
    cn_tensor *a = cn_narrow(values, -1, 0, n - 1), *b = cn_narrow(values, -1, 1, n - 1);
    if (cn_item(cn_sum(descending ? cn_lt(a, b) : cn_gt(a, b))) != 0)
        fail_msg("%s: not in order", what);
}

static double precision(cn_dtype dtype)
{
    return dtype == CN_F32 ? 5e-5 : 1e-12;
}

/* ---- every check runs for every kind of matrix and every provider --------------------------- */

static cn_tensor *with_values(cn_tensor *u, cn_tensor *s, cn_tensor *vh)
{
    return cn_matmul(cn_mul(u, cn_unsqueeze(s, -2)), vh);
}

static void check_svd(cn_tensor *a)
{
    cn_tensor *f[3];
    double e = precision(cn_dtype_of(a));
    int64_t k = cn_size(a, -2) < cn_size(a, -1) ? cn_size(a, -2) : cn_size(a, -1);
    for (int full = 0; full < 2; full++) {
        assert_true(call("linalg.svd", a, "full_matrices", full ? yes : no, f));
        orthonormal("svd: U", f[0], e);
        orthonormal("svd: V", transposed(f[2]), e);
        ordered("svd: S", f[1], true);
        assert_int_equal(cn_size(f[0], -1), full ? cn_size(a, -2) : k);
        assert_int_equal(cn_size(f[2], -2), full ? cn_size(a, -1) : k);
        same("svd", with_values(cn_narrow(f[0], -1, 0, k), f[1], cn_narrow(f[2], -2, 0, k)), a, e);
    }
}

static void check_qr(cn_tensor *a)
{
    cn_tensor *f[2];
    double e = precision(cn_dtype_of(a));
    for (int complete = 0; complete < 2; complete++) {
        assert_true(call("linalg.qr", a, "mode", text(complete ? "complete" : "reduced"), f));
        orthonormal("qr: Q", f[0], e);
        same("qr", cn_matmul(f[0], f[1]), a, e);
        same("qr: R", one("triu", f[1]), f[1], 0);
        if (complete) assert_int_equal(cn_size(f[0], -1), cn_size(a, -2));
    }
}

static void check_lu(cn_tensor *a)
{
    cn_tensor *f[3];
    assert_true(call("linalg.lu", a, NULL, none, f));
    same("lu", cn_matmul(f[0], cn_matmul(f[1], f[2])), a, precision(cn_dtype_of(a)));
    same("lu: U", one("triu", f[2]), f[2], 0);
    same("lu: L", one("tril", f[1]), f[1], 0);
    if (largest(f[1]) > 1) fail_msg("lu: a pivot was not the largest");
}

static void check_eigh(cn_tensor *a)
{
    cn_tensor *s = cn_matmul(a, transposed(a)), *f[2];
    double e = precision(cn_dtype_of(a));
    for (int upper = 0; upper < 2; upper++) {
        cn_tensor *half = one(upper ? "triu" : "tril", s);
        assert_true(call("linalg.eigh", half, "UPLO", text(upper ? "U" : "L"), f));
        orthonormal("eigh: V", f[1], e);
        ordered("eigh: w", f[0], false);
        same("eigh", with_values(f[1], f[0], transposed(f[1])), s, e);
    }
}

static void check_cholesky(cn_tensor *a)
{
    cn_tensor *eye = cn_eye(cn_size(a, -2), cn_dtype_of(a));
    cn_tensor *s = cn_add(cn_matmul(a, transposed(a)), eye), *l[1];
    double e = precision(cn_dtype_of(a));
    assert_true(call("linalg.cholesky", one("tril", s), "upper", no, l));
    same("cholesky", cn_matmul(l[0], transposed(l[0])), s, e);
    assert_true(call("linalg.cholesky", one("triu", s), "upper", yes, l));
    same("cholesky, upper", cn_matmul(transposed(l[0]), l[0]), s, e);
}

/* The four conditions that make a pseudo-inverse one. */
static void check_pinv(cn_tensor *a)
{
    cn_tensor *p = one("linalg.pinv", a), *ap = cn_matmul(a, p), *pa = cn_matmul(p, a);
    double e = 100 * precision(cn_dtype_of(a));
    same("A P A", cn_matmul(ap, a), a, e);
    same("P A P", cn_matmul(pa, p), p, e);
    same("A P", ap, transposed(ap), e);
    same("P A", pa, transposed(pa), e);
}

/* A batch of matrices of a rank; all equal columns when that is 1, for then values repeat. */
static cn_tensor *matrices(int64_t m, int64_t n, int64_t rank, cn_dtype dtype)
{
    cn_manual_seed(11);
    cn_tensor *a =
        cn_matmul(cn_randn(CN_SHAPE(2, m, rank), dtype), cn_randn(CN_SHAPE(2, rank, n), dtype));
    cn_tensor *size = cn_number((double)(rank ? rank : 1));
    return cn_div(a, size);
}

static const struct {
    int64_t m, n, rank;
} kinds[] = { { 1, 1, 1 },   { 3, 3, 3 },   { 5, 3, 3 },    { 3, 5, 3 },    { 6, 6, 1 },
              { 7, 4, 0 },   { 4, 7, 2 },   { 33, 33, 33 }, { 40, 33, 33 }, { 33, 40, 33 },
              { 40, 40, 5 }, { 45, 35, 1 }, { 35, 45, 0 },  { 0, 3, 0 },    { 3, 0, 0 } };

static void for_each_kind(void (*check)(cn_tensor *a))
{
    for (unsigned providers = 0; providers < 2; providers++)
        for (size_t i = 0; i < 2 * CN_COUNT(kinds); i++) {
            size_t mark = cn_mark(), k = i / 2;
            cn_tensor *a = matrices(kinds[k].m, kinds[k].n, kinds[k].rank, i % 2 ? CN_F32 : CN_F64);
            cn_restrict_providers(providers ? ~0u : 0);
            check(a);
            cn_restrict_providers(~0u);
            if (!cn_ok())
                fail_msg("%lld x %lld: %s", (long long)kinds[k].m, (long long)kinds[k].n,
                         cn_error());
            cn_release(mark);
        }
}

static void test_svd(void **state)
{
    (void)state;
    for_each_kind(check_svd);
}

static void test_qr(void **state)
{
    (void)state;
    for_each_kind(check_qr);
}

static void test_lu(void **state)
{
    (void)state;
    for_each_kind(check_lu);
}

static void test_eigh(void **state)
{
    (void)state;
    for_each_kind(check_eigh);
}

static void test_cholesky(void **state)
{
    (void)state;
    for_each_kind(check_cholesky);
}

static void test_pinv(void **state)
{
    (void)state;
    for_each_kind(check_pinv);
}

/* ---- gradients that do not depend on signs --------------------------------------------------- */

static cn_tensor *leaf(cn_tensor *t)
{
    return cn_requires_grad(cn_clone(cn_detach(t)), true);
}

static cn_tensor *gradient(cn_tensor *loss, cn_tensor *x)
{
    if (!cn_backward(loss)) fail_msg("%s", cn_error());
    return cn_grad(x);
}

/* U diag(S^3) V^T is A A^T A, computed without a decomposition. */
static void check_svd_gradient(cn_tensor *a)
{
    cn_tensor *x = leaf(a), *y = leaf(a), *f[3];
    cn_tensor *weights = cn_randn(*cn_shape_of(a), cn_dtype_of(a));
    assert_true(call("linalg.svd", x, "full_matrices", no, f));
    cn_tensor *cube = with_values(f[0], cn_mul(f[1], cn_mul(f[1], f[1])), f[2]);
    cn_tensor *plain = cn_matmul(y, cn_matmul(transposed(y), y));
    same("gradient of svd", gradient(cn_sum(cn_mul(cube, weights)), x),
         gradient(cn_sum(cn_mul(plain, weights)), y), 1e-9);
}

/* V diag(w^2) V^T is A^2. */
static void check_eigh_gradient(cn_tensor *a)
{
    cn_tensor *s = cn_add(a, transposed(a)), *x = leaf(s), *y = leaf(s), *f[2];
    cn_tensor *weights = cn_randn(*cn_shape_of(s), cn_dtype_of(s));
    weights = cn_add(weights, transposed(weights));
    assert_true(call("linalg.eigh", x, NULL, none, f));
    cn_tensor *square = with_values(f[1], cn_square(f[0]), transposed(f[1]));
    same("gradient of eigh", gradient(cn_sum(cn_mul(square, weights)), x),
         gradient(cn_sum(cn_mul(cn_matmul(y, y), weights)), y), 1e-9);
}

static void test_invariant_gradients(void **state)
{
    (void)state;
    cn_manual_seed(5);
    for (unsigned providers = 0; providers < 2; providers++) {
        cn_restrict_providers(providers ? ~0u : 0);
        CN_SCOPE
        {
            check_svd_gradient(cn_randn(CN_SHAPE(4, 3), CN_F64));
            check_svd_gradient(cn_randn(CN_SHAPE(2, 3, 5), CN_F64));
            check_svd_gradient(cn_randn(CN_SHAPE(34, 32), CN_F64));
            check_eigh_gradient(cn_randn(CN_SHAPE(2, 4, 4), CN_F64));
            check_eigh_gradient(cn_randn(CN_SHAPE(33, 33), CN_F64));
        }
        cn_restrict_providers(~0u);
        assert_true(cn_ok());
    }
}

/* ---- singular matrices ------------------------------------------------------------------------ */

static cn_tensor *rank_one(void)
{
    return cn_from((const double[]){ 1, 2, 2, 4 }, CN_SHAPE(2, 2), CN_F64);
}

/* The cofactors of ((a, b), (c, d)) are ((d, -c), (-b, a)), whatever the determinant is. */
static void test_det_of_singular(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *cofactors = cn_from((const double[]){ 4, -2, -2, 1 }, CN_SHAPE(2, 2), CN_F64);
        cn_tensor *weights = cn_from((const double[]){ 3, 5, 7, 9 }, CN_SHAPE(2, 2), CN_F64);
        cn_tensor *turned = cn_from((const double[]){ 9, -7, -5, 3 }, CN_SHAPE(2, 2), CN_F64);
        cn_tensor *x = leaf(rank_one()), *det = cn_linalg_det(x), *g;
        assert_true(cn_item(det) == 0);
        same("gradient of det", gradient(cn_linalg_det(x), x), cofactors, 1e-12);
        cn_backward_options o = { .size = sizeof o, .create_graph = true };
        assert_true(cn_grad_of(&det, NULL, 1, &x, 1, &g, &o));
        same("gradient of det, recorded", g, cofactors, 1e-12);
        cn_set_grad(x, NULL);
        same("second gradient of det", gradient(cn_sum(cn_mul(g, weights)), x), turned, 1e-12);
    }
    assert_true(cn_ok());
}

static void refuses(const char *name, cn_tensor *a, const char *words)
{
    cn_tensor *out[4];
    if (call(name, a, NULL, none, out)) fail_msg("%s took it", name);
    if (!strstr(cn_error(), words)) fail_msg("%s says: %s", name, cn_error());
    cn_error_clear();
}

static void test_errors_name_the_place(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *bad = rank_one();
        cn_tensor *batch = cn_stack((cn_tensor *[]){ cn_eye(2, CN_F64), bad }, 2, 0);
        refuses("linalg.inv", batch, "matrix 1 of the batch: singular");
        refuses("linalg.inv", bad, "linalg.inv: singular");
        refuses("linalg.lu_factor", batch, "number 2");
        refuses("linalg.cholesky", cn_neg(batch), "matrix 0 of the batch: not positive definite");
        refuses("linalg.cholesky", bad, "order 2");
        refuses("linalg.inv", cn_ones(CN_SHAPE(2, 3), CN_F64), "(2, 3)");
        refuses("linalg.inv", cn_ones(CN_SHAPE(2, 2), CN_F16), "float16");
        refuses("linalg.eigh", cn_full(CN_SHAPE(2, 2), (double)NAN, CN_F64), "NaN");
        refuses("linalg.svd", cn_full(CN_SHAPE(2, 2), (double)INFINITY, CN_F32), "infinity");
        refuses("linalg.det", cn_ones(CN_SHAPE(3), CN_F64), "dimensions");
    }
}

static void test_hermitian_options(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *s = cn_add(cn_eye(3, CN_F64), cn_ones(CN_SHAPE(3, 3), CN_F64)), *p[1];
        assert_true(call("linalg.pinv", one("tril", s), "hermitian", yes, p));
        same("pinv of a symmetric matrix", p[0], cn_linalg_inv(s), 1e-12);
        assert_true(call("linalg.matrix_rank", one("tril", rank_one()), "hermitian", yes, p));
        assert_true(cn_item(p[0]) == 1);
    }
    assert_true(cn_ok());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_svd),
        cmocka_unit_test(test_qr),
        cmocka_unit_test(test_lu),
        cmocka_unit_test(test_eigh),
        cmocka_unit_test(test_cholesky),
        cmocka_unit_test(test_pinv),
        cmocka_unit_test(test_invariant_gradients),
        cmocka_unit_test(test_det_of_singular),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_hermitian_options),
    };
    return cmocka_run_group_tests_name("linalg", tests, NULL, NULL);
}
