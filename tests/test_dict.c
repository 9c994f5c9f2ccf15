/* test_dict.c - ordered dictionaries: order, ownership, nesting, refusals. */
#include "core/memory.h"

#include <cenote/io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect_error(cn_code code, const char *part)
{
    assert_int_equal(cn_error_code(), code);
    assert_non_null(strstr(cn_error(), part));
    cn_error_clear();
}

static void keeps_order_and_replaces_in_place(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_int(d, "zebra", 1));
    assert_true(cn_dict_set_str(d, "", "empty key"));
    assert_true(cn_dict_set_bool(d, "apple", true));
    assert_true(cn_dict_set_float(d, "zebra", 2.5));
    assert_int_equal(cn_dict_count(d), 3);
    assert_string_equal(cn_dict_key(d, 0), "zebra");
    assert_string_equal(cn_dict_key(d, 1), "");
    assert_string_equal(cn_dict_key(d, 2), "apple");
    assert_int_equal(cn_dict_at(d, 0)->kind, CN_KIND_FLOAT);
    assert_true(cn_dict_float(d, "zebra", 0) == 2.5);
    assert_int_equal(cn_dict_int(d, "apple", 7), 1);
    cn_dict_free(d);
}

static void finds_every_key_of_many(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    char key[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "layer.%d.weight", i);
        assert_true(cn_dict_set_int(d, key, i));
    }
    assert_int_equal(cn_dict_count(d), 20000);
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "layer.%d.weight", i);
        assert_int_equal(cn_dict_int(d, key, -1), i);
        assert_string_equal(cn_dict_key(d, i), key);
    }
    assert_null(cn_dict_find(d, "layer.20000.weight"));
    assert_true(cn_ok());
    cn_dict_free(d);
}

static void owns_what_it_holds(void **state)
{
    (void)state;
    char text[] = "before";
    cn_dict *d = cn_dict_new(), *inner = cn_dict_new();
    int64_t live = cn_memory().live_tensors;
    size_t mark = cn_mark();
    cn_tensor *t = cn_full(CN_SHAPE(2), 3, CN_F32);
    const cn_value items[] = { { .kind = CN_KIND_STR, .u.s = text },
                               { .kind = CN_KIND_TENSOR, .u.t = t },
                               { .kind = CN_KIND_NONE } };
    assert_true(cn_dict_set(d, "list", (cn_value){ CN_KIND_LIST, 3, { .list = items } }));
    assert_true(cn_dict_set_tensor(inner, "t", t));
    assert_true(cn_dict_set_dict(d, "inner", inner));
    cn_release(mark);
    cn_dict_free(inner);
    memcpy(text, "AFTER!", sizeof text);
    const cn_value *list = cn_dict_find(d, "list");
    assert_int_equal(list->n, 3);
    assert_string_equal(list->u.list[0].u.s, "before");
    assert_ptr_equal(list->u.list[1].u.t, t);
    assert_ptr_equal(cn_dict_tensor(cn_dict_dict(d, "inner"), "t"), t);
    assert_int_equal(cn_memory().live_tensors, live + 1);
    cn_dict_free(d);
    assert_int_equal(cn_memory().live_tensors, live);
}

static void survives_setting_from_itself(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_str(d, "a", "text"));
    assert_true(cn_dict_set(d, "a", *cn_dict_find(d, "a")));
    assert_string_equal(cn_dict_str(d, "a", ""), "text");
    assert_true(cn_dict_set_dict(d, "self", d));
    const cn_dict *self = cn_dict_dict(d, "self");
    assert_int_equal(cn_dict_count(self), 1);
    assert_string_equal(cn_dict_str(self, "a", ""), "text");
    cn_dict_free(d);
}

static void copies_share_tensors(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, "t", cn_zeros(CN_SHAPE(2, 2), CN_F32)));
    cn_dict *copy = cn_dict_copy(d);
    assert_ptr_equal(cn_dict_tensor(copy, "t"), cn_dict_tensor(d, "t"));
    cn_dict_free(d);
    assert_int_equal(cn_size(cn_dict_tensor(copy, "t"), 0), 2);
    cn_dict_free(copy);
    cn_release(mark);
}

static void nests_so_deep_and_no_deeper(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    int depth = 0;
    for (; depth < 1000; depth++) {
        cn_dict *outer = cn_dict_new();
        bool ok = cn_dict_set_dict(outer, "inner", d);
        cn_dict_free(ok ? d : outer);
        if (!ok) break;
        d = outer;
    }
    expect_error(CN_EINVALID, "64 deep");
    assert_in_range(depth, 64, 66);
    cn_dict *copy = cn_dict_copy(d);
    assert_non_null(copy);
    cn_dict_free(copy);
    cn_dict_free(d);
    d = cn_dict_new();
    cn_value list = { .kind = CN_KIND_LIST, .n = 1 };
    list.u.list = &list;
    assert_false(cn_dict_set(d, "loop", list));
    expect_error(CN_EINVALID, "64 deep");
    cn_dict_free(d);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xC0\x80",
        "\xC3",
        "\xE0\x80\x80",
        "a\xFF",
        "\xED\xA0\x80",
        "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80",
        "\xE2\x82",
        "\xF8\x88\x80\x80\x80",
    };
    static const char *const good[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        "\xEF\xBF\xBF" };
    cn_dict *d = cn_dict_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cn_dict_set_int(d, bad[i], 1));
        expect_error(CN_EINVALID, "UTF-8");
        assert_false(cn_dict_set_str(d, "key", bad[i]));
        expect_error(CN_EINVALID, "UTF-8");
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(cn_dict_set_str(d, good[i], good[i]));
    assert_int_equal(cn_dict_count(d), 4);
    cn_dict_free(d);
}

static void refuses_nothing_given(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    assert_false(cn_dict_set_int(NULL, "a", 1));
    expect_error(CN_EINVALID, "NULL");
    assert_false(cn_dict_set_int(d, NULL, 1));
    expect_error(CN_EINVALID, "key");
    assert_false(cn_dict_set_tensor(d, "a", NULL));
    expect_error(CN_EINVALID, "tensor is NULL");
    assert_false(cn_dict_set_str(d, "a", NULL));
    expect_error(CN_EINVALID, "string is NULL");
    assert_false(cn_dict_set_dict(d, "a", NULL));
    expect_error(CN_EINVALID, "NULL");
    assert_false(cn_dict_set(d, "a", (cn_value){ .kind = CN_KIND_LIST, .n = 2 }));
    expect_error(CN_EINVALID, "list");
    assert_false(cn_dict_set(d, "a", (cn_value){ .kind = 8 }));
    expect_error(CN_EINVALID, "kind slice (8)");
    assert_int_equal(cn_dict_count(d), 0);
    assert_int_equal(cn_dict_count(NULL), 0);
    assert_null(cn_dict_find(NULL, "a"));
    cn_dict_free(NULL);
    cn_dict_free(d);
}

static void says_what_is_missing(void **state)
{
    (void)state;
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_int(d, "n", 3));
    assert_null(cn_dict_tensor(d, "n"));
    expect_error(CN_EINVALID, "'n' holds a value of kind int, not tensor");
    assert_null(cn_dict_tensor(d, "w"));
    expect_error(CN_ENOTFOUND, "'w'");
    assert_null(cn_dict_key(d, 1));
    expect_error(CN_EINVALID, "no entry 1 among 1");
    assert_null(cn_dict_at(d, -1));
    expect_error(CN_EINVALID, "no entry -1");
    assert_int_equal(cn_dict_int(d, "w", -5), -5);
    assert_true(cn_dict_float(d, "n", 0) == 3);
    assert_string_equal(cn_dict_str(d, "n", "other"), "other");
    assert_true(cn_ok());
    assert_string_equal(cn_kind_name(CN_KIND_DICT), "dict");
    assert_string_equal(cn_kind_name(-1), "unknown");
    assert_string_equal(cn_kind_name(CN_KIND_MODULE + 1), "unknown");
    cn_dict_free(d);
}

static cn_dict *build(cn_tensor *t)
{
    cn_dict *d = cn_dict_new(), *inner = cn_dict_new(), *copy = NULL;
    const cn_value items[] = { { .kind = CN_KIND_STR, .u.s = "s" },
                               { .kind = CN_KIND_TENSOR, .u.t = t } };
    bool ok = cn_dict_set_tensor(inner, "t", t) && cn_dict_set_str(inner, "s", "text");
    for (int i = 0; ok && i < 20; i++)
        ok = cn_dict_set_int(inner, (char[]){ (char)('a' + i), 0 }, i);
    ok = ok && cn_dict_set(d, "list", (cn_value){ CN_KIND_LIST, 2, { .list = items } }) &&
         cn_dict_set_dict(d, "inner", inner) && cn_dict_set_dict(d, "inner", inner);
    if (ok) copy = cn_dict_copy(d);
    cn_dict_free(inner);
    cn_dict_free(d);
    return copy;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *t = cn_zeros(CN_SHAPE(3), CN_F32);
    size_t live = cn_memory().live_bytes;
    cn_dict *d = NULL;
    int64_t n = 0;
    for (; !d && n < 10000; n++) {
        cn_alloc_fail_after(n);
        d = build(t);
        cn_alloc_fail_after(-1);
        assert_true((d != NULL) == cn_ok());
        if (!d) assert_int_equal(cn_error_code(), CN_ENOMEM);
        if (!d) assert_int_equal(cn_memory().live_bytes, live);
        cn_error_clear();
    }
    assert_in_range(n, 50, 9999);
    cn_dict_free(d);
    assert_int_equal(cn_memory().live_bytes, live);
    cn_release(mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_replaces_in_place),
        cmocka_unit_test(finds_every_key_of_many),
        cmocka_unit_test(owns_what_it_holds),
        cmocka_unit_test(survives_setting_from_itself),
        cmocka_unit_test(copies_share_tensors),
        cmocka_unit_test(nests_so_deep_and_no_deeper),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(refuses_nothing_given),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
