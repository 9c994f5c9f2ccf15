/* providers.c - the kernels compiled in, best first. */
#include "core/provider.h"

const cn_provider *const cn_providers[] = {
    NULL,
};
