/* shared.c - state of an optimiser as a whole: vectors, lists of vectors and numbers, in float64. */
#include "optim/optim.h"

#include <string.h>

static bool make_room(cn_tensors *list)
{
    if (list->n < list->room) return true;
    int room = list->room ? 2 * list->room : 4;
    cn_tensor **v = cn_realloc(list->v, (size_t)room * sizeof(cn_tensor *));
    if (!v) return false;
    list->v = v, list->room = room;
    return true;
}

static double *elements(const cn_tensor *t)
{
    return (double *)(void *)t->v.data;
}

static double *add_zeros(cn_optim *o, int k, const cn_shape *shape)
{
    cn_tensors *list = &o->shared[k];
    cn_tensor *t = make_room(list) ? cn_tensor_new_owned(shape, CN_F64) : NULL;
    if (!t) return NULL;
    cn_fill_view(&t->v, 0);
    list->v[list->n++] = t;
    return elements(t);
}

static double *checked(const cn_optim *o, int k, const cn_tensor *t, int64_t n)
{
    if (t->v.numel == n) return elements(t);
    cn_fail(CN_EINVALID, "%s: '%s' has %lld elements, not %lld as it should", o->cls->name,
            o->cls->shared[k].name, (long long)t->v.numel, (long long)n);
    return NULL;
}

double *cn_shared_vector(cn_optim *o, int k, int64_t n)
{
    const cn_shape shape = { .ndim = 1, .dim = { n } };
    return o->shared[k].n ? checked(o, k, o->shared[k].v[0], n) : add_zeros(o, k, &shape);
}

double *cn_shared_number(cn_optim *o, int k, double start)
{
    const cn_shape scalar = { 0 };
    if (o->shared[k].n) return checked(o, k, o->shared[k].v[0], 1);
    double *number = add_zeros(o, k, &scalar);
    if (number) *number = start;
    return number;
}

double *cn_shared_next(cn_optim *o, int k, cn_shape shape, int64_t most)
{
    cn_tensors *list = &o->shared[k];
    if (list->n < most) return add_zeros(o, k, &shape);
    cn_tensor *oldest = list->v[0];
    memmove(list->v, list->v + 1, (size_t)(list->n - 1) * sizeof oldest);
    list->v[list->n - 1] = oldest;
    return elements(oldest);
}

bool cn_shared_append(cn_optim *o, int k, const cn_tensor *t)
{
    if (!t || !add_zeros(o, k, &t->v.shape)) return false;
    cn_copy_view(&o->shared[k].v[o->shared[k].n - 1]->v, &t->v);
    return true;
}

void cn_shared_clear(cn_optim *o, int k)
{
    cn_tensors *list = &o->shared[k];
    for (int i = 0; i < list->n; i++) cn_drop(list->v[i]);
    cn_free(list->v);
    *list = (cn_tensors){ 0 };
}
