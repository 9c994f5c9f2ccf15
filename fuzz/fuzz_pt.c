/* fuzz_pt.c - PyTorch's files from strangers: read, and audited. */
#include "io/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_dict_free(cn_load_bytes(data, size, "fuzz"));
    cn_error_clear();
    cn_dict *found = cn_dict_new();
    if (found) cn_audit_pickles(data, size, "fuzz", found);
    cn_dict_free(found);
    cn_error_clear();
    return 0;
}
