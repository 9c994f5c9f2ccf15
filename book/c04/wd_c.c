/* wd_c.c - weight decay of the optimiser, for weights but not for the bias (D2L 3.7.3). */
#include "book/book.h"

enum { TRAIN = 20, TEST = 100, D = 200, BATCH = 5, EPOCHS = 100 };

/* Two groups of parameters: only the weights decay. */
static cn_optim *sgd_with_decay(cn_module *net, double lr, double decay)
{
    cn_module *linear = cn_module_at(net, "0");
    cn_optim *sgd = cn_optim_new("SGD", lr);
    int weights = cn_optim_add_group(sgd, (cn_tensor *[]){ cn_module_slot(linear, "weight") }, 1);
    cn_optim_add_group(sgd, (cn_tensor *[]){ cn_module_slot(linear, "bias") }, 1);
    cn_optim_set(sgd, weights, "weight_decay", decay);
    return sgd;
}

static double loss(cn_module *net, const LabData *d)
{
    return cn_item(cn_mse_loss(cn_forward(net, d->x), d->y));
}

typedef struct {
    double train, test, norm;
} Result;

static Result train(Lab *lab, const LabData *data, const LabData *test, double decay)
{
    cn_module *net = cn_sequential(cn_linear_layer(1, .in = D));
    cn_init(net, cn_normal_init, &(double){ 1 });
    cn_optim *sgd = sgd_with_decay(net, 0.003, decay);
    double on_train[EPOCHS] = { 0 }, on_test[EPOCHS] = { 0 };
    for (int i = 0; i < EPOCHS && cn_ok(); i++) CN_SCOPE
        {
            for (LabBatches b = lab_batches(data->x, data->y, BATCH); lab_next(&b);) {
                cn_zero_grad(net);
                if (cn_backward(cn_mse_loss(cn_forward(net, b.x), b.y))) cn_step(sgd);
            }
            on_train[i] = loss(net, data);
            on_test[i] = loss(net, test);
        }
    cn_figure *f = cn_figure_new(decay > 0 ? "weight decay 3" : "no weight decay");
    cn_figure_line(f, "train", NULL, on_train, EPOCHS);
    cn_figure_line(f, "test", NULL, on_test, EPOCHS);
    cn_figure_axes(f, .xlabel = "epochs", .ylabel = "loss", .ylog = true);
    lab_figure(lab, f);
    cn_tensor *w = cn_detach(cn_module_slot(cn_module_at(net, "0"), "weight"));
    Result r = { on_train[EPOCHS - 1], on_test[EPOCHS - 1], cn_item(cn_norm(w)) };
    lab_say(lab, "decay %g: |w| %.4f, train %.2e, test %.4f", decay, r.norm, r.train, r.test);
    cn_optim_free(sgd);
    cn_module_free(net);
    return r;
}

/* One network with decay, its clone with the penalty in the loss: the same after ten steps. The
   bias, of which neither says anything, goes along. */
static void is_the_penalty(Lab *lab, const LabData *d)
{
    cn_module *decays = cn_sequential(cn_linear_layer(1, .in = D));
    cn_module *penalised = cn_module_clone(decays);
    cn_optim *one = sgd_with_decay(decays, 0.003, 3), *two = sgd_with_decay(penalised, 0.003, 0);
    cn_tensor *w = cn_module_slot(cn_module_at(penalised, "0"), "weight");
    for (int i = 0; i < 10; i++) {
        cn_zero_grad(decays);
        cn_zero_grad(penalised);
        cn_tensor *penalty = cn_mul(cn_sum(cn_square(w)), cn_num(3 / 2.));
        if (!cn_backward(cn_mse_loss(cn_forward(decays, d->x), d->y)) || !cn_step(one)) break;
        cn_tensor *l = cn_mse_loss(cn_forward(penalised, d->x), d->y);
        if (!cn_backward(cn_add(l, penalty)) || !cn_step(two)) break;
    }
    lab_same(lab, "w after ten steps, by decay and by the penalty in the loss",
             cn_detach(cn_module_slot(cn_module_at(decays, "0"), "weight")), cn_detach(w), 1e-5);
    lab_same(lab, "b", cn_detach(cn_module_slot(cn_module_at(decays, "0"), "bias")),
             cn_detach(cn_module_slot(cn_module_at(penalised, "0"), "bias")), 1e-5);
    cn_optim_free(one);
    cn_optim_free(two);
    cn_module_free(decays);
    cn_module_free(penalised);
}

static void run(Lab *lab)
{
    cn_tensor *true_w = cn_full(CN_SHAPE(D, 1), 0.01, CN_F32);
    LabData data = lab_linear_data(true_w, 0.05, 0.01, TRAIN),
            test = lab_linear_data(true_w, 0.05, 0.01, TEST);
    is_the_penalty(lab, &data);
    Result without = train(lab, &data, &test, 0), with = train(lab, &data, &test, 3);
    lab_number(lab, "no decay: |w|", without.norm, 13.5, 2.8);
    lab_at_least(lab, "no decay: test loss", without.test, 60);
    lab_number(lab, "decay 3: |w|", with.norm, 0.39, 0.12);
    lab_at_most(lab, "decay 3: test loss", with.test, 0.6);
}

const Experiment experiment_c04_wd_c = {
    .id = "C04-WD-C",
    .title = "Weight decay, concise",
    .title_zh = "权重衰减的简洁实现",
    .section = "3.7.3",
    .settings = "weight decay 3, lr 0.003, 100 epochs",
    .published = "|w| 13.728 without, 0.3891 with decay; test loss 208.8 and 0.185",
    .run = run,
};
