/* test_autograd_views.c - changes in place of views and of what has views: PyTorch's rules. */
#include "autograd_helpers.h"

#include <math.h>

/* ---- programs that change parts, and their derivatives --------------------------------------
   x (3 x 2) and w (2) are leaves. A program returns what it has made of them, its changes included. */

typedef cn_tensor *Program(cn_tensor *x, cn_tensor *w);

static cn_tensor *a_row(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_mul(x, cn_num(1.5));
    return cn_mul_(cn_select(y, 0, 1), w) ? y : NULL;
}

static cn_tensor *a_view_of_a_view(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_sin(x), *element = cn_select(cn_select(cn_transpose(y, 0, 1), 0, 1), 0, 2);
    return cn_mul_(element, cn_select(w, 0, 0)) ? cn_mul(y, y) : NULL;
}

static cn_tensor *plain_base(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_ones(CN_SHAPE(3, 2), CN_F64);
    bool ok =
        cn_mul_(cn_select(y, 0, 0), w) && cn_add_(cn_narrow(y, 0, 1, 2), cn_narrow(x, 0, 0, 2));
    return ok ? y : NULL;
}

/* The view was taken before; it shows, and depends on, what its base is now. */
static cn_tensor *old_view(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_sin(x), *view = cn_select(y, 1, 0);
    return cn_mul_(y, w) && cn_mul_(y, w) ? cn_mul(view, view) : NULL;
}

static cn_tensor *views_of_each_other(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_mul(x, x), *rows = cn_narrow(y, 0, 0, 2), *column = cn_select(y, 1, 1);
    bool ok = cn_mul_(rows, w) && cn_mul_(column, column) && cn_add_(rows, rows);
    return ok ? cn_mul(cn_sum(y), cn_mul(cn_sum(rows), column)) : NULL;
}

static cn_tensor *what_backward_reads(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_mul(x, w), *row = cn_select(y, 0, 2);
    return cn_mul_(row, row) && cn_mul_(row, row) ? y : NULL;
}

static cn_tensor *copied_over(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_mul(x, cn_num(2));
    bool ok = cn_copy_(cn_select(y, 0, 0), w) && cn_copy_(cn_select(y, 0, 1), cn_num(3));
    return ok ? cn_mul(y, y) : NULL;
}

static cn_tensor *converted(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_mul(x, w);
    return cn_copy_(cn_select(y, 1, 0), cn_to(cn_select(x, 1, 1), CN_F64)) ? y : NULL;
}

static cn_tensor *detached_base(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *y = cn_detach(cn_clone(x)), *z = cn_mul(x, x);
    return cn_mul_(cn_select(y, 0, 1), w) ? cn_mul(y, z) : NULL;
}

static const struct {
    const char *name;
    Program *run;
} programs[] = {
    { "a row", a_row },
    { "a view of a view", a_view_of_a_view },
    { "a plain base", plain_base },
    { "an old view", old_view },
    { "views of each other", views_of_each_other },
    { "what backward reads", what_backward_reads },
    { "copied over", copied_over },
    { "converted", converted },
};

static double value_of(Program *run, const double x[6], const double w[2])
{
    size_t mark = cn_mark();
    cn_tensor *leaf_x = cn_requires_grad(cn_reshape(vector(6, x), CN_SHAPE(3, 2)), true);
    cn_tensor *y = run(leaf_x, cn_requires_grad(vector(2, w), true));
    if (!y) fail_msg("%s", cn_error());
    double v = weighed(y);
    cn_release(mark);
    return v;
}

/* The gradients of the weighed elements, and of sin of the first of those gradients. */
static void derivatives(Program *run, const double x[6], const double w[2], double first[8],
                        double second[8], double *of_first)
{
    size_t mark = cn_mark();
    cn_tensor *leaves[] = { cn_requires_grad(cn_reshape(vector(6, x), CN_SHAPE(3, 2)), true),
                            cn_requires_grad(vector(2, w), true) },
              *g[2], *gg[2], *y = run(leaves[0], leaves[1]), *weights = cn_detach(cn_clone(y)),
              *loss;
    double *k = cn_data_mut(weights);
    for (int64_t i = 0; i < cn_numel(weights); i++) k[i] = sin((double)i + 1);
    cn_backward_options o = { .create_graph = true, .allow_unused = true };
    assert_true(cn_grad_of(&y, &weights, 1, leaves, 2, g, &o));
    assert_true(cn_read(g[0], CN_F64, first, 6) && cn_read(g[1], CN_F64, first + 6, 2));
    loss = cn_add(cn_sum(cn_sin(g[0])), cn_sum(cn_sin(g[1])));
    *of_first = cn_item(loss);
    memset(second, 0, 8 * sizeof *second);
    if (cn_needs_grad(loss)) {
        assert_true(cn_grad_of(&loss, NULL, 1, leaves, 2, gg, &o));
        assert_true(!gg[0] || cn_read(gg[0], CN_F64, second, 6));
        assert_true(!gg[1] || cn_read(gg[1], CN_F64, second + 6, 2));
    }
    cn_release(mark);
}

static void check_program(const char *name, Program *run)
{
    double at[8] = { 0.3, -0.8, 1.1, 0.6, -0.4, 0.9, 1.3, 0.7 }, first[8], second[8], unused,
           h = 1e-5;
    derivatives(run, at, at + 6, first, second, &unused);
    for (int i = 0; i < 8; i++) {
        double up[8], down[8], a[8], b[8], above, below;
        memcpy(up, at, sizeof at), memcpy(down, at, sizeof at);
        up[i] += h, down[i] -= h;
        double slope = (value_of(run, up, up + 6) - value_of(run, down, down + 6)) / (2 * h);
        derivatives(run, up, up + 6, a, b, &above);
        derivatives(run, down, down + 6, a, b, &below);
        if (fabs(slope - first[i]) > 1e-6 * (1 + fabs(slope)))
            fail_msg("%s, input %d: gradient %g, difference %g", name, i, first[i], slope);
        slope = (above - below) / (2 * h);
        if (fabs(slope - second[i]) > 1e-5 * (1 + fabs(slope)))
            fail_msg("%s, input %d: second gradient %g, difference %g", name, i, second[i], slope);
    }
}

static void test_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        check_program(programs[i].name, programs[i].run);
}

/* y is no function of x for autograd before its row is. */
static void test_detached_base(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(cn_full(CN_SHAPE(3, 2), 2, CN_F64), true),
              *w = cn_requires_grad(vector(2, (double[]){ 3, 4 }), true);
    assert_true(cn_backward(cn_sum(detached_base(x, w))));
    assert_elements(cn_grad(x), (double[]){ 8, 8, 24, 32, 8, 8 }, 6); /* 2 x y */
    assert_elements(cn_grad(w), (double[]){ 8, 8 }, 2);               /* x x^2 */
}

/* ---- what is current ------------------------------------------------------------------------ */

static void test_views_follow_their_base(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true), *y = cn_mul(x, cn_num(3)),
              *view = cn_select(y, 0, 0);
    assert_non_null(cn_mul_(y, cn_num(5)));
    assert_close(cn_item(view), 15);
    assert_true(cn_backward(view));
    assert_elements(cn_grad(x), (double[]){ 15, 0 }, 2);
}

/* A base that depended on nothing, and its views, require gradients from the change on. */
static void test_a_plain_base_is_recorded(void **state)
{
    (void)state;
    cn_tensor *x = leaf(3), *base = vector(2, (double[]){ 1, 2 }),
              *other = cn_narrow(base, 0, 0, 2);
    assert_false(cn_needs_grad(other));
    assert_non_null(cn_mul_(cn_select(base, 0, 1), x));
    assert_true(cn_needs_grad(base) && cn_needs_grad(other) && !cn_is_leaf(other));
    assert_true(cn_backward(cn_sum(other)));
    assert_close(cn_item(cn_grad(x)), 2);
}

static void test_retained_gradient_of_a_view(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true), *y = cn_mul(x, cn_num(3)),
              *view = cn_select(y, 0, 1);
    assert_true(cn_retain_grad(view));
    assert_non_null(cn_mul_(view, cn_num(2)));
    assert_true(cn_backward(cn_mul(view, view)));
    assert_close(cn_item(cn_grad(view)), 2 * 12);
    assert_elements(cn_grad(x), (double[]){ 0, 2 * 12 * 6 }, 2);
}

/* What was saved before the change is not what it was, whichever of the views is changed. */
static void test_a_saved_tensor_has_changed(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true), *y = cn_mul(x, cn_num(3)),
              *z = cn_mul(y, y), *s = cn_mul(cn_select(y, 0, 0), x);
    assert_non_null(cn_add_(cn_select(y, 0, 1), cn_num(1)));
    assert_false(cn_backward(cn_sum(z)));
    assert_error("changed in place");
    assert_false(cn_backward(cn_sum(s)));
    assert_error("changed in place");
}

static void test_overwriting_ends_dependence(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true), *y = cn_mul(x, cn_num(3));
    assert_non_null(cn_copy_(y, cn_num(7)));
    assert_true(cn_needs_grad(y) && cn_backward(cn_sum(y)));
    assert_elements(cn_grad(x), (double[]){ 0, 0 }, 2);
}

/* No record refers to a view that refers to the record: the counts of close_scope() would tell. */
static void test_no_cycles(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(4, (double[]){ 1, 2, 3, 4 }), true), *y = cn_mul(x, x),
              *first = cn_narrow(y, 0, 0, 2);
    for (int i = 0; i < 3; i++) {
        assert_non_null(cn_mul_(first, cn_exp(cn_mul(first, cn_num(0.01)))));
        assert_non_null(cn_mul_(y, cn_sum(first)));
    }
    assert_true(cn_needs_grad(first)); /* never run backward */
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void test_views_of_leaves_are_refused(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(2, (double[]){ 1, 2 }), true),
              *view = cn_select(x, 0, 0);
    assert_null(cn_mul_(view, cn_num(2)));
    assert_error("a view of a leaf that requires gradients");
    assert_null(cn_copy_(view, cn_num(2)));
    assert_error("a view of a leaf that requires gradients");
    assert_elements(x, (double[]){ 1, 2 }, 2);
    CN_NO_GRAD assert_non_null(cn_mul_(view, cn_num(2)));
    assert_elements(x, (double[]){ 2, 2 }, 2);
}

static void test_one_of_several_views_is_refused(void **state)
{
    (void)state;
    cn_tensor *x = cn_requires_grad(vector(4, (double[]){ 1, 2, 3, 4 }), true), *y = cn_mul(x, x),
              *half[2];
    assert_int_equal(cn_split(y, 2, 0, half, 2), 2);
    assert_null(cn_mul_(half[0], cn_num(2)));
    assert_error("split");
    assert_null(cn_mul_(cn_select(half[0], 0, 1), cn_num(2)));
    assert_error("split");
    assert_true(cn_backward(cn_sum(half[1])));
    assert_elements(cn_grad(x), (double[]){ 0, 0, 6, 8 }, 4);
    assert_int_equal(cn_split(vector(2, (double[]){ 1, 2 }), 1, 0, half, 2), 2);
    assert_non_null(cn_mul_(half[0], cn_num(2))); /* nothing to record */
    assert_null(cn_mul_(half[0], leaf(3)));
    assert_error("split");
}

static void test_views_made_unrecorded_are_refused(void **state)
{
    (void)state;
    cn_tensor *y = cn_exp(leaf(3)), *view = NULL;
    CN_NO_GRAD view = cn_reshape(y, CN_SHAPE(1));
    assert_null(cn_mul_(view, leaf(2)));
    assert_error("CN_NO_GRAD");
    CN_NO_GRAD assert_non_null(cn_mul_(view, cn_num(2)));
}

static void test_crossing_operands_are_refused(void **state)
{
    (void)state;
    cn_tensor *x = vector(4, (double[]){ 1, 2, 3, 4 });
    assert_null(cn_add_(cn_narrow(x, 0, 1, 3), cn_narrow(x, 0, 0, 3)));
    assert_error("at other places");
    assert_non_null(cn_add_(cn_narrow(x, 0, 2, 2), cn_narrow(x, 0, 0, 2)));
    assert_non_null(cn_add_(x, x));
    assert_elements(x, (double[]){ 2, 4, 8, 12 }, 4);
    assert_null(cn_copy_(cn_expand(cn_num(1), CN_SHAPE(2)), cn_num(2)));
    assert_error("lie at one place");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_programs),
        TEST(test_detached_base),
        TEST(test_views_follow_their_base),
        TEST(test_a_plain_base_is_recorded),
        TEST(test_retained_gradient_of_a_view),
        TEST(test_a_saved_tensor_has_changed),
        TEST(test_overwriting_ends_dependence),
        TEST(test_no_cycles),
        TEST(test_views_of_leaves_are_refused),
        TEST(test_one_of_several_views_is_refused),
        TEST(test_views_made_unrecorded_are_refused),
        TEST(test_crossing_operands_are_refused),
    };
    return cmocka_run_group_tests_name("autograd, views", tests, NULL, NULL);
}
