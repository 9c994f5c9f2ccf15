/* simd_test.h - what the tests of the vector kernels share. */
#ifndef CN_TESTS_SIMD_TEST_H
#define CN_TESTS_SIMD_TEST_H

#include "backends/simd/simd_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Runs a test once per instruction set this processor has; fails if it has none to run. */
void each_table(void (*test)(const cn_simd_table *t));

/* An array of n floats in -1 .. 1, surrounded by guards that floats_free() checks. */
float *floats(int64_t n);
float *floats_copy(const float *x, int64_t n);
void floats_free(float *p);

/* |a - b| <= tol * max(1, |b|), NaN equal to NaN. */
void check_close(const char *what, const float *actual, const double *expected, int64_t n,
                 double tol);
void check_same_bits(const char *what, const float *a, const float *b, int64_t n);

/* Test functions of the files beside. */
void test_gemm(void **state);
void test_gemm_batched(void **state);
void test_pools(void **state);
void test_lanes(void **state);
void test_norms(void **state);
void test_winograd(void **state);
void test_winograd_memory(void **state);

#endif
