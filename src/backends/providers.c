/* providers.c - the kernels compiled in, best first. */
#include "core/provider.h"

extern const cn_provider cn_provider_onednn, cn_provider_simd;

const cn_provider *const cn_providers[] = {
#ifdef CN_WITH_ONEDNN
    &cn_provider_onednn,
#endif
#ifdef CN_WITH_SIMD
    &cn_provider_simd,
#endif
    NULL,
};
