/* transform.c - images on their way into a batch. */
#include "data/transform.h"

#include <math.h>
#include <string.h>

#include <cenote/rng.h>

#include "core/memory.h"
#include "core/tensor.h"
#include "data/dataset.h"

/* ---- descriptions ------------------------------------------------------------------------- */

cn_transform cn_transform_to_float(void)
{
    return (cn_transform){ .kind = CN_TRANSFORM_TO_FLOAT };
}

/* What does not fit is refused when a loader is made, which compares `channels` with the data. */
cn_transform cn_transform_normalize(int channels, const float *mean, const float *std)
{
    cn_transform t = { .kind = CN_TRANSFORM_NORMALIZE, .channels = channels };
    for (int i = 0; i < channels && i < CN_MAX_CHANNELS; i++)
        t.mean[i] = mean[i], t.std[i] = std[i];
    return t;
}

cn_transform cn_transform_resize(int64_t height, int64_t width)
{
    return (cn_transform){ .kind = CN_TRANSFORM_RESIZE, .height = height, .width = width };
}

cn_transform cn_transform_random_flip(double probability)
{
    return (cn_transform){ .kind = CN_TRANSFORM_RANDOM_FLIP, .probability = probability };
}

cn_transform cn_transform_random_crop(int64_t height, int64_t width, int64_t padding)
{
    return (cn_transform){
        .kind = CN_TRANSFORM_RANDOM_CROP, .height = height, .width = width, .padding = padding
    };
}

cn_transform cn_transform_center_crop(int64_t height, int64_t width)
{
    return (cn_transform){ .kind = CN_TRANSFORM_CENTER_CROP, .height = height, .width = width };
}

cn_transform cn_transform_channels(int channels)
{
    return (cn_transform){ .kind = CN_TRANSFORM_CHANNELS, .channels = channels };
}

/* ---- the steps: each maps a sample of shape `in` at x to one of shape `out` at y ----------- */

typedef struct image {
    int64_t channels, height, width;
} image;

static image image_of(const cn_field *f)
{
    return (image){ f->shape.dim[0], f->shape.dim[1], f->shape.dim[2] };
}

static void run_to_float(const cn_transform *t, image in, image out, const void *x, float *y,
                         cn_rng *rng)
{
    (void)t, (void)out, (void)rng;
    const uint8_t *bytes = x;
    for (int64_t i = 0; i < in.channels * in.height * in.width; i++)
        y[i] = (float)bytes[i] / 255.0f;
}

static void run_normalize(const cn_transform *t, image in, image out, const void *x, float *y,
                          cn_rng *rng)
{
    (void)out, (void)rng;
    const float *from = x;
    for (int64_t c = 0; c < in.channels; c++)
        for (int64_t i = 0; i < in.height * in.width; i++)
            *y++ = (*from++ - t->mean[c]) / t->std[c];
}

/* Where pixel i of `out` lies among `in` pixels: between two, at `weight` from the first. */
typedef struct tap {
    int64_t first, second;
    float weight;
} tap;

static tap tap_of(int64_t i, int64_t in, int64_t out)
{
    float at = ((float)i + 0.5f) * ((float)in / (float)out) - 0.5f;
    if (at < 0) at = 0;
    int64_t first = (int64_t)at;
    if (first > in - 1) first = in - 1;
    return (tap){ first, first + 1 < in ? first + 1 : first, at - (float)first };
}

enum { CHUNK = 256, BLOCK = 16 };

/* Some columns of the result, and the two rows of the source between which its rows lie, already
   as wide as the result: a row of the source is widened once, however many rows it becomes. */
typedef struct columns {
    int n;
    tap taps[CHUNK];
    int64_t row[2]; /* of the source; -1: none yet */
    float wide[2][CHUNK];
} columns;

/* The widened row; `keep` is another one that is still needed. */
static const float *widened(columns *c, const float *plane, int64_t width, int64_t row,
                            int64_t keep)
{
    if (c->row[0] == row) return c->wide[0];
    if (c->row[1] == row) return c->wide[1];
    int at = c->row[0] == keep;
    const float *from = plane + row * width;
    for (int i = 0; i < c->n; i++) {
        const tap *u = &c->taps[i];
        c->wide[at][i] = from[u->first] * (1 - u->weight) + from[u->second] * u->weight;
    }
    c->row[at] = row;
    return c->wide[at];
}

/* In blocks of fixed size, which compilers turn into vector instructions even at -O2. */
static void blend(float *restrict y, const float *restrict a, const float *restrict b, float weight,
                  int n)
{
    int i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        for (int k = 0; k < BLOCK; k++) y[i + k] = a[i + k] * (1 - weight) + b[i + k] * weight;
    for (; i < n; i++) y[i] = a[i] * (1 - weight) + b[i] * weight;
}

static void resize_columns(columns *c, image in, image out, const float *plane, float *y)
{
    c->row[0] = c->row[1] = -1;
    for (int64_t h = 0; h < out.height; h++, y += out.width) {
        tap v = tap_of(h, in.height, out.height);
        const float *above = widened(c, plane, in.width, v.first, v.second);
        const float *below = widened(c, plane, in.width, v.second, v.first);
        blend(y, above, below, v.weight, c->n);
    }
}

static void run_resize(const cn_transform *t, image in, image out, const void *x, float *y,
                       cn_rng *rng)
{
    (void)t, (void)rng;
    columns c = { 0 };
    for (int64_t left = 0; left < out.width; left += CHUNK) {
        c.n = (int)(out.width - left < CHUNK ? out.width - left : CHUNK);
        for (int i = 0; i < c.n; i++) c.taps[i] = tap_of(left + i, in.width, out.width);
        for (int64_t k = 0; k < in.channels; k++)
            resize_columns(&c, in, out, (const float *)x + k * in.height * in.width,
                           y + k * out.height * out.width + left);
    }
}

static void run_random_flip(const cn_transform *t, image in, image out, const void *x, float *y,
                            cn_rng *rng)
{
    (void)out;
    const float *row = x;
    bool flip = cn_rng_uniform(rng) < t->probability;
    for (int64_t r = 0; r < in.channels * in.height; r++, row += in.width, y += in.width)
        for (int64_t w = 0; w < in.width; w++) y[w] = row[flip ? in.width - 1 - w : w];
}

/* The window that begins at (top, left), with zeros outside of the image. */
static void copy_window(image in, image out, const float *plane, int64_t top, int64_t left,
                        float *y)
{
    for (int64_t c = 0; c < in.channels; c++, plane += in.height * in.width) {
        for (int64_t h = top; h < top + out.height; h++)
            for (int64_t w = left; w < left + out.width; w++) {
                bool inside = h >= 0 && h < in.height && w >= 0 && w < in.width;
                *y++ = inside ? plane[h * in.width + w] : 0.0f;
            }
    }
}

static void run_random_crop(const cn_transform *t, image in, image out, const void *x, float *y,
                            cn_rng *rng)
{
    int64_t top = cn_rng_below(rng, in.height + 2 * t->padding - out.height + 1) - t->padding;
    int64_t left = cn_rng_below(rng, in.width + 2 * t->padding - out.width + 1) - t->padding;
    copy_window(in, out, x, top, left, y);
}

/* Half of what is cut off, to even as Python rounds; of what is added the smaller half. */
static int64_t margin(int64_t in, int64_t out)
{
    return in >= out ? (int64_t)nearbyint((double)(in - out) / 2) : -((out - in) / 2);
}

static void run_center_crop(const cn_transform *t, image in, image out, const void *x, float *y,
                            cn_rng *rng)
{
    (void)t, (void)rng;
    copy_window(in, out, x, margin(in.height, out.height), margin(in.width, out.width), y);
}

static void run_channels(const cn_transform *t, image in, image out, const void *x, float *y,
                         cn_rng *rng)
{
    (void)t, (void)rng;
    const int64_t n = in.height * in.width;
    const float *r = x, *g = r + n, *b = g + n;
    if (in.channels == out.channels) memcpy(y, x, (size_t)(n * in.channels) * sizeof *y);
    else if (in.channels == 1)
        for (int64_t c = 0; c < out.channels; c++) memcpy(y + c * n, x, (size_t)n * sizeof *y);
    else
        for (int64_t i = 0; i < n; i++) y[i] = 0.2989f * r[i] + 0.587f * g[i] + 0.114f * b[i];
}

/* ---- checks: each finds the shape after the step ------------------------------------------- */

static bool check_normalize(const cn_transform *t, image *io)
{
    if (t->channels != io->channels || t->channels > CN_MAX_CHANNELS)
        return cn_fail(CN_EINVALID,
                       "normalize: means of %d channels for images with %lld (at most "
                       "%d are possible)",
                       t->channels, (long long)io->channels, CN_MAX_CHANNELS);
    for (int i = 0; i < t->channels; i++)
        if (!(t->std[i] > 0)) return cn_fail(CN_EINVALID, "normalize: std[%d] is not positive", i);
    return true;
}

static bool check_resize(const cn_transform *t, image *io)
{
    if (t->height < 1 || t->width < 1 || io->height < 1 || io->width < 1)
        return cn_fail(CN_EINVALID, "resize: %lld x %lld to %lld x %lld", (long long)io->height,
                       (long long)io->width, (long long)t->height, (long long)t->width);
    io->height = t->height, io->width = t->width;
    return true;
}

static bool check_random_flip(const cn_transform *t, image *io)
{
    (void)io;
    if (t->probability >= 0 && t->probability <= 1) return true;
    return cn_fail(CN_EINVALID, "random_flip: %g is not a probability", t->probability);
}

static bool check_random_crop(const cn_transform *t, image *io)
{
    const int64_t most = 1 << 20;
    if (t->padding < 0 || t->padding > most || t->height < 1 || t->width < 1 ||
        t->height > io->height + 2 * t->padding || t->width > io->width + 2 * t->padding)
        return cn_fail(CN_EINVALID, "random_crop: %lld x %lld out of %lld x %lld with padding %lld",
                       (long long)t->height, (long long)t->width, (long long)io->height,
                       (long long)io->width, (long long)t->padding);
    io->height = t->height, io->width = t->width;
    return true;
}

static bool check_center_crop(const cn_transform *t, image *io)
{
    const int64_t most = 1 << 20;
    if (t->height < 1 || t->width < 1 || t->height > most || t->width > most)
        return cn_fail(CN_EINVALID, "center_crop: %lld x %lld", (long long)t->height,
                       (long long)t->width);
    io->height = t->height, io->width = t->width;
    return true;
}

static bool check_channels(const cn_transform *t, image *io)
{
    bool known = (t->channels == 1 || t->channels == 3) &&
                 (io->channels == 1 || io->channels == 3 || io->channels == t->channels);
    if (!known)
        return cn_fail(CN_EINVALID,
                       "channels: %lld to %d; between 1 (grey) and 3 (RGB) is possible",
                       (long long)io->channels, t->channels);
    io->channels = t->channels;
    return true;
}

static const struct kind {
    const char *name;
    bool (*check)(const cn_transform *t, image *io); /* NULL: any image will do */
    void (*run)(const cn_transform *t, image in, image out, const void *x, float *y, cn_rng *rng);
} kinds[] = {
    [CN_TRANSFORM_TO_FLOAT] = { "to_float", NULL, run_to_float },
    [CN_TRANSFORM_NORMALIZE] = { "normalize", check_normalize, run_normalize },
    [CN_TRANSFORM_RESIZE] = { "resize", check_resize, run_resize },
    [CN_TRANSFORM_RANDOM_FLIP] = { "random_flip", check_random_flip, run_random_flip },
    [CN_TRANSFORM_RANDOM_CROP] = { "random_crop", check_random_crop, run_random_crop },
    [CN_TRANSFORM_CENTER_CROP] = { "center_crop", check_center_crop, run_center_crop },
    [CN_TRANSFORM_CHANNELS] = { "channels", check_channels, run_channels },
};

/* ---- pipelines ---------------------------------------------------------------------------- */

static bool check_step(const cn_transform *t, const cn_field *in, cn_field *out)
{
    if ((size_t)t->kind >= sizeof kinds / sizeof kinds[0])
        return cn_fail(CN_EINVALID, "transform: %d is none", (int)t->kind);
    const char *name = kinds[t->kind].name;
    bool bytes = t->kind == CN_TRANSFORM_TO_FLOAT;
    if (in->dtype != (bytes ? CN_U8 : CN_F32))
        return cn_fail(CN_EINVALID, "%s: the images are %s, not %s%s", name,
                       cn_dtype_name(in->dtype), bytes ? "uint8" : "float32",
                       in->dtype == CN_U8 ? "; put to_float before it" : "");
    if (in->shape.ndim != 3)
        return cn_fail(CN_EINVALID, "%s: samples with %d dimensions are not images (C, H, W)", name,
                       in->shape.ndim);
    image io = image_of(in);
    if (kinds[t->kind].check && !kinds[t->kind].check(t, &io)) return false;
    *out = (cn_field){ CN_F32, { 3, { io.channels, io.height, io.width } } };
    int64_t n;
    return cn_shape_numel(&out->shape, &n, name);
}

bool cn_pipeline_make(cn_pipeline *p, const cn_transform steps[CN_MAX_TRANSFORMS], cn_field in)
{
    *p = (cn_pipeline){ .field = { in }, .largest = cn_field_bytes(&in) };
    while (p->steps < CN_MAX_TRANSFORMS && steps[p->steps].kind != CN_TRANSFORM_NONE) {
        int i = p->steps++;
        p->step[i] = steps[i];
        if (!check_step(&steps[i], &p->field[i], &p->field[i + 1])) return false;
        size_t bytes = cn_field_bytes(&p->field[i + 1]);
        if (bytes > p->largest) p->largest = bytes;
    }
    return true;
}

/* Not the numbers that shuffle, even when the seed is the same. */
static const uint64_t OTHER_NUMBERS = 0x7472616E73666F72u;

void cn_pipeline_run(const cn_pipeline *p, const void *in, void *out, void *scratch, uint64_t seed,
                     int64_t epoch, int64_t index)
{
    cn_rng rng = cn_rng_make(seed ^ OTHER_NUMBERS, (uint64_t)epoch << 40 ^ (uint64_t)index);
    for (int i = 0; i < p->steps; i++) {
        float *to =
            i + 1 == p->steps ? out : (float *)((char *)scratch + (i & 1) * (ptrdiff_t)p->largest);
        kinds[p->step[i].kind].run(&p->step[i], image_of(&p->field[i]), image_of(&p->field[i + 1]),
                                   in, to, &rng);
        in = to;
    }
}

/* The samples as the data set has them go to memory of ours, and transformed to `out`. */
bool cn_pipeline_fill(const cn_pipeline *p, const cn_dataset_class *c, const int64_t *index,
                      int64_t n, void *const out[], uint64_t seed, int64_t epoch)
{
    size_t from = cn_field_bytes(&p->field[0]), to = cn_field_bytes(&p->field[p->steps]), raw, all;
    if (!cn_mul_size(from, (size_t)n, &raw, "transform")) return false;
    raw = (raw + 63) / 64 * 64;
    if (__builtin_add_overflow(raw, 2 * p->largest, &all))
        return cn_fail(CN_ENOMEM, "transform: images of %zu bytes are too large", p->largest);
    char *memory = cn_alloc(all);
    if (!memory) return false;
    void *rows[CN_MAX_FIELDS];
    memcpy(rows, out, (size_t)c->fields * sizeof *rows);
    rows[0] = memory;
    bool ok = c->get(c->self, index, n, rows);
    for (int64_t i = 0; ok && i < n; i++)
        cn_pipeline_run(p, memory + (size_t)i * from, (char *)out[0] + (size_t)i * to, memory + raw,
                        seed, epoch, index[i]);
    cn_free(memory);
    return ok;
}
