/* npy.c - NumPy's .npy: a magic, a version, a Python dictionary in text, the elements. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/array.h"
#include "io/formats.h"
#include "io/reader.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6
/* The elements begin at a multiple of this. */
#define ALIGNMENT 64

static const struct {
    char text[4];
    cn_dtype dtype;
} dtypes[] = {
    { "b1", CN_BOOL }, { "u1", CN_U8 },  { "i1", CN_I8 },    { "i2", CN_I16 },
    { "i4", CN_I32 },  { "i8", CN_I64 }, { "f2", CN_F16 },   { "f4", CN_F32 },
    { "f8", CN_F64 },  { "c8", CN_C64 }, { "c16", CN_C128 },
};

#define N_DTYPES (sizeof dtypes / sizeof dtypes[0])

bool cn_npy_dtype(const char *text, size_t n, cn_dtype *out)
{
    for (size_t i = 0; i < N_DTYPES; i++)
        if (strlen(dtypes[i].text) == n && memcmp(text, dtypes[i].text, n) == 0)
            return *out = dtypes[i].dtype, true;
    return false;
}

/* ---- the header's text -------------------------------------------------------------------- */

/* A cursor over the dictionary's text: the strict part of Python that NumPy writes. */
typedef struct parser {
    const char *at, *end;
    const char *what;
} parser;

static bool bad_header(const parser *p, const char *expected)
{
    return cn_fail(CN_EFORMAT, "%s: the .npy header is damaged: %s expected", p->what, expected);
}

static void skip_space(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n')) p->at++;
}

static bool accept(parser *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != c) return false;
    p->at++;
    return true;
}

static bool parse_string(parser *p, char *out, size_t room)
{
    char quote = accept(p, '\'') ? '\'' : accept(p, '"') ? '"' : '\0';
    size_t n = 0;
    if (!quote) return bad_header(p, "a quoted string");
    for (; p->at < p->end && *p->at != quote && n + 1 < room; p->at++) {
        if (*p->at < ' ' || *p->at > '~' || *p->at == '\\') return bad_header(p, "plain text");
        out[n++] = *p->at;
    }
    out[n] = '\0';
    if (p->at == p->end || *p->at != quote) return bad_header(p, "a short string");
    p->at++;
    return true;
}

static bool parse_word(parser *p, const char *word)
{
    size_t n = strlen(word);
    skip_space(p);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
    p->at += n;
    return true;
}

static bool parse_descr(parser *p, cn_array *a)
{
    char text[32];
    if (accept(p, '['))
        return cn_fail(CN_EUNSUPPORTED, "%s: holds records (a structured dtype), not numbers",
                       p->what);
    if (!parse_string(p, text, sizeof text)) return false;
    a->big_endian = text[0] == '>';
    bool known = text[0] && strchr("<>|=", text[0]);
    if (known && cn_npy_dtype(text + 1, strlen(text + 1), &a->dtype)) return true;
    if (text[0] && text[1] == 'O')
        return cn_fail(CN_EUNSUPPORTED,
                       "%s: holds Python objects, which only Python can read: save numbers instead",
                       p->what);
    return cn_fail(CN_EUNSUPPORTED,
                   "%s: elements of type '%s' are not supported: convert them to bool, uint8, "
                   "int8 to int64, float16 to float64 or complex64 to complex128 first",
                   p->what, text);
}

static bool parse_size(parser *p, int64_t *out)
{
    int64_t v = 0;
    skip_space(p);
    const char *start = p->at;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p->at - '0', &v))
            return cn_fail(CN_EFORMAT, "%s: a size in the shape is too large", p->what);
    *out = v;
    if (p->at == start) return bad_header(p, "a size");
    accept(p, 'L'); /* Python 2 */
    return true;
}

/* "()", "(3,)", "(3, 4)", "(3, 4,)", but not "(3)", which is no tuple. */
static bool parse_shape(parser *p, cn_shape *s)
{
    bool comma = true;
    if (!accept(p, '(')) return bad_header(p, "a shape");
    for (s->ndim = 0; !accept(p, ')'); comma = accept(p, ',')) {
        if (!comma) return bad_header(p, "a comma");
        if (s->ndim == CN_MAX_DIMS)
            return cn_fail(CN_EUNSUPPORTED, "%s: more than %d dimensions", p->what, CN_MAX_DIMS);
        if (!parse_size(p, &s->dim[s->ndim++])) return false;
    }
    return comma || s->ndim != 1 || bad_header(p, "a comma");
}

/* One entry; its bit in *seen says which. */
static bool parse_entry(parser *p, cn_array *a, unsigned *seen)
{
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    char key[16];
    unsigned i = 0;
    if (!parse_string(p, key, sizeof key)) return false;
    while (i < 3 && strcmp(key, keys[i]) != 0) i++;
    if (i == 3 || *seen & 1u << i) return bad_header(p, "descr, fortran_order, shape, once each,");
    *seen |= 1u << i;
    if (!accept(p, ':')) return bad_header(p, "a colon");
    if (i == 0) return parse_descr(p, a);
    if (i == 2) return parse_shape(p, &a->shape);
    a->fortran = parse_word(p, "True");
    return a->fortran || parse_word(p, "False") || bad_header(p, "True or False");
}

static bool parse_header(parser *p, cn_array *a)
{
    unsigned seen = 0;
    bool comma = true;
    if (!accept(p, '{')) return bad_header(p, "a dictionary");
    for (; !accept(p, '}'); comma = accept(p, ','))
        if (!comma || !parse_entry(p, a, &seen)) return bad_header(p, "a comma");
    skip_space(p);
    if (seen != 7) return bad_header(p, "descr, fortran_order and shape");
    return p->at == p->end || bad_header(p, "its end");
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_header(cn_reader *r, cn_array *a)
{
    const uint8_t *magic = cn_reader_take(r, MAGIC_SIZE);
    if (magic && memcmp(magic, MAGIC, MAGIC_SIZE) != 0)
        return cn_fail(CN_EFORMAT, "%s: not a .npy file", r->what);
    uint8_t major = cn_reader_u8(r), minor = cn_reader_u8(r);
    if (!r->failed && (major < 1 || major > 3 || minor != 0))
        return cn_fail(CN_EUNSUPPORTED, "%s: .npy version %d.%d; 1.0 to 3.0 can be read", r->what,
                       major, minor);
    uint32_t size = major == 1 ? cn_reader_le16(r) : cn_reader_le32(r);
    const char *text = (const char *)cn_reader_take(r, size);
    return text && parse_header(&(parser){ text, text + size, r->what }, a);
}

bool cn_npy_add(cn_dict *d, const char *key, const void *bytes, size_t size, const char *what)
{
    cn_reader r = cn_reader_of(bytes, size, what);
    cn_array a = { 0 };
    uint64_t claimed;
    if (!read_header(&r, &a)) return false;
    if (!cn_array_size(&a, &claimed))
        return cn_fail(CN_EFORMAT, "%s: the shape is too large", r.what);
    if (claimed != cn_reader_left(&r))
        return cn_fail(CN_EFORMAT,
                       "%s: the header announces %" PRIu64 " bytes of elements, but %zu follow",
                       r.what, claimed, cn_reader_left(&r));
    a.bytes = cn_reader_take(&r, claimed);
    return cn_dict_set_array(d, key, &a);
}

cn_dict *cn_read_npy(const void *bytes, size_t size, const char *what)
{
    cn_dict *d = cn_dict_new();
    if (d && cn_npy_add(d, "", bytes, size, what)) return d;
    return cn_dict_free(d), NULL;
}

/* ---- writing ------------------------------------------------------------------------------ */

static const char *dtype_text(cn_dtype dtype)
{
    for (size_t i = 0; i < N_DTYPES; i++)
        if (dtypes[i].dtype == dtype) return dtypes[i].text;
    return NULL;
}

size_t cn_npy_header(char header[CN_NPY_HEADER_ROOM], const cn_tensor *t, const char *what)
{
    const cn_shape *s = cn_shape_of(t);
    const char *dtype = dtype_text(cn_dtype_of(t));
    const size_t room = CN_NPY_HEADER_ROOM, start = MAGIC_SIZE + 4;
    if (!dtype) {
        cn_fail(CN_EUNSUPPORTED, "%s: NumPy has no %s: save as .safetensors or convert to float32",
                what, cn_dtype_name(cn_dtype_of(t)));
        return 0;
    }
    size_t n = start + (size_t)snprintf(header + start, room - start,
                                        "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                                        cn_dtype_size(cn_dtype_of(t)) == 1 ? '|' : '<', dtype);
    for (int i = 0; i < s->ndim; i++)
        n += (size_t)snprintf(header + n, room - n, i ? ", %" PRId64 : "%" PRId64, s->dim[i]);
    n += (size_t)snprintf(header + n, room - n, s->ndim == 1 ? ",), }" : "), }");
    size_t size = (n + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    memset(header + n, ' ', size - n - 1);
    header[size - 1] = '\n';
    memcpy(header, MAGIC "\x01\x00", MAGIC_SIZE + 2);
    header[8] = (char)((size - start) & 0xFF), header[9] = (char)((size - start) >> 8);
    return size;
}

bool cn_write_npy(cn_file *f, const cn_dict *d, const char *path)
{
    char header[CN_NPY_HEADER_ROOM];
    const cn_value *v = cn_dict_count(d) == 1 ? cn_dict_at(d, 0) : NULL;
    if (!v || v->kind != CN_KIND_TENSOR)
        return cn_fail(CN_EINVALID, "%s: a .npy file holds one tensor: use .npz or .safetensors",
                       path);
    void *owned;
    size_t size, header_size = cn_npy_header(header, v->u.t, path);
    const void *data = header_size ? cn_elements(v->u.t, &size, &owned) : NULL;
    if (!data) return false;
    cn_file_put(f, header, header_size);
    cn_file_put(f, data, size);
    cn_free(owned);
    return true;
}
