/* transform.h - the one transform that the others are made of. */
#ifndef CN_OPS_FFT_TRANSFORM_H
#define CN_OPS_FFT_TRANSFORM_H

#include "ops/compose.h"

enum { CN_FFT_UNSCALED, CN_FFT_BY_ROOT, CN_FFT_BY_N };

/* _fft_c2c */
typedef struct cn_fft_params {
    cn_ints dim;
    int64_t scale; /* one of the above */
    bool forward;
} cn_fft_params;

/* fft.fft, fft.rfft and their inverses */
typedef struct cn_fft_line {
    cn_opt_int n;
    int64_t dim;
    const char *norm;
} cn_fft_line;

#endif
