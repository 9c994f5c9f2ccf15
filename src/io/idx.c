/* idx.c - IDX, the format of MNIST and its kin: 00 00, a type, the number of dimensions, the sizes
   as big-endian 32-bit numbers, the elements, big-endian, too. */
#include "io/array.h"
#include "io/formats.h"
#include "io/reader.h"

static bool idx_dtype(uint8_t code, cn_dtype *out)
{
    static const struct {
        uint8_t code;
        cn_dtype dtype;
    } types[] = { { 0x08, CN_U8 },  { 0x09, CN_I8 },  { 0x0B, CN_I16 },
                  { 0x0C, CN_I32 }, { 0x0D, CN_F32 }, { 0x0E, CN_F64 } };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].code == code) return *out = types[i].dtype, true;
    return false;
}

static bool read_header(cn_reader *r, cn_array *a)
{
    bool zeros = cn_reader_u8(r) == 0;
    zeros &= cn_reader_u8(r) == 0;
    uint8_t code = cn_reader_u8(r), ndim = cn_reader_u8(r);
    if (r->failed) return false;
    if (!zeros || !idx_dtype(code, &a->dtype))
        return cn_fail(CN_EFORMAT, "%s: not an IDX file", r->what);
    if (ndim > CN_MAX_DIMS)
        return cn_fail(CN_EUNSUPPORTED, "%s: %d dimensions; at most %d are possible", r->what, ndim,
                       CN_MAX_DIMS);
    a->big_endian = true;
    a->shape.ndim = ndim;
    for (int i = 0; i < ndim; i++) a->shape.dim[i] = cn_reader_be32(r);
    return !r->failed;
}

cn_dict *cn_read_idx(const void *bytes, size_t size, const char *what)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    cn_array a = { 0 };
    uint64_t claimed;
    if (!read_header(&r, &a)) return NULL;
    if (!cn_array_size(&a, &claimed)) return cn_fail(CN_EFORMAT, "%s: too large", r.what), NULL;
    if (claimed != cn_reader_left(&r)) {
        cn_fail(CN_EFORMAT, "%s: the IDX header announces %llu bytes of elements, but %zu follow",
                r.what, (unsigned long long)claimed, cn_reader_left(&r));
        return NULL;
    }
    a.bytes = cn_reader_take(&r, claimed);
    cn_dict *d = cn_dict_new();
    if (d && cn_dict_set_array(d, "", &a)) return d;
    return cn_dict_free(d), NULL;
}
