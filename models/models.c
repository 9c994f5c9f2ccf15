/* models.c - the list of networks. A new one is a file of this folder and a line here. */
#include "models/models.h"

#include <string.h>

extern const cn_model model_lenet, model_linreg, model_mlp, model_softmax;

const cn_model *const cn_models[] = { &model_linreg, &model_softmax, &model_mlp, &model_lenet,
                                      NULL };

cn_module *cn_model_drawn(cn_module *net, cn_initialiser *init)
{
    if (cn_init(net, init, NULL)) return net;
    cn_module_free(net);
    return NULL;
}

const cn_model *cn_model_find(const char *name)
{
    for (int i = 0; cn_models[i]; i++)
        if (strcmp(cn_models[i]->name, name) == 0) return cn_models[i];
    return NULL;
}
