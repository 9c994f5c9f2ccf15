/* loop.h - walking several strided operands together. */
#ifndef CN_CORE_LOOP_H
#define CN_CORE_LOOP_H

#include "core/tensor.h"

enum { CN_LOOP_MAX = 5 };

/* One row: n steps, operand k starts at p[k] and moves by step[k] bytes. */
typedef void cn_loop_row(int64_t n, char *const p[CN_LOOP_MAX], const int64_t step[CN_LOOP_MAX],
                         const void *context);

/* Calls `row` for all elements of view[0]'s shape; the other views broadcast to it. Dimensions that
   allow it are merged first, so contiguous operands come as one row; rows of large operands are
   spread over threads in chunks whose bounds do not depend on the number of threads. */
void cn_loop(int n_views, const cn_view *const views[], cn_loop_row *row, const void *context);

#endif
