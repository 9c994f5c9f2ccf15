/* test_attention.c - attention and Transformers: PyTorch's numbers, stacks of layers by name. */
#include "module_golden.h"

#include <cenote/cenote.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CASE(cls, constructor, inputs) { cls, constructor, inputs },
static const ModuleCase cases[] = {
#include "attention_cases.def"
};

static void test_golden(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        failures += module_golden_check(&cases[i]);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden) };
    return cmocka_run_group_tests_name("attention", tests, module_golden_open,
                                       module_golden_close);
}
