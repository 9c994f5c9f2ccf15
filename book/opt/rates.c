/* rates.c - checking a schedule against its definition, and training with it. */
#include "book/opt/rates.h"

#include <math.h>

enum { MOST = 64 };

void rates_curve(Lab *lab, const RateCase *c, int epochs)
{
    double ours[MOST], worst = 0;
    cn_tensor *w = cn_zeros(CN_SHAPE(1), CN_F32);
    cn_optim *o = cn_optim_new("SGD", c->base);
    cn_optim_add_group(o, &w, 1);
    cn_sched *s = c->make ? c->make(o) : NULL;
    for (int e = 0; e < epochs && e < MOST; e++) {
        ours[e] = cn_lr(o, 0);
        worst = fmax(worst, fabs(ours[e] - c->rate(e)));
        if (s) cn_sched_step(s);
    }
    lab_at_most(lab, "the library's rates differ from the book's by", worst, 1e-12);
    cn_figure *figure = cn_figure_new(c->name);
    cn_figure_line(figure, "learning rate", NULL, ours, (size_t)epochs);
    cn_figure_axes(figure, .xlabel = "epoch", .ymin = 0, .ymax = c->base * 1.05);
    lab_figure(lab, figure);
    cn_sched_free(s);
    cn_optim_free(o);
}

/* ---- training ---------------------------------------------------------------------------------- */

static cn_module *lenet(void)
{
    cn_module *net =
        cn_sequential(cn_conv2d_layer(6, .kernel = 5, .padding = 2), cn_relu_layer(),
                      cn_max_pool2d_layer(2), cn_conv2d_layer(16, .kernel = 5), cn_relu_layer(),
                      cn_max_pool2d_layer(2), cn_flatten_layer(), cn_linear_layer(120),
                      cn_relu_layer(), cn_linear_layer(84), cn_relu_layer(), cn_linear_layer(10));
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    return net;
}

static LabSchedule schedule_of(const Lab *lab, const RateCase *c)
{
    const LabPlan plan = {
        .built_in = { 3840, 1000, .batch = 64, .epochs = RATES_EPOCHS, .accuracy = 0.7 },
        .quick = { 1280, 500, .batch = 64, .epochs = RATES_EPOCHS, .accuracy = 0.5 },
        .real = { .batch = 256, .epochs = RATES_EPOCHS, .accuracy = c->published - 0.03 },
        .real_quick = { 15360, 2000, .batch = 128, .epochs = RATES_EPOCHS, .accuracy = 0.75 },
    };
    return lab_schedule(lab, &plan);
}

void rates_training(Lab *lab, const RateCase *c)
{
    const LabSchedule s = schedule_of(lab, c);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    cn_module *net = lenet();
    const bool whole = lab_options(lab)->real && !lab_options(lab)->quick;
    const double share = whole || c->share <= 0 ? 1 : c->share;
    cn_optim *sgd = cn_sgd(net, .lr = share * c->base);
    cn_sched *sched = c->make ? c->make(sgd) : NULL;
    LabFit fit = lab_fit(lab, net, train, .optim = sgd, .sched = sched, .validate = test,
                         .batch = s.batch, .epochs = s.epochs, .workers = 1);
    lab_at_least(lab, "test accuracy of the best epoch", fit.best_test_acc, s.accuracy);
    lab_number(lab, "the rate after the last epoch", cn_lr(sgd, 0), share * c->rate(RATES_EPOCHS),
               1e-12);
    lab_say(lab, "train loss %.3f, train acc %.3f, test acc %.3f", lab_last(&fit, fit.train_loss),
            lab_last(&fit, fit.train_acc), lab_last(&fit, fit.test_acc));
    lab_figure(lab, lab_curves(&fit, c->name));
    cn_sched_free(sched);
    cn_optim_free(sgd);
    cn_module_free(net);
}

/* ---- the cosine, which two rows have -------------------------------------------------------------- */

double rates_wave_at(int epoch, int epochs)
{
    if (epoch > epochs) return 0.01;
    return 0.01 + (0.3 - 0.01) * (1 + cos(acos(-1) * epoch / epochs)) / 2;
}

cn_sched *rates_wave(cn_optim *optim, int64_t epochs)
{
    cn_sched *const parts[] = { cn_cosine_lr(optim, epochs, 0.01),
                                cn_constant_lr(optim, 0.01 / 0.3, INT64_MAX) };
    return cn_sequential_lr(optim, parts, 2, &epochs);
}
