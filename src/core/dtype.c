/* dtype.c - element types: names, sizes, promotion. */
#include "core/half.h"
#include "core/tensor.h"

#include <string.h>

typedef struct {
    const char *name;
    size_t size;
    cn_category category;
    int rank; /* within its category: the larger wins */
} Info;

static const Info info[CN_NUM_DTYPES] = {
    [CN_BOOL] = { "bool", 1, CN_CAT_BOOL, 0 },
    [CN_U8] = { "uint8", 1, CN_CAT_INT, 0 },
    [CN_I8] = { "int8", 1, CN_CAT_INT, 1 },
    [CN_I16] = { "int16", 2, CN_CAT_INT, 2 },
    [CN_I32] = { "int32", 4, CN_CAT_INT, 3 },
    [CN_I64] = { "int64", 8, CN_CAT_INT, 4 },
    [CN_F16] = { "float16", 2, CN_CAT_FLOAT, 0 },
    [CN_BF16] = { "bfloat16", 2, CN_CAT_FLOAT, 0 },
    [CN_F32] = { "float32", 4, CN_CAT_FLOAT, 1 },
    [CN_F64] = { "float64", 8, CN_CAT_FLOAT, 2 },
    [CN_C64] = { "complex64", 8, CN_CAT_COMPLEX, 0 },
    [CN_C128] = { "complex128", 16, CN_CAT_COMPLEX, 1 },
};

static bool known(cn_dtype d)
{
    return (int)d >= 0 && (int)d < CN_NUM_DTYPES;
}

const char *cn_dtype_name(cn_dtype dtype)
{
    return known(dtype) ? info[dtype].name : "unknown";
}

size_t cn_dtype_size(cn_dtype dtype)
{
    return known(dtype) ? info[dtype].size : 0;
}

bool cn_dtype_is_float(cn_dtype dtype)
{
    return known(dtype) && info[dtype].category == CN_CAT_FLOAT;
}

bool cn_dtype_is_complex(cn_dtype dtype)
{
    return known(dtype) && info[dtype].category == CN_CAT_COMPLEX;
}

cn_dtype cn_dtype_complex_of(cn_dtype d)
{
    return d == CN_F64 ? CN_C128 : info[d].category == CN_CAT_FLOAT ? CN_C64 : d;
}

cn_dtype cn_dtype_real_of(cn_dtype d)
{
    return d == CN_C128 ? CN_F64 : d == CN_C64 ? CN_F32 : d;
}

cn_category cn_dtype_category(cn_dtype d)
{
    return info[d].category;
}

/* u8 with i8 needs i16 to hold both; the two halves have nothing in common below f32; complex parts
   are as wide as the float beside them. */
cn_dtype cn_dtype_promote(cn_dtype a, cn_dtype b)
{
    if (a == b) return a;
    if (a == CN_C64 && b == CN_F64) return CN_C128;
    if (a == CN_F64 && b == CN_C64) return CN_C128;
    if (info[a].category != info[b].category) return info[a].category > info[b].category ? a : b;
    if ((a == CN_U8 && b == CN_I8) || (a == CN_I8 && b == CN_U8)) return CN_I16;
    if ((a == CN_F16 && b == CN_BF16) || (a == CN_BF16 && b == CN_F16)) return CN_F32;
    return info[a].rank > info[b].rank ? a : b;
}

typedef struct {
    bool any;
    cn_dtype dtype;
} Rank;

static void join(Rank *r, cn_dtype d)
{
    r->dtype = r->any ? cn_dtype_promote(r->dtype, d) : d;
    r->any = true;
}

/* A lower rank of operands matters only when its category is higher; complex beside float, only its
   category. */
static void join_lower(Rank *r, const Rank *lower)
{
    if (!lower->any) return;
    bool any = r->any;
    if (any && cn_dtype_is_float(r->dtype) && cn_dtype_is_complex(lower->dtype))
        r->dtype = cn_dtype_complex_of(r->dtype);
    else if (!any || info[lower->dtype].category > info[r->dtype].category) join(r, lower->dtype);
}

/* The common case: all of one type, and no plain numbers. */
static bool all_alike(cn_tensor *const *in, int n)
{
    for (int i = 0; i < n; i++)
        if (!in[i] || in[i]->is_number || in[i]->v.dtype != in[0]->v.dtype) return false;
    return n > 0;
}

cn_dtype cn_result_type(cn_tensor *const *in, int n)
{
    if (all_alike(in, n)) return in[0]->v.dtype;
    Rank dims = { 0 }, zero_d = { 0 }, numbers = { 0 };
    for (int i = 0; i < n; i++) {
        if (!in[i]) continue;
        cn_dtype d = in[i]->v.dtype;
        if (in[i]->is_number) join(&numbers, d == CN_F64 ? CN_F32 : d);
        else join(in[i]->v.shape.ndim ? &dims : &zero_d, d);
    }
    join_lower(&zero_d, &numbers);
    join_lower(&dims, &zero_d);
    return dims.any ? dims.dtype : CN_F32;
}

cn_dtype cn_compute_dtype(cn_dtype d)
{
    if (d == CN_F16 || d == CN_BF16) return CN_F32;
    return info[d].category >= CN_CAT_FLOAT ? d : CN_I64;
}

double cn_load_f64(const char *p, cn_dtype d)
{
    switch (d) {
    case CN_BOOL: return *(const uint8_t *)p != 0;
    case CN_U8: return *(const uint8_t *)p;
    case CN_I8: return *(const int8_t *)p;
    case CN_I16: return *(const int16_t *)(const void *)p;
    case CN_I32: return *(const int32_t *)(const void *)p;
    case CN_I64: return (double)*(const int64_t *)(const void *)p;
    case CN_F16: return (double)cn_f16_to_f32(*(const uint16_t *)(const void *)p);
    case CN_BF16: return (double)cn_bf16_to_f32(*(const uint16_t *)(const void *)p);
    case CN_F32:
    case CN_C64: return (double)*(const float *)(const void *)p;
    case CN_F64:
    case CN_C128: return *(const double *)(const void *)p;
    }
    return 0;
}

int64_t cn_load_i64(const char *p, cn_dtype d)
{
    if (d == CN_I64) return *(const int64_t *)(const void *)p;
    return (int64_t)cn_load_f64(p, d);
}

void cn_store_f64(char *p, cn_dtype d, double x)
{
    switch (d) {
    case CN_BOOL: *(uint8_t *)p = x != 0; break;
    case CN_U8: *(uint8_t *)p = (uint8_t)(int64_t)x; break;
    case CN_I8: *(int8_t *)p = (int8_t)(int64_t)x; break;
    case CN_I16: *(int16_t *)(void *)p = (int16_t)(int64_t)x; break;
    case CN_I32: *(int32_t *)(void *)p = (int32_t)(int64_t)x; break;
    case CN_I64: *(int64_t *)(void *)p = (int64_t)x; break;
    case CN_F16: *(uint16_t *)(void *)p = cn_f32_to_f16((float)x); break;
    case CN_BF16: *(uint16_t *)(void *)p = cn_f32_to_bf16((float)x); break;
    case CN_F32: *(float *)(void *)p = (float)x; break;
    case CN_F64: *(double *)(void *)p = x; break;
    case CN_C64: memcpy(p, (float[]){ (float)x, 0 }, 2 * sizeof(float)); break;
    case CN_C128: memcpy(p, (double[]){ x, 0 }, 2 * sizeof(double)); break;
    }
}
