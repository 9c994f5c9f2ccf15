/* fuzz_load.c - files of any kind from strangers, plain or in gzip. */
#include <cenote/io.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dict_free(cn_load_bytes(data, size, "fuzz"));
    cn_error_clear();
    return 0;
}
