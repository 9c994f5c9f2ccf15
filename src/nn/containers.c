/* containers.c - modules and parameters that belong together and that somebody else runs. */
#include "nn/module.h"

#include <cenote/autograd.h>

#include <stdio.h>

bool cn_module_add_all(cn_module *m, cn_module *const *modules, int n)
{
    bool ok = m != NULL;
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        if (!ok) cn_module_free(modules[i]);
        else ok = cn_module_add(m, name, modules[i]);
    }
    return ok;
}

/* The list is the caller's and is gone when the constructor returns. */
bool cn_build_from_list(cn_module *m, const cn_shape *input)
{
    cn_modules_arg *list = m->options;
    (void)input;
    for (int64_t i = 0; i < list->n; i++) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)i);
        if (!cn_module_add(m, name, cn_module_keep(list->v[i].u.m))) return false;
    }
    *list = (cn_modules_arg){ 0 };
    return true;
}

const cn_module_class cn_class_ModuleList = {
    .name = "ModuleList",
    .schema = "ModuleList(Module[] modules)",
    .doc = "Modules by number (D2L 6.1).",
    .options_size = sizeof(cn_modules_arg),
    .build = cn_build_from_list,
};

const cn_module_class cn_class_ModuleDict = {
    .name = "ModuleDict",
    .schema = "ModuleDict()",
    .doc = "Modules by name.",
};

const cn_module_class cn_class_ParameterList = {
    .name = "ParameterList",
    .schema = "ParameterList()",
    .doc = "Parameters by number.",
};

cn_module *cn_module_list(cn_module *const *modules, int n)
{
    cn_module *m = cn_module_of(&cn_class_ModuleList, NULL);
    if (cn_module_add_all(m, modules, n)) return m;
    cn_module_free(m);
    return NULL;
}

cn_module *cn_module_dict(void)
{
    return cn_module_of(&cn_class_ModuleDict, NULL);
}

cn_module *cn_parameter_list(cn_tensor *const *parameters, int n)
{
    cn_module *m = cn_module_of(&cn_class_ParameterList, NULL);
    bool ok = m != NULL;
    for (int i = 0; ok && i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        ok = cn_module_hold(m, name, cn_requires_grad(parameters[i], true), false);
    }
    if (ok) return m;
    cn_module_free(m);
    return NULL;
}
