/* dataset.h - what a data set is made of. */
#ifndef CN_DATA_DATASET_H
#define CN_DATA_DATASET_H

#include <cenote/data.h>

#include <stdatomic.h>

struct cn_dataset {
    cn_dataset_class c; /* its name is ours */
    atomic_int refs;
};

cn_dataset *cn_dataset_keep(cn_dataset *d);

/* Copies the options of a caller, who may know fewer of them, over zeros. */
bool cn_options_copy(void *dst, size_t room, const void *src, const char *what);

/* Bytes of one sample's field; checked when the data set was made. */
size_t cn_field_bytes(const cn_field *f);

/* A tensor for n samples of a field, owned by the caller. */
cn_tensor *cn_field_tensor(const cn_field *f, int64_t n);

/* Adds the tensors, which are given away, to the scope. On failure all are dropped. */
bool cn_batch_hand_over(cn_batch *out, cn_tensor *const tensors[CN_MAX_FIELDS], int64_t n);

#endif
