/* transform.c - images on their way into a batch. */
#include "data/transform.h"

#include <math.h>
#include <string.h>

#include <cenote/rng.h>

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

static void run_resize(const cn_transform *t, image in, image out, const void *x, float *y,
                       cn_rng *rng)
{
    (void)t, (void)rng;
    const float *plane = x;
    for (int64_t c = 0; c < in.channels; c++, plane += in.height * in.width) {
        for (int64_t h = 0; h < out.height; h++) {
            tap v = tap_of(h, in.height, out.height);
            const float *a = plane + v.first * in.width, *b = plane + v.second * in.width;
            for (int64_t w = 0; w < out.width; w++) {
                tap u = tap_of(w, in.width, out.width);
                float above = a[u.first] * (1 - u.weight) + a[u.second] * u.weight;
                float below = b[u.first] * (1 - u.weight) + b[u.second] * u.weight;
                *y++ = above * (1 - v.weight) + below * v.weight;
            }
        }
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

static void run_random_crop(const cn_transform *t, image in, image out, const void *x, float *y,
                            cn_rng *rng)
{
    const float *plane = x;
    int64_t top = cn_rng_below(rng, in.height + 2 * t->padding - out.height + 1) - t->padding;
    int64_t left = cn_rng_below(rng, in.width + 2 * t->padding - out.width + 1) - t->padding;
    for (int64_t c = 0; c < in.channels; c++, plane += in.height * in.width) {
        for (int64_t h = top; h < top + out.height; h++)
            for (int64_t w = left; w < left + out.width; w++) {
                bool inside = h >= 0 && h < in.height && w >= 0 && w < in.width;
                *y++ = inside ? plane[h * in.width + w] : 0.0f;
            }
    }
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
