/* views.c - what becomes of the record when a tensor changes in place that has views, or is one.

   Every recorded view knows the tensor at the root of its chain of views, its base. A change of a view is a
   change of a part of its base: the base becomes the result of part_set(base, new values), and nothing else is
   recorded. Its views, the changed one included, are then out of date; when one of them is next asked for its
   place in the graph, it becomes part_at(base). */
#include "autograd/part.h"
#include "core/tape.h"

/* Where t's elements lie among those of its base. */
static bool part_of(const cn_tensor *t, cn_part *p)
{
    const cn_view *base = &t->base->v;
    const int64_t item = (int64_t)cn_dtype_size(base->dtype);
    if (t->is_fixed || !base->contiguous)
        return cn_fail(
            CN_EUNSUPPORTED,
            "a view of another type, or of a tensor that is not row-major, has no part in "
            "a change in place; take the view again, or use the form without underscore");
    *p = (cn_part){ .size.n = t->v.shape.ndim, .stride.n = t->v.shape.ndim };
    for (int i = 0; i < t->v.shape.ndim; i++)
        p->size.v[i] = t->v.shape.dim[i], p->stride.v[i] = t->v.strides[i];
    p->offset = (cn_opt_int){ true, t->v.numel ? (t->v.data - base->data) / item : 0 };
    return true;
}

/* From now on t is what the op makes of `in`: its memory holds that already. */
static bool now_result_of(cn_tensor *t, const char *name, cn_tensor *const *in, int n_in,
                          const cn_part *p)
{
    cn_tensor *alias = cn_tensor_view_owned(t, &t->v);
    cn_call c = { .op = cn_op_find(name), .params = p, .n_in = n_in, .n_out = 1, .in = in };
    c.out = &alias;
    bool wanted = false;
    for (int i = 0; i < n_in; i++) wanted |= in[i]->requires_grad;
    bool ok = alias && (!wanted || cn_tape_record(&c));
    if (ok) cn_tape_adopt(t, alias);
    cn_drop(alias);
    return ok;
}

bool cn_tape_refresh(cn_tensor *t)
{
    cn_part p;
    if (!part_of(t, &p) || !now_result_of(t, "part_at", &t->base, 1, &p)) return false;
    t->rewrites = t->base->rewrites;
    return true;
}

bool cn_tape_change_part(cn_tensor *t, cn_tensor *r)
{
    cn_part p;
    if (!t->base->requires_grad && !r->requires_grad) return true;
    if (!part_of(t, &p)) return false;
    int32_t dtype = (int32_t)t->v.dtype;
    if (r->v.dtype != t->v.dtype) r = cn_apply1(cn_op_find("to"), &r, 1, &dtype);
    if (!r || !now_result_of(t->base, "part_set", (cn_tensor *[]){ t->base, r }, 2, &p))
        return false;
    t->base->rewrites++;
    return true;
}

cn_tensor *cn_tape_shadow(cn_tensor *t)
{
    if (!cn_plain(t) || !cn_refresh(t)) return NULL;
    cn_tensor *s = cn_tensor_new(&t->v.shape, t->v.dtype);
    if (!s) return NULL;
    cn_copy_view(&s->v, &t->v);
    cn_tape_adopt(s, t);
    return s;
}

void cn_tape_link(cn_tensor *view, cn_tensor *of)
{
    cn_tensor *base = of->base ? of->base : of;
    if (!cn_dtype_is_graded(view->v.dtype)) return;
    view->is_fixed = !cn_grad_enabled() || of->is_fixed || view->v.dtype != base->v.dtype;
    if (!cn_grad_enabled()) return;
    view->base = cn_ref(base);
    view->rewrites = of->base ? of->rewrites : base->rewrites;
}
