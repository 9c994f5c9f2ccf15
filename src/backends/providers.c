/* providers.c - the kernels compiled in, best first. */
#include "core/provider.h"

extern const cn_provider cn_provider_winograd, cn_provider_packed, cn_provider_onednn,
    cn_provider_simd, cn_provider_lapack;

const cn_provider *const cn_providers[] = {
#ifdef CN_WITH_SIMD
    &cn_provider_winograd,
    &cn_provider_packed,
#endif
#ifdef CN_WITH_ONEDNN
    &cn_provider_onednn,
#endif
#ifdef CN_WITH_SIMD
    &cn_provider_simd,
#endif
#ifdef CN_WITH_LAPACK
    &cn_provider_lapack,
#endif
    NULL,
};
