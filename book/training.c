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

/* ---- as planned ---------------------------------------------------------------------------- */

LabSchedule lab_schedule(const Lab *lab, const LabPlan *plan)
{
    const LabSchedule *s = &plan->built_in;
    bool quick = lab->options.quick;
    if (lab->options.real) s = quick && plan->real_quick.epochs ? &plan->real_quick : &plan->real;
    else if (quick && plan->quick.epochs) s = &plan->quick;
    return *s;
}

LabFit lab_train(Lab *lab, cn_module *net, cn_dataset *train, cn_dataset *test,
                 const LabSchedule *s)
{
    cn_optim *optim = s->adam ? cn_adam(net, .lr = s->lr) : cn_sgd(net, .lr = s->lr);
    LabFit fit = lab_fit(lab, net, train, .optim = optim, .validate = test, .batch = s->batch,
                         .epochs = s->epochs, .workers = 1);
    cn_optim_free(optim);
    return fit;
}

LabFit lab_train_network(Lab *lab, const char *model, const LabPlan *plan)
{
    enum { SIDE = 28 };
    LabSchedule s = lab_schedule(lab, plan);
    LabFit fit = { 0 };
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return fit;
    cn_manual_seed(lab->options.seed);
    cn_module *net = lab_network(model, s.side ? s.side : SIDE, s.shrink);
    lab_say(lab, "%lld images at %lld pixels, widths / %lld, batch %lld, %s lr %g, %lld epochs",
            (long long)cn_dataset_samples(train), (long long)(s.side ? s.side : SIDE),
            (long long)(s.shrink ? s.shrink : 1), (long long)s.batch, s.adam ? "Adam" : "SGD", s.lr,
            (long long)s.epochs);
    fit = lab_train(lab, net, train, test, &s);
    lab_say(lab, "loss %.3f, train acc %.3f, test acc %.3f, %.1f examples/s",
            lab_last(&fit, fit.train_loss), lab_last(&fit, fit.train_acc),
            lab_last(&fit, fit.test_acc), fit.examples_per_second);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_figure(lab, lab_curves(&fit, lab->experiment->title));
    lab_figure(lab, lab_feature_maps(net, test));
    cn_module_free(net);
    return fit;
}

double lab_last(const LabFit *fit, const double *curve)
{
    return fit->epochs ? curve[fit->epochs - 1] : (double)NAN;
}

void lab_as_printed(Lab *lab, const LabFit *fit, double train_loss, double train_acc)
{
    if (!lab->options.real || lab->options.quick) return;
    lab_number(lab, "train loss of the last epoch", lab_last(fit, fit->train_loss), train_loss,
               0.03);
    lab_number(lab, "train accuracy of the last epoch", lab_last(fit, fit->train_acc), train_acc,
               0.015);
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
