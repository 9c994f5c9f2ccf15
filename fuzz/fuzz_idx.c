/* fuzz_idx.c - IDX files from strangers. */
#include "io/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dict_free(cn_read_idx(data, size, "fuzz"));
    cn_error_clear();
    return 0;
}
