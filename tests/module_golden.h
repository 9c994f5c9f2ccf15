/* module_golden.h - modules against PyTorch: tests/golden/modules.safetensors. */
#ifndef MODULE_GOLDEN_H
#define MODULE_GOLDEN_H

/* A CASE of a *_cases.def file. */
typedef struct ModuleCase {
    const char *cls, *constructor, *inputs;
} ModuleCase;

int module_golden_open(void **state);  /* cmocka's group set-up and */
int module_golden_close(void **state); /* tear-down */

/* Outputs, gradients of inputs and parameters, the state after three steps of SGD, what is
   given without training then: how many differ. */
int module_golden_check(const ModuleCase *c);

#endif
