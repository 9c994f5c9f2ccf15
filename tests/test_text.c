/* test_text.c - splitting, cleaning, vocabularies. */
#include "core/memory.h"

#include <cenote/cenote.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void is_joined(cn_tokens *t, const char *expected)
{
    char *text = cn_tokens_join(t, "|");
    assert_string_equal(text, expected);
    cn_text_free(text);
    cn_tokens_free(t);
}

static void text_is_split(void **state)
{
    (void)state;
    is_joined(cn_tokenize("  the time\tmachine\n\nby h ", CN_WORDS), "the|time|machine|by|h");
    is_joined(cn_tokenize("a\xC3\xA9\xE6\xB5\x8B\n!", CN_CHARACTERS), "a|\xC3\xA9|\xE6\xB5\x8B|!");
    is_joined(cn_tokenize("one\r\n\ntwo\nthree", CN_LINES), "one||two|three");
    is_joined(cn_tokenize("", CN_WORDS), "");
    cn_tokens *t = cn_tokenize("a b c d", CN_WORDS);
    is_joined(cn_tokens_part(t, 1, 2), "b|c");
    assert_null(cn_tokens_part(t, 3, 2));
    assert_int_equal(cn_error_code(), CN_EINVALID);
    cn_error_clear();
    assert_null(cn_token(t, 4));
    cn_error_clear();
    cn_tokens_free(t);
    assert_null(cn_tokenize("\xFF", CN_WORDS));
    assert_int_equal(cn_error_code(), CN_EFORMAT);
    cn_error_clear();
}

static void text_is_cleaned_as_in_the_book(void **state)
{
    (void)state;
    char *text = cn_text_clean("The Time Machine, by H. G. Wells [1898]\n\n  1\nI've--told.\n");
    assert_string_equal(text, "the time machine by h g wells\n\n\ni ve told\n");
    cn_text_free(text);
}

static void frequent_tokens_come_first(void **state)
{
    (void)state;
    const char *const reserved[] = { "<pad>", "b", NULL };
    cn_tokens *t = cn_tokenize("z b a a c c b b d a", CN_WORDS);
    cn_vocab *v = cn_vocab_new(t), *w = cn_vocab_new(t, .min_freq = 2, .reserved = reserved);
    const char *const order[] = { "<unk>", "b", "a", "c", "z", "d" };
    assert_int_equal(cn_vocab_size(v), 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(cn_vocab_token(v, i), order[i]);
        assert_int_equal(cn_vocab_id(v, order[i]), i);
    }
    assert_int_equal(cn_vocab_frequency(v, 2), 3);
    assert_int_equal(cn_vocab_size(w), 5); /* <unk> <pad> b a c */
    assert_int_equal(cn_vocab_id(w, "b"), 2);
    assert_int_equal(cn_vocab_id(w, "z"), 0);
    assert_int_equal(cn_vocab_id(w, "not there"), 0);
    size_t mark = cn_mark();
    cn_tensor *ids = cn_vocab_encode(w, t);
    assert_int_equal(cn_numel(ids), 10);
    assert_true(cn_at(ids, CN_SHAPE(2)) == 3);
    is_joined(cn_vocab_decode(w, ids), "<unk>|b|a|a|c|c|b|b|<unk>|a");
    assert_null(cn_vocab_decode(w, cn_full(CN_SHAPE(1), 5, CN_I64)));
    cn_error_clear();
    cn_release(mark);
    cn_vocab_free(v);
    cn_vocab_free(w);
    const char *const twice[] = { "<pad>", "<pad>", NULL };
    assert_null(cn_vocab_new(t, .reserved = twice));
    cn_error_clear();
    cn_tokens_free(t);
}

static void many_tokens_are_found_again(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    char word[16];
    cn_tokens *none = cn_tokenize("", CN_WORDS);
    char *text = cn_alloc(MANY * 8);
    size_t used = 0;
    for (int i = 0; i < MANY; i++) used += (size_t)snprintf(text + used, 8, "w%d ", i);
    cn_tokens *t = cn_tokenize(text, CN_WORDS);
    cn_vocab *v = cn_vocab_new(t), *empty = cn_vocab_new(none);
    assert_int_equal(cn_vocab_size(v), MANY + 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(word, sizeof word, "w%d", i);
        assert_int_equal(cn_vocab_id(v, word), i + 1);
    }
    assert_int_equal(cn_vocab_size(empty), 1);
    cn_vocab_free(v);
    cn_vocab_free(empty);
    cn_tokens_free(t);
    cn_tokens_free(none);
    cn_free(text);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/cenote-text-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "ab\0c", 4), 4);
    assert_null(cn_text_read(path));
    assert_non_null(strstr(cn_error(), "byte 2"));
    cn_error_clear();
    assert_int_equal(pwrite(fd, "ab\xFFg", 4, 0), 4);
    assert_null(cn_text_read(path));
    assert_int_equal(cn_error_code(), CN_EFORMAT);
    cn_error_clear();
    assert_int_equal(pwrite(fd, "good", 4, 0), 4);
    char *text = cn_text_read(path);
    assert_string_equal(text, "good");
    cn_text_free(text);
    close(fd);
    unlink(path);
    assert_null(cn_text_read(path));
    cn_error_clear();
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    cn_tokens *t = cn_tokenize("some words of some text", CN_WORDS);
    for (int n = 0; n < 40; n++) {
        cn_alloc_fail_after(n);
        cn_tokens *again = cn_tokenize("some words of some text", CN_WORDS);
        cn_vocab *v = again ? cn_vocab_new(again) : NULL;
        cn_alloc_fail_after(-1);
        assert_int_equal(v == NULL, !cn_ok());
        cn_error_clear();
        cn_vocab_free(v);
        cn_tokens_free(again);
    }
    cn_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_split),
        cmocka_unit_test(text_is_cleaned_as_in_the_book),
        cmocka_unit_test(frequent_tokens_come_first),
        cmocka_unit_test(many_tokens_are_found_again),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
