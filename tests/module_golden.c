/* module_golden.c - made, run and trained by name as tools/golden_modules.py does with PyTorch. */
#include "module_golden.h"

#include "ops/sample.h"

#include <cenote/cenote.h>

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 3, OUTPUTS = 8, KEY = 320, MODULES = 8 };

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static cn_dict *golden;

int module_golden_open(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/modules.safetensors");
    if (!golden) printf("%s\n", cn_error());
    return golden ? 0 : -1;
}

int module_golden_close(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

/* ---- what there is to run ------------------------------------------------------------------- */

typedef struct {
    const ModuleCase *c;
    cn_module *module;
    cn_sample inputs;
    cn_tensor *tensors[CN_MAX_ARGS]; /* among the inputs, in order */
    cn_ffi_value out[OUTPUTS];
    int n_tensors, n_out, compared, failures;
} Run;

/* As golden.py draws them. */
static bool draw_parameter(const cn_entry *e, void *context)
{
    int *stream = context;
    if (e->is_buffer) return true;
    const cn_shape *s = cn_shape_of(e->tensor);
    size_t n = strlen(e->name);
    bool is_scale = s->ndim == 1 && n >= 6 && strcmp(e->name + n - 6, "weight") == 0;
    bool is_matrix = s->ndim > 1, ok = false;
    int64_t count = cn_numel(e->tensor);
    double gain = is_matrix ? (double)(float)pow((double)(count / s->dim[0]), -0.5) : 0.125;
    float *x = calloc((size_t)count, sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++) {
        uint32_t r[4];
        cn_philox(7, (uint64_t)*stream, (uint64_t)i, r);
        float u = (float)(2 * (double)r[0] * 0x1p-32 - 1);
        x[i] = (float)((double)u * gain + (is_scale && !is_matrix ? 1 : 0));
    }
    CN_NO_GRAD ok = cn_write(e->tensor, CN_F32, x, count);
    free(x);
    ++*stream;
    return ok;
}

static void collect(Run *r, const cn_ffi_value *v)
{
    for (int i = 0; v->kind == CN_KIND_LIST && i < v->n; i++) collect(r, &v->u.list[i]);
    if (v->kind == CN_KIND_TENSOR) r->tensors[r->n_tensors++] = v->u.t;
}

/* ---- modules as arguments ------------------------------------------------------------------- */

/* Where "CLASS(arguments)" begins in p, and how long it is; NULL: nowhere. */
static const char *find_module(const char *p, size_t *length)
{
    for (; *p; p++) {
        size_t word = isupper((unsigned char)*p) ? strspn(p, LETTERS) : 0;
        if (word && p[word] == '(') return *length = (size_t)(strchr(p, ')') + 1 - p), p;
        if (word) p += word - 1;
    }
    return NULL;
}

static cn_module *made(const char *cls, const char *constructor);

/* "CLASS(arguments)" */
static cn_module *made_of(const char *text, size_t length)
{
    char copy[KEY];
    snprintf(copy, sizeof copy, "%.*s", (int)length - 1, text);
    char *arguments = strchr(copy, '(');
    *arguments++ = 0;
    return made(copy, arguments);
}

/* The text with None in the place of modules; how many there are. */
static int take_modules_out(const char *text, char rest[KEY], cn_module *modules[MODULES])
{
    size_t length, at = 0;
    int n = 0;
    const char *found;
    while (n < MODULES && (found = find_module(text, &length))) {
        at += (size_t)snprintf(rest + at, KEY - at, "%.*sNone", (int)(found - text), text);
        modules[n++] = made_of(found, length);
        text = found + length;
    }
    snprintf(rest + at, KEY - at, "%s", text);
    return n;
}

static cn_module *made(const char *cls, const char *constructor)
{
    cn_sample options;
    char rest[KEY];
    cn_module *modules[MODULES], *m;
    int n = take_modules_out(constructor, rest, modules), used = 0;
    if (!cn_sample_args(cls, rest, CN_F32, 42, &options)) fail_msg("%s: %s", cls, cn_error());
    for (int i = 0; i < options.n_args; i++)
        if (options.args[i].value.kind == CN_KIND_NONE && used < n)
            options.args[i].value =
                (cn_ffi_value){ .kind = CN_KIND_MODULE, .u.m = modules[used++] };
    if (cn_ffi_module_new(cls, options.args, options.n_args, &m))
        fail_msg("%s(%s): %s", cls, constructor, cn_error());
    for (int i = 0; i < n; i++) cn_module_free(modules[i]);
    return m;
}

/* ---- one run -------------------------------------------------------------------------------- */

static void drop_outputs(Run *r)
{
    for (int i = 0; i < r->n_out; i++)
        if (r->out[i].kind == CN_KIND_TENSOR) cn_drop(r->out[i].u.t);
    r->n_out = 0;
}

static cn_tensor *cotangent(const cn_tensor *t, int which)
{
    cn_tensor *g = cn_empty(*cn_shape_of(t), CN_F32);
    float *x = cn_data_mut(g);
    for (int64_t k = 0; k < cn_numel(g); k++) x[k] = (float)sin(1.0 + (double)k + 10.0 * which);
    return g;
}

static void forward(Run *r)
{
    drop_outputs(r);
    r->n_out = OUTPUTS;
    if (cn_ffi_module_forward(r->module, r->inputs.args, r->inputs.n_args, r->out, &r->n_out))
        fail_msg("%s(%s)(%s): %s", r->c->cls, r->c->constructor, r->c->inputs, cn_error());
}

/* forward() and the gradient of sum_i sum(output_i sin(1 + k + 10 i)). */
static void run(Run *r)
{
    cn_tensor *outs[OUTPUTS], *cotangents[OUTPUTS];
    int n = 0, place = 0;
    forward(r);
    for (int i = 0; i < r->n_out; i++) {
        if (r->out[i].kind != CN_KIND_TENSOR) continue;
        cn_tensor *t = r->out[i].u.t;
        if (cn_dtype_is_float(cn_dtype_of(t))) outs[n] = t, cotangents[n++] = cotangent(t, place);
        place++;
    }
    if (!cn_backward_of(outs, cotangents, n, NULL)) fail_msg("%s: %s", r->c->cls, cn_error());
}

static void make(Run *r)
{
    int stream = 0;
    if (!cn_sample_args(r->c->cls, r->c->inputs, CN_F32, 42, &r->inputs))
        fail_msg("%s(%s): %s", r->c->cls, r->c->inputs, cn_error());
    r->module = made(r->c->cls, r->c->constructor);
    if (strncmp(r->c->cls, "Lazy", 4) == 0) forward(r); /* the shapes are known then */
    if (!cn_visit(r->module, draw_parameter, &stream)) fail_msg("%s: %s", r->c->cls, cn_error());
    for (int i = 0; i < r->inputs.n_args; i++) collect(r, &r->inputs.args[i].value);
    for (int i = 0; i < r->n_tensors; i++)
        if (cn_dtype_is_float(cn_dtype_of(r->tensors[i]))) cn_requires_grad(r->tensors[i], true);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void compare(Run *r, const char *what, const cn_tensor *got)
{
    char key[KEY];
    snprintf(key, sizeof key, "%s|%s|%s|%s", r->c->cls, r->c->constructor, r->c->inputs, what);
    const cn_tensor *want = cn_dict_tensor(golden, key);
    int64_t n = want ? cn_numel(want) : 0;
    r->compared++;
    bool same = want && got && cn_ndim(got) == cn_ndim(want);
    for (int i = 0; same && i < cn_ndim(got); i++) same = cn_size(got, i) == cn_size(want, i);
    if (!same) {
        printf("%s: %s\n", key, !want ? "not stored" : !got ? "missing" : "of another shape");
        r->failures++;
        return;
    }
    double *x = calloc((size_t)(2 * n + 1), sizeof *x), *y = x + n;
    assert_non_null(x);
    assert_true(cn_read(got, CN_F64, x, n) && cn_read(want, CN_F64, y, n));
    for (int64_t i = 0; i < n; i++) {
        /* Both sides round to float; normalising four numbers magnifies that up to 300 times. */
        if (fabs(x[i] - y[i]) <= 5e-5 * fmax(fabs(y[i]), 1)) continue;
        printf("%s: element %lld is %.9g, PyTorch says %.9g\n", key, (long long)i, x[i], y[i]);
        r->failures++;
        break;
    }
    free(x);
}

static bool compare_gradient(const cn_entry *e, void *context)
{
    char what[128];
    snprintf(what, sizeof what, "grad|%s", e->name);
    if (!e->is_buffer) compare(context, what, cn_grad(e->tensor));
    return true;
}

static bool compare_state(const cn_entry *e, void *context)
{
    char what[128];
    snprintf(what, sizeof what, "sgd|%s", e->name);
    compare(context, what, e->tensor);
    return true;
}

static void compare_outputs(Run *r, const char *prefix)
{
    char what[16];
    for (int i = 0, place = 0; i < r->n_out; i++) {
        if (r->out[i].kind != CN_KIND_TENSOR) continue;
        snprintf(what, sizeof what, "%s%d", prefix, place++);
        compare(r, what, r->out[i].u.t);
    }
}

static void compare_run(Run *r)
{
    char what[16];
    compare_outputs(r, "");
    for (int i = 0; i < r->n_tensors; i++) {
        snprintf(what, sizeof what, "g%d", i);
        if (cn_grad(r->tensors[i])) compare(r, what, cn_grad(r->tensors[i]));
    }
    cn_visit(r->module, compare_gradient, r);
}

static void compare_evaluation(Run *r)
{
    cn_train_mode(r->module, false);
    forward(r);
    compare_outputs(r, "eval|");
}

static int stored(const ModuleCase *c)
{
    char prefix[KEY];
    int n = 0,
        length = snprintf(prefix, sizeof prefix, "%s|%s|%s|", c->cls, c->constructor, c->inputs);
    for (int i = 0; i < cn_dict_count(golden); i++)
        n += strncmp(cn_dict_key(golden, i), prefix, (size_t)length) == 0;
    return n;
}

/* Three steps of SGD; buffers change where there is nothing to train, too. */
static void train(Run *r)
{
    cn_optim *sgd = cn_sgd(r->module, .lr = 0.05);
    for (int i = 0; i < STEPS; i++) {
        if (sgd) cn_optim_zero_grad(sgd);
        run(r);
        if (sgd) assert_true(cn_step(sgd));
    }
    cn_optim_free(sgd);
}

int module_golden_check(const ModuleCase *c)
{
    Run r = { .c = c };
    size_t mark = cn_mark();
    make(&r);
    run(&r);
    compare_run(&r);
    train(&r);
    int before = r.compared;
    cn_visit(r.module, compare_state, &r);
    if (strstr(c->cls, "Dropout") || r.compared > before) compare_evaluation(&r);
    if (r.compared != stored(c)) {
        printf("%s(%s)(%s): %d values, PyTorch has %d\n", c->cls, c->constructor, c->inputs,
               r.compared, stored(c));
        r.failures++;
    }
    drop_outputs(&r);
    cn_module_free(r.module);
    cn_release(mark);
    return r.failures;
}
