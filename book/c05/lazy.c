/* lazy.c - sizes that the first input tells (D2L 6.4). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_module *net = cn_sequential(cn_linear_layer(256), cn_relu_layer(), cn_linear_layer(10));
    cn_module *first = cn_module_at(net, "0"), *last = cn_module_at(net, "2");
    lab_true(lab, "there is no weight yet", cn_module_slot(first, "weight") == NULL);
    cn_state_dict(net);
    lab_refused(lab, "state_dict() before the first input", "not known yet");

    /* An initialiser given now is applied when there is something to initialise. */
    double sigma = 0.5;
    cn_init(net, cn_normal_init, &sigma);
    cn_tensor *x = cn_rand(CN_SHAPE(2, 20), CN_F32);
    lab_shape(lab, "net(X)", cn_forward(net, x), CN_SHAPE(2, 10));
    lab_shape(lab, "the first weight", cn_module_slot(first, "weight"), CN_SHAPE(256, 20));
    lab_shape(lab, "the last weight", cn_module_slot(last, "weight"), CN_SHAPE(10, 256));
    lab_number(lab, "its standard deviation is the one asked for",
               cn_item(cn_std(cn_module_slot(last, "weight"))), 0.5, 0.03);

    cn_forward(net, cn_rand(CN_SHAPE(2, 30), CN_F32));
    lab_refused(lab, "other features than those of the first input", "30");
    cn_module_free(net);
}

const Experiment experiment_c05_lazy = {
    .id = "C05-LAZY",
    .title = "Deferred initialisation",
    .title_zh = "延后初始化",
    .section = "6.4",
    .settings = "256 hidden units, 10 outputs, 20 inputs",
    .published = "(256, 20), (256), (10, 256), (10)",
    .run = run,
};
