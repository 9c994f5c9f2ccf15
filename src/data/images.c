/* images.c - bytes in memory, floats in batches: a quarter of the space, and nothing is slower. */
#include "data/images.h"

#include "core/memory.h"

typedef struct images {
    cn_images of;
    int64_t bytes; /* of an image */
} images;

/* x / 255, correctly rounded, without dividing: 1 / 255 in two parts, of which the first has so few
   bits that its product with a byte is exact. */
static float scaled(uint8_t x)
{
    const float high = 0x1.01p-8f, low = (float)(1.0 / 255 - 0x1.01p-8);
    return (float)x * high + (float)x * low;
}

/* In blocks of fixed size, which compilers turn into vector instructions even at -O2. */
static void scale(float *restrict to, const uint8_t *restrict from, int64_t n)
{
    enum { BLOCK = 16 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        for (int j = 0; j < BLOCK; j++) to[i + j] = scaled(from[i + j]);
    for (; i < n; i++) to[i] = scaled(from[i]);
}

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const images *m = self;
    float *x = out[0];
    int64_t *y = out[1];
    for (int64_t i = 0; i < n; i++) {
        scale(x + i * m->bytes, m->of.pixels + index[i] * m->bytes, m->bytes);
        y[i] = m->of.labels[index[i]];
    }
    return true;
}

static void destroy(void *self)
{
    images *m = self;
    cn_free(m->of.pixels);
    cn_free(m->of.labels);
    cn_free(m);
}

static bool check_labels(const cn_images *m)
{
    for (int64_t i = 0; i < m->n; i++)
        if (m->labels[i] >= m->n_classes)
            return cn_fail(CN_EFORMAT,
                           "data set %s: sample %lld has the label %d, but there are %d "
                           "classes",
                           m->name, (long long)i, m->labels[i], m->n_classes);
    return true;
}

cn_dataset *cn_images_dataset(const cn_images *of)
{
    images *m = check_labels(of) ? cn_alloc(sizeof *m) : NULL;
    if (!m) return cn_free(of->pixels), cn_free(of->labels), NULL;
    m->of = *of;
    m->bytes = of->channels * of->height * of->width;
    return cn_dataset_new(&(cn_dataset_class){
        .size = sizeof(cn_dataset_class),
        .name = of->name,
        .samples = of->n,
        .fields = 2,
        .field = { { CN_F32, { 3, { of->channels, of->height, of->width } } },
                   { .dtype = CN_I64 } },
        .classes = of->classes,
        .n_classes = of->n_classes,
        .self = m,
        .get = get,
        .destroy = destroy,
    });
}
