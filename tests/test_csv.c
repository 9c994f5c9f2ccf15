/* test_csv.c - tables of text: quotes, types by column, what is missing, and errors with their line. */
#include "core/file.h"
#include "core/memory.h"
#include "io_samples.h"

#include <cenote/csv.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static cn_dict *parse(const char *text)
{
    const cn_csv_options o = { .size = sizeof o, .path = "t.csv" };
    return cn_csv_parse(text, strlen(text), &o);
}

static const char *text_at(const cn_dict *d, const char *column, int i)
{
    const cn_value *v = cn_dict_find(d, column);
    assert_non_null(v);
    assert_int_equal(v->kind, CN_KIND_LIST);
    assert_in_range(i, 0, v->n - 1);
    return v->u.list[i].u.s;
}

static double number_at(const cn_dict *d, const char *column, cn_dtype dtype, int64_t i)
{
    const cn_tensor *t = cn_dict_tensor(d, column);
    assert_non_null(t);
    assert_int_equal(cn_dtype_of(t), dtype);
    return cn_at(t, CN_SHAPE(i));
}

static void columns_get_their_types(void **state)
{
    (void)state;
    cn_dict *d = parse("\xEF\xBB\xBFi,f,b,t,m\r\n1, 2.5 ,true,x,NA\r\n\r\n-7,NA,False,,\r\n"
                       "9007199254740993,1e3,TRUE,\"NA\",NaN");
    assert_int_equal(cn_dict_count(d), 5);
    assert_string_equal(cn_dict_key(d, 0), "i");
    const int64_t *i = cn_data(cn_dict_tensor(d, "i"));
    assert_true(i[1] == -7 && i[2] == 9007199254740993);
    assert_true(number_at(d, "f", CN_F64, 0) == 2.5);
    assert_true(isnan(number_at(d, "f", CN_F64, 1)));
    assert_true(number_at(d, "f", CN_F64, 2) == 1000);
    assert_true(number_at(d, "b", CN_BOOL, 1) == 0);
    assert_string_equal(text_at(d, "t", 1), "");
    assert_string_equal(text_at(d, "t", 2), "NA");
    assert_true(isnan(number_at(d, "m", CN_F64, 2)));
    cn_dict_free(d);
}

static void quotes_hold_anything(void **state)
{
    (void)state;
    cn_dict *d = parse("\"a,b\",c\n\"x \"\"y\"\"\r\nz\",\"\"\n5\" disk,\"1\"\n");
    assert_string_equal(cn_dict_key(d, 0), "a,b");
    assert_string_equal(text_at(d, "a,b", 0), "x \"y\"\r\nz");
    assert_string_equal(text_at(d, "a,b", 1), "5\" disk");
    assert_string_equal(text_at(d, "c", 0), "");
    cn_dict_free(d);
}

static void options_are_obeyed(void **state)
{
    (void)state;
    static const char *const zip[] = { "0", NULL }, *const numbers[] = { "1", NULL };
    static const char rows[] = "00501;1\n10001;x\n";
    cn_csv_options o = { .size = sizeof o, .path = "t.csv", .separator = ';', .no_header = true };
    o.text = zip;
    cn_dict *d = cn_csv_parse(rows, strlen(rows), &o);
    assert_string_equal(text_at(d, "0", 0), "00501");
    assert_string_equal(text_at(d, "1", 1), "x");
    cn_dict_free(d);
    o.numbers = numbers;
    assert_null(cn_csv_parse(rows, strlen(rows), &o));
    cn_test_expect_error(CN_EFORMAT, "t.csv:2: 'x' is no number");
    o.separator = '"';
    assert_null(cn_csv_parse(rows, strlen(rows), &o));
    cn_test_expect_error(CN_EINVALID, "cannot separate");
}

static void errors_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } bad[] = {
        { "", "t.csv: not a line in it" },
        { "\r\n\n", "t.csv: not a line in it" },
        { "a,b\n1,2\n3\n", "t.csv:3: 1 fields, but the first line has 2" },
        { "a\n\"x\ny\"\n1,2\n", "t.csv:4: more fields than the first line's 1" },
        { "a,b\n1,\"2\n3,4\n", "t.csv:2: a quote is not closed" },
        { "a,b\n1,\"2\"3\n", "t.csv:2: a quoted field goes on" },
        { "a,a\n", "t.csv:1: two columns are named 'a'" },
        { "a\n\xFF\n", "t.csv:2: a field is not UTF-8" },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(parse(bad[i].text));
        cn_test_expect_error(CN_EFORMAT, bad[i].part);
    }
    assert_null(cn_csv_read("/nothing.csv"));
    cn_test_expect_error(CN_ENOTFOUND, "/nothing.csv");
}

/* A line without end is refused by its number, not read into memory piece by piece. */
static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    enum { MANY = (16 << 20) + 8 };
    char *text = malloc(MANY + 1);
    assert_non_null(text);
    memset(text, '7', MANY);
    memcpy(text, "a\n1\n", 4);
    text[MANY] = '\0';
    assert_null(parse(text));
    cn_test_expect_error(CN_EFORMAT, "t.csv:3: a field is too long");
    memset(text + 4, ',', MANY - 4);
    assert_null(parse(text));
    cn_test_expect_error(CN_EFORMAT, "t.csv:3: more fields than the first line's 1");
    free(text);
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    const char *path = cn_test_path("t.csv");
    const double f[] = { 0.1, 1.0 / 3, (double)NAN };
    const float s[] = { 0.1f, 16777216.0f, -1e-30f };
    const int64_t i[] = { INT64_MAX, 0, -5 };
    const cn_value words[] = { { .kind = CN_KIND_STR, .u.s = "a \"b\", c\n" },
                               { .kind = CN_KIND_STR, .u.s = "NA" },
                               { .kind = CN_KIND_STR, .u.s = "" } };
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, "f", cn_from(f, CN_SHAPE(3), CN_F64)));
    assert_true(cn_dict_set_tensor(d, "s", cn_from(s, CN_SHAPE(3), CN_F32)));
    assert_true(cn_dict_set_tensor(d, "i", cn_from(i, CN_SHAPE(3), CN_I64)));
    assert_true(cn_dict_set(d, "w", (cn_value){ CN_KIND_LIST, 3, { .list = words } }));
    assert_true(cn_csv_write(path, d));
    cn_dict *back = NULL;
    assert_int_equal(cn_ffi_read_csv(path, &back), 0);
    cn_test_same_tensor(cn_dict_tensor(back, "i"), cn_dict_tensor(d, "i"));
    assert_true(number_at(back, "f", CN_F64, 1) == f[1]);
    assert_true(isnan(number_at(back, "f", CN_F64, 2)));
    assert_true((float)number_at(back, "s", CN_F64, 0) == s[0]);
    for (int k = 0; k < 3; k++) assert_string_equal(text_at(back, "w", k), words[k].u.s);
    cn_ffi_dict_release(back);
    assert_true(cn_dict_set_tensor(d, "x", cn_zeros(CN_SHAPE(4), CN_F32)));
    assert_false(cn_csv_write(path, d));
    cn_test_expect_error(CN_EINVALID, "column 'x' has 4 values, the first 3");
    assert_true(cn_dict_set_tensor(d, "x", cn_zeros(CN_SHAPE(3, 1), CN_F32)));
    assert_false(cn_csv_write(path, d));
    cn_test_expect_error(CN_EINVALID, "column 'x' is neither");
    assert_int_equal(unlink(path), 0);
    cn_dict_free(d);
    cn_release(mark);
}

static void cuts_and_failed_allocations_are_survived(void **state)
{
    (void)state;
    static const char text[] = "a,\"b \"\"\",c\n1,x,2.5\n2,\"y\nz\",NA\n";
    const cn_csv_options o = { .size = sizeof o, .path = "t.csv" };
    for (size_t n = 0; n < sizeof text; n++) {
        cn_dict *d = cn_csv_parse(text, n, &o);
        assert_true((d != NULL) == cn_ok());
        cn_dict_free(d);
        cn_error_clear();
    }
    cn_dict *d = NULL;
    for (int64_t n = 0; !d && n < 1000; n++) {
        size_t live = cn_memory().live_bytes;
        cn_alloc_fail_after(n);
        d = cn_csv_parse(text, sizeof text - 1, &o);
        cn_alloc_fail_after(-1);
        if (d) break;
        assert_int_equal(cn_error_code(), CN_ENOMEM);
        assert_int_equal(cn_memory().live_bytes, live);
        cn_error_clear();
    }
    assert_int_equal(cn_dict_count(d), 3);
    cn_dict_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_get_their_types),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(options_are_obeyed),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(cuts_and_failed_allocations_are_survived),
    };
    return cmocka_run_group_tests_name("csv", tests, cn_test_folder_make, cn_test_folder_remove);
}
