/* lab.c - how an experiment is run: its scope, its data, its outcome. */
#include "book/lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lab_status_name(LabStatus status)
{
    static const char *const names[] = { "PASS", "FAIL", "SKIP", "INTERRUPTED" };
    return names[status];
}

const LabOptions *lab_options(const Lab *lab)
{
    return &lab->options;
}

/* ---- what is shown ------------------------------------------------------------------------- */

void lab_say(Lab *lab, const char *fmt, ...)
{
    char line[512];
    va_list args;
    if (!lab->options.say) return;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    lab->options.say(line, lab->options.context);
}

void lab_figure(Lab *lab, cn_figure *figure)
{
    cn_figure **more =
        figure ? realloc(lab->figures, (lab->n_figures + 1) * sizeof *lab->figures) : NULL;
    if (!more) {
        cn_figure_free(figure);
        lab_true(lab, "the figure was drawn", false);
        return;
    }
    lab->figures = more;
    lab->figures[lab->n_figures++] = figure;
}

void lab_skip(Lab *lab, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    free(lab->why);
    if (vasprintf(&lab->why, fmt, args) < 0) {
        lab->why = NULL;
        lab->broken = true;
    }
    va_end(args);
}

/* ---- data ---------------------------------------------------------------------------------- */

cn_dataset *lab_hold(Lab *lab, cn_dataset *d)
{
    if (!d) return NULL;
    if (lab->n_datasets < LAB_DATASETS) return lab->datasets[lab->n_datasets++] = d;
    cn_dataset_free(d);
    cn_fail(CN_EINVALID, "an experiment has room for %d data sets", LAB_DATASETS);
    return NULL;
}

cn_dataset *lab_images(Lab *lab, cn_part part, int64_t glyphs, int64_t real)
{
    bool book = lab->options.real && lab->experiment->data;
    cn_dataset *d = cn_dataset_open(book ? lab->experiment->data : "glyphs", .split = part,
                                    .limit = book ? real : glyphs);
    if (!d && cn_error_code() == CN_ENOTFOUND) {
        lab_skip(lab, "%s", cn_error());
        cn_error_clear();
    }
    return lab_hold(lab, d);
}

cn_dataset *lab_scheduled_images(Lab *lab, cn_part part, const LabSchedule *s)
{
    int64_t n = part == CN_TRAIN ? s->train : s->test;
    cn_dataset *d = lab_images(lab, part, n, n);
    const cn_transform larger[CN_MAX_TRANSFORMS] = { cn_transform_resize(s->side, s->side) };
    return d && s->side ? lab_hold(lab, cn_dataset_transformed(d, larger)) : d;
}

/* ---- running ------------------------------------------------------------------------------- */

static LabStatus outcome(const Lab *lab, bool interrupted)
{
    bool holds = lab->n_findings > 0 && !lab->broken;
    if (interrupted) return LAB_INTERRUPTED;
    if (lab->why) return LAB_SKIP;
    for (size_t i = 0; i < lab->n_findings; i++) holds = holds && lab->findings[i].holds;
    return holds ? LAB_PASS : LAB_FAIL;
}

Lab lab_run(const Experiment *experiment, const LabOptions *options)
{
    Lab lab = { .experiment = experiment, .options = *options };
    double start = cn_seconds();
    cn_error_clear();
    cn_manual_seed(options->seed);
    if (options->real && !experiment->data)
        lab_say(&lab, "%s needs no data of the book's", experiment->id);
    size_t mark = cn_mark();
    experiment->run(&lab);
    bool interrupted = cn_error_code() == CN_EINTERRUPTED;
    if (!cn_ok() && !interrupted) lab_true(&lab, "no error", true); /* which this one shows */
    cn_release(mark);
    lab.seconds = cn_seconds() - start;
    lab.status = outcome(&lab, interrupted);
    cn_error_clear();
    return lab;
}

void lab_end(Lab *lab)
{
    for (size_t i = 0; i < lab->n_findings; i++) {
        free(lab->findings[i].what);
        free(lab->findings[i].ours);
        free(lab->findings[i].book);
    }
    for (size_t i = 0; i < lab->n_figures; i++) cn_figure_free(lab->figures[i]);
    for (int i = 0; i < lab->n_datasets; i++) cn_dataset_free(lab->datasets[i]);
    free(lab->findings);
    free(lab->figures);
    free(lab->why);
    *lab = (Lab){ 0 };
}
