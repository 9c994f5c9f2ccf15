/* transpose.c - copies whose rows lie along another dimension of the source: walked element by
   element they would touch a cache line for each. Tiles read and write whole lines. */
#include "core/loop.h"
#include "core/threads.h"

#include <string.h>

enum {
    TILE = 16,
    BAND = 256, /* rows of the destination that are filled side by side */
    LEAST = 8,
    LINE = 64,        /* bytes of a line of the cache */
    STREAM = 2 << 20, /* bytes of a result that goes past the caches, from */
};

/* The source, seen as outer dimensions around a matrix [rows][cols] whose columns are contiguous;
   the destination's rows are. Strides are in elements. */
typedef struct {
    int64_t rows, cols, from_col, to_row, bands;
    int n_outer;
    int64_t size[CN_MAX_DIMS], from[CN_MAX_DIMS], to[CN_MAX_DIMS];
    const uint32_t *src;
    uint32_t *dst;
    bool stream;
} Turn;

/* Tiles of any size. */
static void copy_tile(const Turn *t, uint32_t *to, const uint32_t *from, int64_t rows, int64_t cols)
{
    uint32_t tile[TILE][TILE];
    for (int64_t j = 0; j < cols; j++)
        memcpy(tile[j], from + j * t->from_col, (size_t)rows * sizeof *from);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) to[i * t->to_row + j] = tile[j][i];
}

#if defined(__SSE2__)

#include <emmintrin.h>

/* Four rows of the destination from four columns of the source at from. */
static inline void turn_four(const Turn *t, __m128i row[4], const uint32_t *from)
{
    __m128i c[4];
    for (int j = 0; j < 4; j++)
        c[j] = _mm_loadu_si128((const __m128i *)(const void *)(from + j * t->from_col));
    const __m128i a = _mm_unpacklo_epi32(c[0], c[1]), b = _mm_unpacklo_epi32(c[2], c[3]);
    const __m128i d = _mm_unpackhi_epi32(c[0], c[1]), e = _mm_unpackhi_epi32(c[2], c[3]);
    row[0] = _mm_unpacklo_epi64(a, b), row[1] = _mm_unpackhi_epi64(a, b);
    row[2] = _mm_unpacklo_epi64(d, e), row[3] = _mm_unpackhi_epi64(d, e);
}

static inline void store_four(const Turn *t, uint32_t *to, __m128i four)
{
    if (t->stream) _mm_stream_si128((__m128i *)(void *)to, four);
    else _mm_storeu_si128((__m128i *)(void *)to, four);
}

/* The usual tile. Four whole lines of the destination are written before the next four, which may
   lie in the same set of the cache. */
static void copy_full_tile(const Turn *t, uint32_t *to, const uint32_t *from)
{
    for (int i = 0; i < TILE; i += 4) {
        __m128i row[TILE / 4][4];
        for (int j = 0; j < TILE; j += 4) turn_four(t, row[j / 4], from + j * t->from_col + i);
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < TILE; j += 4)
                store_four(t, to + (i + k) * t->to_row + j, row[j / 4][k]);
    }
}

static void finish_streams(void)
{
    _mm_sfence();
}

#else

static void copy_full_tile(const Turn *t, uint32_t *to, const uint32_t *from)
{
    copy_tile(t, to, from, TILE, TILE);
}

static void finish_streams(void)
{
}

#endif

static void copy_band(const Turn *t, uint32_t *to, const uint32_t *from, int64_t rows)
{
    for (int64_t j = 0; j < t->cols; j += TILE) {
        const int64_t cols = t->cols - j < TILE ? t->cols - j : TILE;
        for (int64_t i = 0; i < rows; i += TILE) {
            const int64_t height = rows - i < TILE ? rows - i : TILE;
            const uint32_t *source = from + j * t->from_col + i;
            uint32_t *target = to + i * t->to_row + j;
            if (height == TILE && cols == TILE) copy_full_tile(t, target, source);
            else copy_tile(t, target, source, height, cols);
        }
    }
}

/* Bands of rows, counted over the outer dimensions. */
static void copy_bands(int64_t first, int64_t last, void *context)
{
    const Turn *t = context;
    for (int64_t b = first; b < last; b++) {
        int64_t rest = b / t->bands, row = b % t->bands * BAND;
        const uint32_t *from = t->src + row;
        uint32_t *to = t->dst + row * t->to_row;
        for (int d = t->n_outer - 1; d >= 0; d--) {
            from += rest % t->size[d] * t->from[d];
            to += rest % t->size[d] * t->to[d];
            rest /= t->size[d];
        }
        copy_band(t, to, from, t->rows - row < BAND ? t->rows - row : BAND);
    }
    if (t->stream) finish_streams();
}

/* The dimension along which the source is contiguous, if it is not the destination's; else -1. */
static int turned_dim(const cn_view *dst, const cn_view *src)
{
    const int last = dst->shape.ndim - 1;
    if (last < 1 || dst->strides[last] != 1 || dst->shape.dim[last] < LEAST) return -1;
    for (int d = 0; d < last; d++)
        if (src->strides[d] == 1 && dst->shape.dim[d] >= LEAST)
            return src->strides[last] > 1 ? d : -1;
    return -1;
}

/* The first of the dimensions up to the turned one that together are one, as those of a picture. */
static int first_of_rows(const cn_view *dst, const cn_view *src, int turned)
{
    int d = turned;
    while (d > 0 && src->strides[d - 1] == src->strides[d] * src->shape.dim[d] &&
           dst->strides[d - 1] == dst->strides[d] * dst->shape.dim[d])
        d--;
    return d;
}

/* Lines of a large result need not be read before they are overwritten, nor push others out of the
   cache; that is for results all of whose rows are whole lines. */
static bool streams(const Turn *t, int64_t numel)
{
    const int64_t line = LINE / (int64_t)sizeof *t->dst;
    bool whole = (uintptr_t)t->dst % LINE == 0 && t->to_row % line == 0 && t->cols % line == 0;
    for (int d = 0; d < t->n_outer; d++) whole = whole && t->to[d] % line == 0;
    return whole && numel * (int64_t)sizeof *t->dst >= STREAM;
}

bool cn_copy_turned(const cn_view *dst, const cn_view *src)
{
    const int last = dst->shape.ndim - 1;
    if (cn_dtype_size(dst->dtype) != sizeof(uint32_t) || !cn_shape_equal(&dst->shape, &src->shape))
        return false;
    const int turned = turned_dim(dst, src);
    if (turned < 0) return false;
    const int top = first_of_rows(dst, src, turned);
    Turn t = { .rows = 1,
               .cols = dst->shape.dim[last],
               .from_col = src->strides[last],
               .to_row = dst->strides[turned],
               .src = (const uint32_t *)(const void *)src->data,
               .dst = (uint32_t *)(void *)dst->data };
    for (int d = top; d <= turned; d++) t.rows *= dst->shape.dim[d];
    for (int d = 0; d < last; d++) {
        if (d >= top && d <= turned) continue;
        t.size[t.n_outer] = dst->shape.dim[d];
        t.from[t.n_outer] = src->strides[d], t.to[t.n_outer++] = dst->strides[d];
    }
    t.stream = streams(&t, dst->numel);
    t.bands = (t.rows + BAND - 1) / BAND;
    cn_parallel(dst->numel / t.rows / t.cols * t.bands, BAND * t.cols, copy_bands, &t);
    return true;
}
