/* bench_ops.c - cenote bench ops: single calls against the limits of the machine. */
#include "app/bench.h"
#include "app/json.h"
#include "app/literal.h"
#include "app/table.h"

#include <cenote/autograd.h>
#include <cenote/ffi.h>
#include <cenote/ops.h>
#include <cenote/optim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- calls read from text ------------------------------------------------------------------ */

enum { MAX_ARGS = 10, MAX_CALLS = 2, MAX_TENSORS = 8, MAX_OUTS = 3 };

typedef struct {
    const char *op;
    cn_ffi_arg args[MAX_ARGS];
    int n;
} Call;

typedef struct {
    const BenchCase *what;
    Call calls[MAX_CALLS];
    int n_calls;
    cn_tensor *tensors[MAX_TENSORS];
    int n_tensors;
    cn_value list[MAX_TENSORS];
    cn_tensor *cotangent; /* of a result that is more than one number */
    cn_optim *optim;
    LiteralMemory memory;
} Work;

static cn_tensor *tensor_of(const char *text, const char **end)
{
    char *at = (char *)text;
    int64_t below = *at == '<' ? strtoll(at + 1, &at, 10) : 0;
    cn_shape shape = { 0 };
    for (at = strchr(at, '[') + 1; *at != ']'; at += *at == ',')
        shape.dim[shape.ndim++] = strtoll(at, &at, 10);
    *end = at + 1;
    return below ? cn_randint(0, below, shape) : cn_randn(shape, CN_F32);
}

/* One tensor, or several joined by '+'. */
static bool read_tensors(Work *w, const char *word, cn_value *out)
{
    const int first = w->n_tensors;
    for (bool more = true; more; more = *word++ == '+') {
        cn_tensor *t = tensor_of(word, &word);
        if (!t) return false;
        if (w->what->mode == BENCH_TRAIN && cn_dtype_of(t) == CN_F32) cn_requires_grad(t, true);
        w->list[w->n_tensors] = (cn_value){ .kind = CN_KIND_TENSOR, .u.t = t };
        w->tensors[w->n_tensors++] = t;
    }
    const int n = w->n_tensors - first;
    *out = n == 1 ? w->list[first]
                  : (cn_value){ .kind = CN_KIND_LIST, .n = n, .u.list = w->list + first };
    return true;
}

static bool read_arg(Work *w, char *word, cn_ffi_arg *out)
{
    char *equals = strchr(word, '=');
    if (equals) *equals = 0;
    out->name = equals ? word : NULL;
    const char *value = equals ? equals + 1 : word;
    if (*value == '[' || *value == '<') return read_tensors(w, value, &out->value);
    return literal_parse(value, &w->memory, &out->value);
}

static bool read_calls(Work *w)
{
    char *text = literal_copy(&w->memory, w->what->call, strlen(w->what->call)), *rest = text;
    Call *c = NULL;
    while (rest) {
        char *word = strsep(&rest, " ");
        if (c && strcmp(word, "|") != 0) {
            if (!read_arg(w, word, &c->args[c->n++])) return false;
            continue;
        }
        const bool further = c != NULL;
        c = &w->calls[w->n_calls++];
        *c = (Call){ .op = further ? strsep(&rest, " ") : word, .n = further };
    }
    return c != NULL;
}

/* ---- one step of each mode ----------------------------------------------------------------- */

static void release(const cn_value *outs, int n)
{
    for (int i = 0; i < n; i++)
        if (outs[i].kind == CN_KIND_TENSOR) cn_ffi_tensor_release(outs[i].u.t);
}

/* The first result of the last call, to be released; NULL: an error is set. */
static cn_tensor *forward(Work *w)
{
    cn_tensor *y = NULL;
    for (int i = 0; i < w->n_calls; i++) {
        Call *c = &w->calls[i];
        cn_value outs[MAX_OUTS];
        int n = MAX_OUTS;
        if (i > 0) c->args[0] = (cn_ffi_arg){ NULL, { .kind = CN_KIND_TENSOR, .u.t = y } };
        const int code = cn_ffi_op_call(c->op, c->args, c->n, outs, &n);
        cn_ffi_tensor_release(y);
        if (code < 0) {
            cn_fail(code, "%s", cn_ffi_last_error());
            return NULL;
        }
        release(outs + 1, n - 1);
        y = outs[0].u.t;
    }
    return y;
}

static bool forward_step(void *context)
{
    cn_tensor *y = NULL;
    CN_NO_GRAD y = forward(context);
    cn_ffi_tensor_release(y);
    return y != NULL;
}

static bool train_step(void *context)
{
    Work *w = context;
    cn_tensor *y = forward(w);
    size_t mark = cn_mark();
    bool ok = y && cn_backward_of(&y, &w->cotangent, 1, NULL);
    for (int i = 0; i < w->n_tensors; i++) cn_set_grad(w->tensors[i], NULL);
    cn_release(mark);
    cn_ffi_tensor_release(y);
    return ok;
}

static bool optimiser_step(void *context)
{
    return cn_step(((Work *)context)->optim);
}

static bool prepare_training(Work *w)
{
    cn_tensor *y = forward(w);
    if (y && cn_numel(y) > 1) w->cotangent = cn_randn(*cn_shape_of(y), CN_F32);
    cn_ffi_tensor_release(y);
    return cn_ok();
}

/* "SGD lr=0.1 [9]": the options, then the size of the only parameter. */
static bool prepare_optimiser(Work *w)
{
    const char *size = strrchr(w->what->call, ' ');
    char *options = literal_copy(&w->memory, w->what->call, (size_t)(size - w->what->call));
    const char *end;
    cn_tensor *p = cn_requires_grad(tensor_of(size + 1, &end), true);
    w->optim = options ? cn_optim_by_name(NULL, options) : NULL;
    if (!w->optim || !p) return false;
    cn_set_grad(p, cn_randn(*cn_shape_of(p), CN_F32));
    w->tensors[w->n_tensors++] = p;
    return cn_optim_add_group(w->optim, &p, 1) >= 0;
}

static bool prepare(Work *w)
{
    if (w->what->mode == BENCH_STEP) return prepare_optimiser(w);
    return read_calls(w) && (w->what->mode == BENCH_FORWARD || prepare_training(w));
}

/* ---- limits and results -------------------------------------------------------------------- */

/* Multiplications and additions of a product: twice the elements of the result, times what they
   are sums of, which is the last size of the first factor as the last call sees it. */
static double product_flops(const Work *w)
{
    const cn_shape *a = cn_shape_of(w->tensors[0]);
    const bool turned = w->n_calls > 1;
    const int64_t sum = a->dim[a->ndim - 1 - turned];
    const int64_t rows = cn_numel(w->tensors[0]) / sum;
    const int64_t of_one = a->ndim > 2 ? a->dim[0] : 1;
    return 2.0 * (double)(rows * sum) * (double)(cn_numel(w->tensors[1]) / of_one / sum);
}

typedef struct {
    double flops, bytes; /* per second: of a large product, of memory; 0: not measured yet */
} Limits;

typedef struct {
    Times times;
    double rate, share; /* bytes or operations per second, of what the machine gives */
    bool product;
} Result;

static bool run_case(const BenchCase *what, double seconds, Limits *limits, Result *out)
{
    static bool (*const steps[])(void *) = { forward_step, train_step, optimiser_step };
    Work w = { .what = what };
    size_t mark = cn_mark();
    bool ok = prepare(&w) && measure(steps[what->mode], &w, seconds, &out->times);
    if (ok) {
        out->product = what->passes == 0;
        double *limit = out->product ? &limits->flops : &limits->bytes;
        if (*limit == 0) *limit = out->product ? peak_flops() : peak_bandwidth();
        const double work =
            out->product ? product_flops(&w) : 4 * what->passes * (double)cn_numel(w.tensors[0]);
        out->rate = work / out->times.median;
        out->share = out->rate / *limit;
    }
    cn_optim_free(w.optim);
    literal_clear(&w.memory);
    cn_release(mark);
    return ok;
}

/* The text and the mode are there for whoever wants to time the same elsewhere. */
static json_t *as_json(const BenchCase *c, const Result *r)
{
    static const char *const modes[] = { "forward", "train", "step" };
    return json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f}", "case", c->name, "call", c->call,
                     "mode", modes[c->mode], "threads", cn_threads(), "ms_median",
                     r->times.median * 1e3, "ms_min", r->times.least * 1e3,
                     r->product ? "gflop_per_s" : "gbyte_per_s", r->rate * 1e-9, "share", r->share);
}

static bool show(const Args *args, const BenchCase *c, const Result *r)
{
    if (json_wanted(args)) return print_json(args, as_json(c, r)) == EXIT_OK;
    printf("%-22s %10.4f ms (least %10.4f) %7.1f %s %4.0f %%\n", c->name, r->times.median * 1e3,
           r->times.least * 1e3, r->rate * 1e-9, r->product ? "GF/s" : "GB/s", 100 * r->share);
    fflush(stdout);
    return true;
}

static bool chosen(const Args *args, const char *name)
{
    for (int i = 1; i < operand_count(args); i++)
        if (strncmp(name, operand(args, i), strlen(operand(args, i))) == 0) return true;
    return operand_count(args) == 1;
}

/* ---- what a call costs besides its arithmetic ---------------------------------------------- */

typedef struct {
    cn_tensor *a, *b;
} Pair;

enum { CALLS = 1000 };

static bool tracked_adds(void *context)
{
    Pair *p = context;
    for (int i = 0; i < CALLS; i++) {
        size_t mark = cn_mark();
        cn_add(p->a, p->b);
        cn_release(mark);
    }
    return cn_ok();
}

static bool adds_with_backward(void *context)
{
    Pair *p = context;
    for (int i = 0; i < CALLS; i++) {
        size_t mark = cn_mark();
        cn_backward(cn_add(p->a, p->b));
        cn_set_grad(p->a, NULL);
        cn_release(mark);
    }
    return cn_ok();
}

static bool plain_adds(void *context)
{
    bool ok = false;
    CN_NO_GRAD ok = tracked_adds(context);
    return ok;
}

static const struct {
    const char *name, *what;
    bool (*step)(void *);
} costs[] = {
    { "call", "add of two numbers, nothing recorded", plain_adds },
    { "call_tracked", "add of two numbers, recorded for gradients", tracked_adds },
    { "call_backward", "the same with its backward pass", adds_with_backward },
};

static bool time_calls(const Args *args, double seconds)
{
    size_t mark = cn_mark();
    Pair p = { cn_requires_grad(cn_ones(CN_SHAPE(1), CN_F32), true), cn_ones(CN_SHAPE(1), CN_F32) };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof costs / sizeof costs[0]; i++) {
        Times t = { 0 };
        if (!chosen(args, costs[i].name)) continue;
        ok = measure(costs[i].step, &p, seconds, &t);
        const double ns = t.median / CALLS * 1e9;
        if (ok && json_wanted(args))
            ok = print_json(args, json_pack("{s:s, s:f}", "case", costs[i].name, "ns_median",
                                            ns)) == EXIT_OK;
        else if (ok) printf("%-22s %10.1f ns  %s\n", costs[i].name, ns, costs[i].what);
    }
    cn_release(mark);
    return ok;
}

/* ---- all of them --------------------------------------------------------------------------- */

bool bench_ops(const Args *args)
{
    const double seconds = given(args, "seconds") ? float_of(args, "seconds") : 0.3;
    Limits limits = { 0, 0 };
    cn_manual_seed(0);
    if (flag(args, "list")) {
        for (const BenchCase *c = bench_cases; c->name; c++)
            if (chosen(args, c->name)) puts(c->name);
        return true;
    }
    bool ok = time_calls(args, seconds);
    for (const BenchCase *c = bench_cases; ok && c->name; c++) {
        Result r = { .product = false };
        if (chosen(args, c->name)) ok = run_case(c, seconds, &limits, &r) && show(args, c, &r);
    }
    return ok;
}
