/* test_memory.c - large blocks: they keep what is in them, in several threads at once, and what one
   size leaves serves another. Also run under the thread sanitizer. */
#include "core/memory.h"

#include <cenote/cenote.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

typedef struct held {
    unsigned char *p, mark;
    size_t n;
} held;

/* A block of several pages is marked at both ends and in the middle. */
static bool take(held *h, size_t n, unsigned char mark)
{
    *h = (held){ .p = cn_alloc(n), .mark = mark, .n = n };
    if (!h->p) return false;
    h->p[0] = h->p[n / 2] = h->p[n - 1] = mark;
    return true;
}

static bool give(held *h)
{
    const unsigned char *p = h->p, mark = h->mark;
    const bool sound = !p || (p[0] == mark && p[h->n / 2] == mark && p[h->n - 1] == mark);
    cn_free(h->p);
    *h = (held){ 0 };
    return sound;
}

/* Takes and gives blocks on both sides of 1 MiB in no order. *context: a seed, then 0 if all went
   well. */
static void *churn(void *context)
{
    enum { SLOTS = 8, TURNS = 400 };
    held held_now[SLOTS] = { { 0 } };
    uint64_t *state = context, random = *state;
    bool ok = true;
    for (int i = 0; i < TURNS && ok; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        held *h = &held_now[(random >> 60) % SLOTS];
        ok = give(h) && take(h, 1 + (random >> 33) % (3 * MIB), (unsigned char)(random >> 40));
        if (i % 64 == 0) cn_trim_memory();
    }
    for (int i = 0; i < SLOTS; i++) ok = give(&held_now[i]) && ok;
    *state = ok ? 0 : 1;
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    uint64_t seed[THREADS];
    const size_t live = cn_memory().live_bytes;
    for (int i = 0; i < THREADS; i++) {
        seed[i] = (uint64_t)i + 1;
        assert_int_equal(pthread_create(&thread[i], NULL, churn, &seed[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(seed[i], 0);
    }
    assert_int_equal(cn_memory().live_bytes, live);
    cn_trim_memory();
    assert_true(cn_memory().cached_bytes < MIB);
}

/* Freed in any order, neighbours become room for one that is as large as all. */
static void test_joining(void **state)
{
    (void)state;
    enum { PARTS = 6 };
    static const int order[PARTS] = { 4, 1, 5, 0, 3, 2 };
    held part[PARTS], whole;
    cn_trim_memory();
    for (int i = 0; i < PARTS; i++) assert_true(take(&part[i], 4 * MIB, 7));
    for (int i = 0; i < PARTS; i++) assert_true(give(&part[order[i]]));
    const size_t cached = cn_memory().cached_bytes;
    assert_true(take(&whole, 24 * MIB, 9));
    assert_true(cn_memory().cached_bytes <= cached);
    assert_true(give(&whole));
    assert_true(cn_memory().cached_bytes <= cached + MIB); /* nothing new came from the system */
}

/* What is given back while other blocks of the region live leaves those alone. */
static void test_trimming(void **state)
{
    (void)state;
    held kept = { 0 }, freed = { 0 }, last = { 0 };
    assert_true(take(&freed, 4 * MIB, 1) && take(&kept, 4 * MIB, 2) && take(&last, 4 * MIB, 3));
    assert_true(give(&freed) && give(&last));
    cn_trim_memory();
    assert_true(cn_memory().cached_bytes < MIB);
    assert_true(take(&freed, 3 * MIB, 4) && take(&last, 5 * MIB, 5));
    assert_true(give(&last) && give(&kept) && give(&freed));
    cn_trim_memory();
    assert_true(cn_memory().cached_bytes < MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_joining),
                                        cmocka_unit_test(test_trimming),
                                        cmocka_unit_test(test_threads) };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
