/* rng.c - Philox 4x32-10 and what is drawn from it one number at a time. */
#include <cenote/rng.h>

#include <math.h>

void cn_philox(uint64_t seed, uint64_t stream, uint64_t position, uint32_t out[4])
{
    /* Scalars, not arrays: large networks draw millions of numbers, in builds with checks, too. */
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0, c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1, c3 = (uint32_t)a;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

cn_rng cn_rng_make(uint64_t seed, uint64_t stream)
{
    return (cn_rng){ .seed = seed, .stream = stream };
}

uint32_t cn_rng_u32(cn_rng *rng)
{
    uint32_t r[4];
    cn_philox(rng->seed, rng->stream, rng->position++, r);
    return r[0];
}

static uint64_t draw64(cn_rng *rng)
{
    uint32_t r[4];
    cn_philox(rng->seed, rng->stream, rng->position++, r);
    return (uint64_t)r[1] << 32 | r[0];
}

/* Numbers of the incomplete last cycle of n are drawn again: no bias. */
int64_t cn_rng_below(cn_rng *rng, int64_t n)
{
    if (n <= 1) return 0;
    uint64_t limit = UINT64_MAX - UINT64_MAX % (uint64_t)n, r;
    do r = draw64(rng);
    while (r >= limit);
    return (int64_t)(r % (uint64_t)n);
}

double cn_rng_uniform(cn_rng *rng)
{
    return (double)(draw64(rng) >> 11) * 0x1p-53;
}

/* Box and Muller; the second normal of a pair is not kept, so position is the whole state. */
double cn_rng_normal(cn_rng *rng)
{
    uint32_t r[4];
    cn_philox(rng->seed, rng->stream, rng->position++, r);
    double u = ((double)(((uint64_t)r[1] << 32 | r[0]) >> 11) + 1) * 0x1p-53;
    double v = (double)(((uint64_t)r[3] << 32 | r[2]) >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void cn_rng_permutation(cn_rng *rng, int64_t n, int64_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t j = cn_rng_below(rng, i + 1);
        out[i] = out[j];
        out[j] = i;
    }
}

static _Thread_local cn_rng default_rng;

void cn_manual_seed(uint64_t seed)
{
    default_rng = cn_rng_make(seed, 0);
}

cn_rng *cn_default_rng(void)
{
    return &default_rng;
}
