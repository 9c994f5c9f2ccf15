/* test_text.c - splitting, cleaning, vocabularies, counting. */
#include "core/memory.h"

#include <cenote/cenote.h>

#include <math.h>
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

/* ---- batches ------------------------------------------------------------------------------------ */

/* One epoch of 0 .. 34 in windows of 5, batch 2: y follows x, no window twice, rows go on if they must. */
static void check_windows(bool random)
{
    size_t mark = cn_mark();
    cn_batch b;
    int64_t end[2] = { -1, -1 }, batches = 0;
    bool seen[35] = { 0 };
    cn_windows *w = cn_windows_new(cn_arange(0, 35, 1, CN_I64), .batch = 2, .steps = 5,
                                   .random = random, .seed = 7);
    while (cn_windows_next(w, &b)) {
        const int64_t *x = cn_data(b.x), *y = cn_data(b.y);
        batches++;
        for (int r = 0; r < 2; r++) {
            if (!random && end[r] >= 0) assert_int_equal(x[5 * r], end[r] + 1);
            end[r] = x[5 * r + 4];
            for (int i = 0; i < 5; i++) {
                assert_int_equal(y[5 * r + i], x[5 * r + i] + 1);
                assert_int_equal(x[5 * r + i], x[5 * r] + i);
                assert_false(seen[x[5 * r + i]]);
                seen[x[5 * r + i]] = true;
            }
        }
    }
    assert_true(cn_ok());
    assert_int_equal(batches, 3);
    assert_true(cn_windows_next(w, &b)); /* another epoch */
    cn_windows_free(w);
    cn_release(mark);
}

static void long_sequences_are_cut_into_windows(void **state)
{
    (void)state;
    check_windows(true);
    check_windows(false);
    size_t mark = cn_mark();
    assert_null(cn_windows_new(cn_arange(0, 10, 1, CN_I64), .batch = 2, .steps = 5));
    cn_error_clear();
    cn_release(mark);
}

static void pairs_are_padded(void **state)
{
    (void)state;
    const int64_t index[] = { 0, 2 };
    cn_batch b;
    size_t mark = cn_mark();
    cn_pairs p =
        cn_pairs_new("Go.\tVa !\tx\nGo now.\tVa\xC2\xA0!\n\n\xC3\x89t\xC3\xA9 go.\tVa la .",
                     .steps = 4, .min_freq = 1);
    assert_non_null(p.data);
    assert_int_equal(cn_vocab_id(p.source, "<eos>"), 3);
    assert_int_equal(cn_vocab_id(p.source, "go"), 4);
    assert_int_not_equal(cn_vocab_id(p.source, "\xC3\xA9t\xC3\xA9"), 0);
    assert_int_equal(cn_vocab_id(p.target, "!"), 5);
    assert_true(cn_dataset_get(p.data, index, 2, &b));
    const int64_t *x = cn_data(b.x), *length = cn_data(b.extra[0]);
    const int64_t first[] = { 4, 5, 3, 1 };
    for (int i = 0; i < 4; i++) assert_int_equal(x[i], first[i]); /* go . <eos> <pad> */
    assert_int_equal(length[0], 3);
    assert_int_equal(length[1], 4);
    cn_pairs_free(&p);
    p = cn_pairs_new("no tab here");
    assert_null(p.data);
    assert_non_null(strstr(cn_error(), "line 1"));
    cn_error_clear();
    cn_release(mark);
}

/* ---- generating ---------------------------------------------------------------------------------- */

/* A Markov chain over 0 (the end), 1 and 2, in which the greedy choice is not the best. */
static bool markov_step(void *context, int64_t beams, const int64_t *parent, const int64_t *token,
                        float *log_probs)
{
    static const double p[4][3] = {
        { 1, 0, 0 }, { 0.34, 0.33, 0.33 }, { 0.9, 0.05, 0.05 }, { 0.1, 0.5, 0.4 }
    };
    *(int *)context += 1;
    for (int64_t b = 0; b < beams; b++)
        for (int t = 0; t < 3; t++) log_probs[3 * b + t] = (float)log(p[token[b]][t]);
    return parent[0] >= 0;
}

static void beams_find_what_greed_misses(void **state)
{
    (void)state;
    int calls = 0;
    cn_hypothesis greedy[1], wide[3];
    assert_int_equal(cn_beam_search(greedy, markov_step, &calls, .vocabulary = 3, .bos = 3,
                                    .eos = 0, .steps = 2, .beams = 1),
                     1);
    assert_int_equal(greedy[0].ids[0], 1);
    assert_int_equal(calls, 2);
    assert_int_equal(cn_beam_search(wide, markov_step, &calls, .vocabulary = 3, .bos = 3, .eos = 0,
                                    .steps = 2, .beams = 3),
                     3);
    assert_int_equal(wide[0].ids[0], 2);
    assert_int_equal(wide[0].ids[1], 0);
    assert_int_equal(wide[0].length, 2);
    assert_true(fabs(wide[0].log_prob - log(0.36)) < 1e-6);
    cn_hypothesis_free(greedy);
    for (int i = 0; i < 3; i++) cn_hypothesis_free(&wide[i]);
    assert_int_equal(cn_beam_search(greedy, markov_step, &calls, .vocabulary = 3), -1);
    cn_error_clear();
}

static void tokens_are_drawn(void **state)
{
    (void)state;
    const float scores[] = { 0, 2, 1, -3 };
    int count[4] = { 0 }, two[4] = { 0 }, most[4] = { 0 };
    cn_rng rng = cn_rng_make(1, 0);
    for (int i = 0; i < 20000; i++) {
        count[cn_sample_token(scores, 4, &rng, .temperature = 1)]++;
        two[cn_sample_token(scores, 4, &rng, .temperature = 1, .top_k = 2)]++;
        most[cn_sample_token(scores, 4, &rng, .temperature = 1, .top_p = 0.6)]++;
    }
    double total = 1 + exp(2) + exp(1) + exp(-3);
    assert_true(fabs(count[1] / 20000.0 - exp(2) / total) < 0.02);
    assert_true(fabs(count[0] / 20000.0 - 1 / total) < 0.02);
    assert_int_equal(two[0] + two[3], 0);
    assert_true(fabs(two[2] / 20000.0 - 1 / (1 + exp(1))) < 0.02);
    assert_int_equal(most[1], 20000);
    assert_int_equal(cn_sample_token(scores, 4, &rng), 1); /* temperature 0 */
    assert_int_equal(cn_sample_token(scores, 4, &rng, .temperature = 1e-300), 1);
}

static void is_not_drawn(int64_t token)
{
    assert_int_equal(token, -1);
    assert_int_equal(cn_error_code(), CN_EINVALID);
    cn_error_clear();
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    const float scores[] = { 1, -INFINITY, 0 }, none[] = { -INFINITY, -INFINITY },
                nan[] = { 0, NAN };
    cn_rng rng = cn_rng_make(1, 0);
    for (int i = 0; i < 200; i++)
        assert_int_not_equal(cn_sample_token(scores, 3, &rng, .temperature = 9), 1);
    is_not_drawn(cn_sample_token(none, 2, &rng, .temperature = 1));
    is_not_drawn(cn_sample_token(nan, 2, &rng));
    is_not_drawn(cn_sample_token(scores, 0, &rng));
    is_not_drawn(cn_sample_token(scores, 3, &rng, .temperature = (double)NAN));
    is_not_drawn(cn_sample_token(scores, 3, &rng, .temperature = -1));
    is_not_drawn(cn_sample_token(scores, 3, &rng, .temperature = 1, .top_k = -1));
    is_not_drawn(cn_sample_token(scores, 3, &rng, .temperature = 1, .top_p = (double)NAN));
    is_not_drawn(cn_sample_token(scores, 3, &rng, .temperature = 1, .top_p = 1.5));
}

/* ---- scores --------------------------------------------------------------------------------------- */

static double bleu(const char *prediction, const char *reference, int64_t k)
{
    cn_tokens *p = cn_tokenize(prediction, CN_WORDS), *r = cn_tokenize(reference, CN_WORDS);
    double score = cn_bleu(p, r, k);
    cn_tokens_free(p);
    cn_tokens_free(r);
    return score;
}

static void texts_are_scored(void **state)
{
    (void)state;
    assert_true(bleu("va !", "va !", 2) == 1);
    assert_true(fabs(bleu("il est riche .", "il est calme .", 2) - 0.658) < 5e-4);
    assert_true(fabs(bleu("A B B C D", "A B C D E F", 1) - exp(1 - 6.0 / 5) * sqrt(0.8)) < 1e-12);
    assert_true(bleu("", "a", 2) == 0);
    cn_tokens *p = cn_tokenize("the cat was under the bed", CN_WORDS);
    cn_tokens *r = cn_tokenize("the cat was found under the bed", CN_WORDS);
    cn_rouge_score one = cn_rouge(p, r, 1), two = cn_rouge(p, r, 2), l = cn_rouge(p, r, 0);
    assert_true(one.precision == 1 && fabs(one.recall - 6.0 / 7) < 1e-12);
    assert_true(fabs(two.precision - 0.8) < 1e-12 && fabs(two.recall - 4.0 / 6) < 1e-12);
    assert_true(l.precision == 1 && fabs(l.recall - 6.0 / 7) < 1e-12);
    cn_tokens_free(p);
    cn_tokens_free(r);
}

/* ---- pieces of words ------------------------------------------------------------------------------- */

static cn_vocab *words_of(const char *text)
{
    cn_tokens *t = cn_tokenize(text, CN_WORDS);
    cn_vocab *v = cn_vocab_new(t);
    cn_tokens_free(t);
    return v;
}

static void merges_are_those_of_the_book(void **state)
{
    (void)state;
    static const char *const merges[] = { "t a",   "ta l", "tal l", "f a",    "fa s",
                                          "fas t", "e r",  "er _",  "tall _", "fast _" };
    cn_vocab *v = words_of("fast fast fast fast faster faster faster tall tall tall tall tall "
                           "taller taller taller taller");
    cn_bpe *b = cn_bpe_new(v, .merges = 10);
    assert_int_equal(cn_bpe_merges(b), 10);
    for (int i = 0; i < 10; i++) {
        char both[16];
        const char *left, *right;
        assert_true(cn_bpe_merge(b, i, &left, &right));
        snprintf(both, sizeof both, "%s %s", left, right);
        assert_string_equal(both, merges[i]);
    }
    cn_tokens *t = cn_tokenize("tallest fatter fast xx", CN_WORDS), *p = cn_bpe_encode(b, t);
    is_joined(cn_tokens_part(p, 0, 9), "tall|e|s|t|_|fa|t|t|er_");
    is_joined(cn_tokens_part(p, 9, 4), "fast_|<unk>|<unk>|_");
    cn_tokens_free(p);
    cn_tokens_free(t);
    t = cn_tokenize("faster tall alter", CN_WORDS);
    p = cn_bpe_encode(b, t);
    is_joined(cn_bpe_decode(b, p), "faster|tall|alter");
    cn_tokens_free(p);
    cn_tokens_free(t);
    cn_bpe_free(b);
    b = cn_bpe_new(v, .merges = 1000, .min_freq = 5);
    assert_int_equal(cn_bpe_merges(b), 9); /* what is left occurs four times */
    cn_bpe_free(b);
    assert_null(cn_bpe_new(v, .merges = -1));
    cn_error_clear();
    cn_vocab_free(v);
}

/* ---- Chinese words ---------------------------------------------------------------------------------- */

static void chinese_is_segmented(void **state)
{
    (void)state;
    cn_segmenter *s = cn_segmenter_new(NULL);
    is_joined(cn_segment(s, "我来到北京清华大学"), "我|来到|北京|清华大学");
    is_joined(cn_segment(s, "南京市长江大桥"), "南京市|长江大桥");
    is_joined(cn_segment(s, "研究生命起源, 用 C11 写。"), "研究|生命|起源|,|用|C11|写|。");
    is_joined(cn_segment(s, "鲲鹏在北京"), "鲲鹏|在|北京"); /* no word of the dictionary */
    is_joined(cn_segment(s, ""), "");
    cn_segmenter_free(s);
    s = cn_segmenter_new("ab 3\n甲乙 1\n乙丙丁 5\n甲 4\n", .known_only = true);
    is_joined(cn_segment(s, "甲乙丙丁戊己"), "甲|乙丙丁|戊|己");
    cn_segmenter_free(s);
    assert_null(cn_segmenter_new("甲 x\n"));
    assert_non_null(strstr(cn_error(), "line 1"));
    cn_error_clear();
    assert_null(cn_segmenter_new(""));
    cn_error_clear();
}

/* ---- counting ----------------------------------------------------------------------------------------- */

static void probabilities_add_up(void **state)
{
    (void)state;
    static const cn_smoothing smoothing[] = { CN_LAPLACE, CN_INTERPOLATED };
    const int64_t id[] = { 0, 1, 2, 0, 1, 3, 0, 1 };
    size_t mark = cn_mark();
    cn_tensor *ids = cn_from(id, CN_SHAPE(8), CN_I64);
    for (int i = 0; i < 4; i++) {
        cn_ngrams *m = cn_ngrams_new(ids, .vocabulary = 5, .n = 3, .smoothing = smoothing[i % 2],
                                     .strength = i < 2 ? 0.5 : 0);
        for (int64_t a = 0; a < 25; a++) {
            const int64_t context[] = { a / 5, a % 5 };
            for (int64_t length = 0; length <= 2; length++) {
                double sum = 0;
                for (int64_t next = 0; next < 5; next++)
                    sum += cn_ngrams_prob(m, context, length, next);
                assert_true(fabs(sum - 1) < 1e-12);
            }
        }
        cn_ngrams_free(m);
    }
    cn_ngrams *m = cn_ngrams_new(ids, .vocabulary = 5, .n = 2, .strength = 1);
    int64_t grams[4], counts[2];
    assert_int_equal(cn_ngrams_distinct(m, 2), 5);
    assert_int_equal(cn_ngrams_top(m, 2, 2, grams, counts), 2);
    assert_int_equal(counts[0], 3);
    assert_int_equal(cn_ngrams_count(m, (const int64_t[]){ 1, 2 }, 2), 1);
    /* 1 occurs three times, is followed twice: (1 + 1) / (2 + 5). */
    assert_true(fabs(cn_ngrams_prob(m, (const int64_t[]){ 1 }, 1, 2) - 2.0 / 7) < 1e-12);
    assert_true(fabs(cn_ngrams_perplexity(m, ids) - exp(-cn_ngrams_log_prob(m, ids) / 8)) < 1e-12);
    assert_int_equal(cn_ngrams_count(m, id, 3), -1);
    cn_error_clear();
    cn_rng rng = cn_rng_make(3, 0);
    int drawn = 0;
    for (int i = 0; i < 7000; i++) drawn += cn_ngrams_next(m, (const int64_t[]){ 1 }, 1, &rng) == 2;
    assert_true(abs(drawn - 2000) < 150);
    cn_ngrams_free(m);
    assert_null(cn_ngrams_new(ids, .vocabulary = 3, .n = 2));
    cn_error_clear();
    cn_release(mark);
}

static void texts_become_vectors(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_vocab *v = words_of("a b c");
    cn_tokens *t[] = { cn_tokenize("a a b", CN_WORDS), cn_tokenize("c a z", CN_WORDS) };
    cn_tensor *bag = cn_bag_of_words(v, (const cn_tokens *const *)t, 2), *w = cn_tf_idf(bag);
    const float *count = cn_data(bag), expected[] = { 0, 2, 1, 0, 1, 1, 0, 1 };
    for (int i = 0; i < 8; i++) assert_true(count[i] == expected[i]);
    double rare = log(3.0 / 2) + 1; /* of two texts one has it */
    assert_true(fabs(cn_at(w, CN_SHAPE(0, 2)) - rare / sqrt(4 + rare * rare)) < 1e-6);
    assert_true(fabs(cn_at(w, CN_SHAPE(0, 1)) - 2 / sqrt(4 + rare * rare)) < 1e-6);
    cn_tokens_free(t[0]);
    cn_tokens_free(t[1]);
    cn_vocab_free(v);
    cn_release(mark);
}

static void stories_come_from_their_seed(void **state)
{
    (void)state;
    char *a = cn_text_story(1, 50), *b = cn_text_story(1, 50), *c = cn_text_story(2, 50);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_null(strchr(a, '$'));
    cn_tokens *lines = cn_tokenize(a, CN_LINES);
    assert_int_equal(cn_tokens_count(lines), 50);
    cn_tokens_free(lines);
    cn_text_free(a);
    cn_text_free(b);
    cn_text_free(c);
    assert_null(cn_text_find("no such text"));
    assert_int_equal(cn_error_code(), CN_ENOTFOUND);
    cn_error_clear();
}

/* Everything that was just tested, made with the n-th allocation failing. */
static bool make_all(const cn_vocab *v, const cn_tokens *t, cn_tensor *ids)
{
    cn_bpe *b = cn_bpe_new(v, .merges = 3);
    cn_tokens *pieces = cn_bpe_encode(b, t), *words = cn_bpe_decode(b, pieces);
    cn_segmenter *s = cn_segmenter_new("甲乙 1\n丙 5\n");
    cn_tokens *cut = cn_segment(s, "丁戊甲乙丙");
    cn_ngrams *m = cn_ngrams_new(ids, .vocabulary = 9, .n = 2);
    char *story = cn_text_story(1, 3);
    bool all = words && cut && m && story;
    cn_bpe_free(b);
    cn_tokens_free(pieces);
    cn_tokens_free(words);
    cn_segmenter_free(s);
    cn_tokens_free(cut);
    cn_ngrams_free(m);
    cn_text_free(story);
    return all;
}

static void no_memory_for_models_is_an_error(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_vocab *v = words_of("some words of some text");
    cn_tokens *t = cn_tokenize("some words", CN_WORDS);
    cn_tensor *ids = cn_arange(0, 9, 1, CN_I64);
    bool made = false;
    int n = 0;
    for (; !made && n < 1000; n++) {
        cn_alloc_fail_after(n);
        made = make_all(v, t, ids);
        cn_alloc_fail_after(-1);
        assert_int_equal(made, cn_ok());
        cn_error_clear();
    }
    assert_true(made && n > 50);
    cn_tokens_free(t);
    cn_vocab_free(v);
    cn_release(mark);
}

static cn_vocab *vocab_in(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_true(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return cn_vocab_load(path);
}

static void is_no_vocab(const char *path, const char *text)
{
    assert_null(vocab_in(path, text));
    assert_true(cn_error_code() == CN_EFORMAT || cn_error_code() == CN_EINVALID);
    cn_error_clear();
}

static void vocabularies_are_kept_in_files(void **state)
{
    (void)state;
    char path[] = "/tmp/cenote-vocab-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    cn_tokens *t = cn_tokenize("b a \xC3\xA9  b", CN_CHARACTERS),
              *line = cn_tokens_from((const char *[]){ "a\n" }, 1);
    cn_vocab *v = cn_vocab_new(t), *broken = cn_vocab_new(line);
    assert_true(cn_vocab_save(v, path));
    cn_vocab *w = cn_vocab_load(path);
    assert_int_equal(cn_vocab_size(w), 5);
    for (int64_t i = 0; i < 5; i++) assert_string_equal(cn_vocab_token(w, i), cn_vocab_token(v, i));
    bool loaded = false;
    for (int n = 0; !loaded && n < 100; n++) {
        cn_alloc_fail_after(n);
        cn_vocab *again = cn_vocab_load(path);
        cn_alloc_fail_after(-1);
        loaded = again != NULL;
        assert_int_equal(loaded, cn_ok());
        cn_error_clear();
        cn_vocab_free(again);
    }
    assert_true(loaded);
    assert_false(cn_vocab_save(broken, path));
    assert_int_equal(cn_error_code(), CN_EINVALID);
    cn_error_clear();
    is_no_vocab(path, "");
    is_no_vocab(path, "a\nb\n");
    is_no_vocab(path, "<unk>\na\na\n");
    is_no_vocab(path, "<unk>\n\xFF\n");
    cn_vocab_free(w);
    cn_vocab_free(broken);
    cn_vocab_free(v);
    cn_tokens_free(line);
    cn_tokens_free(t);
    unlink(path);
    assert_null(cn_vocab_load(path));
    assert_int_equal(cn_error_code(), CN_ENOTFOUND);
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
        cmocka_unit_test(long_sequences_are_cut_into_windows),
        cmocka_unit_test(pairs_are_padded),
        cmocka_unit_test(beams_find_what_greed_misses),
        cmocka_unit_test(tokens_are_drawn),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(texts_are_scored),
        cmocka_unit_test(merges_are_those_of_the_book),
        cmocka_unit_test(chinese_is_segmented),
        cmocka_unit_test(probabilities_add_up),
        cmocka_unit_test(texts_become_vectors),
        cmocka_unit_test(stories_come_from_their_seed),
        cmocka_unit_test(vocabularies_are_kept_in_files),
        cmocka_unit_test(no_memory_for_models_is_an_error),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
