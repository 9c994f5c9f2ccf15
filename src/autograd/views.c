/* views.c - what becomes of the record when a tensor changes in place that has views, or is one.

   Every recorded view knows the tensor at the root of its chain of views, its base. A change of a view is a
   change of a part of its base: the base becomes the result of part_set(base, new values), and nothing else is
   recorded. Its views, the changed one included, are then out of date; when one of them is next asked for its
   place in the graph, it becomes part_at(base). */
#include "autograd/part.h"
#include "core/tape.h"

bool cn_tape_refuse(const char *who, const cn_tensor *t)
{
    static const char *const why[] = {
        [0] = "not of a row-major tensor",
        [CN_UNRECORDED] = "made inside CN_NO_GRAD",
        [CN_OTHER_DTYPE] = "of another type than what it shows",
        [CN_ONE_OF_MANY] = "one of several that a single call made, as split, chunk and unbind do",
        [CN_NOW_A_LEAF] = "a leaf now",
    };
    return cn_fail(
        CN_EUNSUPPORTED,
        "%s: the record cannot follow a change in place of a view that is %s, or of what it "
        "shows; take the view again, or use the form without underscore",
        who, why[t->fixed]);
}

/* Where t's elements lie among those of its base. */
static bool part_of(const cn_tensor *t, cn_part *p)
{
    const cn_view *base = &t->base->v;
    const int64_t item = (int64_t)cn_dtype_size(base->dtype);
    if (t->fixed || !base->contiguous) return cn_tape_refuse("view", t);
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

/* All of t, as a part of itself. */
static bool all_of(const cn_tensor *t, cn_part *p)
{
    cn_view rows;
    if (!cn_view_rows(&rows, &t->v.shape, "in place")) return false;
    *p = (cn_part){ .size.n = rows.shape.ndim, .stride.n = rows.shape.ndim, .offset.given = true };
    for (int i = 0; i < rows.shape.ndim; i++)
        p->size.v[i] = rows.shape.dim[i], p->stride.v[i] = rows.strides[i];
    return true;
}

/* Where r depends on nothing, a tensor that did goes on depending on it, with a gradient of zeros. */
bool cn_tape_change(cn_tensor *t, cn_tensor *r)
{
    cn_part p;
    cn_tensor *whole = t->base ? t->base : t;
    if (!whole->requires_grad && !r->requires_grad) return true;
    if (whole == t && r->requires_grad) return cn_tape_adopt(t, r), true;
    if (!(t->base ? part_of(t, &p) : all_of(t, &p))) return false;
    int32_t dtype = (int32_t)t->v.dtype;
    if (r->v.dtype != t->v.dtype) r = cn_apply1(cn_op_find("to"), &r, 1, &dtype);
    if (!r || !now_result_of(whole, "part_set", (cn_tensor *[]){ whole, r }, 2, &p)) return false;
    whole->rewrites++;
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
    view->fixed = !cn_grad_enabled()               ? CN_UNRECORDED
                  : view->v.dtype != base->v.dtype ? CN_OTHER_DTYPE
                                                   : of->fixed;
    if (!cn_grad_enabled()) return;
    view->base = cn_ref(base);
    view->rewrites = of->base ? of->rewrites : base->rewrites;
}
