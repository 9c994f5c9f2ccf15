/* admulti.c - gradients that add up, put to use (D2L 2.5.1). */
#include "book/book.h"

static cn_tensor *first_gradient(cn_module *net)
{
    return cn_grad(cn_module_slot(cn_module_at(net, "0"), "weight"));
}

static void run(Lab *lab)
{
    cn_module *net =
        cn_sequential(cn_linear_layer(16, .in = 8), cn_tanh_layer(), cn_linear_layer(3, .in = 16));
    cn_tensor *x = cn_randn(CN_SHAPE(32, 8), CN_F32), *y = cn_randint(0, 3, CN_SHAPE(32));

    cn_backward(cn_cross_entropy(cn_forward(net, x), y));
    cn_tensor *whole = cn_clone(first_gradient(net));
    cn_zero_grad(net);
    for (int i = 0; i < 4; i++) {
        cn_tensor *part = cn_forward(net, cn_narrow(x, 0, 8 * i, 8));
        cn_backward(cn_mul(cn_cross_entropy(part, cn_narrow(y, 0, 8 * i, 8)), cn_num(0.25)));
    }
    lab_same(lab, "4 micro-batches of 8, and one batch of 32", first_gradient(net), whole, 1e-5);

    /* Two heads on one body: losses one after the other, or added up. */
    cn_module *head = cn_linear_layer(1, .in = 3);
    cn_zero_grad(net);
    cn_tensor *body = cn_forward(net, x), *one = cn_cross_entropy(body, y);
    cn_tensor *two = cn_mean(cn_square(cn_forward(head, body)));
    const cn_backward_options retain = { .size = sizeof retain, .retain_graph = true };
    cn_backward_of(&one, NULL, 1, &retain);
    cn_backward(two);
    cn_tensor *turns = cn_clone(first_gradient(net));
    cn_zero_grad(net);
    body = cn_forward(net, x);
    cn_backward(cn_add(cn_cross_entropy(body, y), cn_mean(cn_square(cn_forward(head, body)))));
    lab_same(lab, "loss 1, then loss 2, and their sum", first_gradient(net), turns, 1e-6);
    lab_at_least(lab, "the second loss counts: it changes the gradient by",
                 cn_item(cn_norm(cn_sub(turns, whole))), 1e-4);
    cn_module_free(head);
    cn_module_free(net);
}

const Experiment experiment_c02_admulti = {
    .id = "C02-AD-MULTI",
    .title = "Micro-batches and several losses",
    .title_zh = "多个损失与小批量的梯度累积",
    .section = "2.5.1",
    .run = run,
};
