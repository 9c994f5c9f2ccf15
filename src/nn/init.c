/* init.c - initial values of parameters. fan_in is what one output unit sums over. */
#include "nn/module.h"

#include <math.h>
#include <string.h>

int64_t cn_fan_in(const cn_shape *w)
{
    int64_t n = 1;
    for (int i = 1; i < w->ndim; i++) n *= w->dim[i];
    return n;
}

static int64_t fan_out(const cn_shape *w)
{
    return w->ndim < 2 ? w->dim[0] : w->dim[0] * (cn_fan_in(w) / (w->dim[1] ? w->dim[1] : 1));
}

static bool fill_uniform(cn_tensor *t, double bound)
{
    cn_rng *rng = cn_default_rng();
    float *x = cn_overwritten(t);
    if (!x) return false;
    for (int64_t i = 0; i < t->v.numel; i++) x[i] = (float)((2 * cn_rng_uniform(rng) - 1) * bound);
    return true;
}

static bool fill_normal(cn_tensor *t, double std)
{
    cn_rng *rng = cn_default_rng();
    float *x = cn_overwritten(t);
    if (!x) return false;
    for (int64_t i = 0; i < t->v.numel; i++) x[i] = (float)(std * cn_rng_normal(rng));
    return true;
}

bool cn_init_default(cn_tensor *parameter, int64_t fan_in)
{
    return fill_uniform(parameter, fan_in > 0 ? 1 / sqrt((double)fan_in) : 0);
}

static double number_in(const void *context, double otherwise)
{
    return context ? *(const double *)context : otherwise;
}

/* Biases, and the scales of norm layers, keep their values. */
static bool is_weight(const cn_tensor *t, const char *name)
{
    return strcmp(name, "weight") == 0 && t->v.shape.ndim >= 2;
}

bool cn_xavier_uniform(cn_tensor *t, const char *name, void *context)
{
    if (!is_weight(t, name)) return true;
    double fans = (double)(cn_fan_in(&t->v.shape) + fan_out(&t->v.shape));
    return fill_uniform(t, number_in(context, 1) * sqrt(6 / fans));
}

bool cn_xavier_normal(cn_tensor *t, const char *name, void *context)
{
    if (!is_weight(t, name)) return true;
    double fans = (double)(cn_fan_in(&t->v.shape) + fan_out(&t->v.shape));
    return fill_normal(t, number_in(context, 1) * sqrt(2 / fans));
}

bool cn_kaiming_uniform(cn_tensor *t, const char *name, void *context)
{
    if (!is_weight(t, name)) return true;
    return fill_uniform(t, number_in(context, 1) * sqrt(6 / (double)cn_fan_in(&t->v.shape)));
}

bool cn_kaiming_normal(cn_tensor *t, const char *name, void *context)
{
    if (!is_weight(t, name)) return true;
    return fill_normal(t, number_in(context, 1) * sqrt(2 / (double)cn_fan_in(&t->v.shape)));
}

bool cn_zeros_init(cn_tensor *t, const char *name, void *context)
{
    (void)name, (void)context;
    cn_fill_view(&t->v, 0);
    t->storage->version++;
    return true;
}

bool cn_normal_init(cn_tensor *t, const char *name, void *context)
{
    if (is_weight(t, name)) return fill_normal(t, number_in(context, 0.01));
    return strcmp(name, "bias") != 0 || cn_zeros_init(t, name, context);
}

bool cn_init(cn_module *m, cn_initialiser *init, void *context)
{
    if (!m) return false;
    m->init = init, m->init_context = context;
    for (int i = 0; i < m->n_slots; i++)
        if (!m->slots[i].is_buffer && !init(m->slots[i].tensor, m->slots[i].name, context))
            return false;
    for (int i = 0; i < m->n_children; i++)
        if (!cn_init(m->children[i].module, init, context)) return false;
    return true;
}
