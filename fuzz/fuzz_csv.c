/* fuzz_csv.c - tables from strangers. */
#include <cenote/csv.h>
#include <cenote/io.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const cn_csv_options o = { .size = sizeof o, .path = "fuzz" };
    cn_dict_free(cn_csv_parse(data, size, &o));
    cn_error_clear();
    return 0;
}
