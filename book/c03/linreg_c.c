/* linreg_c.c - linear regression with the library's layers, losses and optimisers (D2L 3.5). */
#include "book/book.h"

enum { N = 1000, BATCH = 10, EPOCHS = 3 };

/* Layers that find out their size at the first forward are initialised as was asked, too. */
static void late_initialisation(Lab *lab)
{
    cn_module *layer = cn_linear_layer(100);
    cn_init(layer, cn_normal_init, &(double){ 0.01 });
    cn_build(layer, CN_SHAPE(1, 200));
    lab_number(lab, "standard deviation of weights that were made late",
               cn_item(cn_std(cn_detach(cn_module_slot(layer, "weight")))), 0.01, 0.0005);
    lab_at_most(lab, "and the largest bias",
                cn_item(cn_amax(cn_abs(cn_detach(cn_module_slot(layer, "bias"))))), 0);
    cn_module_free(layer);
}

static void run(Lab *lab)
{
    cn_tensor *true_w = cn_from((const float[]){ 2, -3.4f }, CN_SHAPE(2, 1), CN_F32);
    LabData d = lab_linear_data(true_w, 4.2, 0.01, N);
    cn_dataset *data = cn_dataset_from_tensors(d.x, d.y);
    cn_loader *loader = cn_loader_new(data, .batch = BATCH, .shuffle = true);

    cn_module *net = cn_sequential(cn_linear_layer(1, .in = 2));
    cn_init(net, cn_normal_init, &(double){ 0.01 });
    cn_optim *trainer = cn_sgd(net, .lr = 0.03);
    double loss[EPOCHS];
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (bool more = true; more;) CN_SCOPE
            {
                cn_batch b;
                more = cn_loader_next(loader, &b);
                if (more) {
                    cn_optim_zero_grad(trainer);
                    more = cn_backward(cn_mse_loss(cn_forward(net, b.x), b.y)) && cn_step(trainer);
                }
            }
        loss[epoch] = cn_item(cn_mse_loss(cn_forward(net, d.x), d.y));
        lab_say(lab, "epoch %d, loss %f", epoch + 1, loss[epoch]);
    }
    lab_number(lab, "loss after the first epoch", loss[0], 2.5e-4, 2e-4);
    lab_number(lab, "loss after the third: the variance of the noise", loss[2], 1e-4, 2e-5);
    lab_values(lab, "w", cn_detach(cn_module_slot(cn_module_at(net, "0"), "weight")), 5e-3, 2,
               -3.4);
    lab_values(lab, "b", cn_detach(cn_module_slot(cn_module_at(net, "0"), "bias")), 5e-3, 4.2);
    late_initialisation(lab);
    cn_optim_free(trainer);
    cn_module_free(net);
    cn_loader_free(loader);
    cn_dataset_free(data);
}

const Experiment experiment_c03_linreg_c = {
    .id = "C03-LINREG-C",
    .title = "Linear regression, concise",
    .title_zh = "线性回归的简洁实现",
    .section = "3.5",
    .settings = "lr 0.03, 3 epochs, batch 10",
    .published = "loss 0.000248, 0.000103, 0.000103; error of w [-0.0010, -0.0003], of b -0.0003",
    .run = run,
};
