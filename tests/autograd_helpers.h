/* autograd_helpers.h - what the tests of autograd have in common. */
#ifndef AUTOGRAD_HELPERS_H
#define AUTOGRAD_HELPERS_H

#include <cenote/autograd.h>
#include <cenote/functional.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void assert_close(double got, double want);
void assert_error(const char *words); /* the error says so; clears it */
void assert_elements(const cn_tensor *t, const double *want, int64_t n);

cn_tensor *vector(int n, const double *values);
cn_tensor *leaf(double value);                 /* 0-d, requires gradients */
double at(const cn_tensor *t, int64_t i);      /* of a vector */
double weighed(const cn_tensor *t);            /* the sum of sin(k + 1) times the k-th element */
cn_tensor *waves(cn_shape shape, double from); /* cos(from + k) */

/* A test in a scope of its own, without errors before and after, that leaves no tensor over. */
int open_scope(void **state);
int close_scope(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scope, close_scope)

#endif
