/* test_module_golden.c - every class of modules gives PyTorch's numbers: none is without a case. */
#include "module_golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const classes[] = {
#define MODULE(ident) #ident,
#define FUNCTIONAL(ident, arguments, op) #ident,
#include "nn/modules.def"
#undef MODULE
#undef FUNCTIONAL
};

#define CASE(cls, constructor, inputs) { cls, constructor, inputs },
static const ModuleCase cases[] = {
#include "function_cases.def"
#include "layer_cases.def"
};
/* test_attention and test_recurrent compare these. */
static const ModuleCase elsewhere[] = {
#include "attention_cases.def"
#include "recurrent_cases.def"
};
#undef CASE

/* Lists of others: nothing to run. */
static const char *const only_hold[] = { "ModuleDict", "ModuleList", "ParameterList" };

static bool has_case(const char *cls)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        if (strcmp(cases[i].cls, cls) == 0) return true;
    for (size_t i = 0; i < COUNT(elsewhere); i++)
        if (strcmp(elsewhere[i].cls, cls) == 0) return true;
    return false;
}

static bool only_holds(const char *cls)
{
    for (size_t i = 0; i < COUNT(only_hold); i++)
        if (strcmp(only_hold[i], cls) == 0) return true;
    return false;
}

static void every_class_has_a_case(void **state)
{
    (void)state;
    int missing = 0;
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (has_case(classes[i]) != only_holds(classes[i])) continue;
        printf("%s: %s\n", classes[i], only_holds(classes[i]) ? "has a case" : "has no case");
        missing++;
    }
    assert_int_equal(missing, 0);
}

static void every_case_is_pytorchs(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < COUNT(cases); i++) failures += module_golden_check(&cases[i]);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_class_has_a_case),
                                        cmocka_unit_test(every_case_is_pytorchs) };
    return cmocka_run_group_tests_name("module_golden", tests, module_golden_open,
                                       module_golden_close);
}
