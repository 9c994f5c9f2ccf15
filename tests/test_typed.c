/* test_typed.c - the functions for C that only bind arguments: each gives what the call by name gives. */
#include "core/tensor.h"
#include "ops/sample.h"

#include <cenote/cenote.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A call by name from a sample of the table; its tensors are there for the typed call. */
typedef struct {
    cn_sample sample;
    cn_tensor **in, *out[4];
} Named;

static void by_name(Named *n, const char *op, const char *sample, int n_out)
{
    const cn_op *o = cn_op_find(op);
    assert_non_null(o);
    if (!cn_sample_make(o, sample, CN_F64, 42, &n->sample)) fail_msg("%s: %s", op, cn_error());
    cn_bound *b = &n->sample.bound;
    n->in = b->in;
    if (!cn_apply(o, b->in, b->n_in, b->params, n->out, n_out)) fail_msg("%s: %s", op, cn_error());
}

static void same(const cn_tensor *got, const cn_tensor *want)
{
    if (!got) fail_msg("%s", cn_error());
    assert_true(cn_shape_equal(&got->v.shape, &want->v.shape));
    assert_int_equal(got->v.dtype, want->v.dtype);
    cn_tensor *a = cn_contiguous((cn_tensor *)got), *b = cn_contiguous((cn_tensor *)want);
    assert_memory_equal(cn_data(a), cn_data(b), (size_t)cn_numel(a) * cn_dtype_size(a->v.dtype));
}

/* CHECK(op, sample, typed call on x[0], x[1], ..) */
#define CHECK(op, text, call)                                                                      \
    do {                                                                                           \
        Named named_;                                                                              \
        size_t mark_ = cn_mark();                                                                  \
        by_name(&named_, op, text, 1);                                                             \
        cn_tensor **x = named_.in;                                                                 \
        same(call, named_.out[0]);                                                                 \
        cn_bound_clear(&named_.sample.bound);                                                      \
        cn_release(mark_);                                                                         \
    } while (0)

static void test_pointwise(void **state)
{
    (void)state;
    CHECK("erfc", "[3]", cn_erfc(x[0]));
    CHECK("erfinv", "[3]", cn_erfinv(x[0]));
    CHECK("asinh", "[3]", cn_asinh(x[0]));
    CHECK("acosh", "i64+<9[3]", cn_acosh(x[0]));
    CHECK("atanh", "[3]", cn_atanh(x[0]));
    CHECK("lgamma", "[3]", cn_lgamma(x[0]));
    CHECK("digamma", "[3]", cn_digamma(x[0]));
    CHECK("hypot", "[3] [2,3]", cn_hypot(x[0], x[1]));
    CHECK("fmax", "[3] [2,3]", cn_fmax(x[0], x[1]));
    CHECK("fmin", "[3] [2,3]", cn_fmin(x[0], x[1]));
    CHECK("copysign", "[3] [2,3]", cn_copysign(x[0], x[1]));
    CHECK("logaddexp", "[3] [2,3]", cn_logaddexp(x[0], x[1]));
    CHECK("xlogy", "[3] +[2,3]", cn_xlogy(x[0], x[1]));
    CHECK("lerp", "[3] [2,3] [3]", cn_lerp(x[0], x[1], x[2]));
    CHECK("addcmul", "[3] [2,3] [3] value=0.5", cn_addcmul(x[0], x[1], x[2], 0.5));
    CHECK("addcdiv", "[3] [2,3] [3] value=0.5", cn_addcdiv(x[0], x[1], x[2], 0.5));
}

static void check_indexed(const char *op, const char *text, cn_indexed (*call)(cn_tensor *x))
{
    Named n;
    size_t mark = cn_mark();
    by_name(&n, op, text, 2);
    cn_indexed got = call(n.in[0]);
    same(got.values, n.out[0]);
    same(got.indices, n.out[1]);
    cn_bound_clear(&n.sample.bound);
    cn_release(mark);
}

static cn_indexed cummax_1(cn_tensor *x)
{
    return cn_cummax(x, 1);
}

static cn_indexed cummin_1(cn_tensor *x)
{
    return cn_cummin(x, 1);
}

static cn_indexed median_0(cn_tensor *x)
{
    return cn_median_along(x, 0);
}

static cn_indexed second_of_0(cn_tensor *x)
{
    return cn_kthvalue(x, 2, 0);
}

static void test_reductions(void **state)
{
    (void)state;
    check_indexed("cummax", "[2,5] 1", cummax_1);
    check_indexed("cummin", "[2,5] 1", cummin_1);
    check_indexed("median", "[3,4] 0", median_0);
    check_indexed("kthvalue", "[3,4] 2 0", second_of_0);
    CHECK("median", "[3,4]", cn_median(x[0]));
    CHECK("prod", "[3,4]", cn_prod(x[0]));
    CHECK("prod", "[3,4] 1 True", cn_prod(x[0], .dim = CN_SHAPE(1), .keepdim = true));
    CHECK("diff", "[3,4] 2 0", cn_diff(x[0], 2, 0));
    CHECK("quantile", "[3,4] +[2]", cn_quantile(x[0], x[1]));
    CHECK("quantile", "[3,4] +[2] -1 True",
          cn_quantile(x[0], x[1], .dim = CN_SHAPE(-1), .keepdim = true));
    CHECK("searchsorted", "i64(1,3,5) i64<9[4] right=True", cn_searchsorted(x[0], x[1], true));
    CHECK("unique", "i64<4[9]", cn_unique(x[0]));
    CHECK("unique", "i64<2[4,2] dim=0", cn_unique(x[0], .dim = CN_SHAPE(0)));
    CN_SCOPE
    {
        Named n;
        cn_tensor *inverse, *counts;
        by_name(&n, "unique", "i64<4[9] True True True", 3);
        same(cn_unique(n.in[0], .inverse = &inverse, .counts = &counts), n.out[0]);
        same(inverse, n.out[1]);
        same(counts, n.out[2]);
        same(cn_unique(n.in[0], .counts = &counts), n.out[0]);
        same(counts, n.out[2]);
        cn_bound_clear(&n.sample.bound);
    }
}

static void test_indexing(void **state)
{
    (void)state;
    CHECK("scatter_reduce", "[3,4] 0 i64<3[2,4] [2,4] amax",
          cn_scatter_reduce(x[0], 0, x[1], x[2], CN_SCATTER_AMAX, true));
    CHECK("scatter_reduce", "[3,4] 0 i64<3[2,4] [2,4] mean include_self=False",
          cn_scatter_reduce(x[0], 0, x[1], x[2], CN_SCATTER_MEAN, false));
    CHECK("take", "[3,4] i64<9[5]", cn_take(x[0], x[1]));
    CHECK("put", "[3,4] i64<9[5] [5] True", cn_put(x[0], x[1], x[2], true));
}

static void test_linear_algebra(void **state)
{
    (void)state;
    CN_SCOPE
    {
        Named n;
        by_name(&n, "linalg.eigh", "#[3,3]", 2);
        cn_eigen e = cn_linalg_eigh(n.in[0]);
        same(e.values, n.out[0]), same(e.vectors, n.out[1]);
        by_name(&n, "linalg.svd", "[4,3] False", 3);
        cn_svd_parts s = cn_linalg_svd(n.in[0], false);
        same(s.u, n.out[0]), same(s.s, n.out[1]), same(s.vh, n.out[2]);
        by_name(&n, "linalg.qr", "[4,3]", 2);
        cn_qr_parts q = cn_linalg_qr(n.in[0]);
        same(q.q, n.out[0]), same(q.r, n.out[1]);
        by_name(&n, "linalg.slogdet", "[3,3]", 2);
        cn_log_det d = cn_linalg_slogdet(n.in[0]);
        same(d.sign, n.out[0]), same(d.logabsdet, n.out[1]);
    }
    CHECK("linalg.lstsq", "[4,2] [4,3]", cn_linalg_lstsq(x[0], x[1]));
    CHECK("linalg.pinv", "[4,2]", cn_linalg_pinv(x[0]));
    CHECK("linalg.matrix_norm", "[4,2]", cn_linalg_matrix_norm(x[0], "fro"));
    CHECK("linalg.matrix_norm", "[4,2] -inf", cn_linalg_matrix_norm(x[0], "-inf"));
    CHECK("cdist", "[4,2] [3,2] 3", cn_cdist(x[0], x[1], 3));
    CHECK("tril", "[4,3] -1", cn_tril(x[0], -1));
    CHECK("triu", "[4,3] 1", cn_triu(x[0], 1));
    CN_SCOPE
    {
        assert_null(cn_linalg_matrix_norm(cn_eye(2, CN_F32), "max"));
        cn_error_clear();
        assert_true(cn_linalg_eigh(NULL).values == NULL);
    }
}

static void test_layers(void **state)
{
    (void)state;
    CHECK("conv3d", "[1,2,3,4,4] [2,1,2,2,2] [2] (1,2,2) 1 1 2",
          cn_conv3d(x[0], x[1], .bias = x[2], .stride = { 1, 2, 2 }, .padding = { 1, 1, 1 },
                    .groups = 2));
    CHECK("conv_transpose1d", "[1,2,4] [2,1,3] [2] 2 1 1 2",
          cn_conv_transpose1d(x[0], x[1], .bias = x[2], .stride = 2, .padding = 1,
                              .output_padding = 1, .groups = 2));
    CHECK("conv_transpose3d", "[1,2,2,3,3] [2,1,2,2,2] None 2",
          cn_conv_transpose3d(x[0], x[1], .stride = { 2 }));
    CHECK("interpolate", "[1,2,3,4] (5,6) mode=bilinear align_corners=True",
          cn_interpolate(x[0], .output = CN_SHAPE(5, 6), .mode = CN_INTERPOLATE_LINEAR,
                         .align_corners = true));
    CHECK("interpolate", "[1,2,3] scale_factor=2.0", cn_interpolate(x[0], .scale = 2));
    CHECK("grid_sample", "[1,2,3,4] [1,2,2,2] bilinear border align_corners=True",
          cn_grid_sample(x[0], x[1], .mode = CN_INTERPOLATE_LINEAR, .outside = CN_GRID_BORDER,
                         .align_corners = true));
    CHECK("group_norm", "[2,4,3] 2 [4] [4]", cn_group_norm(x[0], 2, x[1], x[2], 1e-5));
}

static void test_losses(void **state)
{
    (void)state;
    CHECK("soft_margin_loss", "[4] [4] sum",
          cn_soft_margin_loss(x[0], x[1], .reduction = CN_REDUCE_SUM));
    CHECK("margin_ranking_loss", "[4] [4] [4] 0.5",
          cn_margin_ranking_loss(x[0], x[1], x[2], .margin = 0.5));
    CHECK("cosine_embedding_loss", "[4,3] [4,3] i64<2[4] 0.2",
          cn_cosine_embedding_loss(x[0], x[1], x[2], .margin = 0.2));
    CHECK("triplet_margin_loss", "[4,3] [4,3] [4,3] 2 swap=True",
          cn_triplet_margin_loss(x[0], x[1], x[2], .margin = 2, .swap = true));
    CHECK("ctc_loss", "[5,2,4] i64+<3[2,2] i64(5,4) i64(2,1)", cn_ctc_loss(x[0], x[1], x[2], x[3]));
    CHECK("gaussian_nll_loss", "[4] [4] +[4]",
          cn_gaussian_nll_loss(x[0], x[1], x[2], CN_REDUCE_MEAN));
}

static void test_any_op(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_ones(CN_SHAPE(2, 2), CN_F32), *two[] = { x, x };
        same(cn_call_op("add", two, 2), cn_add(x, x));
        assert_null(cn_call_op("no such op", two, 2));
        cn_error_clear();
    }
}

/* By their extremes: what is certain, what is impossible. */
static void samplers_draw_what_is_possible(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *sure = cn_from((const float[]){ 0, 1, 1 }, CN_SHAPE(3), CN_F32);
    same(cn_bernoulli(sure), sure);
    same(cn_poisson(cn_zeros(CN_SHAPE(2), CN_F32)), cn_zeros(CN_SHAPE(2), CN_F32));
    cn_tensor *drawn = cn_multinomial(sure, 2, false);
    assert_int_equal(cn_item(cn_sum(drawn)), 3); /* places 1 and 2, each once */
    assert_null(cn_multinomial(sure, 3, false));
    cn_error_clear();
    assert_int_equal(cn_numel(cn_multinomial(sure, 30, true)), 30);
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samplers_draw_what_is_possible),
        cmocka_unit_test(test_pointwise),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_indexing),
        cmocka_unit_test(test_linear_algebra),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_any_op),
    };
    return cmocka_run_group_tests_name("typed", tests, NULL, NULL);
}
