/* library.c - loading libraries at run time. */
#include "core/library.h"

#include <dlfcn.h>
#include <string.h>

bool cn_library_load(const char *file, const cn_symbol *symbols, int n)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    for (int i = 0; library && i < n; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (!function) {
            dlclose(library);
            return false;
        }
        memcpy(symbols[i].pointer, &function, sizeof function);
    }
    return library != NULL;
}
