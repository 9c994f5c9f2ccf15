/* transformed.c - a data set whose samples are another's, transformed. */
#include "core/memory.h"
#include "data/dataset.h"
#include "data/transform.h"

typedef struct transformed {
    cn_dataset *of;
    cn_pipeline pipeline;
} transformed;

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const transformed *t = self;
    return cn_pipeline_fill(&t->pipeline, &t->of->c, index, n, out, 0, 0);
}

static void destroy(void *self)
{
    transformed *t = self;
    cn_dataset_free(t->of);
    cn_free(t);
}

static bool is_repeatable(const cn_pipeline *p)
{
    for (int i = 0; i < p->steps; i++)
        if (p->step[i].kind == CN_TRANSFORM_RANDOM_FLIP ||
            p->step[i].kind == CN_TRANSFORM_RANDOM_CROP)
            return cn_fail(CN_EINVALID,
                           "dataset_transformed: random transforms belong to a loader, "
                           "which knows the epoch");
    return true;
}

cn_dataset *cn_dataset_transformed(cn_dataset *d, const cn_transform transform[CN_MAX_TRANSFORMS])
{
    transformed *t = d && transform ? cn_alloc(sizeof *t) : NULL;
    if (!t) {
        if (cn_ok()) cn_fail(CN_EINVALID, "dataset_transformed: the data set or the list is NULL");
        return NULL;
    }
    if (!cn_pipeline_make(&t->pipeline, transform, d->c.field[0]) || !is_repeatable(&t->pipeline))
        return cn_free(t), NULL;
    t->of = cn_dataset_keep(d);
    cn_dataset_class c = d->c;
    c.size = sizeof c;
    c.field[0] = t->pipeline.field[t->pipeline.steps];
    c.self = t, c.get = get, c.destroy = destroy;
    return cn_dataset_new(&c);
}
