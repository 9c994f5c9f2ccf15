/* library.h - libraries of others that are loaded when first needed: to load them takes longer than
   to start everything else. */
#ifndef CN_CORE_LIBRARY_H
#define CN_CORE_LIBRARY_H

#include <stdbool.h>

typedef struct cn_symbol {
    const char *name;
    void *pointer; /* the address of a function pointer, to be set */
} cn_symbol;

/* Loads a shared library, for good, and sets n pointers to its functions. False, without an error:
   it is not installed, or lacks one of them. */
bool cn_library_load(const char *file, const cn_symbol *symbols, int n);

#endif
