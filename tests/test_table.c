/* test_table.c - tables: rows chosen and joined, what is missing, categories, and every failure. */
#include "core/memory.h"
#include "io_samples.h"

#include <cenote/csv.h>
#include <cenote/ops.h>
#include <cenote/table.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char houses[] = "rooms,alley,price\nNA,Pave,127500\n2,NA,106000\n4,NA,178100\n"
                             "NA,Brick,140000\n";

static cn_dict *parse(const char *text)
{
    const cn_csv_options o = { .size = sizeof o, .path = "t.csv" };
    cn_dict *d = cn_csv_parse(text, strlen(text), &o);
    assert_non_null(d);
    return d;
}

static double at(const cn_dict *d, const char *column, int64_t i)
{
    return cn_at(cn_dict_tensor(d, column), CN_SHAPE(i));
}

static void missing_is_counted(void **state)
{
    (void)state;
    cn_dict *d = parse(houses);
    assert_int_equal(cn_table_rows(d), 4);
    assert_int_equal(cn_table_missing(d, "rooms"), 2);
    assert_int_equal(cn_table_missing(d, "alley"), 2);
    assert_int_equal(cn_table_missing(d, "price"), 0);
    assert_int_equal(cn_table_missing(d, "none"), -1);
    cn_test_expect_error(CN_ENOTFOUND, "no column 'none'");
    cn_dict_free(d);
}

static void missing_is_filled(void **state)
{
    (void)state;
    cn_dict *d = parse(houses), *mean = cn_table_fillna_mean(d), *zero = cn_table_fillna(d, 0);
    const double want[] = { 3, 2, 4, 3 };
    for (int i = 0; i < 4; i++) assert_true(at(mean, "rooms", i) == want[i]);
    assert_true(at(zero, "rooms", 0) == 0 && at(zero, "rooms", 2) == 4);
    assert_true(isnan(at(d, "rooms", 0))); /* the first is as it was */
    assert_int_equal(cn_table_missing(mean, "alley"), 2);
    assert_int_equal(cn_dtype_of(cn_dict_tensor(mean, "price")), CN_I64);
    cn_dict *nothing = parse("a\nNA\nNA\n"), *still = cn_table_fillna_mean(nothing);
    assert_int_equal(cn_table_missing(still, "a"), 2);
    cn_dict_free(still);
    cn_dict_free(nothing);
    cn_dict_free(zero);
    cn_dict_free(mean);
    cn_dict_free(d);
}

static void rows_are_dropped(void **state)
{
    (void)state;
    cn_dict *d = parse("a,t\n1,x\nNA,y\n3,\n4,z\n"), *whole = cn_table_dropna(d);
    assert_int_equal(cn_table_rows(whole), 2);
    assert_true(at(whole, "a", 1) == 4);
    assert_string_equal(cn_dict_find(whole, "t")->u.list[1].u.s, "z");
    cn_dict_free(whole);
    cn_dict_free(d);
}

static void categories_become_columns(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *d = parse(houses), *all = cn_table_get_dummies(d, true),
            *known = cn_table_get_dummies(d, false);
    static const char *const names[] = { "rooms", "price", "alley_Brick", "alley_Pave",
                                         "alley_nan" };
    assert_int_equal(cn_dict_count(all), 5);
    assert_int_equal(cn_dict_count(known), 4);
    for (int i = 0; i < 5; i++) assert_string_equal(cn_dict_key(all, i), names[i]);
    const bool pave[] = { 1, 0, 0, 0 }, nan[] = { 0, 1, 1, 0 };
    for (int i = 0; i < 4; i++) assert_true(at(all, "alley_Pave", i) == pave[i]);
    for (int i = 0; i < 4; i++) assert_true(at(all, "alley_nan", i) == nan[i]);
    const cn_tensor *x = cn_table_tensor(all, CN_F32);
    assert_int_equal(cn_size(x, 0), 4);
    assert_int_equal(cn_size(x, 1), 5);
    assert_true(cn_at(x, CN_SHAPE(3, 2)) == 1 && cn_at(x, CN_SHAPE(3, 1)) == 140000);
    assert_null(cn_table_tensor(d, CN_F32));
    cn_test_expect_error(CN_EINVALID, "'alley' holds texts");
    cn_dict_free(known);
    cn_dict_free(all);
    cn_dict *twice = parse("a_x,a\n1,x\n");
    assert_null(cn_table_get_dummies(twice, false));
    cn_test_expect_error(CN_EINVALID, "two columns would be named 'a_x'");
    cn_dict_free(twice);
    cn_dict_free(d);
    cn_release(mark);
}

static void numbers_are_standardized(void **state)
{
    (void)state;
    cn_dict *d = parse("a,b,c\n1,true,5\nNA,false,5\n3,true,5\n"), *s = cn_table_standardize(d);
    assert_true(fabs(at(s, "a", 0) + sqrt(0.5)) < 1e-15 && fabs(at(s, "a", 2) - sqrt(0.5)) < 1e-15);
    assert_true(isnan(at(s, "a", 1)));
    assert_int_equal(cn_dtype_of(cn_dict_tensor(s, "b")), CN_BOOL);
    assert_true(at(s, "c", 0) == 0);
    cn_dict_free(s);
    cn_dict_free(d);
}

static void tables_are_cut_and_joined(void **state)
{
    (void)state;
    cn_dict *d = parse(houses), *head = cn_table_slice(d, 0, 1), *tail = cn_table_slice(d, 1, 4);
    cn_dict *again = cn_table_concat(head, tail), *last = cn_table_slice(d, -1, 4);
    for (int i = 0; i < 4; i++) assert_true(at(again, "price", i) == at(d, "price", i));
    assert_string_equal(cn_dict_find(again, "alley")->u.list[3].u.s, "Brick");
    assert_true(at(last, "price", 0) == 140000);
    assert_null(cn_table_slice(d, 2, 5));
    cn_test_expect_error(CN_EINVALID, "no rows 2 to 5 in 4");
    cn_dict *less = cn_table_drop(d, "alley");
    assert_int_equal(cn_dict_count(less), 2);
    assert_null(cn_table_concat(d, less));
    cn_test_expect_error(CN_EINVALID, "3 and 2 columns");
    assert_null(cn_table_drop(less, "alley"));
    cn_test_expect_error(CN_ENOTFOUND, "no column 'alley'");
    cn_dict *other = parse("rooms,alley,price\n1,2,3\n");
    assert_null(cn_table_concat(d, other));
    cn_test_expect_error(CN_EINVALID, "'alley' has texts in one table");
    cn_dict *const all[] = { d, head, tail, again, last, less, other };
    for (int i = 0; i < 7; i++) cn_dict_free(all[i]);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, "a", cn_zeros(CN_SHAPE(3), CN_F32)));
    assert_true(cn_dict_set_tensor(d, "b", cn_zeros(CN_SHAPE(2), CN_F32)));
    assert_null(cn_table_dropna(d));
    cn_test_expect_error(CN_EINVALID, "'b' has another length");
    assert_true(cn_dict_set_int(d, "b", 3));
    assert_int_equal(cn_table_rows(d), -1);
    cn_test_expect_error(CN_EINVALID, "'b' is no column");
    assert_null(cn_table_fillna_mean(NULL));
    cn_error_clear();
    cn_dict_free(d);
    cn_release(mark);
}

/* Everything at once, to run out of memory at each of its allocations. */
static bool treat(const cn_dict *d)
{
    cn_dict *filled = cn_table_fillna_mean(d), *even = cn_table_standardize(filled);
    cn_dict *wide = cn_table_get_dummies(even, true), *whole = cn_table_dropna(d);
    cn_dict *both = cn_table_concat(d, whole), *part = cn_table_slice(both, 0, 2);
    const cn_tensor *x = cn_table_tensor(wide, CN_F32);
    bool ok = x && part;
    cn_dict *const all[] = { filled, even, wide, whole, both, part };
    for (int i = 0; i < 6; i++) cn_dict_free(all[i]);
    return ok;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    cn_dict *d = parse(houses);
    bool passed = false;
    for (int64_t n = 0; n < 2000 && !passed; n++) {
        size_t live = cn_memory().live_bytes, mark = cn_mark();
        cn_alloc_fail_after(n);
        passed = treat(d);
        cn_alloc_fail_after(-1);
        cn_release(mark);
        assert_int_equal(passed, cn_ok());
        assert_int_equal(cn_memory().live_bytes, live);
        cn_error_clear();
    }
    assert_true(passed);
    cn_dict_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_is_counted),
        cmocka_unit_test(missing_is_filled),
        cmocka_unit_test(rows_are_dropped),
        cmocka_unit_test(categories_become_columns),
        cmocka_unit_test(numbers_are_standardized),
        cmocka_unit_test(tables_are_cut_and_joined),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests_name("table", tests, cn_test_folder_make, cn_test_folder_remove);
}
