/* summary.c - what a network is made of, and how much work and memory that is. */
#include "nn/module.h"

#include <cenote/autograd.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- layers -------------------------------------------------------------------------------- */

typedef struct {
    cn_layer_info layer;
    const cn_module *module;
} Row;

typedef struct {
    cn_watch watch; /* first: `seen` gets this struct */
    Row *rows;
    int n;
    double first; /* multiply-adds of the first layer that has any */
} Walk;

static int count(const cn_module *m)
{
    int n = 1;
    for (int i = 0; i < m->n_children; i++) n += count(m->children[i].module);
    return n;
}

static Row *row_of(const Walk *w, const cn_module *m)
{
    int i = 0;
    while (i < w->n && w->rows[i].module != m) i++;
    return i < w->n ? &w->rows[i] : NULL;
}

static void list(Walk *w, const cn_module *m, const char *name, int depth)
{
    bool repeated = row_of(w, m) != NULL;
    w->rows[w->n++] = (Row){ { .name = name,
                               .cls = m->cls->name,
                               .depth = depth,
                               .children = m->n_children,
                               .repeated = repeated },
                             m };
    for (int i = 0; i < m->n_children; i++)
        list(w, m->children[i].module, m->children[i].name, depth + 1);
}

static void seen(cn_watch *watch, cn_module *m, const cn_tensor *in, const cn_tensor *out)
{
    Walk *w = (Walk *)watch;
    Row *r = row_of(w, m);
    if (!r) return; /* made during the run */
    double adds = m->cls->multiply_adds ? m->cls->multiply_adds(m, &out->v.shape) : 0;
    if (w->first == 0) w->first = adds;
    r->layer.ran = true;
    r->layer.input = in->v.shape, r->layer.output = out->v.shape;
    r->layer.multiply_adds += adds;
}

void cn_module_watch(cn_module *m, cn_watch *w)
{
    m->watch = w;
    for (int i = 0; i < m->n_children; i++) cn_module_watch(m->children[i].module, w);
}

/* Is a parameter of row `at` one of those before it? */
static bool counted(const Walk *w, int at, const cn_tensor *t)
{
    for (int i = 0; i < at; i++)
        for (int k = 0; k < w->rows[i].module->n_slots; k++)
            if (w->rows[i].module->slots[k].tensor == t) return true;
    return false;
}

static void count_parameters(const Walk *w, int at)
{
    cn_layer_info *l = &w->rows[at].layer;
    const cn_module *m = w->rows[at].module;
    for (int k = 0; k < m->n_slots; k++) {
        const cn_tensor *t = m->slots[k].tensor;
        if (m->slots[k].is_buffer || !t || counted(w, at, t)) continue;
        l->parameters += t->v.numel;
        if (t->requires_grad) l->trainable += t->v.numel;
    }
}

/* What a convolution's weight covers; of pooling, the argument of that name. */
static cn_shape kernel_of(const cn_module *m)
{
    cn_schema s;
    cn_shape kernel = { 0 };
    for (int k = 0; k < m->n_slots; k++) {
        const cn_tensor *t = m->slots[k].tensor;
        if (strcmp(m->slots[k].name, "weight") != 0 || !t || t->v.shape.ndim < 3) continue;
        return cn_shape_from(t->v.shape.ndim - 2, t->v.shape.dim + 2);
    }
    if (!m->cls->schema || !m->options || !strstr(m->cls->schema, "kernel_size")) return kernel;
    if (!cn_schema_parse(m->cls->schema, &s)) return kernel;
    for (int i = 0; i < s.n_args; i++) {
        if (strcmp(s.args[i].name, "kernel_size") != 0 || s.args[i].type != CN_ARG_INTS) continue;
        const char *at = (const char *)m->options + s.args[i].offset;
        const cn_ints *size = (const cn_ints *)(const void *)at;
        if (size->n > 0) kernel = cn_shape_from((int)size->n, size->v);
    }
    return kernel;
}

/* Runs the network; the caller frees w->rows. */
static bool walk(Walk *w, cn_module *m, cn_shape input)
{
    *w = (Walk){ .watch = { seen } };
    if (!m || !cn_build(m, input)) return false; /* lazy ones become what they are */
    w->rows = cn_alloc_zeroed((size_t)count(m) * sizeof *w->rows);
    if (!w->rows) return false;
    list(w, m, "", 0);
    cn_module_watch(m, &w->watch);
    bool ok = cn_build(m, input);
    cn_module_watch(m, NULL);
    for (int i = 0; ok && i < w->n; i++) {
        Row *r = &w->rows[i];
        if (r->layer.repeated) {
            cn_layer_info *l = &row_of(w, r->module)->layer;
            r->layer.ran = l->ran, r->layer.input = l->input, r->layer.output = l->output;
        } else {
            count_parameters(w, i);
        }
        r->layer.kernel = kernel_of(r->module);
    }
    return ok;
}

static double numel(const cn_shape *s)
{
    double n = 1;
    for (int i = 0; i < s->ndim; i++) n *= (double)s->dim[i];
    return n;
}

static cn_layer_sums sums_of(const Walk *w, const cn_shape *input)
{
    const double size = sizeof(float);
    cn_layer_sums s = { .input_bytes = numel(input) * size };
    for (int i = 0; i < w->n; i++) {
        const cn_layer_info *l = &w->rows[i].layer;
        s.parameters += l->parameters, s.trainable += l->trainable;
        s.multiply_adds += l->multiply_adds;
        if (l->ran && !l->children) s.pass_bytes += 2 * numel(&l->output) * size;
    }
    s.parameter_bytes = (double)s.parameters * size;
    return s;
}

int cn_layers(cn_module *m, cn_shape input, cn_layer_info *out, int room, cn_layer_sums *sums)
{
    Walk w;
    bool ok = walk(&w, m, input);
    for (int i = 0; ok && i < w.n && i < room; i++) out[i] = w.rows[i].layer;
    if (ok && sums) *sums = sums_of(&w, &input);
    cn_free(w.rows);
    return ok ? w.n : 0;
}

/* Backward costs a product for the weights and one for the input of each layer, but nobody wants the
   gradient of the first layer's input. */
double cn_step_flops(cn_module *m, cn_shape input)
{
    Walk w;
    bool ok = walk(&w, m, input);
    cn_layer_sums s = { 0 };
    if (ok) s = sums_of(&w, &input);
    cn_free(w.rows);
    return ok ? 2 * (3 * s.multiply_adds - w.first) : 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

typedef struct {
    char *buf;
    size_t room, length;
} Text;

static void put(Text *t, const char *fmt, ...) CN_PRINTF(2, 3);

static void put(Text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t left = t->length < t->room ? t->room - t->length : 0;
    int n = vsnprintf(left ? t->buf + t->length : NULL, left, fmt, args);
    va_end(args);
    if (n > 0) t->length += (size_t)n;
}

/* "  0 Conv2d": two columns further right for each level. */
static void layer_title(const cn_layer_info *l, char *to, size_t room)
{
    int at = 2 * l->depth < 40 ? 2 * l->depth : 40;
    snprintf(to, room, "%*s%s%s%s", at, "", l->name, *l->name ? " " : "", l->cls);
}

static const char *shape_or_dashes(const cn_shape *s, bool known, char buf[128])
{
    return known ? cn_shape_text(s, buf) : "--";
}

static void put_number(Text *t, int width, double x, bool known)
{
    if (known) put(t, " %*.0f", width, x);
    else put(t, " %*s", width, "--");
}

/* A layer at the last level that is shown stands for those below it. */
static cn_layer_info with_those_below(const Row *rows, int n, int at, int depth)
{
    cn_layer_info l = rows[at].layer;
    bool last = depth > 0 && l.depth == depth;
    for (int i = at + 1; last && i < n && rows[i].layer.depth > l.depth; i++) {
        l.parameters += rows[i].layer.parameters, l.trainable += rows[i].layer.trainable;
        l.multiply_adds += rows[i].layer.multiply_adds;
    }
    if (last) l.children = 0;
    return l;
}

static void put_layer(Text *t, const cn_layer_info *l)
{
    char title[160], from[128], to[128], kernel[128];
    bool leaf = !l->children;
    layer_title(l, title, sizeof title);
    put(t, "%-30s %-18s %-18s %-8s", title, shape_or_dashes(&l->input, l->ran, from),
        shape_or_dashes(&l->output, l->ran, to),
        shape_or_dashes(&l->kernel, l->kernel.ndim > 0, kernel));
    if (l->repeated) {
        put(t, " %12s %14s\n", "(repeated)", "--");
        return;
    }
    put_number(t, 12, (double)l->parameters, leaf || l->parameters);
    put_number(t, 14, l->multiply_adds, leaf || l->multiply_adds > 0);
    put(t, "%s\n", l->trainable < l->parameters ? "  (frozen)" : "");
}

static void put_sums(Text *t, const cn_layer_sums *s)
{
    const double mb = 1e-6;
    put(t, "total: %lld parameters, %lld trainable and %lld not; %.4g million multiply-adds\n",
        (long long)s->parameters, (long long)s->trainable,
        (long long)(s->parameters - s->trainable), s->multiply_adds / 1e6);
    put(t, "input %.2f MB, forward and backward %.2f MB, parameters %.2f MB: %.2f MB\n",
        s->input_bytes * mb, s->pass_bytes * mb, s->parameter_bytes * mb,
        (s->input_bytes + s->pass_bytes + s->parameter_bytes) * mb);
}

size_t cn_summary_to(cn_module *m, cn_shape input, int depth, char *buf, size_t room)
{
    Walk w;
    Text t = { buf, room, 0 };
    if (!walk(&w, m, input)) return cn_free(w.rows), 0;
    put(&t, "%-30s %-18s %-18s %-8s %12s %14s\n", "layer", "input", "output", "kernel",
        "parameters", "multiply-adds");
    for (int i = 0; i < w.n; i++) {
        if (depth > 0 && w.rows[i].layer.depth > depth) continue;
        cn_layer_info l = with_those_below(w.rows, w.n, i, depth);
        put_layer(&t, &l);
    }
    cn_layer_sums s = sums_of(&w, &input);
    put_sums(&t, &s);
    cn_free(w.rows);
    return t.length;
}

size_t cn_summary(cn_module *m, cn_shape input, char *buf, size_t room)
{
    return cn_summary_to(m, input, 0, buf, room);
}
