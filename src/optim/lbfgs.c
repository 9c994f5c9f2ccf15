/* lbfgs.c - limited-memory BFGS (Nocedal and Wright, Numerical Optimization, section 7.2).

   All parameters form one vector. The arithmetic is double whatever their type: differences of nearby
   gradients decide everything here. */
#include "optim/optim.h"
#include "optim/wolfe.h"

#include <math.h>
#include <string.h>

/* State, under PyTorch's names. */
enum { D, T, OLD_DIRS, OLD_STPS, RO, H_DIAG, PREV_GRAD, PREV_LOSS, N_ITER, FUNC_EVALS };

typedef struct Lbfgs {
    double lr;
    int64_t max_iter;
    cn_opt_int max_eval;
    double tolerance_grad, tolerance_change;
    int64_t history_size;
    const char *line_search_fn;
} Lbfgs;

/* One call of step. */
typedef struct Run {
    cn_optim *o;
    const Lbfgs *options;
    cn_closure *closure;
    void *context;
    int64_t n, most_iterations, most_evaluations, evaluations;
    double loss;
    double *g, *x;      /* gradient; where this iteration began */
    double *at[3];      /* gradients of the line search */
    double *d, *before; /* of the state: direction, gradient before it */
    double *t, *scale, *loss_before, *iterations, *all_evaluations;
} Run;

/* ---- vectors ---------------------------------------------------------------------------------- */

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void add_scaled(int64_t n, double *y, double a, const double *x)
{
    for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

static double largest(int64_t n, const double *a)
{
    double most = 0;
    for (int64_t i = 0; i < n && !isnan(most); i++)
        if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
    return most;
}

static double sum_of_sizes(int64_t n, const double *a)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += fabs(a[i]);
    return sum;
}

/* ---- between parameters and vectors ------------------------------------------------------------- */

static cn_view view_of(double *at, const cn_shape *shape)
{
    cn_view v = { .data = (char *)at, .dtype = CN_F64 };
    cn_view_rows(&v, shape, "LBFGS");
    return v;
}

static void gather_gradient(const Run *r, double *g)
{
    for (int i = 0; i < r->o->groups[0].n; i++) {
        const cn_tensor *p = r->o->groups[0].params[i].tensor;
        cn_view part = view_of(g, &p->v.shape);
        if (p->grad) cn_copy_view(&part, &p->grad->v);
        else cn_fill_view(&part, 0);
        g += p->v.numel;
    }
}

static void gather_place(const Run *r)
{
    double *x = r->x;
    for (int i = 0; i < r->o->groups[0].n; i++) {
        const cn_tensor *p = r->o->groups[0].params[i].tensor;
        cn_view part = view_of(x, &p->v.shape);
        cn_copy_view(&part, &p->v);
        x += p->v.numel;
    }
}

/* The parameters become x + t d. */
static void go_to(const Run *r, double t)
{
    const double *x = r->x, *d = r->d;
    for (int i = 0; i < r->o->groups[0].n; i++) {
        const cn_tensor *p = r->o->groups[0].params[i].tensor;
        const size_t size = cn_dtype_size(p->v.dtype);
        for (int64_t k = 0; k < p->v.numel; k++)
            cn_store_f64(p->v.data + (size_t)k * size, p->v.dtype, x[k] + t * d[k]);
        p->storage->version++;
        x += p->v.numel, d += p->v.numel;
    }
}

/* Loss and gradient where the parameters are now. */
static bool evaluate(Run *r, double *loss, double *g)
{
    *loss = r->closure ? cn_call_closure(r->closure, r->context) : (double)NAN;
    if (!cn_ok()) return false;
    gather_gradient(r, g);
    r->evaluations++;
    ++*r->all_evaluations;
    return true;
}

/* ---- directions ---------------------------------------------------------------------------------- */

static void forget(cn_optim *o)
{
    for (int k = OLD_DIRS; k <= RO; k++) cn_shared_clear(o, k);
}

/* The last change of gradient y and of place s, where y s is positive enough to be of use. */
static bool remember(Run *r)
{
    const int64_t n = r->n, most = r->options->history_size;
    double ys = 0, yy = 0;
    for (int64_t i = 0; i < n; i++) {
        double y = r->g[i] - r->before[i];
        ys += y * *r->t * r->d[i], yy += y * y;
    }
    if (!(ys > 1e-10)) return true;
    double *y = cn_shared_next(r->o, OLD_DIRS, CN_SHAPE(n), most),
           *s = y ? cn_shared_next(r->o, OLD_STPS, CN_SHAPE(n), most) : NULL,
           *ro = s ? cn_shared_next(r->o, RO, cn_scalar_shape(), most) : NULL;
    if (!ro) return forget(r->o), false;
    for (int64_t i = 0; i < n; i++) y[i] = r->g[i] - r->before[i], s[i] = *r->t * r->d[i];
    *ro = 1 / ys;
    *r->scale = ys / yy;
    return true;
}

static const double *old(const Run *r, int k, int i)
{
    return (const double *)(const void *)r->o->shared[k].v[i]->v.data;
}

/* d = -H g by the two-loop recursion, H the inverse Hessian that the remembered changes suggest. */
static bool two_loops(Run *r)
{
    const int m = r->o->shared[RO].n;
    const int64_t n = r->n;
    double *alpha = cn_alloc((size_t)m * sizeof *alpha + 1), *q = r->d;
    if (!alpha) return false;
    for (int64_t i = 0; i < n; i++) q[i] = -r->g[i];
    for (int i = m - 1; i >= 0; i--) {
        alpha[i] = dot(n, old(r, OLD_STPS, i), q) * *old(r, RO, i);
        add_scaled(n, q, -alpha[i], old(r, OLD_DIRS, i));
    }
    for (int64_t i = 0; i < n; i++) q[i] *= *r->scale;
    for (int i = 0; i < m; i++) {
        double beta = dot(n, old(r, OLD_DIRS, i), q) * *old(r, RO, i);
        add_scaled(n, q, alpha[i] - beta, old(r, OLD_STPS, i));
    }
    cn_free(alpha);
    return true;
}

static bool choose_direction(Run *r)
{
    const bool first = ++*r->iterations == 1;
    if (first) {
        forget(r->o);
        *r->scale = 1;
        for (int64_t i = 0; i < r->n; i++) r->d[i] = -r->g[i];
    } else if (!remember(r) || !two_loops(r)) {
        return false;
    }
    memcpy(r->before, r->g, (size_t)r->n * sizeof(double));
    *r->loss_before = r->loss;
    *r->t = r->options->lr * (first ? fmin(1, 1 / sum_of_sizes(r->n, r->g)) : 1);
    return true;
}

/* ---- steps ------------------------------------------------------------------------------------------ */

static bool evaluate_on_line(void *context, cn_line_point *p)
{
    Run *r = context;
    go_to(r, p->t);
    if (!evaluate(r, &p->value, p->gradient)) return false;
    p->slope = dot(r->n, p->gradient, r->d);
    return true;
}

static bool search(Run *r, double slope)
{
    const cn_line_point start = { 0, r->loss, slope, r->g };
    cn_line line = { .evaluate = evaluate_on_line, .context = r, .n = r->n };
    line.smallest = r->options->tolerance_change / largest(r->n, r->d);
    for (int i = 0; i < 3; i++) line.at[i].gradient = r->at[i];
    line.at[1].t = *r->t;
    const cn_line_point *p = cn_strong_wolfe(&line, &start);
    if (!p) return go_to(r, 0), false;
    *r->t = p->t, r->loss = p->value;
    memcpy(r->g, p->gradient, (size_t)r->n * sizeof(double));
    go_to(r, *r->t);
    return true;
}

/* The last iteration of a step does not ask how far it came: the next step will. */
static bool advance(Run *r, double slope, bool last)
{
    gather_place(r);
    if (r->options->line_search_fn) return search(r, slope);
    go_to(r, *r->t);
    return last || evaluate(r, &r->loss, r->g);
}

static bool arrived(const Run *r)
{
    const Lbfgs *o = r->options;
    return r->evaluations >= r->most_evaluations || largest(r->n, r->g) <= o->tolerance_grad ||
           fabs(*r->t) * largest(r->n, r->d) <= o->tolerance_change ||
           fabs(r->loss - *r->loss_before) < o->tolerance_change;
}

static bool iterate(Run *r, double *loss)
{
    if (!evaluate(r, &r->loss, r->g)) return false;
    *loss = r->loss;
    if (largest(r->n, r->g) <= r->options->tolerance_grad) return true;
    for (int64_t i = 1; i <= r->most_iterations; i++) {
        if (!choose_direction(r)) return false;
        double slope = dot(r->n, r->g, r->d);
        if (slope > -r->options->tolerance_change) return true;
        if (!advance(r, slope, i == r->most_iterations)) return false;
        if (arrived(r)) return true;
    }
    return true;
}

/* ---- the class ---------------------------------------------------------------------------------------- */

/* What was read from a file is believed only if its sizes agree. */
static bool history_fits(const Run *r)
{
    const cn_tensors *lists = r->o->shared, *ro = &lists[RO];
    bool ok = lists[OLD_DIRS].n == ro->n && lists[OLD_STPS].n == ro->n;
    for (int i = 0; ok && i < ro->n; i++)
        ok = lists[OLD_DIRS].v[i]->v.numel == r->n && lists[OLD_STPS].v[i]->v.numel == r->n &&
             ro->v[i]->v.numel == 1;
    return ok || cn_fail(CN_EINVALID, "LBFGS: the history is not one of these parameters");
}

static bool find_state(Run *r)
{
    return history_fits(r) && (r->d = cn_shared_vector(r->o, D, r->n)) &&
           (r->t = cn_shared_number(r->o, T, 0)) &&
           (r->scale = cn_shared_number(r->o, H_DIAG, 1)) &&
           (r->before = cn_shared_vector(r->o, PREV_GRAD, r->n)) &&
           (r->loss_before = cn_shared_number(r->o, PREV_LOSS, 0)) &&
           (r->iterations = cn_shared_number(r->o, N_ITER, 0)) &&
           (r->all_evaluations = cn_shared_number(r->o, FUNC_EVALS, 0));
}

static bool lbfgs_step(cn_optim *o, cn_closure *closure, void *context, double *loss)
{
    if (o->n_groups != 1)
        return cn_fail(CN_EINVALID, "LBFGS: all parameters form one group, not %d", o->n_groups);
    const Lbfgs *p = o->groups[0].options;
    if (!closure && p->line_search_fn)
        return cn_fail(CN_EINVALID, "LBFGS: a line search needs a closure: cn_step_closure()");
    Run r = { .o = o, .options = p, .closure = closure, .context = context };
    r.most_iterations = closure ? p->max_iter : 1;
    r.most_evaluations = p->max_eval.given ? p->max_eval.value : p->max_iter * 5 / 4;
    for (int i = 0; i < o->groups[0].n; i++) r.n += o->groups[0].params[i].tensor->v.numel;
    size_t bytes;
    double *room =
        cn_mul_size((size_t)r.n, 5 * sizeof *room, &bytes, "LBFGS") ? cn_alloc(bytes) : NULL;
    if (!room) return false;
    r.g = room, r.x = room + r.n;
    for (int i = 0; i < 3; i++) r.at[i] = room + (2 + i) * r.n;
    bool ok = find_state(&r) && iterate(&r, loss);
    cn_free(room);
    return ok;
}

static bool lbfgs_check(const void *options)
{
    const Lbfgs *o = options;
    if (o->line_search_fn && strcmp(o->line_search_fn, "strong_wolfe") != 0)
        return cn_fail(CN_EINVALID, "LBFGS: line_search_fn '%s' must be strong_wolfe or None",
                       o->line_search_fn);
    if (o->history_size < 1 || o->max_iter < 1 || o->max_iter > INT64_MAX / 5)
        return cn_fail(CN_EINVALID, "LBFGS: max_iter and history_size must be positive");
    return cn_not_negative("LBFGS", "lr", o->lr);
}

const cn_optim_class cn_optim_LBFGS = {
    .name = "LBFGS",
    .schema = "LBFGS(float lr=1, int max_iter=20, int? max_eval=None, float tolerance_grad=1e-07, "
              "float tolerance_change=1e-09, int history_size=100, str? line_search_fn=None)",
    .doc = "Quasi-Newton steps from the last changes of gradient and place.",
    .uncounted = true,
    .shared = { { "d", CN_SHARED_TENSOR },
                { "t", CN_SHARED_NUMBER },
                { "old_dirs", CN_SHARED_TENSORS },
                { "old_stps", CN_SHARED_TENSORS },
                { "ro", CN_SHARED_TENSORS },
                { "H_diag", CN_SHARED_TENSOR },
                { "prev_flat_grad", CN_SHARED_TENSOR },
                { "prev_loss", CN_SHARED_NUMBER },
                { "n_iter", CN_SHARED_COUNT },
                { "func_evals", CN_SHARED_COUNT } },
    .check = lbfgs_check,
    .step = lbfgs_step,
};
