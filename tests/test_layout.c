/* test_layout.c - the blocked memory format: engines use it, and nobody can tell. */
#include "core/packed.h"
#include "core/provider.h"
#include "ops/internal.h"
#include "ops/params.h"

#include <cenote/cenote.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool has_blocks; /* does any engine here leave results in blocks? */

static void assert_no_error(void)
{
    if (!cn_ok()) fail_msg("%s", cn_error());
}

static cn_tensor *random_images(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return cn_randn(CN_SHAPE(n, c, h, w), CN_F32);
}

static cn_tensor *convolved(cn_tensor *x, int64_t out)
{
    cn_tensor *w = random_images(out, cn_size(x, 1), 3, 3);
    return cn_conv2d(x, w, .padding = { 1, 1 });
}

static void assert_close(const cn_tensor *a, const cn_tensor *b)
{
    int64_t n = cn_numel(a);
    float *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
    assert_true(x && y && cn_read(a, CN_F32, x, n) && cn_read(b, CN_F32, y, n));
    for (int64_t i = 0; i < n; i++)
        assert_float_equal(x[i], y[i], 1e-4f + 1e-4f * (y[i] < 0 ? -y[i] : y[i]));
    free(x);
    free(y);
}

/* Both orders, and there and back, for elements of both sizes and a part of a tile. */
static void test_reorder(void **state)
{
    (void)state;
    CN_SCOPE
    {
        for (int d = 0; d < 2; d++) {
            cn_tensor *t = cn_to(random_images(2, 32, 5, 7), d ? CN_F64 : CN_F32),
                      *b = cn_zeros(*cn_shape_of(t), cn_dtype_of(t)),
                      *back = cn_zeros(*cn_shape_of(t), cn_dtype_of(t));
            size_t bytes = (size_t)cn_numel(t) * cn_dtype_size(cn_dtype_of(t));
            cn_reorder(b->v.data, &t->v, 16, true);
            b->v.block = 16;
            cn_reorder(back->v.data, &b->v, 16, false);
            assert_memory_equal(cn_data(t), cn_data(back), bytes);
            assert_memory_equal(cn_data(t), cn_data(b), bytes); /* looking makes it plain */
            assert_int_equal(b->v.block, 0);
        }
    }
    assert_no_error();
}

/* Every way to look at a blocked result gives what the reference kernel gives. */
static void test_looks(void **state)
{
    (void)state;
    enum { WAYS = 10 };
    cn_tensor *seen[2][WAYS];
    for (int plain = 0; plain < 2; plain++) {
        CN_SCOPE
        {
            cn_manual_seed(3);
            cn_restrict_providers(plain ? 0 : ~0u);
            cn_tensor *x = random_images(2, 16, 9, 8), *y[WAYS];
            for (int i = 0; i < WAYS; i++) y[i] = convolved(x, 32);
            if (!plain) has_blocks = y[0]->v.block != 0;
            y[0] = cn_relu(y[0]);                            /* stays blocked */
            y[1] = cn_add(y[1], random_images(2, 32, 9, 8)); /* blocked and plain */
            y[2] = cn_mul(y[2], random_images(1, 32, 1, 1)); /* broadcast */
            y[3] = cn_sum(y[3], .dim = CN_SHAPE(0, 2, 3));
            y[4] = cn_reshape(y[4], CN_SHAPE(2, -1));
            y[5] = cn_transpose(y[5], 0, 1);
            y[6] = cn_detach(y[6]);
            y[7] = cn_max_pool2d(cn_relu(y[7]), .kernel = { 2 });
            y[8] = cn_sub(cn_randn(CN_SHAPE(32, 1, 1), CN_F32), y[8]); /* one for each channel */
            y[9] = cn_add(y[9], random_images(1, 32, 1, 1));
            for (int i = 0; i < WAYS; i++) seen[plain][i] = cn_keep(cn_clone(y[i]));
            cn_restrict_providers(~0u);
        }
    }
    assert_no_error();
    for (int i = 0; i < WAYS; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* A block of two convolutions with a residual: all gradients, blocked and not. */
static cn_tensor *residual_loss(cn_tensor *x, cn_tensor *const w[2], cn_tensor *bias)
{
    cn_tensor *y = cn_relu(cn_conv2d(x, w[0], .bias = bias, .padding = { 1, 1 }));
    y = cn_add(cn_conv2d(y, w[1], .padding = { 1, 1 }), y);
    return cn_mean(cn_square(y));
}

static void test_gradients(void **state)
{
    (void)state;
    cn_tensor *seen[2][4];
    for (int plain = 0; plain < 2; plain++) {
        CN_SCOPE
        {
            cn_manual_seed(4);
            cn_restrict_providers(plain ? 0 : ~0u);
            cn_tensor *leaf[4] = { random_images(3, 16, 8, 8), random_images(32, 16, 3, 3),
                                   random_images(32, 32, 3, 3), cn_randn(CN_SHAPE(32), CN_F32) };
            for (int i = 0; i < 4; i++) cn_requires_grad(leaf[i], true);
            cn_backward(residual_loss(leaf[0], &leaf[1], leaf[3]));
            for (int i = 0; i < 4; i++) {
                assert_int_equal(cn_grad(leaf[i])->v.block, 0);
                seen[plain][i] = cn_keep(cn_grad(leaf[i]));
            }
            cn_restrict_providers(~0u);
        }
    }
    assert_no_error();
    for (int i = 0; i < 4; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* Large kernels of many channels between others: all gradients, and edges of odd size. */
static cn_tensor *window_loss(cn_tensor *x, cn_tensor *const w[3], cn_tensor *bias)
{
    cn_tensor *y = cn_conv2d(cn_conv2d(x, w[0]), w[1], .bias = bias, .padding = { 2, 2 });
    return cn_mul(cn_sum(cn_square(cn_conv2d(y, w[2]))), cn_num(1e-3));
}

static void test_large_kernels(void **state)
{
    (void)state;
    enum { IN = 64, OUT = 80, LEAVES = 5 };
    cn_tensor *seen[2][LEAVES];
    for (int plain = 0; plain < 2; plain++) {
        CN_SCOPE
        {
            cn_manual_seed(5);
            cn_restrict_providers(plain ? 0 : ~0u);
            cn_tensor *leaf[LEAVES] = { random_images(4, 16, 15, 11),
                                        cn_mul(random_images(IN, 16, 1, 1), cn_num(0.25)),
                                        cn_mul(random_images(OUT, IN, 5, 5), cn_num(0.02)),
                                        cn_mul(random_images(32, OUT, 1, 1), cn_num(0.1)),
                                        cn_randn(CN_SHAPE(OUT), CN_F32) };
            for (int i = 0; i < LEAVES; i++) leaf[i] = cn_requires_grad(cn_detach(leaf[i]), true);
            cn_backward(window_loss(leaf[0], leaf + 1, leaf[4]));
            for (int i = 0; i < LEAVES; i++) seen[plain][i] = cn_keep(cn_grad(leaf[i]));
            cn_restrict_providers(~0u);
        }
    }
    assert_no_error();
    for (int i = 0; i < LEAVES; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* Where a provider stands that can run here; -1: nowhere. */
static int place_of(const char *name)
{
    for (int i = 0; cn_providers[i]; i++)
        if (strcmp(cn_providers[i]->name, name) == 0 && cn_providers[i]->probe()) return i;
    return -1;
}

/* Images in blocks as wide as the vectors, whoever else leaves any. */
static cn_tensor *blocked(cn_tensor *t, int width)
{
    cn_tensor *b = cn_zeros(*cn_shape_of(t), CN_F32);
    cn_reorder(b->v.data, &t->v, width, true);
    b->v.block = (uint8_t)width;
    return b;
}

/* The engine for those is chosen for all three passes wherever there are vectors. */
static void test_winograd_takes_part(void **state)
{
    (void)state;
    const int place = place_of("winograd");
    if (place < 0) skip();
    const int64_t before = cn_provider_uses(place);
    cn_restrict_providers(1u << place);
    /* Blocks are as wide as vectors: 8 or 16. It declines the others. */
    for (int block = 8; block <= 16; block += 8) CN_SCOPE
        {
            cn_tensor *x = blocked(random_images(4, 64, 15, 11), block),
                      *y = blocked(random_images(4, 80, 15, 11), block),
                      *w = random_images(80, 64, 5, 5);
            const cn_conv_params conv = { { 2, { 1, 1 } }, { 2, { 2, 2 } }, { 2, { 1, 1 } }, 1 };
            const cn_conv_gradient_params to_x = { { 4, { 4, 64, 15, 11 } }, conv },
                                          to_w = { { 4, { 80, 64, 5, 5 } }, conv };
            assert_non_null(
                cn_apply1(&cn_op_convolution2d, (cn_tensor *[]){ x, w, NULL }, 3, &conv));
            assert_non_null(cn_apply1(&cn_op_conv2d_input, (cn_tensor *[]){ w, y }, 2, &to_x));
            assert_non_null(cn_apply1(&cn_op_conv2d_weight, (cn_tensor *[]){ x, y }, 2, &to_w));
        }
    cn_restrict_providers(~0u);
    assert_no_error();
    assert_int_equal(cn_provider_uses(place), before + 3);
}

/* Pooling of both kinds and batch normalisation between convolutions, with all gradients. */
static cn_tensor *stack_loss(cn_tensor *x, cn_tensor *w, cn_tensor *gain, cn_tensor *shift)
{
    cn_tensor *y = cn_conv2d(x, w, .padding = { 1, 1 });
    y = cn_batch_norm(y, .weight = gain, .bias = shift, .training = true);
    y = cn_max_pool2d(cn_relu(y), .kernel = { 3 }, .stride = { 2 }, .padding = { 1, 1 });
    y = cn_avg_pool2d(y, .kernel = { 3 }, .stride = { 1 }, .padding = { 1, 1 },
                      .exclude_pad = true);
    return cn_mean(cn_square(convolved(y, 16)));
}

static void test_pools_and_norms(void **state)
{
    (void)state;
    cn_tensor *seen[2][5];
    for (int plain = 0; plain < 2; plain++) {
        CN_SCOPE
        {
            cn_manual_seed(5);
            cn_restrict_providers(plain ? 0 : ~0u);
            cn_tensor *leaf[4] = { random_images(3, 16, 9, 10), random_images(32, 16, 3, 3),
                                   cn_randn(CN_SHAPE(32), CN_F32), cn_randn(CN_SHAPE(32), CN_F32) };
            for (int i = 0; i < 4; i++) cn_requires_grad(leaf[i], true);
            cn_tensor *loss = stack_loss(leaf[0], leaf[1], leaf[2], leaf[3]);
            cn_backward(loss);
            cn_restrict_providers(~0u);
            assert_no_error();
            for (int i = 0; i < 4; i++) seen[plain][i] = cn_keep(cn_grad(leaf[i]));
            seen[plain][4] = cn_keep(loss);
        }
    }
    for (int i = 0; i < 5; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* Branches joined along the channels, of which some parts end within a block, all gradients. */
static cn_tensor *branches_loss(cn_tensor *x, cn_tensor *w, cn_tensor *bias, cn_tensor *narrow)
{
    cn_tensor *a = cn_relu(cn_conv2d(x, w, .bias = bias, .padding = { 1, 1 })),
              *b = cn_max_pool2d(a, .kernel = { 3 }, .stride = { 1 }, .padding = { 1, 1 });
    cn_tensor *whole = cn_cat((cn_tensor *[]){ a, x, b }, 3, 1),
              *odd = cn_cat((cn_tensor *[]){ cn_conv2d(a, narrow, .padding = { 1, 1 }), a }, 2, -3),
              *wide = cn_cat((cn_tensor *[]){ a, b }, 2, 2);
    cn_tensor *loss = cn_add(
        cn_add(cn_mean(cn_square(convolved(whole, 16))), cn_mean(cn_square(convolved(odd, 16)))),
        cn_mean(cn_square(convolved(wide, 16))));
    return cn_mul(loss, cn_num(0.01)); /* gradients of ordinary size */
}

static void test_branches(void **state)
{
    (void)state;
    cn_tensor *seen[2][5];
    for (int plain = 0; plain < 2; plain++) {
        CN_SCOPE
        {
            cn_manual_seed(6);
            cn_restrict_providers(plain ? 0 : ~0u);
            cn_tensor *leaf[4] = { random_images(3, 16, 7, 5), random_images(32, 16, 3, 3),
                                   cn_randn(CN_SHAPE(32), CN_F32), random_images(24, 32, 3, 3) };
            for (int i = 0; i < 4; i++) cn_requires_grad(leaf[i], true);
            cn_tensor *loss = branches_loss(leaf[0], leaf[1], leaf[2], leaf[3]);
            cn_backward(loss);
            cn_restrict_providers(~0u);
            assert_no_error();
            for (int i = 0; i < 4; i++) seen[plain][i] = cn_keep(cn_grad(leaf[i]));
            seen[plain][4] = cn_keep(loss);
        }
    }
    for (int i = 0; i < 5; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* What lies between convolutions stays in blocks, and so does its gradient. */
static void test_stays_blocked(void **state)
{
    (void)state;
    const int vectors = place_of("simd");
    if (vectors < 0 || !cn_providers[vectors]->probe()) skip();
    CN_SCOPE
    {
        cn_tensor *y = convolved(random_images(2, 16, 8, 8), 32);
        int block = y->v.block;
        cn_tensor *made[] = { cn_relu(y),
                              cn_add(y, y),
                              cn_cat((cn_tensor *[]){ y, y }, 2, 1),
                              cn_max_pool2d(y, .kernel = { 2 }),
                              cn_batch_norm(y, .training = true),
                              cn_batch_norm(y, .running_mean = cn_zeros(CN_SHAPE(32), CN_F32),
                                            .running_var = cn_ones(CN_SHAPE(32), CN_F32)),
                              cn_div(cn_randn(CN_SHAPE(32, 1, 1), CN_F32), y),
                              cn_adaptive_avg_pool2d(y, 1, 1) };
        assert_no_error();
        for (size_t i = 0; i < sizeof made / sizeof *made; i++)
            assert_int_equal(made[i]->v.block, block);
        cn_sum(y, .dim = CN_SHAPE(0, 2, 3));
        assert_int_equal(y->v.block, block);
    }
}

/* Windows of all kinds, whole and cut off by an edge, on sides that they do not divide. */
static void test_windows(void **state)
{
    (void)state;
    static const struct {
        int64_t kernel, stride, padding, side;
    } cases[] = { { 2, 2, 0, 8 }, { 2, 2, 0, 9 }, { 2, 1, 1, 5 }, { 3, 2, 1, 9 },
                  { 3, 2, 0, 8 }, { 3, 1, 1, 4 }, { 3, 3, 1, 7 }, { 4, 2, 1, 7 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CN_SCOPE
        {
            const int64_t k = cases[i].kernel, side = cases[i].side;
            cn_tensor *x = random_images(2, 16, side, side), *w = random_images(32, 16, 3, 3);
            cn_tensor *grad[2];
            for (int plain = 0; plain < 2; plain++) {
                cn_tensor *leaf = cn_requires_grad(cn_clone(x), true);
                cn_tensor *y = cn_conv2d(leaf, w, .padding = { 1, 1 });
                if (plain) y = cn_reshape(cn_reshape(y, CN_SHAPE(-1)), *cn_shape_of(y));
                y = cn_max_pool2d(y, .kernel = { k }, .stride = { cases[i].stride },
                                  .padding = { cases[i].padding, cases[i].padding });
                cn_backward(cn_sum(cn_mul(y, y)));
                assert_no_error();
                grad[plain] = cn_grad(leaf);
            }
            assert_close(grad[0], grad[1]);
        }
    }
}

/* A sequence gives what its layers give one by one, values, gradients and running statistics. */
static cn_module *stack(void)
{
    return cn_sequential(cn_conv2d_layer(32, .in = 16, .kernel = 3, .padding = 1),
                         cn_batch_norm2d_layer(), cn_relu_layer(),
                         cn_conv2d_layer(16, .in = 32, .kernel = 3, .padding = 1), cn_relu_layer(),
                         cn_max_pool2d_layer(3, .stride = 2, .padding = 1),
                         cn_conv2d_layer(16, .in = 16, .kernel = 3), cn_relu_layer());
}

static cn_tensor *one_by_one(cn_module *m, cn_tensor *x)
{
    for (int i = 0; x && cn_module_child(m, i); i++) x = cn_forward(cn_module_child(m, i), x);
    return x;
}

static void test_sequence(void **state)
{
    (void)state;
    enum { MOST = 16 };
    cn_tensor *seen[2][MOST], *p[MOST];
    int n = 0;
    for (int single = 0; single < 2; single++) {
        CN_SCOPE
        {
            cn_manual_seed(7);
            cn_module *m = stack();
            cn_tensor *x = cn_requires_grad(random_images(3, 16, 9, 10), true);
            cn_tensor *y = single ? one_by_one(m, x) : cn_forward(m, x);
            cn_backward(cn_mean(cn_square(y)));
            assert_no_error();
            n = cn_parameters(m, p, MOST - 4);
            assert_int_equal(n, 8);
            for (int i = 0; i < n; i++) seen[single][i] = cn_keep(cn_grad(p[i]));
            cn_module *norm = cn_module_child(m, 1);
            seen[single][n++] = cn_keep(y);
            seen[single][n++] = cn_keep(cn_grad(x));
            seen[single][n++] = cn_keep(cn_clone(cn_module_slot(norm, "running_mean")));
            seen[single][n++] = cn_keep(cn_clone(cn_module_slot(norm, "running_var")));
            cn_module_free(m);
        }
    }
    for (int i = 0; i < n; i++) {
        assert_close(seen[0][i], seen[1][i]);
        cn_drop(seen[0][i]), cn_drop(seen[1][i]);
    }
}

/* A layer that keeps its result, or whose rule needs it, is not written over. */
static void test_sequence_keeps_results(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *m = cn_sequential(cn_tanh_layer(), cn_relu_layer());
        cn_tensor *x = cn_requires_grad(cn_randn(CN_SHAPE(5, 3), CN_F32), true);
        cn_tensor *other = cn_requires_grad(cn_clone(cn_detach(x)), true);
        cn_backward(cn_sum(cn_forward(m, x)));
        cn_backward(cn_sum(cn_relu(cn_tanh(other))));
        assert_no_error();
        assert_close(cn_grad(x), cn_grad(other));
        cn_module_free(m);
    }
}

/* Gradients of gradients through batch norm with relu, and through relu over its input. */
static void test_second_gradients(void **state)
{
    (void)state;
    cn_tensor *seen[2];
    for (int single = 0; single < 2; single++) {
        CN_SCOPE
        {
            cn_manual_seed(8);
            cn_module *m = stack();
            cn_tensor *x = cn_requires_grad(random_images(2, 16, 8, 8), true), *g = NULL;
            cn_tensor *y = cn_mean(cn_square(single ? one_by_one(m, x) : cn_forward(m, x)));
            assert_true(cn_grad_of(&y, NULL, 1, &x, 1, &g,
                                   &(cn_backward_options){ .size = sizeof(cn_backward_options),
                                                           .create_graph = true }));
            assert_true(cn_backward(cn_sum(cn_square(g))));
            seen[single] = cn_keep(cn_grad(x));
            cn_module_free(m);
        }
    }
    assert_no_error();
    assert_close(seen[0], seen[1]);
    cn_drop(seen[0]), cn_drop(seen[1]);
}

/* A leaf as large as the activation gets a gradient in rows, whoever summed it. */
static void test_leaf_of_blocked_gradient(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *bias = cn_requires_grad(random_images(1, 32, 8, 8), true);
        cn_tensor *y = cn_add(convolved(random_images(1, 16, 8, 8), 32), bias);
        cn_backward(cn_sum(convolved(cn_relu(y), 32)));
        assert_no_error();
        assert_int_equal(cn_grad(bias)->v.block, 0);
    }
}

/* In place, on the result and through a second name for it. */
static void test_in_place(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *y = convolved(random_images(2, 16, 8, 8), 32), *same = cn_detach(y);
        cn_mul_(same, cn_num(0));
        assert_no_error();
        assert_float_equal(cn_at(y, CN_SHAPE(1, 31, 7, 7)), 0, 0);
    }
}

/* A single image of one pixel has as many numbers as channels, like a number per channel. */
static void test_one_pixel(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *bias = cn_randn(CN_SHAPE(32, 1, 1), CN_F32);
        for (int turn = 0; turn < 3; turn++) {
            cn_tensor *x = random_images(1, 32, 1, 1), *y = random_images(1, 32, 1, 1),
                      *z = turn ? bias : y;
            x->v.block = y->v.block = 16; /* the order is the same */
            cn_tensor *sum = turn == 2 ? cn_add(z, x) : cn_add(x, z);
            assert_no_error();
            assert_non_null(sum);
            for (int64_t c = 0; c < 32; c++) {
                const double other = cn_at(turn ? bias : y,
                                           turn ? CN_SHAPE(c, 0, 0) : CN_SHAPE(0, c, 0, 0)),
                             expected = cn_at(x, CN_SHAPE(0, c, 0, 0)) + other;
                assert_float_equal((float)cn_at(sum, CN_SHAPE(0, c, 0, 0)), (float)expected, 1e-5f);
            }
        }
    }
}

/* Copies of weights are used while the weights stay, and only then. */
static void test_packed(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = random_images(2, 16, 8, 8), *w = random_images(32, 16, 3, 3), *y[3];
        CN_NO_GRAD
        {
            y[0] = cn_conv2d(x, w);
            y[1] = cn_conv2d(x, w);
            if (has_blocks) assert_non_null(w->storage->packed);
            cn_mul_(w, cn_num(2));
            y[2] = cn_conv2d(x, w);
        }
        assert_no_error();
        assert_close(y[0], y[1]);
        assert_close(cn_mul(y[0], cn_num(2)), y[2]);
        assert_true(!has_blocks || cn_may_pack(w));
        cn_data_mut(w); /* from here on it may change unseen */
        assert_false(cn_may_pack(w));
    }
}

static void views_say_whose_memory_they_see(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *x = cn_zeros(CN_SHAPE(2, 3), CN_F32), *copy = cn_clone(x);
    cn_tensor *t = cn_t(x), *first = cn_select(x, 0, 0), *second = cn_select(x, 0, 1);
    assert_true(cn_is_view(t) && cn_is_view(first) && !cn_is_view(x) && !cn_is_view(copy));
    assert_true(cn_shares_memory(x, t) && cn_shares_memory(first, second)); /* of one block */
    assert_false(cn_shares_memory(x, copy) || cn_shares_memory(x, NULL) || cn_is_view(NULL));
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_say_whose_memory_they_see),
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_large_kernels),
        cmocka_unit_test(test_winograd_takes_part),
        cmocka_unit_test(test_pools_and_norms),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_stays_blocked),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_sequence_keeps_results),
        cmocka_unit_test(test_second_gradients),
        cmocka_unit_test(test_leaf_of_blocked_gradient),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_one_pixel),
        cmocka_unit_test(test_packed),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
