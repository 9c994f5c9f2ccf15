/* torch.h - the parts of the reader of PyTorch's files. */
#ifndef CN_IO_TORCH_H
#define CN_IO_TORCH_H

#include "io/formats.h"
#include "io/pickle.h"

/* The names that PyTorch's files may use, and the calls behind them; and none. */
extern const cn_pickle_rules cn_torch_rules, cn_no_rules;
/* "FloatStorage" */
const char *cn_torch_storage_name(cn_dtype dtype);

/* Where the elements of a storage are. */
typedef struct cn_torch_bytes {
    const void *bytes;
    bool mapped; /* in the file that `mapping` holds, aligned: may be used in place */
    bool big_endian;
} cn_torch_bytes;

/* What the machine's value is as a dictionary: itself if it is one, else with the key "".
   `bytes[i]` belong to the machine's storage i, whose size has been checked. */
cn_dict *cn_torch_dict(const cn_pickle *m, cn_pickle_ref value, const cn_torch_bytes *bytes,
                       cn_shared_mapping *mapping);

#endif
