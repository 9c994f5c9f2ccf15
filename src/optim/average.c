/* average.c - a second set of parameter values: their mean over the updates, or an exponential one. */
#include "optim/optim.h"

#include <string.h>

struct cn_average {
    double decay; /* 0: every update counts the same */
    int64_t updates;
    int n;
    cn_tensor **params, **means; /* both kept */
};

void cn_average_free(cn_average *a)
{
    if (!a) return;
    for (int i = 0; i < a->n && a->params && a->means; i++) {
        cn_drop(a->params[i]);
        cn_drop(a->means[i]);
    }
    cn_free(a->params);
    cn_free(a->means);
    cn_free(a);
}

static bool add(cn_average *a, cn_tensor *param)
{
    cn_tensor *mean = param ? cn_tensor_new_owned(&param->v.shape, param->v.dtype) : NULL;
    if (!mean) return false;
    cn_copy_view(&mean->v, &param->v);
    a->params[a->n] = cn_keep(param);
    a->means[a->n++] = mean;
    return true;
}

cn_average *cn_average_new(cn_module *net, double decay)
{
    if (!cn_is_fraction("average", "decay", decay)) return NULL;
    int n = net ? cn_parameters(net, NULL, 0) : 0;
    cn_average *a = cn_alloc_zeroed(sizeof *a);
    if (!a) return NULL;
    a->decay = decay;
    a->params = cn_alloc_zeroed((size_t)n * sizeof(cn_tensor *));
    a->means = cn_alloc_zeroed((size_t)n * sizeof(cn_tensor *));
    bool ok = a->params && a->means;
    if (ok) cn_parameters(net, a->params, n);
    for (int i = 0; i < n && ok; i++) ok = add(a, a->params[i]);
    if (ok) return a;
    cn_average_free(a);
    return NULL;
}

bool cn_average_update(cn_average *a)
{
    if (!a || !cn_ok()) return false;
    a->updates++;
    const double take = a->decay > 0 ? 1 - a->decay : 1 / (double)a->updates;
    for (int k = 0; k < a->n; k++) {
        const cn_view *mean = &a->means[k]->v, *param = &a->params[k]->v;
        const size_t size = cn_dtype_size(mean->dtype);
        for (int64_t i = 0; i < mean->numel; i++) {
            char *at = mean->data + (size_t)i * size;
            const double old = cn_load_f64(at, mean->dtype),
                         x = cn_load_f64(param->data + (size_t)i * size, param->dtype);
            cn_store_f64(at, mean->dtype, old + take * (x - old));
        }
    }
    return true;
}

bool cn_average_swap(cn_average *a)
{
    size_t mark = cn_mark();
    for (int k = 0; a && k < a->n && cn_ok(); k++) {
        cn_tensor *spare = cn_tensor_new(&a->means[k]->v.shape, a->means[k]->v.dtype);
        if (!spare) break;
        cn_copy_view(&spare->v, &a->params[k]->v);
        cn_copy_view(&a->params[k]->v, &a->means[k]->v);
        cn_copy_view(&a->means[k]->v, &spare->v);
        a->params[k]->storage->version++;
    }
    cn_release(mark);
    return a && cn_ok();
}
