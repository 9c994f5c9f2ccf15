/* test_core.c - element types and their rounding, promotion, printing, memory, errors. */
#include "core/half.h"
#include "core/memory.h"
#include "core/op.h"
#include "core/schema.h"

#include <cenote/functional.h>
#include <cenote/io.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cn_dict *golden; /* tests/golden/core.safetensors, by tools/golden.py */

static void assert_error(cn_code code, const char *words)
{
    assert_int_equal(cn_error_code(), code);
    if (!strstr(cn_error(), words)) fail_msg("'%s' does not say '%s'", cn_error(), words);
    cn_error_clear();
}

static size_t mark;

static int open_scope(void **state)
{
    (void)state;
    mark = cn_mark();
    return cn_ok() ? 0 : -1;
}

static int close_scope(void **state)
{
    (void)state;
    cn_release(mark);
    if (!cn_ok()) printf("left behind: %s\n", cn_error());
    bool clean = cn_ok();
    cn_error_clear();
    return clean ? 0 : -1;
}

/* ---- halves -------------------------------------------------------------------------------- */

static const struct {
    float value;
    uint16_t f16, bf16;
} halves[] = {
    { 0.0f, 0x0000, 0x0000 },
    { -0.0f, 0x8000, 0x8000 },
    { 1.0f, 0x3c00, 0x3f80 },
    { -2.0f, 0xc000, 0xc000 },
    { 0x1p-24f, 0x0001, 0x3380 }, /* the smallest f16 */
    { 0x1p-25f, 0x0000, 0x3300 }, /* half of it: a tie, to even */
    { 0x1.8p-25f, 0x0001, 0x3340 },
    { 0x1.8p-24f, 0x0002, 0x33c0 },   /* between 1 and 2 units: a tie, to even */
    { 0x1.ff8p-15f, 0x03ff, 0x3880 }, /* the largest subnormal; bf16 rounds up */
    { 0x1p-14f, 0x0400, 0x3880 },     /* the smallest normal */
    { 65504.0f, 0x7bff, 0x4780 },     /* the largest f16; bf16 rounds up to 65536 */
    { 65519.0f, 0x7bff, 0x4780 },
    { 65520.0f, 0x7c00, 0x4780 },   /* a tie that overflows */
    { 0x1.002p0f, 0x3c00, 0x3f80 }, /* 1 + half a unit: to even, down */
    { 0x1.006p0f, 0x3c02, 0x3f80 }, /* 1 + one and a half: to even, up */
    { 0x1.01p0f, 0x3c04, 0x3f80 },  /* the same tie for bf16, down */
    { 0x1.03p0f, 0x3c0c, 0x3f82 },  /* .. and up */
    { 0x1.fffffep127f, 0x7c00, 0x7f80 },
    { INFINITY, 0x7c00, 0x7f80 },
    { -INFINITY, 0xfc00, 0xff80 },
};

static void test_halves_round_to_even(void **state)
{
    (void)state;
    for (size_t i = 0; i < CN_COUNT(halves); i++) {
        uint16_t f = cn_f32_to_f16(halves[i].value), b = cn_f32_to_bf16(halves[i].value);
        if (f != halves[i].f16 || b != halves[i].bf16)
            fail_msg("%a is %04x and %04x instead of %04x and %04x", (double)halves[i].value, f, b,
                     halves[i].f16, halves[i].bf16);
    }
    assert_true(isnan(cn_f16_to_f32(cn_f32_to_f16(NAN))) &&
                isnan(cn_bf16_to_f32(cn_f32_to_bf16(NAN))));
}

static void test_all_halves_survive(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffff; bits++) {
        uint16_t h = (uint16_t)bits;
        float f = cn_f16_to_f32(h), b = cn_bf16_to_f32(h);
        if (!isnan(f)) assert_int_equal(cn_f32_to_f16(f), h);
        if (!isnan(b)) assert_int_equal(cn_f32_to_bf16(b), h);
    }
}

/* ---- conversions --------------------------------------------------------------------------- */

static double converted(double x, cn_dtype from, cn_dtype to)
{
    double y = 0;
    CN_SCOPE y = cn_item(cn_real(cn_to(cn_to(cn_full(cn_scalar_shape(), x, CN_F64), from), to)));
    return y;
}

static void test_conversions(void **state)
{
    (void)state;
    for (int from = 0; from < CN_NUM_DTYPES; from++)
        for (int to = 0; to < CN_NUM_DTYPES; to++) {
            double want = from == CN_BOOL || to == CN_BOOL ? 1 : 5;
            double got = converted(5, (cn_dtype)from, (cn_dtype)to);
            if (got != want)
                fail_msg("5 from %s to %s is %g", cn_dtype_name((cn_dtype)from),
                         cn_dtype_name((cn_dtype)to), got);
        }
    assert_true(converted(-2.7, CN_F64, CN_I32) == -2); /* towards zero */
    assert_true(converted(2.7, CN_F32, CN_I64) == 2);
    assert_true(converted(300, CN_I64, CN_U8) == 44); /* modulo 2^8 */
    assert_true(converted(200, CN_I64, CN_I8) == -56);
    assert_true(converted(0.25, CN_F32, CN_BOOL) == 1);
    assert_true(converted(1.0 / 3, CN_F64, CN_F32) == (double)(1.0f / 3));
}

static void test_large_integers_are_exact(void **state)
{
    (void)state;
    int64_t values[] = { INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1 }, back[3];
    cn_tensor *t = cn_from(values, CN_SHAPE(3), CN_I64);
    assert_true(cn_read(cn_clone(t), CN_I64, back, 3));
    assert_memory_equal(values, back, sizeof values);
}

/* ---- promotion ----------------------------------------------------------------------------- */

static void test_promotion(void **state)
{
    (void)state;
    const cn_shape shapes[3][2] = { { CN_SHAPE(2), CN_SHAPE(2) },
                                    { CN_SHAPE(2), { 0 } },
                                    { { 0 }, { 0 } } };
    for (int rank = 0; rank < 3; rank++) {
        char key[32];
        uint8_t want[CN_NUM_DTYPES][CN_NUM_DTYPES];
        snprintf(key, sizeof key, "promotion|%d", rank);
        assert_true(cn_read(cn_dict_tensor(golden, key), CN_U8, want, sizeof want));
        for (int a = 0; a < CN_NUM_DTYPES; a++)
            for (int b = 0; b < CN_NUM_DTYPES; b++) {
                cn_tensor *x = cn_ones(shapes[rank][0], (cn_dtype)a),
                          *y = cn_ones(shapes[rank][1], (cn_dtype)b);
                cn_dtype got = cn_dtype_of(cn_add(x, y));
                if (got != (cn_dtype)want[a][b])
                    fail_msg("%s + %s, case %d: %s, PyTorch says %s", cn_dtype_name((cn_dtype)a),
                             cn_dtype_name((cn_dtype)b), rank, cn_dtype_name(got),
                             cn_dtype_name((cn_dtype)want[a][b]));
            }
    }
}

/* ---- printing ------------------------------------------------------------------------------ */

static cn_tensor *counted(cn_shape shape, double step, cn_dtype dtype)
{
    cn_tensor *t = cn_empty(shape, CN_F64);
    double *x = cn_data_mut(t);
    for (int64_t i = 0; i < cn_numel(t); i++) x[i] = (double)i * step;
    return cn_to(t, dtype);
}

static cn_tensor *listed(cn_shape shape, cn_dtype dtype, const double *values)
{
    return cn_to(cn_from(values, shape, CN_F64), dtype);
}

#define LIST(dtype, shape, ...) listed(CN_SHAPE shape, dtype, (double[]){ __VA_ARGS__ })

/* Text of tensor number k as PyTorch gave it; the tensors are those of printed() in
   tools/golden.py. */
static int check_text(int k, const cn_tensor *t)
{
    char key[32], *got = malloc(4096);
    snprintf(key, sizeof key, "text|%d", k);
    const cn_tensor *want = cn_dict_tensor(golden, key);
    size_t n = cn_to_text(t, got, 4096);
    assert_non_null(got);
    int64_t length = cn_numel(want);
    bool same = n == (size_t)length && memcmp(got, cn_data(want), n) == 0;
    if (!same)
        printf("text %d is\n%s\nPyTorch says\n%.*s\n", k, got, (int)length,
               (const char *)cn_data(want));
    free(got);
    return !same;
}

static void test_printing(void **state)
{
    (void)state;
    const cn_tensor *tensors[] = {
        cn_scalar(3),
        cn_scalar(2.5),
        LIST(CN_F32, (3), 1, 2, 3),
        LIST(CN_F32, (3), 1.5, -2.25, 1000),
        LIST(CN_F32, (2), 1e-5, 1),
        LIST(CN_F32, (2), 1e8, 1),
        LIST(CN_F32, (3), (double)NAN, (double)INFINITY, -1),
        LIST(CN_I64, (2, 2), 1, -20, 300, 4),
        LIST(CN_BOOL, (2), 1, 0),
        cn_zeros(CN_SHAPE(0), CN_F32),
        cn_zeros(CN_SHAPE(2, 0), CN_F32),
        counted(CN_SHAPE(2, 3, 4), 1, CN_F32),
        counted(CN_SHAPE(2000), 1, CN_I64),
        counted(CN_SHAPE(30), 1, CN_F32),
        counted(CN_SHAPE(30, 40), 0.125, CN_F32),
        LIST(CN_F64, (2), 1.5, 2.5),
        LIST(CN_U8, (2), 1, 2),
        LIST(CN_BF16, (2), 0.5, 1.5),
        cn_to(cn_scalar(7), CN_I64),
        LIST(CN_F32, (1, 2), 0, 1e5),
        LIST(CN_F32, (2), 1, 1.001),
        cn_view_as_complex(LIST(CN_F32, (2, 2), 1, 2, 3.5, -1)),
        cn_view_as_complex(LIST(CN_F64, (2, 2), 1, 200, -3, -1.5)),
        cn_view_as_complex(LIST(CN_F32, (2), 2, -1)),
    };
    int failures = 0;
    for (size_t k = 0; k < CN_COUNT(tensors); k++) failures += check_text((int)k, tensors[k]);
    assert_int_equal(failures, 0);
}

static void test_text_fits_its_room(void **state)
{
    (void)state;
    char whole[256], part[8] = "xxxxxxx";
    const cn_tensor *t = counted(CN_SHAPE(5), 1, CN_F32);
    size_t n = cn_to_text(t, whole, sizeof whole);
    assert_int_equal(n, strlen(whole));
    assert_int_equal(cn_to_text(t, part, 5), n);
    assert_string_equal(part, "tens");
    assert_int_equal(part[5], 'x');
    assert_int_equal(cn_to_text(t, NULL, 0), n);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void test_statistics(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    cn_memory_stats before = cn_memory();
    size_t inner = cn_mark();
    assert_non_null(cn_zeros(CN_SHAPE(BYTES), CN_U8));
    cn_memory_stats during = cn_memory();
    assert_true(during.live_bytes >= before.live_bytes + BYTES);
    assert_true(during.peak_bytes >= during.live_bytes);
    assert_true(during.allocations > before.allocations);
    assert_int_equal(during.live_tensors, before.live_tensors + 1);
    cn_release(inner);
    cn_memory_stats after = cn_memory();
    assert_int_equal(after.live_bytes, before.live_bytes);
    assert_int_equal(after.live_tensors, before.live_tensors);
    cn_trim_memory();
    assert_true(cn_memory().cached_bytes <= after.cached_bytes);
}

static void test_limit(void **state)
{
    (void)state;
    cn_set_memory_limit(cn_memory().live_bytes + (1 << 20));
    assert_null(cn_zeros(CN_SHAPE(4 << 20), CN_F32));
    assert_error(CN_ENOMEM, "limit");
    assert_non_null(cn_zeros(CN_SHAPE(1000), CN_F32)); /* what fits still works */
    cn_set_memory_limit(0);
    assert_non_null(cn_zeros(CN_SHAPE(1 << 20), CN_F32));
}

static void test_impossible_sizes(void **state)
{
    (void)state;
    assert_null(cn_zeros(CN_SHAPE(INT64_MAX, 2), CN_U8));
    assert_false(cn_ok());
    cn_error_clear();
    assert_null(cn_zeros(CN_SHAPE(INT64_MAX / 4), CN_F64));
    assert_false(cn_ok());
    cn_error_clear();
    assert_null(cn_zeros(CN_SHAPE(2, -1), CN_F32));
    assert_error(CN_EINVALID, "-1");
}

/* ---- errors -------------------------------------------------------------------------------- */

static void test_first_error_sticks(void **state)
{
    (void)state;
    assert_false(cn_fail(CN_EIO, "first %d", 1));
    assert_false(cn_fail(CN_EINVALID, "second"));
    assert_error(CN_EIO, "first 1");
    assert_true(cn_ok());
    assert_string_equal(cn_error(), "");
    assert_int_equal(cn_error_code(), CN_OK);
}

static void test_one_check_at_the_end(void **state)
{
    (void)state;
    cn_tensor *a = cn_ones(CN_SHAPE(2, 3), CN_F32), *b = cn_ones(CN_SHAPE(4), CN_F32);
    cn_tensor *y = cn_sum(cn_relu(cn_mul(cn_add(a, b), a)));
    assert_null(y);
    assert_true(isnan(cn_item(y)));
    assert_int_equal(cn_ndim(y), -1);
    assert_null(cn_shape_of(y));
    if (!strstr(cn_error(), "add") || !strstr(cn_error(), "(2, 3)") || !strstr(cn_error(), "(4,)"))
        fail_msg("the message does not name the op and both shapes: %s", cn_error());
    cn_error_clear();
}

/* A call with the NULL of one that failed: no result, no crash, and the error stays the first. */
static void test_null_in_null_out(void **state)
{
    (void)state;
    int tried = 0;
    cn_fail(CN_EIO, "the first");
    for (int i = 0; i < cn_op_count; i++) {
        cn_tensor *in[16] = { NULL }, *out[CN_MAX_OUT] = { NULL };
        cn_schema schema;
        cn_bound b;
        assert_true(cn_schema_parse(cn_ops[i]->schema, &schema));
        int tensors = 0;
        for (int k = 0; k < schema.n_args; k++) tensors += schema.args[k].type == CN_ARG_TENSOR;
        if (tensors == 0 || (cn_ops[i]->optional & CN_SAVE_IN(0))) continue;
        assert_true(cn_bind_presets(&schema, cn_ops[i]->name, &b));
        int n = schema.n_out > 0 ? schema.n_out : CN_MAX_OUT;
        bool ok = cn_apply(cn_ops[i], in, tensors, b.params, out, n);
        if (ok) fail_msg("%s of NULL has a result", cn_ops[i]->name);
        for (int k = 0; k < n; k++) assert_null(out[k]);
        tried++;
    }
    assert_true(tried > 100);
    assert_error(CN_EIO, "the first");
}

static void test_null_out_of_nowhere(void **state)
{
    (void)state;
    assert_null(cn_add(NULL, cn_scalar(1)));
    assert_error(CN_EINVALID, "add");
}

static void test_typed_functions_pass_null_on(void **state)
{
    (void)state;
    cn_tensor *parts[4], *x = cn_ones(CN_SHAPE(2, 2), CN_F32), *none[2] = { NULL, NULL };
    cn_fail(CN_EIO, "the first");
    cn_tensor *const results[] = {
        cn_add(NULL, x),
        cn_add(x, NULL),
        cn_add_(NULL, x),
        cn_copy_(x, NULL),
        cn_clamp(NULL, x, x),
        cn_sum(NULL),
        cn_mean(NULL),
        cn_amax(NULL),
        cn_argmax(NULL),
        cn_max_along(NULL, 0).values,
        cn_var(NULL),
        cn_norm(NULL),
        cn_cumsum(NULL, 0),
        cn_sort(NULL, 0, false).indices,
        cn_topk(NULL, 1, 0).values,
        cn_select(NULL, 0, 0),
        cn_narrow(NULL, 0, 0, 1),
        cn_gather(x, 0, NULL),
        cn_where(NULL, x, x),
        cn_masked_fill(x, NULL, x),
        cn_nonzero(NULL),
        cn_cat(none, 2, 0),
        cn_stack(none, 2, 0),
        cn_repeat(NULL, CN_SHAPE(2)),
        cn_reshape(NULL, CN_SHAPE(-1)),
        cn_permute(NULL, CN_SHAPE(0)),
        cn_t(NULL),
        cn_to(NULL, CN_F64),
        cn_matmul(x, NULL),
        cn_einsum("ij,jk", none, 2),
        cn_linear(x, NULL, NULL),
        cn_conv2d(NULL, x),
        cn_pad(NULL, CN_SHAPE(1, 1)),
        cn_avg_pool2d(NULL, { 2 }),
        cn_max_pool2d(NULL, { 2 }),
        cn_softmax(NULL, 0),
        cn_dropout(NULL, 0.5, NULL),
        cn_cross_entropy(NULL, x),
        cn_mse_loss(x, NULL),
        cn_batch_norm(NULL),
    };
    for (size_t i = 0; i < CN_COUNT(results); i++)
        if (results[i]) fail_msg("call %zu of NULL has a result", i);
    assert_int_equal(cn_split(NULL, 1, 0, parts, 4), -1);
    assert_error(CN_EIO, "the first");
}

static int read_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/core.safetensors");
    if (!golden) printf("%s\n", cn_error());
    return golden ? 0 : -1;
}

static int free_golden(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scope, close_scope)

/* What a hostile file puts into a message stays one line of UTF-8. */
static void test_message_text(void **state)
{
    (void)state;
    cn_error_clear();
    cn_fail(CN_EFORMAT, "%s", "a\xc3\xa9\xc1\xa9\n\xed\xa0\x80\xe2\x82");
    assert_string_equal(cn_error(), "a\xc3\xa9????????");
    cn_error_clear();
}

static const int32_t *moved(int64_t a, int64_t b, int64_t c, int64_t d, cn_shape order)
{
    cn_tensor *t =
        cn_reshape(cn_arange(0, (double)(a * b * c * d), 1, CN_I32), CN_SHAPE(a, b, c, d));
    return cn_data(cn_contiguous(cn_permute(t, order)));
}

/* Images to channels last: in parts of tiles, and by whole lines that go past the caches. */
static void test_turned_copies(void **state)
{
    (void)state;
    static const struct {
        int64_t n, c, h, w;
    } cases[] = { { 3, 20, 9, 13 }, { 2, 64, 90, 100 }, { 1, 1040, 32, 33 }, { 1, 16, 1, 40000 } };
    for (size_t i = 0; i < CN_COUNT(cases); i++) {
        const int64_t n = cases[i].n, c = cases[i].c, h = cases[i].h, w = cases[i].w;
        const int32_t *got = moved(n, c, h, w, CN_SHAPE(0, 2, 3, 1));
        assert_non_null(got);
        for (int64_t k = 0; k < n * c * h * w; k++) {
            const int64_t channel = k % c, pixel = k / c % (h * w), image = k / c / (h * w);
            assert_int_equal(got[k], (image * c + channel) * h * w + pixel);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_message_text),
        TEST(test_halves_round_to_even),
        TEST(test_all_halves_survive),
        TEST(test_conversions),
        TEST(test_large_integers_are_exact),
        TEST(test_promotion),
        TEST(test_printing),
        TEST(test_text_fits_its_room),
        TEST(test_statistics),
        TEST(test_limit),
        TEST(test_impossible_sizes),
        TEST(test_first_error_sticks),
        TEST(test_one_check_at_the_end),
        TEST(test_null_in_null_out),
        TEST(test_null_out_of_nowhere),
        TEST(test_typed_functions_pass_null_on),
        TEST(test_turned_copies),
    };
    return cmocka_run_group_tests_name("core", tests, read_golden, free_golden);
}
