/* test_loader.c - loaders: the same batches for any number of workers, exact resuming, and ends at
   any time. Also run under the thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cenote/data.h>

#include <stdatomic.h>
#include <string.h>

#include "core/memory.h"

enum { SAMPLES = 103, BATCH = 8, WIDTH = 6 };

static cn_dataset *numbers;

static int make_numbers(void **state)
{
    (void)state;
    float x[SAMPLES * WIDTH * WIDTH];
    int64_t y[SAMPLES];
    for (int i = 0; i < SAMPLES * WIDTH * WIDTH; i++) x[i] = (float)i;
    for (int i = 0; i < SAMPLES; i++) y[i] = i;
    numbers = cn_dataset_from_tensors(cn_from(x, CN_SHAPE(SAMPLES, 1, WIDTH, WIDTH), CN_F32),
                                      cn_from(y, CN_SHAPE(SAMPLES), CN_I64));
    cn_release(0);
    return numbers ? 0 : -1;
}

static int check_clean(void **state)
{
    (void)state;
    cn_release(0);
    cn_dataset_free(numbers);
    assert_string_equal(cn_error(), "");
    assert_int_equal(cn_live_tensors(), 0);
    return 0;
}

static void assert_fails(bool ok, cn_code code, const char *says)
{
    assert_false(ok);
    assert_int_equal(cn_error_code(), code);
    if (!strstr(cn_error(), says)) fail_msg("'%s' does not say '%s'", cn_error(), says);
    cn_error_clear();
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t size)
{
    const uint8_t *p = data;
    while (size--) h = (h ^ *p++) * 0x100000001B3u;
    return h;
}

static uint64_t hash_batch(uint64_t h, const cn_batch *b)
{
    h = hash_bytes(h, &b->size, sizeof b->size);
    h = hash_bytes(h, cn_data(b->x), (size_t)cn_numel(b->x) * sizeof(float));
    return hash_bytes(h, cn_data(b->y), (size_t)cn_numel(b->y) * sizeof(int64_t));
}

/* All that comes in `epochs` epochs, or before `most` batches are through, as one number. */
static uint64_t hash_run(cn_loader *l, int epochs, int most)
{
    uint64_t h = 0xCBF29CE484222325u;
    while (epochs > 0 && most > 0) {
        size_t mark = cn_mark();
        cn_batch b;
        if (cn_loader_next(l, &b)) h = hash_batch(h, &b), most--;
        else epochs--;
        cn_release(mark);
    }
    assert_true(cn_ok());
    return h;
}

static cn_loader *augmented(int workers, int prefetch, uint64_t seed)
{
    return cn_loader_new(numbers, .batch = BATCH, .shuffle = true, .seed = seed, .workers = workers,
                         .prefetch = prefetch,
                         .transform = { cn_transform_random_flip(0.5),
                                        cn_transform_random_crop(WIDTH, WIDTH, 2),
                                        cn_transform_resize(9, 7) });
}

static void same_for_any_number_of_workers(void **state)
{
    (void)state;
    uint64_t expected = 0;
    for (int workers = 0; workers <= 5; workers++)
        for (int prefetch = 0; prefetch < 9; prefetch += 2) {
            cn_loader *l = augmented(workers, prefetch, 7);
            uint64_t h = hash_run(l, 3, 1000);
            if (!expected) expected = h;
            assert_true(h == expected);
            cn_loader_free(l);
        }
    cn_loader *other = augmented(1, 0, 8);
    assert_true(hash_run(other, 3, 1000) != expected);
    cn_loader_free(other);
}

static void collect(cn_loader *l, int64_t labels[SAMPLES], int64_t *n, int64_t *last)
{
    cn_batch b;
    for (*n = 0; cn_loader_next(l, &b); *n += b.size) {
        assert_true(*n + b.size <= SAMPLES);
        assert_true(cn_read(b.y, CN_I64, labels + *n, b.size));
        *last = b.size;
    }
    assert_true(cn_ok());
}

static void every_sample_once(void **state)
{
    (void)state;
    cn_loader *l = cn_loader_new(numbers, .batch = BATCH, .shuffle = true, .workers = 2);
    int64_t first[SAMPLES], second[SAMPLES], n, last;
    bool seen[SAMPLES] = { 0 };
    assert_int_equal(cn_loader_batches(l), 13);
    collect(l, first, &n, &last);
    assert_int_equal(n, SAMPLES);
    assert_int_equal(last, SAMPLES % BATCH);
    for (int i = 0; i < SAMPLES; i++) {
        assert_false(seen[first[i]]);
        seen[first[i]] = true;
    }
    assert_int_equal(cn_loader_epoch(l), 1);
    collect(l, second, &n, &last);
    assert_int_equal(n, SAMPLES);
    assert_memory_not_equal(first, second, sizeof first);
    cn_loader_free(l);
}

static void in_order_without_shuffling(void **state)
{
    (void)state;
    cn_loader *l = cn_loader_new(numbers, .batch = BATCH, .drop_last = true, .workers = 3);
    int64_t labels[SAMPLES], n, last;
    assert_int_equal(cn_loader_batches(l), 12);
    for (int epoch = 0; epoch < 2; epoch++) {
        collect(l, labels, &n, &last);
        assert_int_equal(n, 96);
        assert_int_equal(last, BATCH);
        for (int i = 0; i < 96; i++) assert_int_equal(labels[i], i);
    }
    cn_loader_free(l);
}

static void batches_larger_than_the_data(void **state)
{
    (void)state;
    int64_t labels[SAMPLES], n, last;
    cn_loader *l = cn_loader_new(numbers, .batch = INT64_MAX, .workers = 1);
    collect(l, labels, &n, &last);
    assert_int_equal(last, SAMPLES);
    cn_loader_free(l);
    l = cn_loader_new(numbers, .batch = 1000, .drop_last = true, .workers = 1);
    assert_int_equal(cn_loader_batches(l), 0);
    collect(l, labels, &n, &last);
    assert_int_equal(n, 0);
    assert_int_equal(cn_loader_epoch(l), 1);
    cn_loader_free(l);
}

/* From every position of two epochs, in a fresh loader and in the same one. */
static void resuming_is_exact(void **state)
{
    (void)state;
    for (int workers = 0; workers <= 3; workers += 3)
        for (int at = 0; at <= 26; at += 1 + workers) {
            cn_loader_cursor cursor;
            cn_loader *l = augmented(workers, 3, 5), *fresh = augmented(3 - workers, 2, 99);
            hash_run(l, 2, at);
            assert_true(cn_loader_state(l, &cursor));
            uint64_t expected = hash_run(l, 2, 1000);
            assert_true(cn_loader_restore(fresh, &cursor) && cn_loader_restore(l, &cursor));
            assert_true(hash_run(fresh, 2, 1000) == expected);
            assert_true(hash_run(l, 2, 1000) == expected);
            cn_loader_free(l);
            cn_loader_free(fresh);
        }
}

static void states_that_do_not_fit(void **state)
{
    (void)state;
    cn_loader *l = augmented(1, 2, 1), *other = cn_loader_new(numbers, .batch = 9);
    cn_loader_cursor c;
    assert_true(cn_loader_state(other, &c));
    assert_fails(cn_loader_restore(l, &c), CN_EINVALID, "in batches of 9");
    assert_true(cn_loader_state(l, &c));
    c.position = 14;
    assert_fails(cn_loader_restore(l, &c), CN_EINVALID, "no batch 14 of 13");
    c.position = 0, c.epoch = -1;
    assert_fails(cn_loader_restore(l, &c), CN_EINVALID, "in epoch -1");
    assert_fails(cn_loader_restore(NULL, &c), CN_EINVALID, "NULL");
    assert_fails(cn_loader_state(l, NULL), CN_EINVALID, "NULL");
    cn_loader_free(l);
    cn_loader_free(other);
}

static void freed_at_any_time(void **state)
{
    (void)state;
    for (int workers = 0; workers <= 4; workers++)
        for (int batches = 0; batches < 30; batches += 3) {
            cn_loader *l = augmented(workers, 5, 2);
            hash_run(l, 3, batches);
            cn_loader_free(l);
        }
    cn_loader_free(NULL);
}

/* A batch outlives its loader, and a loader the last reference of its user to the data. */
static void what_outlives_what(void **state)
{
    (void)state;
    cn_dataset *d = cn_dataset_open("glyphs", .limit = 20);
    cn_loader *l = cn_loader_new(d, .batch = 10, .workers = 2);
    cn_batch b;
    cn_dataset_free(d);
    assert_ptr_equal(cn_loader_dataset(l), d);
    assert_true(cn_loader_next(l, &b));
    cn_loader_free(l);
    assert_int_equal(cn_size(b.x, 0), 10);
    assert_true(cn_at(b.x, CN_SHAPE(9, 0, 27, 27)) <= 1);
}

/* ---- failures ----------------------------------------------------------------------------- */

static atomic_bool broken;

static bool get_or_fail(void *self, const int64_t *index, int64_t n, void *const out[])
{
    (void)self;
    for (int64_t i = 0; i < n; i++) {
        if (index[i] == 50 && broken) return cn_fail(CN_EFORMAT, "sample 50 is damaged");
        ((float *)out[0])[i] = ((float *)out[1])[i] = (float)index[i];
    }
    return true;
}

static cn_dataset *fragile(bool (*get)(void *, const int64_t *, int64_t, void *const *))
{
    return cn_dataset_new(
        &(cn_dataset_class){ .size = sizeof(cn_dataset_class),
                             .name = "fragile",
                             .samples = 80,
                             .fields = 2,
                             .field = { { .dtype = CN_F32 }, { .dtype = CN_F32 } },
                             .get = get });
}

/* The failure comes when it is the batch's turn, and the batch when the cause is gone. */
static void failures_reach_the_consumer(void **state)
{
    (void)state;
    for (int workers = 0; workers <= 3; workers++) {
        cn_dataset *d = fragile(get_or_fail);
        cn_loader *l = cn_loader_new(d, .batch = 8, .workers = workers);
        cn_batch b;
        broken = true;
        for (int i = 0; i < 6; i++) assert_true(cn_loader_next(l, &b));
        assert_false(cn_loader_next(l, &b));
        assert_false(cn_loader_next(l, &b));
        assert_fails(false, CN_EFORMAT, "sample 50 is damaged");
        broken = false;
        assert_true(cn_loader_next(l, &b));
        assert_true(cn_at(b.x, CN_SHAPE(0)) == 48.0);
        cn_loader_free(l);
        cn_dataset_free(d);
    }
}

static bool fail_silently(void *self, const int64_t *index, int64_t n, void *const out[])
{
    (void)self, (void)index, (void)n, (void)out;
    return false;
}

static void a_failure_without_a_message_gets_one(void **state)
{
    (void)state;
    for (int workers = 0; workers <= 1; workers++) {
        cn_dataset *d = fragile(fail_silently);
        cn_loader *l = cn_loader_new(d, .batch = 8, .workers = workers);
        assert_fails(cn_loader_next(l, &(cn_batch){ 0 }), CN_EIO, "fragile");
        cn_loader_free(l);
        cn_dataset_free(d);
    }
}

static void out_of_memory_in_the_middle(void **state)
{
    (void)state;
    cn_loader *l = augmented(2, 4, 3), *twin = augmented(0, 0, 3);
    cn_batch b;
    size_t mark = cn_mark();
    assert_true(hash_run(l, 3, 5) == hash_run(twin, 3, 5));
    cn_alloc_fail_after(0);
    for (int i = 0; i < 6; i++) (void)!cn_loader_next(l, &b);
    cn_alloc_fail_after(-1);
    assert_fails(false, CN_ENOMEM, "out of memory");
    cn_loader_cursor at, before;
    assert_true(cn_loader_state(l, &at) && cn_loader_state(twin, &before));
    hash_run(twin, 3, (int)(at.position - before.position));
    assert_true(hash_run(l, 2, 1000) == hash_run(twin, 2, 1000));
    cn_release(mark);
    cn_loader_free(l);
    cn_loader_free(twin);
}

static void options_that_make_no_sense(void **state)
{
    (void)state;
    assert_fails(cn_loader_new(NULL, .batch = 1), CN_EINVALID, "data set is NULL");
    assert_fails(cn_loader_new(numbers), CN_EINVALID, ".batch is 0");
    assert_fails(cn_loader_new(numbers, .batch = -5), CN_EINVALID, ".batch is -5");
    assert_fails(cn_loader_new(numbers, .batch = 1, .workers = -1), CN_EINVALID, ".workers is -1");
    assert_fails(cn_loader_new(numbers, .batch = 1, .prefetch = -1), CN_EINVALID,
                 ".prefetch is -1");
    assert_fails(cn_loader_new_with(NULL), CN_EINVALID, "no options");
    assert_fails(cn_loader_next(NULL, &(cn_batch){ 0 }), CN_EINVALID, "NULL");
    assert_int_equal(cn_loader_batches(NULL), -1);
    assert_int_equal(cn_loader_epoch(NULL), -1);
    assert_null(cn_loader_dataset(NULL));
}

/* Options as a program has them that was compiled before `transform` existed. */
static void older_and_shorter_options(void **state)
{
    (void)state;
    const size_t size = offsetof(cn_loader_options, transform);
    cn_loader_options *o = cn_alloc(size);
    memset(o, 0, size);
    o->size = size, o->dataset = numbers, o->batch = BATCH;
    cn_loader *l = cn_loader_new_with(o);
    assert_int_equal(cn_loader_batches(l), 13);
    cn_loader_free(l);
    cn_free(o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_numbers, check_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(same_for_any_number_of_workers),
        TEST(every_sample_once),
        TEST(in_order_without_shuffling),
        TEST(batches_larger_than_the_data),
        TEST(resuming_is_exact),
        TEST(states_that_do_not_fit),
        TEST(freed_at_any_time),
        TEST(what_outlives_what),
        TEST(failures_reach_the_consumer),
        TEST(a_failure_without_a_message_gets_one),
        TEST(out_of_memory_in_the_middle),
        TEST(options_that_make_no_sense),
        TEST(older_and_shorter_options),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
