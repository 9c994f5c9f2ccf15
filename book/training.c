/* training.c - fits inside a lab, and their learning curves. */
#include "book/lab.h"

#include <math.h>

typedef struct {
    Lab *lab;
    LabFit *fit;
} Watcher;

static void watch(const cn_fit_progress *p, void *context)
{
    Watcher *w = context;
    LabFit *f = w->fit;
    if (p->event == CN_FIT_EPOCH && f->epochs < LAB_EPOCHS) {
        f->train_loss[f->epochs] = p->train_loss;
        f->train_acc[f->epochs] = p->train_acc;
        f->test_acc[f->epochs++] = p->test_acc;
        if (p->test_acc > f->best_test_acc) f->best_test_acc = p->test_acc;
    }
    if (w->lab->options.watch) w->lab->options.watch(p, w->lab->options.context);
}

LabFit lab_fit_with(Lab *lab, const cn_fit_options *options)
{
    LabFit fit = { 0 };
    cn_fit_options o = *options;
    cn_fit_progress last = { 0 };
    o.watch = watch;
    o.watch_context = &(Watcher){ lab, &fit };
    if (!o.seed) o.seed = lab->options.seed;
    fit.ok = cn_ok() && cn_fit_with(&o, &last);
    fit.examples_per_second = last.examples_per_second;
    fit.seconds = last.seconds;
    if (!fit.ok) lab_true(lab, "the training ended well", false);
    return fit;
}

double lab_last(const LabFit *fit, const double *curve)
{
    return fit->epochs ? curve[fit->epochs - 1] : (double)NAN;
}

cn_figure *lab_curves(const LabFit *fit, const char *title)
{
    double epoch[LAB_EPOCHS];
    size_t n = (size_t)fit->epochs;
    for (size_t i = 0; i < n; i++) epoch[i] = (double)i + 1;
    cn_figure *f = cn_figure_new(title);
    bool ok = f && cn_figure_line(f, "train loss", epoch, fit->train_loss, n) &&
              cn_figure_line(f, "train accuracy", epoch, fit->train_acc, n) &&
              cn_figure_line(f, "test accuracy", epoch, fit->test_acc, n) &&
              cn_figure_axes(f, .xlabel = "epoch");
    if (ok) return f;
    cn_figure_free(f);
    return NULL;
}
