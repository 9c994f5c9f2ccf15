/* block.c - a class of modules with an init and a forward (D2L 6.1.1). */
#include "book/book.h"

/* The book's MLP: a hidden layer and an output layer as children, run by forward(). */
static bool mlp_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return cn_module_add(m, "hidden", cn_linear_layer(256, .in = 20)) &&
           cn_module_add(m, "output", cn_linear_layer(10, .in = 256));
}

static bool mlp_forward(cn_module *m, cn_io *io)
{
    cn_tensor *h = cn_relu(cn_forward(cn_module_at(m, "hidden"), io->in[0]));
    io->out[0] = cn_forward(cn_module_at(m, "output"), h);
    return io->out[0] != NULL;
}

static const cn_module_class mlp_class = {
    .size = sizeof(cn_module_class),
    .name = "MLP",
    .build = mlp_build,
    .forward = mlp_forward,
};

static cn_tensor *parameter(cn_module *net, const char *path, const char *name)
{
    return cn_module_slot(cn_module_at(net, path), name);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_rand(CN_SHAPE(2, 20), CN_F32);
    cn_module *net = cn_module_of(&mlp_class, NULL);
    lab_shape(lab, "net(X)", cn_forward(net, x), CN_SHAPE(2, 10));
    lab_number(lab, "its parameters were registered", (double)cn_parameter_count(net),
               20 * 256 + 256 + 256 * 10 + 10, 0);

    /* The same by its formula. */
    cn_tensor *w1 = parameter(net, "hidden", "weight"), *b1 = parameter(net, "hidden", "bias");
    cn_tensor *w2 = parameter(net, "output", "weight"), *b2 = parameter(net, "output", "bias");
    cn_tensor *h = cn_relu(cn_add(cn_matmul(x, cn_t(w1)), b1));
    lab_same(lab, "net(X), and relu(X W1^T + b1) W2^T + b2", cn_forward(net, x),
             cn_add(cn_matmul(h, cn_t(w2)), b2), 1e-5);

    cn_backward(cn_sum(cn_forward(net, x)));
    lab_values(lab, "backward reaches them: the gradient of the last bias", cn_grad(b2), 1e-5, 2, 2,
               2, 2, 2, 2, 2, 2, 2, 2);
    cn_module_free(net);
}

const Experiment experiment_c05_block = {
    .id = "C05-BLOCK",
    .title = "A block of one's own",
    .title_zh = "自定义块",
    .section = "6.1.1",
    .published = "torch.Size([2, 10])",
    .run = run,
};
