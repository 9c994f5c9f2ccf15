/* images.c - images of a data set made as large as a network takes them, as the book does. */
#include "app/run.h"

#include <stdio.h>
#include <string.h>

cn_shape config_example(const Config *c)
{
    cn_shape s = c->model->input;
    if (s.ndim == 3 && c->resize) s.dim[1] = s.dim[2] = c->resize;
    return s;
}

cn_shape config_input(const Config *c, int64_t examples)
{
    cn_shape s = config_example(c);
    for (int i = s.ndim++; i > 0; i--) s.dim[i] = s.dim[i - 1];
    s.dim[0] = examples;
    return s;
}

/* The steps from images of one shape to those of another; how many. */
static int steps_between(const cn_field *from, const cn_shape *to, cn_transform steps[3])
{
    int n = 0;
    const cn_shape *have = &from->shape;
    if (have->ndim != 3 || to->ndim != 3) return 0;
    if (from->dtype == CN_U8) steps[n++] = cn_transform_to_float();
    if (have->dim[1] != to->dim[1] || have->dim[2] != to->dim[2])
        steps[n++] = cn_transform_resize(to->dim[1], to->dim[2]);
    if (have->dim[0] != to->dim[0]) steps[n++] = cn_transform_channels((int)to->dim[0]);
    return n;
}

cn_dataset *fitted_to(const cn_model *model, const cn_shape *example, cn_dataset *data)
{
    cn_transform steps[CN_MAX_TRANSFORMS] = { 0 };
    const cn_scaling *s = model->scaling;
    int n = data ? steps_between(cn_dataset_field(data, 0), example, steps) : 0;
    if (s) steps[n++] = cn_transform_normalize((int)example->dim[0], s->mean, s->std);
    if (!data || !n) return data;
    cn_dataset *fitted = cn_dataset_transformed(data, steps);
    cn_dataset_free(data);
    return fitted;
}

void say_fitted(const Config *c)
{
    cn_transform steps[CN_MAX_TRANSFORMS];
    if (cn_model_reads(c->model)) return;
    if (c->model->regression || strcmp(c->data, "linear") == 0) return; /* config_data() checks */
    cn_shape to = config_example(c);
    cn_dataset *d = cn_dataset_open(c->data, .split = CN_TEST, .limit = 1);
    const cn_shape *from = d ? &cn_dataset_field(d, 0)->shape : NULL;
    if (d && steps_between(cn_dataset_field(d, 0), &to, steps))
        fprintf(
            stderr,
            "images of %lld x %lld x %lld become %lld x %lld x %lld, as the network takes them\n",
            (long long)from->dim[0], (long long)from->dim[1], (long long)from->dim[2],
            (long long)to.dim[0], (long long)to.dim[1], (long long)to.dim[2]);
    cn_dataset_free(d);
}
