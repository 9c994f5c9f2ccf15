/* fft.h - discrete Fourier transforms of one line of complex numbers, of any length. */
#ifndef CN_OPS_FFT_FFT_H
#define CN_OPS_FFT_FFT_H

#include <stdbool.h>
#include <stdint.h>

/* Everything is computed in double, so that float32 is exact to rounding. */
typedef struct cn_fft_number {
    double re, im;
} cn_fft_number;

typedef struct cn_fft_plan cn_fft_plan;

/* For lines of n >= 1 numbers; NULL and an error when memory runs out. Ends with cn_fft_plan_free. */
cn_fft_plan *cn_fft_plan_new(int64_t n);
void cn_fft_plan_free(cn_fft_plan *plan);
/* y_k = sum_j x_j exp(-2 pi i j k / n). The plan has the room that this needs: one thread at a time. */
void cn_fft_run(cn_fft_plan *plan, const cn_fft_number *x, cn_fft_number *y);

#endif
