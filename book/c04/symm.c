/* symm.c - hidden units that begin alike stay alike (D2L 5.4.1.3). */
#include "book/book.h"

enum { N = 200, HIDDEN = 6, STEPS = 200 };

static bool constant(cn_tensor *parameter, const char *name, void *context)
{
    (void)name;
    (void)context;
    return cn_copy_(cn_detach(parameter), cn_num(0.3)) != NULL;
}

/* The two layers' weights as one matrix, a row for each hidden unit: what goes in, what goes out. */
static cn_tensor *units(cn_module *net)
{
    cn_tensor *in = cn_module_slot(cn_module_at(net, "0"), "weight");
    cn_tensor *out = cn_t(cn_module_slot(cn_module_at(net, "2"), "weight"));
    return cn_detach(cn_cat((cn_tensor *[]){ in, out }, 2, 1));
}

/* How far the hidden units are from the first one. */
static double spread(cn_module *net)
{
    cn_tensor *u = units(net);
    return cn_item(cn_amax(cn_abs(cn_sub(u, cn_narrow(u, 0, 0, 1)))));
}

/* Loss after training on y = x1 x2, for which different units are needed. */
static double train(cn_module *net, cn_tensor *x, cn_tensor *y)
{
    double last = 0;
    cn_optim *sgd = cn_sgd(net, .lr = 0.2, .momentum = 0.9);
    for (int i = 0; i < STEPS && cn_ok(); i++) CN_SCOPE
        {
            cn_zero_grad(net);
            cn_tensor *l = cn_mse_loss(cn_forward(net, x), y);
            if (cn_backward(l)) cn_step(sgd);
            last = cn_item(l);
        }
    cn_optim_free(sgd);
    return last;
}

static cn_module *network(void)
{
    return cn_sequential(cn_linear_layer(HIDDEN, .in = 2), cn_tanh_layer(),
                         cn_linear_layer(1, .in = HIDDEN));
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(N, 2), CN_F32);
    cn_tensor *y = cn_prod(x, .dim = CN_SHAPE(1), .keepdim = true);
    cn_module *alike = network(), *random = network();
    cn_init(alike, constant, NULL);
    cn_init(random, cn_xavier_normal, NULL);
    cn_tensor *first = cn_clone(units(alike));
    double loss = train(alike, x, y), better = train(random, x, y);
    lab_at_least(lab, "constant: training has moved the weights by",
                 cn_item(cn_amax(cn_abs(cn_sub(units(alike), first)))), 0.1);
    lab_at_most(lab, "constant: hidden units after training differ by", spread(alike), 1e-5);
    lab_at_least(lab, "random: they differ by", spread(random), 0.1);
    lab_at_most(lab, "loss of random, against constant, of which all units are one", better / loss,
                0.6);
    cn_module_free(alike);
    cn_module_free(random);
}

const Experiment experiment_c04_symm = {
    .id = "C04-SYMM",
    .title = "Breaking the symmetry",
    .title_zh = "打破对称性",
    .section = "5.4.1",
    .run = run,
};
