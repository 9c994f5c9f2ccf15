/* test_attention_rows.c - attention without a matrix of weights, beside the one that makes it, at sizes that
   cut its tiles. */
#include <cenote/cenote.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
    int64_t queries, keys, width, value_width;
    bool is_causal, mask, added;
} Case;

static const Case cases[] = {
    { 3, 5, 4, 2, false, false, false },      { 130, 260, 20, 33, false, false, false },
    { 225, 225, 64, 64, true, false, false }, { 300, 113, 16, 40, true, false, false },
    { 57, 500, 8, 8, false, true, false },    { 113, 230, 24, 16, false, false, true },
    { 1, 449, 64, 64, false, true, false },   { 14, 32, 1, 1, false, false, false },
    { 10, 10, 8, 8, true, false, false },     { 9, 11, 17, 33, false, true, false },
    { 12, 12, 8, 8, false, false, true },     { 1, 70, 4, 4, false, false, true },
};

/* (queries, keys): true, or 0, where a key takes part; the last query has none. */
static cn_tensor *mask_for(const Case *c)
{
    cn_tensor *part = cn_lt(cn_rand(CN_SHAPE(c->queries, c->keys), CN_F32), cn_num(0.7));
    cn_tensor *row = cn_unsqueeze(cn_arange(0, (double)c->queries, 1, CN_I64), -1);
    if (c->queries > 1) part = cn_logical_and(part, cn_lt(row, cn_num((double)c->queries - 1)));
    if (c->mask) return part;
    cn_tensor *added = cn_randn(CN_SHAPE(c->queries, c->keys), CN_F32);
    return cn_masked_fill(added, cn_logical_not(part), cn_num((double)-INFINITY));
}

static cn_tensor *composed(cn_tensor *const in[3], cn_tensor *mask, bool is_causal)
{
    cn_tensor *scores = cn_matmul(in[0], cn_transpose(in[1], -2, -1));
    scores = cn_div(scores, cn_num(sqrt((double)cn_size(in[0], -1))));
    const int64_t rows = cn_size(scores, -2), columns = cn_size(scores, -1);
    if (is_causal)
        mask = cn_ge(cn_unsqueeze(cn_arange(0, (double)rows, 1, CN_I64), -1),
                     cn_arange(0, (double)columns, 1, CN_I64));
    if (mask && cn_dtype_of(mask) == CN_BOOL) scores = cn_where(mask, scores, cn_num(-1e30));
    else if (mask) scores = cn_maximum(cn_add(scores, mask), cn_num(-1e30));
    cn_tensor *seen = cn_gt(scores, cn_num(-1e29));
    return cn_matmul(cn_where(seen, cn_softmax(scores, -1), cn_num(0)), in[2]);
}

static void gradients(cn_tensor *const in[3], cn_tensor *y, cn_tensor *out[4])
{
    cn_tensor *v =
        cn_cos(cn_reshape(cn_arange(0, (double)cn_numel(y), 1, CN_F32), *cn_shape_of(y)));
    out[0] = y;
    assert_true(cn_grad_of(&y, &v, 1, in, 3, out + 1, NULL));
}

static double difference(cn_tensor *a, cn_tensor *b)
{
    return cn_item(cn_amax(cn_abs(cn_detach(cn_sub(a, b)))));
}

static void agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        size_t mark = cn_mark();
        cn_tensor *in[] = { cn_randn(CN_SHAPE(2, 3, c->queries, c->width), CN_F32),
                            cn_randn(CN_SHAPE(2, 3, c->keys, c->width), CN_F32),
                            cn_randn(CN_SHAPE(2, 3, c->keys, c->value_width), CN_F32) };
        for (int k = 0; k < 3; k++) cn_requires_grad(in[k], true);
        cn_tensor *mask = c->mask || c->added ? mask_for(c) : NULL, *ours[4], *other[4];
        gradients(in, cn_scaled_dot_product_attention(in[0], in[1], in[2], mask, c->is_causal),
                  ours);
        gradients(in, composed(in, mask, c->is_causal), other);
        for (int k = 0; k < 4; k++)
            if (!(difference(ours[k], other[k]) < 1e-4))
                fail_msg("case %zu, tensor %d differs by %g", i, k, difference(ours[k], other[k]));
        assert_true(cn_ok());
        cn_release(mark);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(agrees) };
    return cmocka_run_group_tests_name("attention_rows", tests, NULL, NULL);
}
