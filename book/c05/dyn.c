/* dyn.c - control flow and constants inside a block (D2L 6.1.3). */
#include "book/book.h"

#include <math.h>

/* The book's FixedHiddenMLP: a random weight that is not trained, one layer used twice, a loop. */
static bool fixed_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    if (!cn_module_buffer(m, "rand_weight", &CN_SHAPE(20, 20), CN_F32, 0)) return false;
    cn_tensor *weight = cn_module_slot(m, "rand_weight");
    return cn_copy_(weight, cn_rand(CN_SHAPE(20, 20), CN_F32)) &&
           cn_module_add(m, "linear", cn_linear_layer(20, .in = 20));
}

static bool fixed_forward(cn_module *m, cn_io *io)
{
    cn_module *linear = cn_module_at(m, "linear");
    cn_tensor *x = cn_forward(linear, io->in[0]);
    x = cn_relu(cn_add(cn_matmul(x, cn_module_slot(m, "rand_weight")), cn_num(1)));
    x = cn_forward(linear, x); /* the same parameters again */
    while (cn_ok() && cn_item(cn_sum(cn_abs(x))) > 1) x = cn_div(x, cn_num(2));
    io->out[0] = cn_sum(x);
    return io->out[0] != NULL;
}

static const cn_module_class fixed_class = {
    .size = sizeof(cn_module_class),
    .name = "FixedHiddenMLP",
    .build = fixed_build,
    .forward = fixed_forward,
};

static void run(Lab *lab)
{
    cn_module *net = cn_module_of(&fixed_class, NULL);
    cn_tensor *x = cn_rand(CN_SHAPE(2, 20), CN_F32), *y = cn_forward(net, x);
    cn_tensor *fixed = cn_module_slot(net, "rand_weight");
    lab_number(lab, "dimensions of net(X)", cn_ndim(y), 0, 0);
    lab_at_most(lab, "|net(X)|", fabs(cn_item(y)), 1);
    lab_number(lab, "parameters: those of the one linear layer", (double)cn_parameter_count(net),
               20 * 20 + 20, 0);

    /* Without the loop, by formula, the layer's weight in both places. */
    cn_tensor *w = cn_module_slot(cn_module_at(net, "linear"), "weight"),
              *b = cn_module_slot(cn_module_at(net, "linear"), "bias");
    cn_tensor *h = cn_relu(cn_add(cn_matmul(cn_linear(x, w, b), fixed), cn_num(1))),
              *z = cn_linear(h, w, b);
    int halvings = (int)fmax(0, ceil(log2(cn_item(cn_sum(cn_abs(z))))));
    lab_number(lab, "net(X), and the formula halved as often as needed", cn_item(y),
               cn_item(cn_sum(z)) / ldexp(1, halvings), 1e-5);

    cn_tensor *before = cn_clone(fixed), *old = cn_clone(w);
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);
    cn_backward(y);
    cn_step(sgd);
    lab_same(lab, "the constant weight after a step", fixed, before, 0);
    lab_at_least(lab, "the layer's changed by", cn_item(cn_norm(cn_sub(cn_detach(w), old))), 1e-6);
    cn_optim_free(sgd);
    cn_module_free(net);
}

const Experiment experiment_c05_dyn = {
    .id = "C05-DYN",
    .title = "Code in forward, and constant parameters",
    .title_zh = "在前向传播函数中执行代码",
    .section = "6.1.3",
    .published = "a scalar of at most 1",
    .run = run,
};
