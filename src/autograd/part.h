/* part.h - the part of a row-major tensor that a view of it shows. */
#ifndef CN_AUTOGRAD_PART_H
#define CN_AUTOGRAD_PART_H

#include "core/op.h"

/* The parameters of as_strided, and of the ops part_at and part_set, whose gradients are what the record of a
   change of a view is made of. */
typedef struct cn_part {
    cn_ints size, stride;
    cn_opt_int offset;
} cn_part;

#endif
