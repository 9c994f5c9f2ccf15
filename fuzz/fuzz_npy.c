/* fuzz_npy.c - NumPy arrays from strangers. */
#include "io/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dict_free(cn_read_npy(data, size, "fuzz"));
    cn_error_clear();
    return 0;
}
