/* apply.c - one way to call an op. */
#include "core/anomaly.h"
#include "core/autocast.h"
#include "core/modes.h"
#include "core/profile.h"
#include "core/provider.h"
#include "core/tape.h"

#include <string.h>

enum { MANY = 64 }; /* inputs up to this number need no allocation */

/* ---- inputs as kernels want them ----------------------------------------------------------- */

/* The types that kernels compute in. */
static bool is_computed(cn_dtype d)
{
    return ((1u << CN_BOOL | 1u << CN_I64 | 1u << CN_F32 | 1u << CN_F64) >> d) & 1;
}

/* Most calls: plain floats of one type, nothing to convert. */
static bool fits_as_it_is(const cn_call *c)
{
    const cn_dtype d = c->n_in && c->in[0] ? c->in[0]->v.dtype : CN_BOOL;
    if (d != CN_F32 && d != CN_F64) return false;
    for (int i = 0; i < c->n_in; i++) {
        const cn_tensor *t = c->in[i];
        if (t && (t->v.dtype != d || t->v.block || ((c->op->flags & CN_ROWS) && !t->v.contiguous)))
            return false;
    }
    for (int i = 0; i < c->n_out; i++)
        if (!is_computed(c->out[i]->v.dtype)) return false;
    return true;
}

static cn_dtype kernel_dtype(const cn_op *op, cn_dtype own, cn_dtype common)
{
    if (op->flags & CN_ANY_DTYPE) return own;
    if (op->flags & CN_POINTWISE) return common;
    return own == CN_BOOL ? CN_BOOL : cn_compute_dtype(own);
}

/* Converts and straightens what the kernel does not take as it is; *changed: `to` differs from the
   call's inputs. Halves compute in f32, small integers in i64. */
static bool adapt(const cn_call *c, cn_tensor **to, bool *changed)
{
    unsigned flags = c->op->flags;
    cn_dtype common = CN_F32, result = CN_F32;
    if (flags & CN_POINTWISE) {
        result = c->n_in == 1 ? c->in[0]->v.dtype : cn_result_type(c->in, c->n_in);
        common = cn_compute_dtype(result);
        if ((flags & CN_TO_FLOAT) && common == CN_I64) common = CN_F32;
    }
    for (int i = 0; i < c->n_in; i++) {
        cn_tensor *t = to[i] = c->in[i];
        if (!t) continue;
        if (!(flags & CN_TO_FLOAT) && cn_dtype_category(result) == CN_CAT_INT)
            t = cn_cast_raw(t, result); /* -1 as u8: 255 */
        to[i] = t ? cn_cast_raw(t, kernel_dtype(c->op, t->v.dtype, common)) : NULL;
        if (flags & CN_ROWS) to[i] = cn_rows(to[i]);
        if (!to[i]) return false;
        *changed |= to[i] != c->in[i];
    }
    return true;
}

static bool takes_blocked(const cn_op *op)
{
    return (op->flags & (CN_ANY_LAYOUT | CN_POINTWISE)) != 0;
}

static bool any_blocked(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && c->in[i]->v.block) return true;
    return false;
}

static bool make_plain(cn_tensor *const *in, int n_in)
{
    for (int i = 0; i < n_in; i++)
        if (in[i] && !cn_plain(in[i])) return false;
    return true;
}

/* Small results of halves and integers are computed wide, then narrowed. */
static bool widen_outputs(const cn_call *c, cn_tensor **wide, bool *changed)
{
    for (int i = 0; i < c->n_out; i++) {
        cn_dtype own = c->out[i]->v.dtype, want = own;
        if (!(c->op->flags & CN_ANY_DTYPE) && own != CN_BOOL) want = cn_compute_dtype(own);
        wide[i] = want == own ? c->out[i] : cn_tensor_new(&c->out[i]->v.shape, want);
        if (!wide[i]) return false;
        *changed |= want != own;
    }
    return true;
}

static bool run_plain(const cn_call *c)
{
    cn_tensor *few[MANY], **in = few, *out[CN_MAX_OUT];
    size_t mark = cn_mark();
    bool changed = false, ok = false;
    if (c->n_in > MANY && !(in = cn_alloc((size_t)c->n_in * sizeof *in))) return false;
    if (adapt(c, in, &changed) && widen_outputs(c, out, &changed)) {
        cn_call k = *c;
        if (changed) k.in = in, k.out = out;
        ok = cn_find_kernel(&k)(&k);
        for (int i = 0; ok && changed && i < c->n_out; i++)
            if (out[i] != c->out[i] && (ok = cn_plain(out[i])))
                cn_copy_view(&c->out[i]->v, &out[i]->v);
    }
    if (in != few) cn_free(in);
    if (changed) cn_release(mark);
    return ok;
}

static bool run_kernel(const cn_call *c)
{
    if (fits_as_it_is(c)) return cn_find_kernel(c)(c);
    if (takes_blocked(c->op) && any_blocked(c)) {
        cn_kernel *k = cn_find_blocked_kernel(c);
        if (k) return k(c);
        if (!make_plain(c->in, c->n_in)) return false;
    }
    return run_plain(c);
}

/* ---- complex numbers ------------------------------------------------------------------------- */

static bool any_complex(cn_tensor *const *in, int n_in)
{
    for (int i = 0; i < n_in; i++)
        if (in[i] && in[i]->v.dtype >= CN_C64) return true;
    return false;
}

static bool refuse_complex(const cn_op *op)
{
    return cn_fail(CN_EUNSUPPORTED,
                   "%s: not defined for complex numbers here; work with real() and imag(), or with "
                   "view_as_real()",
                   op->name);
}

/* How to compose the call; NULL: it has a kernel or is a view. */
static bool choose_form(const cn_op *op, cn_tensor *const *in, int n_in, cn_complex_form **compose)
{
    *compose = op->compose;
    if (!any_complex(in, n_in)) return true;
    if (cn_complex_forms[op->id]) return *compose = cn_complex_forms[op->id], true;
    return op->view || (op->infer && (op->flags & CN_ANY_DTYPE)) || refuse_complex(op);
}

/* ---- the three kinds of op ----------------------------------------------------------------- */

static bool apply_infer(cn_call *c)
{
    cn_spec spec[CN_MAX_OUT];
    if (!c->op->infer(c, spec)) return false;
    for (int i = 0; i < c->n_out; i++) {
        if (spec[i].dtype >= CN_C64 && !(c->op->flags & CN_ANY_DTYPE)) return refuse_complex(c->op);
        c->out[i] = cn_tensor_new(&spec[i].shape, spec[i].dtype);
        if (!c->out[i]) return false;
    }
    return run_kernel(c);
}

static bool apply_view(cn_call *c)
{
    cn_view v = c->in[0]->v;
    if (!c->op->view(c, &v)) return false;
    cn_view_refresh(&v);
    c->out[0] = cn_tensor_view(c->in[0], &v);
    if (c->out[0] && !(c->op->flags & CN_NO_GRAD_OP)) cn_tape_link(c->out[0], c->in[0]);
    return c->out[0] != NULL;
}

static bool wants_grad(const cn_call *c)
{
    if ((c->op->flags & CN_NO_GRAD_OP) || !cn_grad_enabled()) return false;
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && c->in[i]->requires_grad) return true;
    return false;
}

/* An absent required input is the NULL of a call that failed: its error, which is pending, stays. */
static bool inputs_present(const cn_op *op, cn_tensor *const *in, int n_in)
{
    for (int i = 0; i < n_in; i++) {
        if (in[i] || (op->optional & CN_SAVE_IN(i < 15 ? i : 15))) continue;
        return cn_fail(CN_EINVALID, "%s: tensor argument %d is missing", op->name, i);
    }
    return true;
}

/* A view of what has changed in place may have come to depend on something. */
static bool places_known(cn_tensor *const *in, int n_in)
{
    for (int i = 0; i < n_in; i++)
        if (in[i] && !cn_is_current(in[i]) && cn_grad_enabled() && !cn_tape_refresh(in[i]))
            return false;
    return true;
}

static bool inputs_ready(const cn_op *op, cn_tensor *const *in, int n_in)
{
    return inputs_present(op, in, n_in) && (takes_blocked(op) || make_plain(in, n_in)) &&
           places_known(in, n_in);
}

static inline __attribute__((always_inline)) bool call(cn_call *c, bool watched)
{
    const cn_op *op = c->op;
    cn_tensor **out = c->out;
    const int n_out = c->n_out;
    cn_complex_form *compose;
    for (int i = 0; i < n_out; i++) out[i] = NULL;
    if (!inputs_ready(op, c->in, c->n_in) || !choose_form(op, c->in, c->n_in, &compose))
        return false;
    bool ok;
    if (compose) return compose(c) || (memset(out, 0, (size_t)n_out * sizeof *out), false);
    if (op->view) ok = apply_view(c);
    else ok = apply_infer(c);
    if (ok && watched) ok = cn_check_call(c);
    if (ok && wants_grad(c)) ok = cn_tape_record(c);
    if (!ok) memset(out, 0, (size_t)n_out * sizeof *out);
    return ok;
}

/* ---- calls that somebody watches ------------------------------------------------------------- */

/* An op whose inputs were converted decides by itself in what to compute. */
static __attribute__((noinline)) bool call_converted(cn_call *c)
{
    cn_tensor *few[MANY], **to = few;
    bool changed = false, ok;
    if (!inputs_present(c->op, c->in, c->n_in)) return false;
    if (c->n_in > MANY && !(to = cn_alloc((size_t)c->n_in * sizeof *to))) return false;
    ok = cn_autocast_inputs(c->op, c->in, c->n_in, to, &changed);
    if (ok && changed) c->in = to;
    if (ok) {
        bool was = cn_autocast_pause(changed);
        ok = call(c, cn_anomaly_on);
        cn_autocast_pause(was);
    }
    if (to != few) cn_free(to);
    return ok;
}

static __attribute__((noinline)) bool apply_in_modes(cn_call c)
{
    bool profiled = cn_profiling();
    cn_tensor *const *in = c.in;
    size_t frame = profiled ? cn_profile_enter(c.op->name, CN_PROFILE_FORWARD) : 0;
    bool ok = cn_autocasting() ? call_converted(&c) : call(&c, cn_anomaly_on);
    c.in = in;
    if (profiled) cn_profile_leave(frame, &c);
    return ok;
}

static inline bool any_mode(void)
{
    return __builtin_expect(atomic_load_explicit(&cn_modes, memory_order_relaxed) != 0, 0);
}

bool cn_apply(const cn_op *op, cn_tensor *const *in, int n_in, const void *params, cn_tensor **out,
              int n_out)
{
    cn_call c = { .op = op, .params = params, .n_in = n_in, .n_out = n_out, .in = in, .out = out };
    return any_mode() ? apply_in_modes(c) : call(&c, false);
}

/* ---- lists of any length ------------------------------------------------------------------- */

bool cn_call_grow(cn_call *c, int n)
{
    if (!c->grows) return true;
    if (n > c->room) {
        int room = n > 2 * c->room ? n : 2 * c->room;
        cn_tensor **out = cn_realloc(c->out, (size_t)room * sizeof *out);
        if (!out) return false;
        c->out = out, c->room = room;
    }
    while (c->n_out < n) c->out[c->n_out++] = NULL;
    return true;
}

bool cn_apply_list(const cn_op *op, cn_tensor *const *in, int n_in, const void *params,
                   cn_tensor ***out, int *n_out)
{
    cn_call c = { .op = op, .params = params, .n_in = n_in, .in = in, .grows = true };
    *out = NULL, *n_out = 0;
    cn_complex_form *compose;
    bool ok = inputs_ready(op, in, n_in) && choose_form(op, in, n_in, &compose) && compose(&c);
    if (ok) *out = c.out, *n_out = c.n_out;
    else cn_free(c.out);
    return ok;
}

cn_tensor *cn_apply1(const cn_op *op, cn_tensor *const *in, int n_in, const void *params)
{
    cn_tensor *out;
    return cn_apply(op, in, n_in, params, &out, 1) ? out : NULL;
}

/* ---- in place ------------------------------------------------------------------------------ */

static bool may_record(const char *who, const cn_tensor *t)
{
    const cn_tensor *whole = t->base ? t->base : t;
    if (!cn_grad_enabled() || !whole->requires_grad || whole->node) return true;
    return cn_fail(CN_EINVALID,
                   "%s_: %sa leaf that requires gradients cannot change in place; do it "
                   "inside CN_NO_GRAD",
                   who, t->base ? "a view of " : "");
}

static bool may_change(const char *who, const cn_tensor *t, const cn_tensor *result)
{
    char a[128], b[128];
    if (!cn_shape_equal(&t->v.shape, &result->v.shape))
        return cn_fail(CN_EINVALID, "%s_: the result has shape %s, but the tensor to hold it %s",
                       who, cn_shape_text(&result->v.shape, a), cn_shape_text(&t->v.shape, b));
    if (cn_dtype_category(result->v.dtype) > cn_dtype_category(t->v.dtype))
        return cn_fail(CN_EINVALID, "%s_: the result is %s and cannot be stored as %s", who,
                       cn_dtype_name(result->v.dtype), cn_dtype_name(t->v.dtype));
    if (!may_record(who, t)) return false;
    bool recorded = cn_grad_enabled() && (t->requires_grad || result->requires_grad);
    return !recorded || !t->fixed || cn_tape_refuse(who, t);
}

/* The result of an op that only looks, as in unsqueeze_, is how t looks from now on. */
static bool take_result(const char *who, cn_tensor *t, cn_tensor *r)
{
    if (r->storage == t->storage) {
        if (!may_record(who, t)) return false;
        t->v = r->v;
        if (cn_grad_enabled()) cn_tape_adopt(t, r);
        return true;
    }
    if (!may_change(who, t, r) || !cn_view_writable(&t->v, who)) return false;
    if (cn_grad_enabled() && !cn_tape_change(t, r)) return false; /* else it stays what it was */
    cn_copy_view(&t->v, &r->v);
    t->storage->version++;
    return true;
}

static bool is_real(const cn_view *v)
{
    return v->dtype == CN_F32 || v->dtype == CN_F64;
}

/* Are they real numbers, those of both at the same places of their memory? */
static bool in_step(const cn_view *a, const cn_view *b)
{
    return is_real(a) && a->dtype == b->dtype && a->block == b->block && a->contiguous &&
           b->contiguous && cn_shape_equal(&a->shape, &b->shape);
}

bool cn_apply_over(const cn_op *op, cn_tensor *const *in, int n_in, const void *params)
{
    for (int i = 1; i < n_in; i++)
        if (!in_step(&in[0]->v, &in[i]->v)) return false;
    cn_tensor *out = in[0];
    cn_call c = { .op = op, .params = params, .n_in = n_in, .n_out = 1, .in = in, .out = &out };
    out->storage->version++;
    return run_kernel(&c);
}

/* Does nothing but the scope of the caller hold t, and nothing look at its memory? */
static bool is_alone(const cn_tensor *t)
{
    return t->refs == 1 && t->storage->refs == 1 && !t->is_view && t->v.contiguous &&
           is_real(&t->v);
}

static bool may_reuse(const cn_call *c)
{
    cn_tensor *const *in = c->in;
    if (cn_autocasting() || !is_alone(in[0])) return false;
    for (int i = 1; i < c->n_in; i++)
        if (in[i] == in[0] || !in_step(&in[0]->v, &in[i]->v)) return false;
    return !in[0]->v.block || cn_find_blocked_kernel(c);
}

cn_tensor *cn_apply_reusing(const cn_op *op, cn_tensor *const *in, int n_in, const void *params)
{
    for (int i = 0; i < n_in; i++)
        if (!in[i]) return NULL;
    cn_tensor *out = in[0];
    cn_call c = { .op = op, .params = params, .n_in = n_in, .n_out = 1, .in = in, .out = &out };
    if (!may_reuse(&c)) return cn_apply1(op, in, n_in, params);
    if (!(out = cn_tensor_view(in[0], &in[0]->v))) return NULL;
    out->is_view = false; /* the memory is its own from now on */
    in[0]->storage->version++;
    bool ok = run_kernel(&c) && (!cn_anomaly_on || cn_check_call(&c));
    return ok && (!wants_grad(&c) || cn_tape_record(&c)) ? out : NULL;
}

bool cn_become(const char *who, cn_tensor *t, cn_tensor *r)
{
    if (t == r) return true;
    return r && make_plain((cn_tensor *[]){ t, r }, 2) && take_result(who, t, r);
}

/* Will backward read what the call writes over? */
static bool needs_shadow(const cn_op *op, cn_tensor *const *in, int n_in)
{
    bool recorded = false, read = op->compose || (op->saves & CN_SAVE_IN(0)) != 0;
    if (!cn_grad_enabled() || op->view || n_in > MANY) return false;
    for (int i = 0; i < n_in; i++) {
        recorded |= in[i] && in[i]->requires_grad;
        read |= in[i] && ((i && in[i] == in[0]) || in[i]->v.dtype >= CN_C64);
    }
    return recorded && read;
}

static cn_tensor *result_from_shadow(const cn_op *op, cn_tensor *const *in, int n_in,
                                     const void *params)
{
    cn_tensor *with[MANY], *shadow = cn_tape_shadow(in[0]);
    for (int i = 0; i < n_in; i++) with[i] = in[i] == in[0] ? shadow : in[i];
    cn_tensor *r = shadow ? cn_apply1(op, with, n_in, params) : NULL;
    bool looks = r && r->storage == shadow->storage; /* it must look at in[0] itself */
    return looks ? cn_apply1(op, in, n_in, params) : r;
}

/* What is read where it is written must be read at the same places. */
static bool may_read(const cn_op *op, cn_tensor *const *in, int n_in)
{
    for (int i = 1; i < n_in && (op->flags & CN_POINTWISE); i++)
        if (in[i] && in[i]->storage == in[0]->storage && cn_views_cross(&in[0]->v, &in[i]->v))
            return cn_fail(CN_EINVALID,
                           "%s_: argument %d shares some elements with the tensor that changes, at "
                           "other places; clone it before",
                           op->name, i);
    return true;
}

cn_tensor *cn_apply_inplace(const cn_op *op, cn_tensor *const *in, int n_in, const void *params)
{
    size_t mark = cn_mark();
    bool ok = inputs_present(op, in, n_in) && may_read(op, in, n_in) && places_known(in, n_in) &&
              may_record(op->name, in[0]);
    cn_tensor *r = !ok                          ? NULL
                   : needs_shadow(op, in, n_in) ? result_from_shadow(op, in, n_in, params)
                                                : cn_apply1(op, in, n_in, params);
    ok = ok && cn_become(op->name, in[0], r);
    cn_release(mark);
    return ok ? in[0] : NULL;
}
