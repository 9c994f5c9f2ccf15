/* res1000.c - why residual networks train at a thousand layers (D2L 8.6.1; He et al., 2016).

   Narrow networks without normalisation, so that nothing but x + f(x) helps. */
#include "book/book.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 8, SIDE = 7, IMAGE = 28, DEPTHS = 4 };

/* ---- the block ---------------------------------------------------------------------------------- */

typedef struct {
    bool residual;
} Block;

/* y = f(x) or x + f(x), f being two convolutions with ReLU before each. */
static bool forward(cn_module *m, cn_io *io)
{
    const Block *o = cn_module_options(m);
    cn_tensor *x = io->in[0];
    cn_tensor *y = cn_forward(cn_module_at(m, "first"), cn_relu(x));
    y = cn_forward(cn_module_at(m, "second"), cn_relu(y));
    io->out[0] = o->residual ? cn_add(x, y) : y;
    return io->out[0] != NULL;
}

static bool build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return cn_module_add(m, "first", cn_conv2d_layer(WIDTH, .in = WIDTH, .padding = 1)) &&
           cn_module_add(m, "second", cn_conv2d_layer(WIDTH, .in = WIDTH, .padding = 1));
}

static const cn_module_class block_class = {
    .size = sizeof(cn_module_class),
    .name = "Block",
    .doc = "Two narrow convolutions, with or without what goes past them.",
    .options_size = sizeof(Block),
    .build = build,
    .forward = forward,
};

/* In both networks branches start so small that a sum of them all is of the size of one. */
static cn_module *network(int depth, bool residual)
{
    int blocks = (depth - 2) / 2;
    cn_module *net =
        cn_sequential(cn_conv2d_layer(WIDTH, .in = 1, .kernel = 4, .stride = IMAGE / SIDE));
    char name[16];
    for (int i = 1; i <= blocks; i++) {
        cn_module *block = cn_module_of(&block_class, &(Block){ residual });
        if (residual)
            cn_mul_(cn_detach(cn_module_slot(cn_module_at(block, "second"), "weight")),
                    cn_num(1 / sqrt(blocks)));
        snprintf(name, sizeof name, "%d", i);
        cn_module_add(net, name, block);
    }
    cn_module_add(net, "relu", cn_relu_layer());
    cn_module_add(net, "flatten", cn_flatten_layer());
    cn_module_add(net, "linear", cn_linear_layer(10));
    cn_build(net, CN_SHAPE(1, 1, IMAGE, IMAGE));
    return net;
}

/* ---- what is measured ---------------------------------------------------------------------------- */

/* Of the first layer, for one batch. */
static double first_gradient(cn_module *net, const cn_batch *b)
{
    double norm = 0;
    CN_SCOPE
    {
        cn_zero_grad(net);
        if (cn_backward(cn_cross_entropy(cn_forward(net, b->x), b->y)))
            norm = cn_item(cn_norm(cn_grad(cn_module_slot(cn_module_at(net, "0"), "weight"))));
        cn_zero_grad(net);
    }
    return norm;
}

/* The loss of the last steps. */
static double trained(cn_module *net, cn_dataset *data, int steps)
{
    enum { LAST = 10 };
    double loss = 0;
    cn_batch b;
    cn_loader *loader = cn_loader_new(data, .batch = 32, .shuffle = true, .workers = 1);
    cn_optim *adam = cn_adam(net, .lr = 1e-3);
    for (int i = 0; i < steps && cn_ok(); i++) CN_SCOPE
        {
            if (!cn_loader_next(loader, &b) && cn_ok() && !cn_loader_next(loader, &b)) break;
            cn_zero_grad(net);
            cn_tensor *l = cn_cross_entropy(cn_forward(net, b.x), b.y);
            if (i >= steps - LAST) loss += cn_item(l) / LAST;
            if (cn_backward(l)) cn_step(adam);
        }
    cn_optim_free(adam);
    cn_loader_free(loader);
    return loss;
}

typedef struct {
    double gradient[DEPTHS], loss[DEPTHS];
} Column;

static void measure(Lab *lab, Column *c, int i, int depth, bool residual, cn_dataset *data,
                    const cn_batch *b, int steps)
{
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = network(depth, residual);
    c->gradient[i] = first_gradient(net, b);
    c->loss[i] = steps ? trained(net, data, steps) : (double)NAN;
    lab_say(lab, "%-8s %4d layers: gradient of the first %.3g, loss after %d steps %.3f",
            residual ? "residual" : "plain", depth, c->gradient[i], steps, c->loss[i]);
    cn_module_free(net);
}

static void run(Lab *lab)
{
    enum { N = 32 };
    static const int depths[DEPTHS] = { 20, 56, 110, 1000 };
    bool quick = lab_options(lab)->quick;
    int n = quick ? 3 : DEPTHS;
    Column plain, residual;
    double x[DEPTHS];
    int64_t index[N];
    cn_batch b = { 0 };
    cn_dataset *data = lab_images(lab, CN_TRAIN, 3200, 3200);
    for (int i = 0; i < N; i++) index[i] = i;
    if (!data || !cn_dataset_get(data, index, N, &b)) return;
    for (int i = 0; i < n; i++) {
        int steps = depths[i] > 110 ? 60 : depths[i] > 56 && quick ? 0 : 200;
        x[i] = depths[i];
        measure(lab, &plain, i, depths[i], false, data, &b, depths[i] > 110 ? 0 : steps);
        measure(lab, &residual, i, depths[i], true, data, &b, steps);
    }
    const double chance = log(10);
    lab_at_most(lab, "plain: gradient of the first layer, 56 layers against 20",
                plain.gradient[1] / plain.gradient[0], 1e-6);
    lab_at_least(lab, "residual: gradient, the deepest against 20",
                 residual.gradient[n - 1] / residual.gradient[0], 0.1);
    lab_at_least(lab, "plain, 56 layers: loss", plain.loss[1], chance - 0.05);
    lab_at_most(lab, "residual, 56 layers: loss", residual.loss[1], 0.75 * chance);
    if (!quick) lab_at_most(lab, "residual, 1000 layers: loss", residual.loss[3], 0.95 * chance);
    cn_figure *f = cn_figure_new("Gradient of the first layer");
    cn_figure_line(f, "plain", x, plain.gradient, (size_t)n);
    cn_figure_line(f, "residual", x, residual.gradient, (size_t)n);
    cn_figure_axes(f, .xlabel = "layers", .ylabel = "norm", .ylog = true);
    lab_figure(lab, f);
}

const Experiment experiment_c07_res1000 = {
    .id = "C07-RES1000",
    .title = "Why ResNet trains at 1000 layers",
    .title_zh = "ResNet 为什么能训练出 1000 层的模型",
    .section = "8.6.1",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
