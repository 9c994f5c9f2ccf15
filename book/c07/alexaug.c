/* alexaug.c - augmentation in AlexNet: flips and shifted windows (D2L 8.1.2.3). */
#include "book/book.h"

enum { SIDE = 72, MARGIN = 8 };

/* How much better the network knows the pictures it has seen than others. */
static double gap(Lab *lab, const char *what, const LabSchedule *s, cn_dataset *train,
                  cn_dataset *test, bool augmented)
{
    /* A glyph in the mirror may be another glyph. */
    cn_transform shift = cn_transform_random_crop(SIDE, SIDE, MARGIN);
    cn_transform flip = cn_transform_random_flip(lab_options(lab)->real ? 0.5 : 0);
    cn_score seen = { 0 }, unseen = { 0 };
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = lab_network("alexnet", SIDE, s->shrink);
    cn_optim *adam = cn_adam(net, .lr = s->lr);
    cn_fit_options o = { .size = sizeof o,
                         .net = net,
                         .train = train,
                         .optim = adam,
                         .validate = test,
                         .batch = s->batch,
                         .epochs = s->epochs,
                         .workers = 1 };
    if (augmented) o.transform[0] = shift, o.transform[1] = flip;
    LabFit fit = lab_fit_with(lab, &o);
    if (fit.ok && cn_evaluate(net, train, s->batch, NULL, NULL, &seen))
        cn_evaluate(net, test, s->batch, NULL, NULL, &unseen);
    lab_say(lab, "%-17s loss on its images %.3f, on others %.3f; accuracy %.3f and %.3f", what,
            seen.loss, unseen.loss, seen.accuracy, unseen.accuracy);
    lab_at_least(lab, what, unseen.accuracy, s->accuracy);
    lab_figure(lab, lab_curves(&fit, what));
    cn_optim_free(adam);
    cn_module_free(net);
    return unseen.loss - seen.loss;
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 800, 1000, .side = SIDE, .shrink = 8, .batch = 32, .epochs = 30, .lr = 1e-3,
                      .accuracy = 0.6 },
        .quick = { 200, 1000, .side = SIDE, .shrink = 8, .batch = 32, .epochs = 50, .lr = 1e-3,
                   .accuracy = 0.3 },
        .real = { 2000, 2000, .side = SIDE, .shrink = 8, .batch = 32, .epochs = 30, .lr = 1e-3,
                  .accuracy = 0.7 },
        .real_quick = { 500, 500, .side = SIDE, .shrink = 8, .batch = 32, .epochs = 18, .lr = 1e-3,
                        .accuracy = 0.5 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return;
    double plain = gap(lab, "as they are", &s, train, test, false);
    double augmented = gap(lab, "with augmentation", &s, train, test, true);
    lab_say(lab, "gap of the loss: %.3f, with augmentation %.3f", plain, augmented);
    lab_at_least(lab, "gap between losses without augmentation", plain, 0.05);
    lab_at_most(lab, "gap with augmentation, against that", augmented / plain, 0.8);
}

const Experiment experiment_c07_alexaug = {
    .id = "C07-ALEXAUG",
    .title = "Data augmentation in AlexNet",
    .title_zh = "AlexNet 的图像增广",
    .section = "8.1.2.3",
    .settings = "windows of 72 x 72 from 88 x 88, flips where they keep the class; few pictures",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
