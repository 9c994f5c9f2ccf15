/* test_attention.c - attention and Transformers: PyTorch's numbers, stacks of layers by name. */
#include "module_golden.h"

#include <cenote/cenote.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CASE(cls, constructor, inputs) { cls, constructor, inputs },
static const ModuleCase cases[] = {
#include "attention_cases.def"
};

static void test_golden(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        failures += module_golden_check(&cases[i]);
    assert_int_equal(failures, 0);
}

/* ---- typed calls and what is refused -------------------------------------------------------- */

static void assert_close(cn_tensor *a, cn_tensor *b)
{
    if (!a || !b) fail_msg("%s", cn_error());
    double worst = cn_item(cn_amax(cn_abs(cn_sub(a, b))));
    if (!(worst <= 1e-5)) fail_msg("they differ by %g", worst);
}

static void refuse(const void *result, const char *word)
{
    assert_null(result);
    if (!strstr(cn_error(), word)) fail_msg("\"%s\" does not say %s", cn_error(), word);
    cn_error_clear();
}

/* A step sees only those before it: what comes later changes nothing. */
static void test_causal_mask(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_attention_layer(4, 2);
    cn_tensor *x = cn_randn(CN_SHAPE(5, 2, 4), CN_F32), *weights;
    cn_tensor *y = cn_attention(m, x, x, x, .attn_mask = cn_causal_mask(5), .weights = &weights);
    cn_tensor *begin = cn_narrow(x, 0, 0, 3);
    assert_close(cn_narrow(y, 0, 0, 3),
                 cn_attention(m, begin, begin, begin, .attn_mask = cn_causal_mask(3)));
    assert_close(cn_sum(weights, .dim = CN_SHAPE(2)), cn_ones(CN_SHAPE(2, 5), CN_F32));
    assert_close(cn_select(weights, 1, 0), cn_narrow(cn_eye(5, CN_F32), 0, 0, 1));
    cn_module_free(m);
    cn_release(mark);
}

static void test_refused(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_attention_layer(4, 2);
    cn_tensor *x = cn_randn(CN_SHAPE(3, 2, 4), CN_F32), *wide = cn_randn(CN_SHAPE(3, 2, 5), CN_F32);
    refuse(cn_attention(m, x, wide, wide), "key");
    refuse(cn_attention(m, x, x, cn_narrow(x, 0, 0, 2)), "belong");
    refuse(cn_attention(m, x, x, x, .attn_mask = cn_causal_mask(4)), "attn_mask");
    refuse(cn_attention(m, x, x, x, .key_padding_mask = cn_causal_mask(3)), "key_padding_mask");
    refuse(cn_attention(m, x, x, x, .attn_mask = cn_ones(CN_SHAPE(3, 3), CN_I64)), "bool or float");
    refuse(cn_attention(m, cn_ones(CN_SHAPE(4), CN_F32), x, x), "dimensions");
    cn_module_free(m);
    refuse(cn_attention_layer(5, 2), "heads");
    refuse(cn_transformer_encoder_layer(4, 3), "heads");
    refuse(cn_transformer_decoder_layer(4, 2, .decoders = 3), "one layer");
    cn_release(mark);
}

/* The memory of a decoder reaches it through attention, and cannot be left out. */
static void test_decoder(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_transformer_decoder(
        cn_transformer_decoder_layer(4, 2, .feedforward = 8, .batch_first = true), 2,
        cn_layer_norm_layer(CN_SHAPE(4)));
    cn_tensor *tgt = cn_randn(CN_SHAPE(2, 3, 4), CN_F32);
    cn_tensor *memory = cn_requires_grad(cn_randn(CN_SHAPE(2, 5, 4), CN_F32), true), *y;
    int n = 1;
    assert_true(cn_forward_all(m, (cn_tensor *[]){ tgt, memory, cn_causal_mask(3) }, 3, &y, &n));
    assert_true(cn_backward(cn_sum(cn_mul(y, cn_randn(CN_SHAPE(2, 3, 4), CN_F32)))));
    assert_true(cn_item(cn_sum(cn_square(cn_grad(memory)))) > 0);
    refuse(cn_forward(m, tgt), "memory");
    cn_module_free(m);
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_causal_mask),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_decoder),
    };
    return cmocka_run_group_tests_name("attention", tests, module_golden_open, module_golden_close);
}
