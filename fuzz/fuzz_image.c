/* fuzz_image.c - pictures from strangers. */
#include <cenote/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t mark = cn_mark();
    cn_image_decode(data, size, CN_IMAGE_AS_IS, "fuzz");
    cn_image_decode(data, size, CN_IMAGE_INDEX, "fuzz");
    cn_error_clear();
    cn_release(mark);
    return 0;
}
