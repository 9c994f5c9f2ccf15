/* functional.c - derivatives of functions, from backward passes. */
#include "core/op.h"
#include "core/tape.h"

#include <cenote/autograd.h>

#include <string.h>

/* A function at a point: x are the inputs it got, y what it made of them. */
typedef struct {
    cn_tensor **x, *y;
    int n;
    bool create, was_enabled;
    size_t mark;
} Point;

/* ---- evaluating ---------------------------------------------------------------------------- */

/* An input of its own for the function, within the caller's graph if that is to go on. */
static cn_tensor *own_input(cn_tensor *t, bool create)
{
    if (!t) return NULL;
    if (!create || !t->requires_grad) return cn_requires_grad(cn_detach(t), true);
    return cn_apply1(cn_op_find("view_as"), (cn_tensor *[]){ t, t }, 2, NULL);
}

static bool open_point(Point *p, cn_function *f, cn_tensor *const *in, int n, void *context,
                       const cn_backward_options *options)
{
    *p = (Point){ .n = n, .create = options && options->create_graph, .mark = cn_mark() };
    p->was_enabled = cn_set_grad_enabled(true);
    if (n < 1) return cn_fail(CN_EINVALID, "derivative: a function without inputs");
    p->x = cn_alloc_zeroed((size_t)n * sizeof(cn_tensor *));
    for (int i = 0; p->x && i < n; i++)
        if (!(p->x[i] = own_input(in[i], p->create))) return false;
    if (!p->x) return false;
    p->y = f(p->x, context);
    return p->y || cn_fail(CN_EINVALID, "derivative: the function returned NULL");
}

/* Gives the results to the caller's scope, outside of any graph unless it is wanted. */
static bool close_point(Point *p, bool ok, cn_tensor **results, int n, cn_tensor **out)
{
    for (int i = 0; i < n; i++)
        if (!ok) results[i] = NULL;
        else if (!p->create && results[i]) results[i] = cn_detach(results[i]);
    cn_tensor *y = ok ? p->y : NULL;
    if (y && !p->create) y = cn_detach(y);
    cn_set_grad_enabled(p->was_enabled);
    cn_free(p->x);
    if (out) *out = cn_ref(y);
    ok = cn_return_all(p->mark, results, n);
    if (out) *out = cn_scope_add(*out);
    return ok && (!out || *out) && cn_ok();
}

/* grads[i] = d(outs . cotangents)/d(x[i]), zeros where there is none. */
static bool gradients(cn_tensor *const *outs, cn_tensor *const *cotangents, int n_outs,
                      cn_tensor *const *x, int n, cn_tensor **grads, bool create)
{
    cn_backward_options o = { sizeof o, .retain_graph = true, .create_graph = create,
                              .allow_unused = true };
    memset(grads, 0, (size_t)n * sizeof *grads);
    if (n_outs && !cn_grad_of(outs, cotangents, n_outs, x, n, grads, &o)) return false;
    for (int i = 0; i < n; i++)
        if (!grads[i] && !(grads[i] = cn_zeros(x[i]->v.shape, x[i]->v.dtype))) return false;
    return true;
}

/* A constant function has no graph to go through. */
static bool gradient_at(const Point *p, cn_tensor *v, cn_tensor **grads, bool create)
{
    return gradients(&p->y, v ? &v : NULL, p->y->requires_grad, p->x, p->n, grads, create);
}

static bool one_number(const Point *p, const char *what)
{
    if (p->y->v.numel == 1) return true;
    char text[128];
    return cn_fail(CN_EINVALID, "%s: the function must return one number, not a tensor of shape %s",
                   what, cn_shape_text(&p->y->v.shape, text));
}

static bool same_shape(const cn_tensor *v, const cn_tensor *like, const char *what, int i)
{
    char a[128], b[128];
    if (!v) return false;
    if (cn_shape_equal(&v->v.shape, &like->v.shape)) return true;
    return cn_fail(CN_EINVALID, "%s: v[%d] has shape %s, what it belongs to %s", what, i,
                   cn_shape_text(&v->v.shape, a), cn_shape_text(&like->v.shape, b));
}

static bool directions_fit(const Point *p, cn_tensor *const *v, const char *what)
{
    for (int i = 0; i < p->n; i++) {
        if (v && !same_shape(v[i], p->x[i], what, i)) return false;
        if (!v && p->x[i]->v.numel != 1)
            return cn_fail(CN_EINVALID,
                           "%s: v may be left out for inputs of one element, not for input %d",
                           what, i);
    }
    return true;
}

/* ---- products ------------------------------------------------------------------------------ */

bool cn_vjp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *v,
            cn_tensor **out, cn_tensor **grads, const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options);
    if (ok && v) ok = same_shape(v, p.y, "vjp", 0);
    if (ok && !v) ok = one_number(&p, "vjp without v");
    ok = ok && gradient_at(&p, v, grads, p.create);
    return close_point(&p, ok, grads, n, out);
}

/* Keeps of y and v those whose y has a graph: the others are constants. */
static int differentiable(cn_tensor **y, cn_tensor **v, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (!y[i]->requires_grad) continue;
        y[count] = y[i];
        v[count++] = v[i];
    }
    return count;
}

/* result[k] = sum over i of d(y[k])/d(x[i]) v[i]. With cotangents u, which are variables here,
   the gradients u J are linear in u; the derivative of (u J) . v with respect to u is J v. */
static bool directional(const Point *p, cn_tensor **y, int n_y, cn_tensor *const *v,
                        cn_tensor **result)
{
    size_t n = (size_t)p->n, m = (size_t)n_y;
    cn_tensor **room = cn_alloc_zeroed((2 * n + 2 * m) * sizeof(cn_tensor *));
    if (!room) return false;
    cn_tensor **g = room, **along = g + n, **u = along + n, **roots = u + m;
    bool ok = true;
    for (int k = 0; k < n_y; k++) {
        u[k] = cn_requires_grad(cn_zeros(y[k]->v.shape, y[k]->v.dtype), true);
        ok &= u[k] != NULL;
        roots[k] = y[k];
    }
    for (int i = 0; i < p->n; i++)
        along[i] = v ? v[i] : cn_ones(p->x[i]->v.shape, p->x[i]->v.dtype);
    cn_tensor **seeds = cn_alloc(m * sizeof(cn_tensor *));
    if (ok && seeds) memcpy(seeds, u, m * sizeof(cn_tensor *));
    ok = ok && seeds;
    ok = ok && gradients(roots, seeds, differentiable(roots, seeds, n_y), p->x, p->n, g, true);
    ok = ok && gradients(g, along, differentiable(g, along, p->n), u, n_y, result, p->create);
    cn_free(seeds);
    cn_free(room);
    return ok;
}

bool cn_jvp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
            cn_tensor **out, cn_tensor **jvp, const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options) && directions_fit(&p, v, "jvp");
    ok = ok && directional(&p, &p.y, 1, v, jvp);
    return close_point(&p, ok, jvp, 1, out);
}

typedef bool Product(const Point *p, cn_tensor **g, cn_tensor *const *v, cn_tensor **result);

static bool hessian_times_v(const Point *p, cn_tensor **g, cn_tensor *const *v, cn_tensor **result)
{
    return directional(p, g, p->n, v, result);
}

static bool v_times_hessian(const Point *p, cn_tensor **g, cn_tensor *const *v, cn_tensor **result)
{
    cn_tensor **along = cn_alloc((size_t)p->n * sizeof(cn_tensor *));
    if (!along) return false;
    for (int i = 0; i < p->n; i++)
        along[i] = v ? v[i] : cn_ones(p->x[i]->v.shape, p->x[i]->v.dtype);
    bool ok = gradients(g, along, differentiable(g, along, p->n), p->x, p->n, result, p->create);
    cn_free(along);
    return ok;
}

static bool hessian_product(const Point *p, const char *what, Product *product, cn_tensor *const *v,
                            cn_tensor **result)
{
    if (!directions_fit(p, v, what) || !one_number(p, what)) return false;
    cn_tensor **g = cn_alloc((size_t)p->n * sizeof(cn_tensor *));
    bool ok = g && gradient_at(p, NULL, g, true) && product(p, g, v, result);
    cn_free(g);
    return ok;
}

bool cn_hvp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
            cn_tensor **out, cn_tensor **hvp, const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options);
    ok = ok && hessian_product(&p, "hvp", hessian_times_v, v, hvp);
    return close_point(&p, ok, hvp, n, out);
}

bool cn_vhp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
            cn_tensor **out, cn_tensor **vhp, const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options);
    ok = ok && hessian_product(&p, "vhp", v_times_hessian, v, vhp);
    return close_point(&p, ok, vhp, n, out);
}

/* ---- whole matrices ------------------------------------------------------------------------ */

static cn_tensor *shaped(cn_tensor *t, const cn_shape *shape)
{
    cn_ints size = { .n = shape->ndim };
    memcpy(size.v, shape->dim, sizeof size.v);
    return cn_apply1(cn_op_find("reshape"), &t, 1, &size);
}

static bool joined_shape(const cn_shape *a, const cn_shape *b, cn_shape *out)
{
    *out = *a;
    if (a->ndim + b->ndim > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID,
                       "jacobian: an output of %d dimensions by an input of %d has "
                       "more than %d",
                       a->ndim, b->ndim, CN_MAX_DIMS);
    for (int i = 0; i < b->ndim; i++) out->dim[out->ndim++] = b->dim[i];
    return true;
}

/* One tensor of the gradients of y's elements with respect to x. */
static cn_tensor *matrix_of(cn_tensor **rows, int64_t count, const cn_tensor *y, const cn_tensor *x)
{
    struct {
        int64_t dim;
    } params = { 0 };
    cn_shape shape, flat = { .ndim = 1, .dim = { x->v.numel } };
    if (!joined_shape(&y->v.shape, &x->v.shape, &shape)) return NULL;
    if (!count) return cn_zeros(shape, x->v.dtype);
    for (int64_t k = 0; k < count; k++)
        if (!(rows[k] = shaped(rows[k], &flat))) return NULL;
    cn_tensor *all = cn_apply1(cn_op_find("stack"), rows, (int)count, &params);
    return all ? shaped(all, &shape) : NULL;
}

static cn_tensor *unit(const cn_tensor *like, int64_t k)
{
    cn_tensor *t = cn_zeros(like->v.shape, like->v.dtype);
    if (t) cn_store_f64(t->v.data + (size_t)k * cn_dtype_size(t->v.dtype), t->v.dtype, 1);
    return t;
}

/* matrices[i] = d(y)/d(x[i]), row by row: rows[i][k] is the gradient of y's k-th element. */
static bool jacobian_of(const Point *p, cn_tensor *y, cn_tensor **matrices, bool create)
{
    int64_t count = y->v.numel;
    if (count > INT32_MAX) return cn_fail(CN_EINVALID, "jacobian: the output is too large");
    size_t rows_each = (size_t)count + 1, n = (size_t)p->n;
    cn_tensor **rows = cn_alloc(n * rows_each * sizeof(cn_tensor *));
    cn_tensor **g = cn_alloc(n * sizeof(cn_tensor *));
    bool ok = rows && g;
    for (int64_t k = 0; k < count && ok; k++) {
        cn_tensor *e = unit(y, k);
        ok = e && gradients(&y, &e, y->requires_grad, p->x, p->n, g, create);
        for (size_t i = 0; i < n && ok; i++) rows[i * rows_each + (size_t)k] = g[i];
    }
    for (size_t i = 0; i < n && ok; i++) {
        matrices[i] = matrix_of(rows + i * rows_each, count, y, p->x[i]);
        ok = matrices[i] != NULL;
    }
    cn_free(g);
    cn_free(rows);
    return ok;
}

bool cn_jacobian(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor **jacobian,
                 const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options);
    ok = ok && jacobian_of(&p, p.y, jacobian, p.create);
    return close_point(&p, ok, jacobian, n, NULL);
}

bool cn_hessian(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor **hessian,
                const cn_backward_options *options)
{
    Point p;
    bool ok = open_point(&p, f, in, n, context, options) && one_number(&p, "hessian");
    cn_tensor **g = ok ? cn_alloc((size_t)n * sizeof(cn_tensor *)) : NULL;
    ok = g && gradient_at(&p, NULL, g, true);
    for (int i = 0; i < n && ok; i++) ok = jacobian_of(&p, g[i], hessian + i * n, p.create);
    cn_free(g);
    return close_point(&p, ok, hessian, n < 1 ? 0 : n * n, NULL);
}
