/* metrics.c - writing metrics.jsonl, and drawing it. */
#include "train/metrics.h"

#include "core/memory.h"

#include <jansson.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct cn_metrics {
    FILE *file;
    char path[1024];
};

static bool io_error(const cn_metrics *m, const char *what)
{
    return cn_fail(CN_EIO, "%s: cannot %s: %s", m->path, what, strerror(errno));
}

cn_metrics *cn_metrics_open(const char *folder, int64_t keep)
{
    cn_metrics *m = cn_alloc_zeroed(sizeof *m);
    if (!m) return NULL;
    snprintf(m->path, sizeof m->path, "%s/metrics.jsonl", folder);
    m->file = fopen(m->path, "a");
    if (m->file && ftruncate(fileno(m->file), (off_t)keep) == 0) return m;
    io_error(m, "open");
    cn_metrics_close(m);
    return NULL;
}

/* JSON has no infinities: they are written as text. */
static json_t *number(double x)
{
    if (isnan(x)) return json_string("NaN");
    return x - x != 0 ? json_string(x > 0 ? "Infinity" : "-Infinity") : json_real(x);
}

/* Takes the object over. */
static bool write_line(cn_metrics *m, json_t *j)
{
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    bool ok = text && fprintf(m->file, "%s\n", text) > 0;
    if (!text) cn_fail(CN_ENOMEM, "%s: out of memory", m->path);
    else if (!ok) io_error(m, "write");
    json_decref(j);
    free(text);
    return ok;
}

bool cn_metrics_epoch(cn_metrics *m, const cn_fit_progress *p)
{
    return write_line(m, json_pack("{s:i, s:f, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                                   "v", 1, "t", (double)time(NULL), "ev", "epoch", "epoch",
                                   (json_int_t)p->epoch, "train_loss", number(p->train_loss),
                                   "train_acc", number(p->train_acc), "test_loss",
                                   number(p->test_loss), "test_acc", number(p->test_acc), "lr",
                                   number(p->lr), "ex_s", number(p->examples_per_second), "seconds",
                                   number(p->seconds), "data_wait", number(p->data_wait)));
}

bool cn_metrics_step(cn_metrics *m, const cn_fit_progress *p)
{
    return write_line(m, json_pack("{s:i, s:f, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "v",
                                   1, "t", (double)time(NULL), "ev", "step", "epoch",
                                   (json_int_t)p->epoch, "step", (json_int_t)p->step, "loss",
                                   number(p->loss), "train_loss", number(p->train_loss), "lr",
                                   number(p->lr), "ex_s", number(p->examples_per_second), "seconds",
                                   number(p->seconds), "data_wait", number(p->data_wait)));
}

bool cn_metrics_flush(cn_metrics *m, int64_t *bytes)
{
    if (fflush(m->file) || fsync(fileno(m->file))) return io_error(m, "write");
    *bytes = (int64_t)ftello(m->file);
    struct stat st;
    if (fstat(fileno(m->file), &st) == 0) *bytes = (int64_t)st.st_size;
    return true;
}

void cn_metrics_close(cn_metrics *m)
{
    if (!m) return;
    if (m->file) fclose(m->file);
    cn_free(m);
}

/* ---- curves -------------------------------------------------------------------------------- */

enum { CURVES = 4, MAX_EPOCHS = 100000 };

typedef struct {
    size_t n, room;
    double *x, *y[CURVES];
} Curves;

static const char *const keys[CURVES] = { "train_loss", "test_loss", "train_acc", "test_acc" };
static const char *const labels[CURVES] = { "train loss", "test loss", "train accuracy",
                                            "test accuracy" };

static bool grow(Curves *c)
{
    size_t room = c->room ? 2 * c->room : 64;
    double **all[CURVES + 1] = { &c->x, &c->y[0], &c->y[1], &c->y[2], &c->y[3] };
    for (int i = 0; i <= CURVES; i++) {
        double *p = cn_realloc(*all[i], room * sizeof *p);
        if (!p) return false;
        *all[i] = p;
    }
    c->room = room;
    return true;
}

static bool add_line(Curves *c, const char *line, const char *path)
{
    json_t *j = json_loads(line, 0, NULL);
    if (!j) return cn_fail(CN_EFORMAT, "%s: line %zu is not JSON", path, c->n + 1);
    const char *event = json_string_value(json_object_get(j, "ev"));
    bool ok = true;
    if (event && strcmp(event, "epoch") == 0 && c->n < MAX_EPOCHS) {
        ok = c->n < c->room || grow(c);
        for (int i = 0; ok && i < CURVES; i++) {
            json_t *v = json_object_get(j, keys[i]);
            c->y[i][c->n] = json_is_number(v) ? json_number_value(v) : (double)NAN;
        }
        if (ok) c->x[c->n++] = (double)json_integer_value(json_object_get(j, "epoch"));
    }
    json_decref(j);
    return ok;
}

static bool read_curves(const char *path, Curves *c)
{
    char line[2048];
    FILE *f = fopen(path, "r");
    if (!f) return cn_fail(CN_ENOTFOUND, "%s: %s", path, strerror(errno));
    bool ok = true;
    while (ok && fgets(line, sizeof line, f)) ok = add_line(c, line, path);
    fclose(f);
    return ok && (c->n || cn_fail(CN_EFORMAT, "%s: no epoch has been finished yet", path));
}

static cn_figure *draw(const Curves *c, const char *title)
{
    cn_figure *f = cn_figure_new(title);
    bool ok = f != NULL;
    for (int i = 0; ok && i < CURVES; i++) {
        if (i == 2) ok = cn_figure_panel(f, NULL);
        bool any = false;
        for (size_t k = 0; k < c->n; k++) any |= isfinite(c->y[i][k]);
        if (ok && any) ok = cn_figure_line(f, labels[i], c->x, c->y[i], c->n);
        if (ok) ok = cn_figure_axes(f, .xlabel = "epoch");
    }
    if (ok) return f;
    cn_figure_free(f);
    return NULL;
}

cn_figure *cn_learning_curves(const char *run_folder, const char *title)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/metrics.jsonl", run_folder);
    Curves c = { 0 };
    cn_figure *f = read_curves(path, &c) ? draw(&c, title) : NULL;
    cn_free(c.x);
    for (int i = 0; i < CURVES; i++) cn_free(c.y[i]);
    return f;
}
