/* test_optim.c - every optimiser and schedule, by its name, against PyTorch: tools/golden_optim.py has
   the cases. */
#include "core/schema.h"
#include "optim/optim.h"
#include "optim/sched.h"

#include <cenote/cenote.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 7, UPDATES = 100, STEPS = 23, MOST = 64, MAX_ARGS = 12, KEY = 256 };

static cn_dict *golden;

/* "Adam lr=0.1 betas=(0.8,0.9)" taken apart. */
typedef struct {
    char text[KEY], strings[MAX_ARGS][32];
    const char *cls;
    cn_ffi_arg args[MAX_ARGS];
    cn_ffi_value items[MAX_ARGS][CN_MAX_DIMS];
    int n;
} Case;

static void parse(Case *c, const char *text)
{
    snprintf(c->text, sizeof c->text, "%s", text);
    c->cls = strtok(c->text, " ");
    for (c->n = 0; c->n < MAX_ARGS; c->n++) {
        char *word = strtok(NULL, " "), *value = word ? strchr(word, '=') : NULL;
        if (!value) break;
        *value++ = 0;
        c->args[c->n].name = word;
        assert_true(cn_value_parse(value, &c->args[c->n].value, c->items[c->n], c->strings[c->n],
                                   sizeof c->strings[c->n]));
    }
}

/* The cases are the keys of the file: those with "|w", and those of schedules. */
static bool names_optimiser(const char *key)
{
    const char *bar = strchr(key, '|');
    return bar && strcmp(bar, "|w") == 0;
}

static int differences(const char *key, const cn_tensor *got, double tolerance)
{
    double x[MOST], y[MOST];
    const cn_tensor *want = cn_dict_tensor(golden, key);
    int64_t n = cn_numel(got);
    if (!want || n > MOST || cn_numel(want) != n) return printf("%s: no such value\n", key), 1;
    assert_true(cn_read(got, CN_F64, x, n) && cn_read(want, CN_F64, y, n));
    for (int64_t i = 0; i < n; i++) {
        if (fabs(x[i] - y[i]) <= tolerance * (1 + fabs(y[i]))) continue;
        printf("%s [%d]: %.15g, PyTorch says %.15g\n", key, (int)i, x[i], y[i]);
        return 1;
    }
    return 0;
}

/* The state entries that PyTorch has, under their names. */
static int compare_state(const char *key, cn_optim *o, double tolerance)
{
    cn_dict *all;
    int failures = 0, compared = 0;
    char of[KEY];
    assert_int_equal(cn_ffi_optim_state(o, &all), 0);
    const cn_dict *state = cn_dict_dict(cn_dict_dict(all, "state"), "0");
    int words = (int)strcspn(key, "|");
    for (int i = 0; i < cn_dict_count(golden); i++) {
        const char *name = cn_dict_key(golden, i);
        if (strncmp(name, key, (size_t)words + 1) != 0 || names_optimiser(name)) continue;
        snprintf(of, sizeof of, "%s", name + words + 1);
        const cn_tensor *t = state ? cn_dict_tensor(state, of) : NULL;
        if (!t) failures++, printf("%s: there is no such state\n", name);
        else failures += differences(name, t, tolerance), compared++;
    }
    cn_dict_free(all);
    return failures;
}

/* Another optimiser of the same kind that got the state by way of a dictionary. */
static cn_optim *renewed(cn_optim *o, const Case *c, cn_tensor *w)
{
    const int group = 0;
    cn_dict *state = cn_optim_state_dict(o);
    cn_optim_free(o);
    assert_int_equal(cn_ffi_optim_new(c->cls, &w, &group, 1, NULL, NULL, 1, c->args, c->n, &o), 0);
    if (!cn_optim_load_state_dict(o, state)) fail_msg("%s: %s", c->cls, cn_error());
    cn_dict_free(state);
    return o;
}

static int run_case(const char *key, cn_dtype dtype, double tolerance)
{
    Case c;
    cn_optim *o;
    char text[KEY];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(key, "|"), key);
    parse(&c, text);
    cn_tensor *w = cn_clone(cn_to(cn_dict_tensor(golden, "start"), dtype)),
              *gradients = cn_to(cn_dict_tensor(golden, "gradients"), dtype);
    cn_requires_grad(w, true);
    const int group = 0;
    if (cn_ffi_optim_new(c.cls, &w, &group, 1, NULL, NULL, 1, c.args, c.n, &o) != 0)
        return printf("%s: %s\n", text, cn_ffi_last_error()), 1;
    for (int i = 0; i < UPDATES; i++) {
        cn_set_grad(w, cn_select(gradients, 0, i));
        assert_int_equal(cn_ffi_optim_step(o), 0);
        if (i == UPDATES / 2) o = renewed(o, &c, w); /* nothing may be lost on the way */
    }
    int failures = differences(key, w, tolerance) + compare_state(key, o, tolerance);
    cn_ffi_optim_release(o);
    return failures;
}

static void test_optimisers(void **state)
{
    (void)state;
    int failures = 0, cases = 0;
    for (int i = 0; i < cn_dict_count(golden); i++) {
        const char *key = cn_dict_key(golden, i);
        if (!names_optimiser(key)) continue;
        size_t mark = cn_mark();
        failures += run_case(key, CN_F64, 1e-6); /* some keep a float32 number */
        failures += run_case(key, CN_F32, 2e-4);
        cn_release(mark);
        cases++;
    }
    assert_true(cases > 20);
    assert_int_equal(failures, 0);
}

/* ---- schedules --------------------------------------------------------------------------------- */

static const double metrics[] = { 1.0, 0.9, 0.95, 0.94, 0.93, 0.92, 0.5, 0.6 };

static cn_optim *with_momentum(void)
{
    cn_optim *o = cn_optim_new("SGD", 0.4);
    cn_tensor *p = cn_requires_grad(cn_zeros(CN_SHAPE(1), CN_F32), true);
    assert_true(cn_optim_set(o, -1, "momentum", 0.6));
    assert_int_equal(cn_optim_add_group(o, &p, 1), 0);
    return o;
}

static int run_schedule(const char *key)
{
    Case c;
    cn_sched *s;
    cn_optim *o = with_momentum();
    double got[2 * STEPS];
    parse(&c, key);
    if (cn_ffi_sched_new(c.cls, o, c.args, c.n, &s) != 0)
        return printf("%s: %s\n", key, cn_ffi_last_error()), cn_optim_free(o), 1;
    bool looks = strcmp(c.cls, "ReduceLROnPlateau") == 0;
    for (int i = 0; i < STEPS; i++) {
        got[2 * i] = cn_lr(o, 0), got[2 * i + 1] = cn_optim_get(o, 0, "momentum");
        double metric =
            looks ? metrics[(size_t)i % (sizeof metrics / sizeof *metrics)] : (double)NAN;
        assert_int_equal(cn_ffi_sched_step(s, metric), 0);
    }
    int failures = differences(key, cn_from(got, CN_SHAPE(2 * STEPS), CN_F64), 1e-12);
    cn_sched_free(s);
    cn_optim_free(o);
    return failures;
}

static void test_schedules(void **state)
{
    (void)state;
    int failures = 0, cases = 0;
    for (int i = 0; i < cn_dict_count(golden); i++) {
        const char *key = cn_dict_key(golden, i);
        if (strchr(key, '|') || strchr(key, ':') || strcmp(key, "start") == 0 ||
            strcmp(key, "gradients") == 0)
            continue;
        size_t mark = cn_mark();
        failures += run_schedule(key);
        cn_release(mark);
        cases++;
    }
    assert_true(cases > 15);
    assert_int_equal(failures, 0);
}

/* ---- none without a case ------------------------------------------------------------------------- */

/* Keys begin with the class, or with a problem and then the class. */
static bool has_case(const char *cls)
{
    const size_t n = strlen(cls);
    for (int i = 0; i < cn_dict_count(golden); i++) {
        const char *key = cn_dict_key(golden, i), *problem = strstr(key, ": ");
        if (problem) key = problem + 2;
        if (strncmp(key, cls, n) == 0 && strchr(" |", key[n])) return true;
    }
    return false;
}

static void test_every_class_has_a_case(void **state)
{
    (void)state;
    int missing = 0;
    for (int i = 0; cn_optim_classes[i]; i++)
        if (!has_case(cn_optim_classes[i]->name))
            missing++, printf("%s has no case\n", cn_optim_classes[i]->name);
    for (int i = 0; cn_sched_classes[i]; i++)
        if (!has_case(cn_sched_classes[i]->name))
            missing++, printf("%s has no case\n", cn_sched_classes[i]->name);
    assert_int_equal(missing, 0);
}

static double halve(int64_t step, void *context)
{
    (void)context;
    return step % 2 ? 0.5 : 1;
}

/* Made of others; the expected rates are worked out by hand. */
static void test_combined(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_optim *o = with_momentum();
    cn_sched *parts[] = { cn_constant_lr(o, 0.5, 2), cn_factor_lr(o, 0.5, 0) };
    static const int64_t milestones[] = { 2 };
    cn_sched *s = cn_sequential_lr(o, parts, 2, milestones);
    static const double sequential[] = { 0.2, 0.2, 0.4, 0.2, 0.1 };
    for (int i = 0; i < 5; i++, cn_sched_step(s))
        assert_float_equal(cn_lr(o, 0), sequential[i], 1e-12);
    cn_sched_free(s);
    cn_sched *both[] = { cn_constant_lr(o, 0.5, 2), cn_factor_lr(o, 0.5, 0) };
    s = cn_chained_lr(o, both, 2);
    static const double chained[] = { 0.2, 0.1, 0.1, 0.05 };
    for (int i = 0; i < 4; i++, cn_sched_step(s))
        assert_float_equal(cn_lr(o, 0), chained[i], 1e-12);
    cn_sched_free(s);
    s = cn_multiplicative_lr(o, halve, NULL);
    assert_true(cn_sched_seek(s, 3)); /* steps 1 and 3 halve */
    assert_float_equal(cn_lr(o, 0), 0.1, 1e-12);
    cn_sched_free(s);
    cn_optim_free(o);
    cn_release(mark);
    assert_true(cn_ok());
}

/* A schedule that is resumed goes on as if it had not stopped. */
static void test_recall(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_optim *a = with_momentum(), *b = with_momentum();
    cn_sched *s = cn_plateau_lr(a, false, 0.5, 1), *t = cn_plateau_lr(b, false, 0.5, 1);
    for (int i = 0; i < 5; i++) assert_true(cn_sched_observe(s, 1));
    cn_sched_memory m = cn_sched_remember(s);
    assert_true(cn_sched_recall(t, &m) && cn_sched_seek(t, cn_sched_count(s)));
    for (int i = 0; i < 5; i++) {
        assert_float_equal(cn_lr(a, 0), cn_lr(b, 0), 0);
        assert_true(cn_sched_observe(s, 1) && cn_sched_observe(t, 1));
    }
    assert_true(cn_lr(a, 0) < 0.1);
    cn_sched_free(s), cn_sched_free(t);
    cn_optim_free(a), cn_optim_free(b);
    cn_release(mark);
}

/* ---- optimisers that evaluate the loss themselves ------------------------------------------------ */

enum { CLOSURE_STEPS = 6 };

/* The problems of tools/golden_optim.py. */
static cn_tensor *rosenbrock(cn_tensor *w)
{
    cn_tensor *x = cn_select(w, 0, 0), *y = cn_select(w, 0, 1);
    return cn_add(cn_square(cn_sub(cn_num(1), x)),
                  cn_mul(cn_num(100), cn_square(cn_sub(y, cn_square(x)))));
}

static cn_tensor *squares(cn_tensor *w)
{
    cn_tensor *rows = cn_unsqueeze(cn_arange(1, SIZE + 3, 1, CN_F64), 1),
              *columns = cn_arange(1, SIZE + 1, 1, CN_F64);
    cn_tensor *a = cn_mul(cn_cos(cn_mul(rows, columns)), columns);
    return cn_sum(cn_square(cn_sub(cn_mv(a, w), cn_sin(cn_squeeze(rows, cn_scalar_shape())))));
}

typedef struct {
    cn_tensor *(*loss)(cn_tensor *w);
    cn_tensor *w;
    cn_optim *optim;
    int calls, fail_at; /* 0: never */
} Problem;

static double closure(void *context)
{
    Problem *p = context;
    if (++p->calls == p->fail_at) return cn_zeros(CN_SHAPE(-1), CN_F32), 0;
    cn_optim_zero_grad(p->optim);
    cn_tensor *loss = p->loss(p->w);
    return cn_backward(loss) ? cn_item(loss) : (double)NAN;
}

static void pose(Problem *p, Case *c, const char *key)
{
    char text[KEY];
    const int group = 0;
    const char *at = strstr(key, ": ");
    const bool banana = strncmp(key, "rosenbrock", 10) == 0;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 2, "|"), at + 2);
    parse(c, text);
    static const double far[] = { -1.2, 1 };
    cn_tensor *w =
        banana ? cn_from(far, CN_SHAPE(2), CN_F64) : cn_full(CN_SHAPE(SIZE), 0.5, CN_F64);
    *p = (Problem){ .loss = banana ? rosenbrock : squares, .w = cn_requires_grad(w, true) };
    if (cn_ffi_optim_new(c->cls, &w, &group, 1, NULL, NULL, 1, c->args, c->n, &p->optim) != 0)
        fail_msg("%s: %s", text, cn_ffi_last_error());
}

static int compare_end(const char *way_key, cn_optim *o)
{
    char key[KEY];
    snprintf(key, sizeof key, "%.*s|end", (int)strcspn(way_key, "|"), way_key);
    cn_dict *all = cn_optim_state_dict(o);
    const cn_dict *state = cn_dict_dict(cn_dict_dict(all, "state"), "0");
    const double got[] = { (double)cn_dict_int(state, "n_iter", -1),
                           (double)cn_dict_int(state, "func_evals", -1),
                           cn_dict_float(state, "t", -1) };
    int failures = differences(key, cn_from(got, CN_SHAPE(3), CN_F64), 1e-6);
    cn_dict_free(all);
    return failures;
}

static int run_problem(const char *key)
{
    Case c;
    Problem p;
    double got[CLOSURE_STEPS * (SIZE + 1)];
    pose(&p, &c, key);
    const int64_t n = cn_numel(p.w);
    for (int i = 0; i < CLOSURE_STEPS; i++) {
        double *row = got + i * (n + 1);
        row[n] = cn_step_closure(p.optim, closure, &p);
        assert_true(cn_ok() && cn_read(p.w, CN_F64, row, n));
        if (i == 2) p.optim = renewed(p.optim, &c, p.w); /* nothing may be lost on the way */
    }
    int failures = differences(key, cn_from(got, CN_SHAPE(CLOSURE_STEPS, n + 1), CN_F64), 1e-6) +
                   compare_end(key, p.optim);
    cn_optim_free(p.optim);
    return failures;
}

static void test_closures(void **state)
{
    (void)state;
    int failures = 0, cases = 0;
    for (int i = 0; i < cn_dict_count(golden); i++) {
        const char *key = cn_dict_key(golden, i), *bar = strchr(key, '|');
        if (!strchr(key, ':') || !bar || strcmp(bar, "|way") != 0) continue;
        size_t mark = cn_mark();
        failures += run_problem(key);
        cn_release(mark);
        cases++;
    }
    assert_true(cases >= 10);
    assert_int_equal(failures, 0);
}

/* Others evaluate the loss once; without a closure LBFGS makes one iteration; errors come back. */
static void test_closure_corners(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    Case c;
    Problem p, q;
    pose(&p, &c, "squares: SGD lr=0.001|");
    double before = cn_step_closure(p.optim, closure, &p);
    assert_int_equal(p.calls, 1);
    assert_true(cn_step_closure(p.optim, closure, &p) < before);
    cn_optim_free(p.optim);

    pose(&p, &c, "rosenbrock: LBFGS|"), pose(&q, &c, "rosenbrock: LBFGS max_iter=1|");
    for (int i = 0; i < 5; i++) {
        closure(&p);
        assert_true(cn_step(p.optim));
        cn_step_closure(q.optim, closure, &q);
        double x[2], y[2];
        assert_true(cn_read(p.w, CN_F64, x, 2) && cn_read(q.w, CN_F64, y, 2));
        assert_true(x[0] == y[0] && x[1] == y[1]);
    }
    q.calls = 0, q.fail_at = 1;
    assert_true(isnan(cn_step_closure(q.optim, closure, &q)) && !cn_ok());
    cn_error_clear();
    cn_optim_free(p.optim), cn_optim_free(q.optim);

    pose(&p, &c, "rosenbrock: LBFGS line_search_fn='strong_wolfe'|");
    assert_false(cn_step(p.optim)); /* nothing to search with */
    cn_error_clear();
    p.fail_at = 4;
    assert_true(isnan(cn_step_closure(p.optim, closure, &p)) && !cn_ok());
    cn_error_clear();
    cn_optim_free(p.optim);
    cn_release(mark);
}

/* The form of torch.optim, which files keep: groups are a list, and bring their betas along. */
static void test_state_form(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_tensor *w = cn_ones(CN_SHAPE(2), CN_F32);
        const int group = 0;
        Case with;
        cn_optim *a, *b;
        cn_dict *saved, *again;
        cn_requires_grad(w, true);
        parse(&with, "Adam betas=(0.5,0.75)");
        assert_int_equal(
            cn_ffi_optim_new("Adam", &w, &group, 1, NULL, NULL, 1, with.args, with.n, &a), 0);
        assert_int_equal(cn_ffi_optim_new("Adam", &w, &group, 1, NULL, NULL, 1, NULL, 0, &b), 0);
        assert_int_equal(cn_ffi_optim_state(a, &saved), 0);
        assert_int_equal(cn_dict_find(saved, "param_groups")->kind, CN_KIND_LIST);
        assert_int_equal(cn_ffi_optim_load_state(b, saved), 0);
        assert_int_equal(cn_ffi_optim_state(b, &again), 0);
        const cn_value *groups = cn_dict_find(again, "param_groups");
        const cn_value *betas = cn_dict_find(groups->u.list[0].u.d, "betas");
        assert_true(betas->u.list[0].u.f == 0.5 && betas->u.list[1].u.f == 0.75);
        cn_dict_set_int(saved, "param_groups", 0);
        assert_int_equal(cn_ffi_optim_load_state(b, saved), CN_EFORMAT);
        cn_error_clear();
        cn_dict_free(saved), cn_dict_free(again);
        cn_optim_free(a), cn_optim_free(b);
    }
}

/* ---- what is refused, averages, clipping ----------------------------------------------------------- */

static void refused(const char *text, const char *word)
{
    Case c;
    cn_optim *o;
    parse(&c, text);
    assert_int_not_equal(cn_ffi_optim_new(c.cls, NULL, NULL, 0, NULL, NULL, 1, c.args, c.n, &o), 0);
    if (!strstr(cn_ffi_last_error(), word)) fail_msg("%s: %s", text, cn_ffi_last_error());
    cn_error_clear();
}

static void test_refusals(void **state)
{
    (void)state;
    refused("Adam lr=-1", "lr is -1");
    refused("Adam betas=(1.0,0.9)", "betas[0]");
    refused("SGD nesterov=True", "Nesterov");
    refused("RMSprop alpha=-0.1", "alpha");
    refused("Rprop etas=(0.5,0.9)", "etas");
    refused("Nadam", "there is no 'Nadam'");
    refused("Adam speed=3", "speed");
    refused("LBFGS line_search_fn='armijo'", "armijo");
    refused("LBFGS history_size=0", "history_size");
}

static void test_average(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *net = cn_linear_layer(1, .in = 1, .no_bias = true);
    cn_tensor *w;
    assert_int_equal(cn_parameters(net, &w, 1), 1);
    cn_average *swa = cn_average_new(net, 0), *ema = cn_average_new(net, 0.5);
    for (int i = 1; i <= 3; i++) {
        const float x = (float)i;
        CN_NO_GRAD
        {
            assert_true(cn_write(w, CN_F32, &x, 1));
        }
        if (!cn_average_update(swa)) fail_msg("%s", cn_error());
        if (i == 1) cn_average_free(ema), ema = cn_average_new(net, 0.5);
        else assert_true(cn_average_update(ema));
    }
    assert_true(cn_average_swap(swa));
    assert_float_equal(cn_item(w), 2, 1e-6); /* the mean of 1, 2, 3 */
    assert_true(cn_average_swap(swa));
    assert_float_equal(cn_item(w), 3, 0);
    assert_true(cn_average_swap(ema));
    assert_float_equal(cn_item(w), 2.25, 1e-6); /* ((1 + 2) / 2 + 3) / 2 */
    cn_average_free(swa), cn_average_free(ema);
    cn_module_free(net);
    cn_release(mark);
    assert_true(cn_ok());
}

static void test_clip_value(void **state)
{
    (void)state;
    CN_SCOPE
    {
        static const float values[] = { -3, 0.5f, 2 };
        cn_tensor *w = cn_requires_grad(cn_zeros(CN_SHAPE(3), CN_F32), true);
        cn_set_grad(w, cn_from(values, CN_SHAPE(3), CN_F32));
        assert_true(cn_clip_grad_value(&w, 1, 1));
        const float *g = cn_data(cn_grad(w));
        assert_true(g[0] == -1 && g[1] == 0.5f && g[2] == 1);
    }
}

static int read_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/optim.safetensors");
    return golden ? 0 : -1;
}

static int free_golden(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

/* Parameters that are not there yet would never be trained. */
static void lazy_layers_are_refused(void **state)
{
    (void)state;
    cn_module *net =
        cn_sequential(cn_linear_layer(4, .in = 3), cn_relu_layer(), cn_linear_layer(2));
    assert_null(cn_sgd(net, .lr = 0.1));
    assert_int_equal(cn_error_code(), CN_EINVALID);
    assert_non_null(strstr(cn_error(), "LazyLinear"));
    cn_error_clear();
    assert_true(cn_build(net, CN_SHAPE(1, 3)));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);
    assert_non_null(sgd);
    cn_optim_free(sgd);
    cn_module_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lazy_layers_are_refused),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_combined),
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_clip_value),
        cmocka_unit_test(test_closures),
        cmocka_unit_test(test_closure_corners),
        cmocka_unit_test(test_state_form),
        cmocka_unit_test(test_every_class_has_a_case),
    };
    return cmocka_run_group_tests_name("optim", tests, read_golden, free_golden);
}
