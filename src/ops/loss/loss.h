/* loss.h - what the losses share: the reduction. */
#ifndef CN_OPS_LOSS_H
#define CN_OPS_LOSS_H

#include "ops/compose.h"

/* By its name in PyTorch; false, with an error, for others. */
bool cn_reduction_named(const char *name, const char *what, cn_reduction *out);
const char *cn_reduction_name(cn_reduction r);
/* All elements as CN_REDUCE_MEAN, CN_REDUCE_SUM or CN_REDUCE_NONE says; `rows` is what BATCHMEAN
   divides by. */
cn_tensor *cn_reduce_loss(cn_tensor *loss, cn_reduction r, int64_t rows);

/* Ends a composed loss: output 0 is `terms` (NULL: an error is set) reduced as `reduction` says. */
bool cn_finish_loss(cn_call *c, cn_tensor *terms, const char *reduction);

/* Are all targets classes, or ignored? */
bool cn_targets_in_range(const cn_call *c, const cn_view *target, int64_t classes,
                         int64_t ignore_index);

#endif
