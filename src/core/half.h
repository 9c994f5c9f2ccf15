/* half.h - the two 16-bit float formats, as bit patterns, to and from float. */
#ifndef CN_CORE_HALF_H
#define CN_CORE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float cn_bits_to_f32(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t cn_f32_to_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float cn_bf16_to_f32(uint16_t h)
{
    return cn_bits_to_f32((uint32_t)h << 16);
}

/* Rounds to nearest, ties to even; a NaN stays one. */
static inline uint16_t cn_f32_to_bf16(float f)
{
    uint32_t bits = cn_f32_to_bits(f);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float cn_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu;
    if (exponent == 31) return cn_bits_to_f32(sign | 0x7f800000u | (mantissa << 13));
    if (exponent) return cn_bits_to_f32(sign | ((exponent + 112) << 23) | (mantissa << 13));
    float tiny = (float)mantissa * 0x1p-24f;
    return sign ? -tiny : tiny;
}

/* Rounds to nearest, ties to even. Adding a power of two lets the FPU round subnormals. */
static inline uint16_t cn_f32_to_f16(float f)
{
    uint32_t bits = cn_f32_to_bits(f), sign = (bits >> 16) & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
        uint32_t rounded = cn_f32_to_bits(cn_bits_to_f32(magnitude) + 0.5f) - 0x3f000000u;
        return (uint16_t)(sign | rounded);
    }
    uint32_t odd = (magnitude >> 13) & 1u;
    return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

#endif
