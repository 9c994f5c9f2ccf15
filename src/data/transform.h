/* transform.h - pipelines of transforms, resolved for samples of one kind. */
#ifndef CN_DATA_TRANSFORM_H
#define CN_DATA_TRANSFORM_H

#include <cenote/data.h>

typedef struct cn_pipeline {
    int steps;
    cn_transform step[CN_MAX_TRANSFORMS];
    cn_field
        field[CN_MAX_TRANSFORMS + 1]; /* before the i-th step; field[steps] is what comes out */
    size_t largest;                   /* bytes of the largest of them */
} cn_pipeline;

/* Checks every step against what reaches it. A list without steps is fine. */
bool cn_pipeline_make(cn_pipeline *p, const cn_transform steps[CN_MAX_TRANSFORMS], cn_field in);

/* Transforms one sample. `scratch` has room for two of `largest` bytes. */
void cn_pipeline_run(const cn_pipeline *p, const void *in, void *out, void *scratch, uint64_t seed,
                     int64_t epoch, int64_t index);

/* The samples index[0 .. n-1] of a data set into out[field], x transformed. */
bool cn_pipeline_fill(const cn_pipeline *p, const cn_dataset_class *c, const int64_t *index,
                      int64_t n, void *const out[], uint64_t seed, int64_t epoch);

#endif
