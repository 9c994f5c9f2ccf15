/* vec.h - vectors of VW floats: the only place where the instruction sets differ.

   vf holds floats, vi 32-bit integers (vu where they wrap), vm says yes or no per lane.
   Arithmetic is written with the
   compiler's operators. v_max(a, b) and v_min(a, b) give b when either is NaN. */
#ifndef CN_BACKENDS_SIMD_VEC_H
#define CN_BACKENDS_SIMD_VEC_H

#include <immintrin.h>
#include <stdint.h>

#define CN_INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__)

#define VW 16

typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
typedef __mmask16 vm;

CN_INLINE vf v_set1(float x)
{
    return _mm512_set1_ps(x);
}
CN_INLINE vi v_set1_int(int32_t x)
{
    return (vi)_mm512_set1_epi32(x);
}
CN_INLINE vf v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
CN_INLINE void v_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}
/* Past the caches, to an aligned address. */
CN_INLINE void v_stream(float *p, vf x)
{
    _mm512_stream_ps(p, x);
}
CN_INLINE vf v_load_some(const float *p, vm m)
{
    return _mm512_maskz_loadu_ps(m, p);
}
CN_INLINE void v_store_some(float *p, vm m, vf x)
{
    _mm512_mask_storeu_ps(p, m, x);
}
CN_INLINE vf v_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
CN_INLINE vf v_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
CN_INLINE vf v_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}
CN_INLINE vf v_round(vf a)
{
    return _mm512_roundscale_ps(a, 0);
}
CN_INLINE vi v_to_int(vf a)
{
    return (vi)_mm512_cvtps_epi32(a);
}
CN_INLINE vf v_to_float(vi a)
{
    return _mm512_cvtepi32_ps((__m512i)a);
}
CN_INLINE vm v_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
CN_INLINE vm v_eq(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}
CN_INLINE vm v_is_nan(vf a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}
CN_INLINE vm v_or(vm a, vm b)
{
    return (vm)(a | b);
}
/* Bit i: lane i. */
CN_INLINE unsigned v_bits(vm m)
{
    return m;
}
CN_INLINE vf v_select(vm m, vf yes, vf no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}
CN_INLINE float v_sum(vf a)
{
    return _mm512_reduce_add_ps(a);
}
CN_INLINE float v_largest(vf a)
{
    return _mm512_reduce_max_ps(a);
}

/* The first n lanes; none for n <= 0, all for n >= VW. */
CN_INLINE vm v_first(int64_t n)
{
    return (vm)(n >= VW ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u);
}

/* x * 2^n for a whole number n, right also where the result overflows or is denormal. */
CN_INLINE vf v_scale(vf x, vf n)
{
    return _mm512_scalef_ps(x, n);
}

/* a / b to a unit in the last place, for finite b of ordinary size: division is slow. */
CN_INLINE vf v_quotient(vf a, vf b)
{
    const vf r = _mm512_rcp14_ps(b);
    return a * (r + r * (1.0f - b * r));
}

/* p[0], p[stride], p[2 stride], ... in the lanes of the mask; nothing is read for the others. */
CN_INLINE vf v_gather_some(const float *p, vm m, int32_t stride)
{
    const vu lane = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    const __m512i at = (__m512i)(lane * (uint32_t)stride);
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), m, at, p, 4);
}

/* Of 2 VW neighbours, those at even and at odd places. */
CN_INLINE void v_deal(vf a, vf b, vf *even, vf *odd)
{
    const vi lane = { 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30 };
    *even = _mm512_permutex2var_ps(a, (__m512i)lane, b);
    *odd = _mm512_permutex2var_ps(a, (__m512i)(lane + 1), b);
}

/* The inverse of v_deal(). */
CN_INLINE void v_interleave(vf even, vf odd, vf *a, vf *b)
{
    const vi lane = { 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23 };
    *a = _mm512_permutex2var_ps(even, (__m512i)lane, odd);
    *b = _mm512_permutex2var_ps(even, (__m512i)(lane + 8), odd);
}

/* Within each group of four lanes: transposes the 4 x 4 numbers of four vectors. */
CN_INLINE void v_transpose4(vf *a, vf *b, vf *c, vf *d)
{
    const __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(*a, *b));
    const __m512d AB = _mm512_castps_pd(_mm512_unpackhi_ps(*a, *b));
    const __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(*c, *d));
    const __m512d CD = _mm512_castps_pd(_mm512_unpackhi_ps(*c, *d));
    *a = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
    *b = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    *c = _mm512_castpd_ps(_mm512_unpacklo_pd(AB, CD));
    *d = _mm512_castpd_ps(_mm512_unpackhi_pd(AB, CD));
}

CN_INLINE void v_transpose(vf r[VW])
{
    for (int i = 0; i < VW; i += 4) v_transpose4(&r[i], &r[i + 1], &r[i + 2], &r[i + 3]);
    for (int j = 0; j < 4; j++) {
        const vf a = _mm512_shuffle_f32x4(r[j], r[4 + j], 0x88);
        const vf b = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0x88);
        const vf c = _mm512_shuffle_f32x4(r[j], r[4 + j], 0xdd);
        const vf d = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0xdd);
        r[j] = _mm512_shuffle_f32x4(a, b, 0x88);
        r[4 + j] = _mm512_shuffle_f32x4(c, d, 0x88);
        r[8 + j] = _mm512_shuffle_f32x4(a, b, 0xdd);
        r[12 + j] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
}

/* 32 x 32 -> 64 bit unsigned products with one factor. */
CN_INLINE void v_multiply_wide(vi a, uint32_t factor, vi *high, vi *low)
{
    const __m512i f = _mm512_set1_epi32((int32_t)factor);
    const __m512i even = _mm512_mul_epu32((__m512i)a, f);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), f);
    *high = (vi)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    *low = (vi)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

/* Per lane 1 or 0. */
CN_INLINE void v_store_flags(uint8_t *p, vm m)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm_maskz_set1_epi8(m, 1));
}

CN_INLINE vm v_load_flags(const uint8_t *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm_test_epi8_mask(bytes, bytes);
}

#else

#define VW 8

typedef __m256 vf;
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));
typedef vi vm;

CN_INLINE vf v_set1(float x)
{
    return _mm256_set1_ps(x);
}
CN_INLINE vi v_set1_int(int32_t x)
{
    return (vi)_mm256_set1_epi32(x);
}
CN_INLINE vf v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
CN_INLINE void v_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x);
}
CN_INLINE void v_stream(float *p, vf x)
{
    _mm256_stream_ps(p, x);
}
CN_INLINE vf v_load_some(const float *p, vm m)
{
    return _mm256_maskload_ps(p, (__m256i)m);
}
CN_INLINE void v_store_some(float *p, vm m, vf x)
{
    _mm256_maskstore_ps(p, (__m256i)m, x);
}
CN_INLINE vf v_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
CN_INLINE vf v_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
CN_INLINE vf v_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}
CN_INLINE vf v_round(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
CN_INLINE vi v_to_int(vf a)
{
    return (vi)_mm256_cvtps_epi32(a);
}
CN_INLINE vf v_to_float(vi a)
{
    return _mm256_cvtepi32_ps((__m256i)a);
}
CN_INLINE vm v_lt(vf a, vf b)
{
    return (vm)_mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
CN_INLINE vm v_eq(vf a, vf b)
{
    return (vm)_mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}
CN_INLINE vm v_is_nan(vf a)
{
    return (vm)_mm256_cmp_ps(a, a, _CMP_UNORD_Q);
}
CN_INLINE vm v_or(vm a, vm b)
{
    return a | b;
}
CN_INLINE unsigned v_bits(vm m)
{
    return (unsigned)_mm256_movemask_ps((__m256)m);
}
CN_INLINE vf v_select(vm m, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, (__m256)m);
}

CN_INLINE float v_sum(vf a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

CN_INLINE float v_largest(vf a)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

CN_INLINE vm v_first(int64_t n)
{
    const vi lane = { 0, 1, 2, 3, 4, 5, 6, 7 };
    return lane < v_set1_int(n > VW ? VW : (int32_t)n);
}

/* In two steps, so that neither power of two leaves the range of float. */
CN_INLINE vf v_scale(vf x, vf n)
{
    const vi whole = v_to_int(n), half = whole >> 1, rest = whole - half;
    return x * (vf)(((vu)half + 127) << 23) * (vf)(((vu)rest + 127) << 23);
}

CN_INLINE vf v_quotient(vf a, vf b)
{
    return a / b;
}

CN_INLINE vf v_gather_some(const float *p, vm m, int32_t stride)
{
    const vu lane = { 0, 1, 2, 3, 4, 5, 6, 7 };
    const __m256i at = (__m256i)(lane * (uint32_t)stride);
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, at, (__m256)m, 4);
}

CN_INLINE void v_deal(vf a, vf b, vf *even, vf *odd)
{
    const __m256d e = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d o = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    *even = _mm256_castpd_ps(_mm256_permute4x64_pd(e, 0xd8));
    *odd = _mm256_castpd_ps(_mm256_permute4x64_pd(o, 0xd8));
}

CN_INLINE void v_interleave(vf even, vf odd, vf *a, vf *b)
{
    const vf low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    *a = _mm256_permute2f128_ps(low, high, 0x20);
    *b = _mm256_permute2f128_ps(low, high, 0x31);
}

CN_INLINE void v_transpose4(vf *a, vf *b, vf *c, vf *d)
{
    const __m256d ab = _mm256_castps_pd(_mm256_unpacklo_ps(*a, *b));
    const __m256d AB = _mm256_castps_pd(_mm256_unpackhi_ps(*a, *b));
    const __m256d cd = _mm256_castps_pd(_mm256_unpacklo_ps(*c, *d));
    const __m256d CD = _mm256_castps_pd(_mm256_unpackhi_ps(*c, *d));
    *a = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
    *b = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
    *c = _mm256_castpd_ps(_mm256_unpacklo_pd(AB, CD));
    *d = _mm256_castpd_ps(_mm256_unpackhi_pd(AB, CD));
}

CN_INLINE void v_transpose(vf r[VW])
{
    for (int i = 0; i < VW; i += 4) v_transpose4(&r[i], &r[i + 1], &r[i + 2], &r[i + 3]);
    for (int j = 0; j < 4; j++) {
        const vf low = r[j], high = r[4 + j];
        r[j] = _mm256_permute2f128_ps(low, high, 0x20);
        r[4 + j] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

CN_INLINE void v_multiply_wide(vi a, uint32_t factor, vi *high, vi *low)
{
    const __m256i f = _mm256_set1_epi32((int32_t)factor);
    const __m256i even = _mm256_mul_epu32((__m256i)a, f);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), f);
    *high = (vi)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    *low = (vi)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

CN_INLINE void v_store_flags(uint8_t *p, vm m)
{
    for (int i = 0; i < VW; i++) p[i] = m[i] ? 1 : 0;
}

CN_INLINE vm v_load_flags(const uint8_t *p)
{
    const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return (vi)_mm256_cvtepu8_epi32(bytes) != 0;
}

#endif

CN_INLINE vf v_zero(void)
{
    return v_set1(0.0f);
}

/* Lanes outside the mask get `other`. */
CN_INLINE vf v_load_or(const float *p, vm m, float other)
{
    return v_select(m, v_load_some(p, m), v_set1(other));
}

CN_INLINE vf v_abs(vf x)
{
    return (vf)((vi)x & 0x7fffffff);
}
CN_INLINE vf v_copy_sign(vf size, vf sign)
{
    return (vf)((vi)size | ((vi)sign & INT32_MIN));
}

#endif
