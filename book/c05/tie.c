/* tie.c - one layer in two places (D2L 6.2.2). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_module *shared = cn_linear_layer(8, .in = 8);
    cn_module *net =
        cn_sequential(cn_linear_layer(8, .in = 4), cn_relu_layer(), shared, cn_relu_layer(),
                      cn_module_keep(shared), cn_relu_layer(), cn_linear_layer(1, .in = 8));
    cn_tensor *x = cn_rand(CN_SHAPE(2, 4), CN_F32);
    cn_tensor *a = cn_module_slot(cn_module_at(net, "2"), "weight"),
              *b = cn_module_slot(cn_module_at(net, "4"), "weight");
    lab_true(lab, "net[2].weight and net[4].weight are one tensor", a != NULL && a == b);
    lab_number(lab, "its elements count once", (double)cn_parameter_count(net), 40 + 72 + 9, 0);
    cn_copy_(cn_select(cn_select(cn_detach(a), 0, 0), 0, 0), cn_num(100));
    lab_number(lab, "net[4].weight[0, 0] after net[2].weight[0, 0] = 100", cn_at(b, CN_SHAPE(0, 0)),
               100, 0);

    /* The same net with two separate copies: its two gradients add up to the one. */
    cn_module *one = cn_module_clone(shared), *two = cn_module_clone(shared);
    cn_module *apart =
        cn_sequential(cn_module_keep(cn_module_at(net, "0")), cn_relu_layer(), one, cn_relu_layer(),
                      two, cn_relu_layer(), cn_module_keep(cn_module_at(net, "6")));
    cn_backward(cn_sum(cn_forward(net, x)));
    cn_backward(cn_sum(cn_forward(apart, x)));
    cn_tensor *sum =
        cn_add(cn_grad(cn_module_slot(one, "weight")), cn_grad(cn_module_slot(two, "weight")));
    lab_same(lab, "the gradient of both uses", cn_grad(a), sum, 1e-3);
    lab_at_least(lab, "which the second use changes by",
                 cn_item(cn_norm(cn_sub(sum, cn_grad(cn_module_slot(one, "weight"))))), 1e-3);

    cn_optim *sgd = cn_sgd(net, .lr = 0.1);
    cn_tensor *expected = cn_sub(cn_clone(cn_detach(a)), cn_mul(cn_grad(a), cn_num(0.1)));
    cn_step(sgd);
    lab_same(lab, "a step of SGD moves it once", b, expected, 1e-4);
    cn_optim_free(sgd);
    cn_module_free(apart);
    cn_module_free(net);
}

const Experiment experiment_c05_tie = {
    .id = "C05-TIE",
    .title = "Tied parameters",
    .title_zh = "参数绑定",
    .section = "6.2.2",
    .published = "True for all, before and after the change",
    .run = run,
};
