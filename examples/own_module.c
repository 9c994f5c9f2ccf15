/* own_module.c - a class of modules of one's own: a residual block whose branch has a trained gain.
   It trains a small network of such blocks on the glyphs. */
#include <cenote/cenote.h>

#include <stdio.h>

typedef struct {
    int64_t features;
} Residual;

/* Parameters start as zeros: at first the block is the identity. */
static bool residual_build(cn_module *m, const cn_shape *input)
{
    const Residual *o = cn_module_options(m);
    (void)input;
    return cn_module_parameter(m, "gain", &CN_SHAPE(1)) &&
           cn_module_add(m, "branch",
                         cn_sequential(cn_linear_layer(o->features), cn_relu_layer(),
                                       cn_linear_layer(o->features)));
}

static bool residual_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = io->in[0], *y = cn_forward(cn_module_at(m, "branch"), x);
    io->out[0] = cn_add(x, cn_mul(y, cn_module_slot(m, "gain")));
    return io->out[0] != NULL;
}

static const cn_module_class residual_class = {
    .size = sizeof(cn_module_class),
    .name = "Residual",
    .doc = "y = x + gain * branch(x)",
    .options_size = sizeof(Residual),
    .build = residual_build,
    .forward = residual_forward,
};

static cn_module *residual(int64_t features)
{
    return cn_module_of(&residual_class, &(Residual){ features });
}

int main(void)
{
    cn_manual_seed(1);
    cn_dataset *train = cn_dataset_open("glyphs"),
               *test = cn_dataset_open("glyphs", .split = CN_TEST);
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(64), residual(64),
                                   residual(64), cn_linear_layer(10));
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);

    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 256, .epochs = 3))
        printf("loss %.3f, test accuracy %.3f, gain of the first block %.3f\n", last.train_loss,
               last.test_acc, cn_item(cn_module_slot(cn_module_at(net, "2"), "gain")));
    else fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
