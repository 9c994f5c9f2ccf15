/* copy.c - moving and converting elements between views of any strides. */
#include "core/half.h"
#include "core/loop.h"

#include <string.h>

static void copy_row_same(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    size_t size = *(const size_t *)context;
    if (step[0] == (int64_t)size && step[1] == (int64_t)size) {
        memcpy(p[0], p[1], (size_t)n * size);
        return;
    }
    char *d = p[0];
    const char *s = p[1];
    int64_t ds = step[0], ss = step[1];
    switch (size) {
    case 4:
        for (int64_t i = 0; i < n; i++, d += ds, s += ss) memcpy(d, s, 4);
        break;
    case 8:
        for (int64_t i = 0; i < n; i++, d += ds, s += ss) memcpy(d, s, 8);
        break;
    default:
        for (int64_t i = 0; i < n; i++, d += ds, s += ss) memcpy(d, s, size);
    }
}

static void copy_row_u8_f32(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    (void)context;
    for (int64_t i = 0; i < n; i++)
        *(float *)(void *)(p[0] + i * step[0]) = *(const uint8_t *)(p[1] + i * step[1]);
}

/* Of class indices, for example. */
static void copy_row_i64_f32(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    (void)context;
    for (int64_t i = 0; i < n; i++)
        *(float *)(void *)(p[0] + i * step[0]) =
            (float)*(const int64_t *)(const void *)(p[1] + i * step[1]);
}

/* Mixed precision lives on these two. In blocks of fixed size, which compilers turn into vector
   instructions even at -O2. */
enum { BLOCK = 16 };

static void copy_row_bf16_f32(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    (void)context;
    if (step[0] == 4 && step[1] == 2) {
        float *restrict to = (float *)(void *)p[0];
        const uint16_t *restrict from = (const uint16_t *)(const void *)p[1];
        int64_t i = 0;
        for (; i + BLOCK <= n; i += BLOCK)
            for (int k = 0; k < BLOCK; k++) to[i + k] = cn_bf16_to_f32(from[i + k]);
        for (; i < n; i++) to[i] = cn_bf16_to_f32(from[i]);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        *(float *)(void *)(p[0] + i * step[0]) =
            cn_bf16_to_f32(*(const uint16_t *)(const void *)(p[1] + i * step[1]));
}

static void copy_row_f32_bf16(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    (void)context;
    if (step[0] == 2 && step[1] == 4) {
        uint16_t *restrict to = (uint16_t *)(void *)p[0];
        const float *restrict from = (const float *)(const void *)p[1];
        int64_t i = 0;
        for (; i + BLOCK <= n; i += BLOCK)
            for (int k = 0; k < BLOCK; k++) to[i + k] = cn_f32_to_bf16(from[i + k]);
        for (; i < n; i++) to[i] = cn_f32_to_bf16(from[i]);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        *(uint16_t *)(void *)(p[0] + i * step[0]) =
            cn_f32_to_bf16(*(const float *)(const void *)(p[1] + i * step[1]));
}

typedef struct {
    cn_dtype to, from;
} Types;

/* Integers go through int64 (a double cannot hold them all), everything else through double. */
static void copy_row_convert(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    const Types *t = context;
    bool integers = !cn_dtype_is_graded(t->from) && t->to == CN_I64;
    for (int64_t i = 0; i < n; i++) {
        char *d = p[0] + i * step[0];
        const char *s = p[1] + i * step[1];
        if (integers) *(int64_t *)(void *)d = cn_load_i64(s, t->from);
        else if (t->from == CN_I64 && !cn_dtype_is_graded(t->to) && t->to != CN_BOOL) {
            int64_t x = *(const int64_t *)(const void *)s;
            memcpy(d, &x,
                   cn_dtype_size(t->to)); /* little-endian: the low bytes, that is modulo 2^k */
        } else cn_store_f64(d, t->to, cn_load_f64(s, t->from));
    }
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Cenote needs a little-endian machine");

/* Between two complex types, and to bool, which both parts decide. */
static void copy_row_complex(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    const Types *t = context;
    cn_dtype to = cn_dtype_real_of(t->to), from = cn_dtype_real_of(t->from);
    for (int64_t i = 0; i < n; i++) {
        char *d = p[0] + i * step[0];
        const char *s = p[1] + i * step[1];
        double re = cn_load_f64(s, from), im = cn_load_f64(s + cn_dtype_size(from), from);
        cn_store_f64(d, to, to == CN_BOOL ? re != 0 || im != 0 : re);
        if (to != CN_BOOL) cn_store_f64(d + cn_dtype_size(to), to, im);
    }
}

void cn_copy_view(const cn_view *dst, const cn_view *src)
{
    enum { FEW = 256 }; /* elements that are moved before a loop is set up */
    const cn_view *views[] = { dst, src };
    if (dst->dtype == src->dtype) {
        size_t size = cn_dtype_size(dst->dtype);
        if (dst->contiguous && src->contiguous && src->numel <= FEW)
            memmove(dst->data, src->data, (size_t)src->numel * size);
        else if (src->contiguous || src->numel <= FEW || !cn_copy_turned(dst, src))
            cn_loop(2, views, copy_row_same, &size);
    } else if (dst->dtype == CN_F32 && (src->dtype == CN_U8 || src->dtype == CN_BOOL)) {
        cn_loop(2, views, copy_row_u8_f32, NULL);
    } else if (dst->dtype == CN_F32 && src->dtype == CN_I64) {
        cn_loop(2, views, copy_row_i64_f32, NULL);
    } else if (dst->dtype == CN_F32 && src->dtype == CN_BF16) {
        cn_loop(2, views, copy_row_bf16_f32, NULL);
    } else if (dst->dtype == CN_BF16 && src->dtype == CN_F32) {
        cn_loop(2, views, copy_row_f32_bf16, NULL);
    } else {
        Types types = { dst->dtype, src->dtype };
        bool pairs = cn_dtype_is_complex(src->dtype) &&
                     (dst->dtype == CN_BOOL || cn_dtype_is_complex(dst->dtype));
        cn_loop(2, views, pairs ? copy_row_complex : copy_row_convert, &types);
    }
}

static void fill_row(int64_t n, char *const p[], const int64_t step[], const void *context)
{
    const Types *t = context;
    size_t size = cn_dtype_size(t->to);
    const char *pattern = (const char *)(t + 1);
    static const char zeros[2 * sizeof(double)];
    if (step[0] == (int64_t)size && memcmp(pattern, zeros, size) == 0)
        memset(p[0], 0, (size_t)n * size);
    else if (size == sizeof(float))
        for (int64_t i = 0; i < n; i++) memcpy(p[0] + i * step[0], pattern, sizeof(float));
    else
        for (int64_t i = 0; i < n; i++) memcpy(p[0] + i * step[0], pattern, size);
}

void cn_fill_view(const cn_view *v, double value)
{
    struct {
        Types types;
        double pattern[2];
    } fill = { { v->dtype, v->dtype }, { 0 } };
    cn_store_f64((char *)fill.pattern, v->dtype, value);
    const cn_view *views[] = { v };
    if (v->numel == 1) memcpy(v->data, &fill.pattern, cn_dtype_size(v->dtype));
    else cn_loop(1, views, fill_row, &fill);
}

cn_tensor *cn_rows(cn_tensor *t)
{
    if (t && !cn_plain(t)) return NULL;
    if (!t || t->v.contiguous) return t;
    cn_tensor *r = cn_tensor_new(&t->v.shape, t->v.dtype);
    if (r) cn_copy_view(&r->v, &t->v);
    return r;
}

cn_tensor *cn_cast_raw(cn_tensor *t, cn_dtype dtype)
{
    if (t && !cn_plain(t)) return NULL;
    if (!t || t->v.dtype == dtype) return t;
    cn_tensor *r = cn_tensor_new(&t->v.shape, dtype);
    if (r) cn_copy_view(&r->v, &t->v);
    return r;
}
