/* mean_losses.h - one-pass forms of the commonest losses, for losses.c and cross_entropy.c. */
#ifndef CN_OPS_MEAN_LOSSES_H
#define CN_OPS_MEAN_LOSSES_H

#include "core/op.h"

bool cn_mse_mean_fits(const cn_tensor *a,
                      const cn_tensor *b); /* one float type, one shape, not empty */
cn_tensor *cn_mse_mean(cn_tensor *input, cn_tensor *target);
/* Rows of scores (rows, classes) and int64 targets (rows). */
cn_tensor *cn_cross_entropy_mean(cn_tensor *input, cn_tensor *target, int64_t ignore_index);

#endif
