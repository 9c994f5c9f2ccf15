/* images.c - bytes in memory, floats in batches: a quarter of the space, and nothing is slower. */
#include "data/images.h"

#include "core/memory.h"

typedef struct images {
    cn_images of;
    int64_t bytes;     /* of an image */
    float scaled[256]; /* x / 255, rounded once: what a division gives, without dividing */
} images;

static void scale(float *restrict to, const uint8_t *restrict from, int64_t n,
                  const float *restrict scaled)
{
    for (int64_t i = 0; i < n; i++) to[i] = scaled[from[i]];
}

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const images *m = self;
    float *x = out[0];
    int64_t *y = out[1];
    for (int64_t i = 0; i < n; i++) {
        scale(x + i * m->bytes, m->of.pixels + index[i] * m->bytes, m->bytes, m->scaled);
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
            return cn_fail(CN_EFORMAT, "data set %s: sample %lld has the label %d, but there are %d "
                           "classes", m->name, (long long)i, m->labels[i], m->n_classes);
    return true;
}

cn_dataset *cn_images_dataset(const cn_images *of)
{
    images *m = check_labels(of) ? cn_alloc(sizeof *m) : NULL;
    if (!m) return cn_free(of->pixels), cn_free(of->labels), NULL;
    m->of = *of;
    m->bytes = of->channels * of->height * of->width;
    for (int i = 0; i < 256; i++) m->scaled[i] = (float)i / 255.0f;
    return cn_dataset_new(&(cn_dataset_class){
        .size = sizeof(cn_dataset_class),
        .name = of->name,
        .samples = of->n,
        .fields = 2,
        .field = { { CN_F32, { 3, { of->channels, of->height, of->width } } }, { .dtype = CN_I64 } },
        .classes = of->classes,
        .n_classes = of->n_classes,
        .self = m,
        .get = get,
        .destroy = destroy,
    });
}
