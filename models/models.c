/* models.c - the catalogue of networks. A new one is a file of this folder and a line in
   models.def. */
#include "models/models.h"

#include <string.h>

#define MODEL(ident) extern const cn_model model_##ident;
#include "models/models.def"
#undef MODEL

const cn_model *const cn_models[] = {
#define MODEL(ident) &model_##ident,
#include "models/models.def"
#undef MODEL
    NULL
};

const cn_scaling cn_scaling_imagenet = { { 0.485f, 0.456f, 0.406f }, { 0.229f, 0.224f, 0.225f } };
const cn_scaling cn_scaling_inception = { { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f } };

const cn_model *cn_model_find(const char *name)
{
    for (int i = 0; cn_models[i]; i++)
        if (strcmp(cn_models[i]->name, name) == 0) return cn_models[i];
    return NULL;
}

bool cn_model_reads(const cn_model *m)
{
    return m->tokens || m->translates;
}

int64_t cn_model_outputs(const cn_model *m)
{
    if (m->regression) return 1;
    return m->classes ? m->classes : 10;
}

cn_module *cn_model_make(const cn_model *m)
{
    return m->make(&(cn_model_request){ .classes = cn_model_outputs(m), .settings = m->settings });
}

cn_shape cn_model_batch(const cn_model *m, int64_t examples)
{
    cn_shape s = m->input;
    for (int i = s.ndim++; i > 0; i--) s.dim[i] = s.dim[i - 1];
    s.dim[0] = examples;
    return s;
}
