/* saveall.c - structure and parameters in one file (D2L 6.6.2). */
#include "book/book.h"

#include <unistd.h>

static bool twice_forward(cn_module *m, cn_io *io)
{
    (void)m;
    io->out[0] = cn_mul(io->in[0], cn_num(2));
    return io->out[0] != NULL;
}

static const cn_module_class twice_class = {
    .size = sizeof(cn_module_class),
    .name = "Twice",
    .forward = twice_forward,
};

static void run(Lab *lab)
{
    char path[LAB_PATH];
    if (!lab_new_file(path, ".pt")) return;
    cn_module *shared = cn_linear_layer(16, .in = 16);
    cn_module *net = cn_sequential(
        cn_conv2d_layer(4, .kernel = 3, .padding = 1), cn_batch_norm2d_layer(), cn_relu_layer(),
        cn_max_pool2d_layer(4), cn_flatten_layer(), cn_linear_layer(16), shared, cn_tanh_layer(),
        cn_module_keep(shared), cn_dropout_layer(0.5), cn_linear_layer(3, .no_bias = true));
    cn_tensor *x = cn_randn(CN_SHAPE(2, 1, 8, 8), CN_F32);
    cn_forward(net, x); /* moves the running statistics */
    cn_train_mode(net, false);
    cn_tensor *y = cn_forward(net, x);

    cn_module *back = cn_module_save(path, net) ? cn_module_load(path) : NULL;
    cn_train_mode(back, false);
    lab_same(lab, "outputs of the net that was loaded without its code", cn_forward(back, x), y, 0);
    lab_number(lab, "its parameters, the shared ones once", (double)cn_parameter_count(back),
               (double)cn_parameter_count(net), 0);
    lab_true(lab, "the layer in two places is one again",
             cn_module_at(back, "6") != NULL && cn_module_at(back, "6") == cn_module_at(back, "8"));
    cn_module_free(back);
    cn_module_free(net);

    cn_module *own = cn_sequential(cn_linear_layer(2, .in = 2), cn_module_of(&twice_class, NULL));
    bool saved = cn_module_save(path, own);
    lab_refused(lab, "a class of one's own, whose code no file can hold", "'1' is a Twice");
    lab_true(lab, "is not saved without it", !saved);
    cn_module_free(own);
    unlink(path);
}

const Experiment experiment_c05_saveall = {
    .id = "C05-SAVEALL",
    .title = "Saving the whole network",
    .title_zh = "保存整个模型",
    .section = "6.6.2",
    .run = run,
};
