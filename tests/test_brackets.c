/* test_brackets.c - x[..] and x[..] = y by name, in all kinds of items; lists of many results. */
#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/ops.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define INT(x)                                                                                     \
    {                                                                                              \
        .kind = CN_KIND_INT, .u.i = (x)                                                            \
    }
#define NONE                                                                                       \
    {                                                                                              \
        .kind = CN_KIND_NONE                                                                       \
    }
#define FLAG(x)                                                                                    \
    {                                                                                              \
        .kind = CN_KIND_BOOL, .u.i = (x)                                                           \
    }
#define REST                                                                                       \
    {                                                                                              \
        .kind = CN_KIND_ELLIPSIS                                                                   \
    }
#define SLICE(items)                                                                               \
    {                                                                                              \
        .kind = CN_KIND_SLICE, .n = 3, .u.list = (items)                                           \
    }
#define LIST(items)                                                                                \
    {                                                                                              \
        .kind = CN_KIND_LIST, .n = sizeof(items) / sizeof *(items), .u.list = (items)              \
    }
#define TENSOR(x)                                                                                  \
    {                                                                                              \
        .kind = CN_KIND_TENSOR, .u.t = (x)                                                         \
    }

/* 0, 1, .. 23 in the shape (2, 3, 4). */
static cn_tensor *numbers(void)
{
    return cn_reshape(cn_arange(0, 24, 1, CN_F64), CN_SHAPE(2, 3, 4));
}

static cn_tensor *read(cn_tensor *t, cn_ffi_value index)
{
    cn_ffi_arg args[] = { { NULL, TENSOR(t) }, { "indices", index } };
    cn_ffi_value out;
    int n = 1;
    return cn_ffi_op_call("__getitem__", args, 2, &out, &n) == 0 ? out.u.t : NULL;
}

static int assign(cn_tensor *t, cn_ffi_value index, cn_ffi_value value)
{
    cn_ffi_arg args[] = { { NULL, TENSOR(t) }, { NULL, index }, { NULL, value } };
    cn_ffi_value out;
    int n = 1, code = cn_ffi_op_call("__setitem__", args, 3, &out, &n);
    if (code == 0) cn_ffi_tensor_release(out.u.t);
    return code;
}

static void expect(cn_tensor *t, cn_shape shape, double first, double sum)
{
    assert_non_null(t);
    assert_int_equal(cn_ndim(t), shape.ndim);
    for (int i = 0; i < shape.ndim; i++) assert_int_equal(cn_size(t, i), shape.dim[i]);
    cn_tensor *flat = cn_flatten(t, 0);
    if (cn_numel(t)) assert_true(cn_at(flat, CN_SHAPE(0)) == first);
    assert_true(cn_item(cn_sum(t)) == sum);
    cn_ffi_tensor_release(t);
}

static void ints_and_slices_look(void **state)
{
    (void)state;
    CN_SCOPE
    {
        const cn_ffi_value from1[] = { INT(1), NONE, NONE }, every2[] = { NONE, NONE, INT(2) };
        const cn_ffi_value a[] = { INT(-1), SLICE(from1) }, b[] = { REST, SLICE(every2) };
        const cn_ffi_value c[] = { NONE, INT(0), REST, NONE };
        cn_tensor *x = numbers();
        expect(read(x, (cn_ffi_value)INT(1)), CN_SHAPE(3, 4), 12, 210);
        expect(read(x, (cn_ffi_value)LIST(a)), CN_SHAPE(2, 4), 16, 156);
        expect(read(x, (cn_ffi_value)LIST(b)), CN_SHAPE(2, 3, 2), 0, 132);
        expect(read(x, (cn_ffi_value)LIST(c)), CN_SHAPE(1, 3, 4, 1), 0, 66);
        expect(read(x, (cn_ffi_value)REST), CN_SHAPE(2, 3, 4), 0, 276);
        cn_tensor *part = read(x, (cn_ffi_value)LIST(a));
        assert_ptr_equal(cn_data(part), (const double *)cn_data(x) + 16); /* the same memory */
        cn_ffi_tensor_release(part);
    }
}

static void lists_and_tensors_pick(void **state)
{
    (void)state;
    CN_SCOPE
    {
        const cn_ffi_value two[] = { INT(0), INT(2) }, flags[] = { FLAG(1), FLAG(0), FLAG(1) };
        const cn_ffi_value whole[] = { NONE, NONE, NONE };
        const cn_ffi_value a[] = { SLICE(whole), LIST(two) },
                           b[] = { INT(0), LIST(flags), INT(-1) };
        cn_tensor *x = numbers();
        cn_tensor *mask = cn_gt(x, cn_num(20));
        expect(read(x, (cn_ffi_value)LIST(a)), CN_SHAPE(2, 2, 4), 0, 184);
        expect(read(x, (cn_ffi_value)LIST(b)), CN_SHAPE(2), 3, 14);
        expect(read(x, (cn_ffi_value)TENSOR(mask)), CN_SHAPE(3), 21, 66);
        expect(read(x, (cn_ffi_value)FLAG(0)), CN_SHAPE(0, 2, 3, 4), 0, 0);
    }
}

static void what_is_no_index_is_refused(void **state)
{
    (void)state;
    CN_SCOPE
    {
        const cn_ffi_value many[] = { INT(0), INT(0), INT(0), NONE, INT(0) };
        const cn_ffi_value rests[] = { REST, REST }, ragged_row[] = { INT(0), INT(1) };
        const cn_ffi_value ragged[] = { LIST(ragged_row), INT(2) }, nest[] = { LIST(ragged) };
        const cn_ffi_value backwards[] = { NONE, NONE, INT(-1) };
        const cn_ffi_value wrong[] = {
            INT(2),           LIST(many),
            LIST(rests),      LIST(nest),
            SLICE(backwards), { .kind = CN_KIND_FLOAT, .u.f = 1 },
            TENSOR(NULL),     TENSOR(cn_rand(CN_SHAPE(2), CN_F32)),
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            assert_null(read(numbers(), wrong[i]));
            assert_non_null(strstr(cn_ffi_last_error(), ":"));
        }
    }
}

static void assignment_changes_the_tensor(void **state)
{
    (void)state;
    CN_SCOPE
    {
        const cn_ffi_value last[] = { REST, INT(3) }, two[] = { INT(0), INT(2) };
        const cn_ffi_value rows[] = { INT(0), LIST(two) };
        cn_tensor *x = cn_zeros(CN_SHAPE(2, 3, 4), CN_F64), *row = cn_arange(1, 5, 1, CN_F64);
        assert_int_equal(assign(x, (cn_ffi_value)LIST(last), (cn_ffi_value)INT(1)), 0);
        assert_true(cn_item(cn_sum(x)) == 6);
        assert_int_equal(assign(x, (cn_ffi_value)LIST(rows), (cn_ffi_value)TENSOR(row)), 0);
        assert_true(cn_item(cn_sum(x)) == 6 - 2 + 20);
        assert_int_equal(assign(x, (cn_ffi_value)TENSOR(cn_gt(x, cn_num(2))), (cn_ffi_value)INT(0)),
                         0);
        assert_true(cn_item(cn_sum(x)) == 4 + 6);
        assert_true(assign(x, (cn_ffi_value)INT(5), (cn_ffi_value)INT(1)) < 0);
        cn_tensor *wide = cn_expand(cn_zeros(CN_SHAPE(1, 2), CN_F64), CN_SHAPE(3, 2));
        assert_true(assign(wide, (cn_ffi_value)REST, (cn_ffi_value)INT(1)) < 0);
    }
}

/* y = 2 x; y[0] = v: x has no gradient where v went. */
static void assignment_has_gradients(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *x = cn_requires_grad(cn_ones(CN_SHAPE(3), CN_F64), true);
        cn_tensor *v = cn_requires_grad(cn_ones(cn_scalar_shape(), CN_F64), true);
        cn_tensor *y = cn_mul(x, cn_num(2));
        assert_int_equal(assign(y, (cn_ffi_value)INT(0), (cn_ffi_value)TENSOR(v)), 0);
        assert_true(cn_backward(cn_sum(cn_mul(y, y))));
        assert_true(cn_at(cn_grad(x), CN_SHAPE(0)) == 0 && cn_at(cn_grad(x), CN_SHAPE(1)) == 8);
        assert_true(cn_item(cn_grad(v)) == 2);
        assert_true(assign(x, (cn_ffi_value)INT(0), (cn_ffi_value)INT(1)) < 0); /* a leaf */
    }
}

enum { STEPS = 1000 };

static void a_thousand_parts(void **state)
{
    (void)state;
    static cn_ffi_value outs[STEPS];
    CN_SCOPE
    {
        cn_ffi_arg args[] = { { NULL, TENSOR(cn_ones(CN_SHAPE(STEPS, 2), CN_F32)) } };
        int n = STEPS;
        assert_int_equal(cn_ffi_op_call("unbind", args, 1, outs, &n), 0);
        assert_int_equal(n, STEPS);
        for (int i = 0; i < n; i++) expect(outs[i].u.t, CN_SHAPE(2), 1, 2);
        n = STEPS - 1;
        assert_true(cn_ffi_op_call("unbind", args, 1, outs, &n) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ints_and_slices_look),
        cmocka_unit_test(lists_and_tensors_pick),
        cmocka_unit_test(what_is_no_index_is_refused),
        cmocka_unit_test(assignment_changes_the_tensor),
        cmocka_unit_test(assignment_has_gradients),
        cmocka_unit_test(a_thousand_parts),
    };
    return cmocka_run_group_tests_name("brackets", tests, NULL, NULL);
}
