/* airfoil.c - the chapter's regression: its data, and training with any rule. */
#include "book/opt/airfoil.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = AIRFOIL_FEATURES + 1, FILE_ROWS = 1503, REPORT = 200 };

/* ---- data -------------------------------------------------------------------------------------- */

/* (rows, 6) in $CENOTE_DATA; NULL after lab_skip() or an error. */
static cn_tensor *table_of_file(Lab *lab)
{
    const char *root = getenv("CENOTE_DATA");
    char path[1024];
    cn_tensor *columns[COLUMNS] = { 0 };
    snprintf(path, sizeof path, "%s/airfoil/airfoil_self_noise.dat", root ? root : ".");
    cn_dict *csv = cn_csv_read(path, .separator = '\t', .no_header = true);
    if (!csv) {
        lab_skip(lab, "the airfoil table is looked for in $CENOTE_DATA: %s", cn_error());
        cn_error_clear();
        return NULL;
    }
    for (int i = 0; i < COLUMNS; i++) {
        snprintf(path, sizeof path, "%d", i);
        columns[i] = cn_to(cn_dict_tensor(csv, path), CN_F64);
    }
    cn_tensor *table = cn_stack(columns, COLUMNS, 1);
    cn_dict_free(csv);
    return table;
}

/* Features that depend on each other, and a target that they explain by half. */
static cn_tensor *generated(void)
{
    static const double mix[] = { 1, 0, 0,    0,   0, -0.25, 1, 0,     0,    0,     0.1, -0.4, 1,
                                  0, 0, 0.15, 0.1, 0, 1,     0, -0.15, 0.65, -0.15, 0,   1 },
                        weight[] = { -0.6, -0.4, -0.5, 0.2, -0.2 };
    cn_tensor *x = cn_matmul(cn_randn(CN_SHAPE(FILE_ROWS, AIRFOIL_FEATURES), CN_F64),
                             cn_t(cn_from(mix, CN_SHAPE(5, 5), CN_F64)));
    cn_tensor *y = cn_add(cn_mv(x, cn_from(weight, CN_SHAPE(5), CN_F64)),
                          cn_mul(cn_randn(CN_SHAPE(FILE_ROWS), CN_F64), cn_num(0.8)));
    cn_tensor *parts[] = { x, cn_unsqueeze(y, 1) };
    return cn_cat(parts, 2, 1);
}

/* Half the mean squared error. */
static cn_tensor *half_squared(cn_tensor *output, cn_tensor *y)
{
    return cn_mul(cn_mean(cn_square(cn_sub(output, y))), cn_num(0.5));
}

static double least_loss(const Airfoil *a)
{
    cn_tensor *parts[] = { a->x, cn_ones(CN_SHAPE(AIRFOIL_ROWS, 1), CN_F64) };
    cn_tensor *x = cn_cat(parts, 2, 1);
    cn_tensor *w = cn_linalg_lstsq(x, cn_unsqueeze(a->y, 1));
    return cn_item(half_squared(cn_select(cn_matmul(x, w), 1, 0), a->y));
}

bool airfoil_open(Lab *lab, Airfoil *a)
{
    cn_manual_seed(lab_options(lab)->seed);
    cn_tensor *table = lab_options(lab)->real ? table_of_file(lab) : generated();
    if (!table) return false;
    cn_tensor *mean = cn_mean(table, .dim = CN_SHAPE(0), .keepdim = true),
              *std = cn_std(table, .dim = CN_SHAPE(0), .biased = true, .keepdim = true);
    table = cn_narrow(cn_div(cn_sub(table, mean), std), 0, 0, AIRFOIL_ROWS);
    a->x = cn_contiguous(cn_narrow(table, 1, 0, AIRFOIL_FEATURES));
    a->y = cn_contiguous(cn_select(table, 1, AIRFOIL_FEATURES));
    a->seed = lab_options(lab)->seed + 1;
    a->best = least_loss(a);
    return cn_ok();
}

/* ---- training ------------------------------------------------------------------------------------ */

typedef struct {
    const Airfoil *data;
    cn_tensor *w, *b;
    AirfoilRun run;
    int seen;
    double spent, started; /* seconds: of training alone */
    /* how a step is made: by the library, or by a rule with its states */
    cn_optim *optim;
    Rule *rule;
    const double *hyper;
    int steps;
    double s[2][AIRFOIL_FEATURES], r[2][AIRFOIL_FEATURES];
} Training;

static cn_tensor *loss_of(const Training *t, cn_tensor *x, cn_tensor *y)
{
    return half_squared(cn_add(cn_mv(x, t->w), t->b), y);
}

static void by_rule(Training *t)
{
    cn_tensor *const params[] = { t->w, t->b };
    double w[AIRFOIL_FEATURES], g[AIRFOIL_FEATURES];
    t->steps++;
    for (int p = 0; p < 2; p++) {
        int n = (int)cn_numel(params[p]);
        if (!cn_read(params[p], CN_F64, w, n) || !cn_read(cn_grad(params[p]), CN_F64, g, n)) return;
        t->rule(&(Update){
            .w = w, .s = t->s[p], .r = t->r[p], .g = g, .n = n, .t = t->steps, .hyper = t->hyper });
        if (!cn_write(cn_detach(params[p]), CN_F64, w, n)) return;
        cn_set_grad(params[p], NULL);
    }
}

static void one_step(Training *t, const int64_t *rows, int n)
{
    CN_SCOPE
    {
        cn_tensor *index = cn_from(rows, CN_SHAPE(n), CN_I64);
        cn_tensor *x = cn_index_select(t->data->x, 0, index),
                  *y = cn_index_select(t->data->y, 0, index);
        if (t->optim) cn_optim_zero_grad(t->optim);
        if (cn_backward(loss_of(t, x, y))) {
            if (t->optim) cn_step(t->optim);
            else if (t->rule) by_rule(t);
        }
    }
}

static void note(Training *t)
{
    AirfoilRun *r = &t->run;
    t->spent += cn_seconds() - t->started;
    if (r->n < AIRFOIL_POINTS) {
        CN_SCOPE
        {
            r->loss[r->n] = cn_item(loss_of(t, t->data->x, t->data->y));
        }
        r->epoch[r->n] = (double)t->seen / AIRFOIL_ROWS;
        r->seconds[r->n++] = t->spent;
    }
    t->started = cn_seconds();
}

static AirfoilRun train(Training *t, int batch, int epochs)
{
    int64_t order[AIRFOIL_ROWS];
    cn_rng rng = cn_rng_make(t->data->seed, 1);
    t->started = cn_seconds();
    for (int e = 0; e < epochs; e++) {
        cn_rng_permutation(&rng, AIRFOIL_ROWS, order);
        for (int i = 0; i < AIRFOIL_ROWS && cn_ok(); i += batch) {
            int n = i + batch <= AIRFOIL_ROWS ? batch : AIRFOIL_ROWS - i;
            one_step(t, order + i, n);
            t->seen += n;
            if (t->seen % REPORT == 0 || i + n == AIRFOIL_ROWS) note(t);
        }
    }
    if (!cn_read(t->w, CN_F64, t->run.w, AIRFOIL_FEATURES) ||
        !cn_read(t->b, CN_F64, t->run.w + AIRFOIL_FEATURES, 1))
        t->run.w[0] = (double)NAN;
    return t->run;
}

static Training begin(const Airfoil *a)
{
    Training t = { .data = a };
    cn_manual_seed(a->seed);
    t.w =
        cn_requires_grad(cn_mul(cn_randn(CN_SHAPE(AIRFOIL_FEATURES), CN_F64), cn_num(0.01)), true);
    t.b = cn_requires_grad(cn_zeros(CN_SHAPE(1), CN_F64), true);
    return t;
}

AirfoilRun airfoil_train(const Airfoil *a, Rule *rule, const double *hyper, int batch, int epochs)
{
    Training t = begin(a);
    t.rule = rule;
    t.hyper = hyper;
    return train(&t, batch, epochs);
}

AirfoilRun airfoil_train_optim(const Airfoil *a, const char *optim, int batch, int epochs)
{
    Training t = begin(a);
    t.optim = cn_optim_by_name(NULL, optim);
    cn_optim_add_group(t.optim, (cn_tensor *[]){ t.w, t.b }, 2);
    AirfoilRun run = train(&t, batch, epochs);
    cn_optim_free(t.optim);
    return run;
}

double airfoil_loss(const AirfoilRun *run)
{
    return run->n ? run->loss[run->n - 1] : (double)NAN;
}

double airfoil_seconds(const AirfoilRun *run, int epochs)
{
    return run->n ? run->seconds[run->n - 1] / epochs : (double)NAN;
}

/* ---- a row of the chapter -------------------------------------------------------------------------- */

static double apart(const AirfoilRun *one, const AirfoilRun *other)
{
    double worst = 0;
    for (int i = 0; i <= AIRFOIL_FEATURES; i++) {
        double d = fabs(one->w[i] - other->w[i]);
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

void airfoil_case(Lab *lab, const Airfoil *a, cn_figure *figure, const AirfoilCase *c)
{
    char what[96];
    AirfoilRun mine = airfoil_train(a, c->rule, c->hyper, 10, 2),
               library = airfoil_train_optim(a, c->optim, 10, 2);
    snprintf(what, sizeof what, "%s: the loss", c->name);
    if (lab_options(lab)->real) lab_number(lab, what, airfoil_loss(&mine), c->published, 0.01);
    else lab_at_most(lab, what, airfoil_loss(&mine), a->best + 0.02);
    lab_at_least(lab, "not below that of least squares", airfoil_loss(&mine), a->best);
    lab_at_most(lab, "the library's weights differ by", apart(&mine, &library),
                c->apart > 0 ? c->apart : 1e-10);
    lab_say(lab, "loss: %.3f, %.3f sec/epoch; the library %.3f, %.3f", airfoil_loss(&mine),
            airfoil_seconds(&mine, 2), airfoil_loss(&library), airfoil_seconds(&library, 2));
    if (figure) cn_figure_line(figure, c->name, mine.epoch, mine.loss, (size_t)mine.n);
}

void airfoil_cases(Lab *lab, const char *title, const AirfoilCase *cases, int n)
{
    Airfoil a;
    if (!airfoil_open(lab, &a)) return;
    cn_figure *figure = cn_figure_new(title);
    for (int i = 0; i < n; i++) airfoil_case(lab, &a, figure, &cases[i]);
    cn_figure_axes(figure, .xlabel = "epoch", .ylabel = "loss", .ymin = 0.22, .ymax = 0.35);
    lab_figure(lab, figure);
}
