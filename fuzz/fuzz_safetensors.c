/* fuzz_safetensors.c - safetensors files from strangers. */
#include "io/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dict_free(cn_read_safetensors(data, size, "fuzz"));
    cn_error_clear();
    return 0;
}
