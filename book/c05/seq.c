/* seq.c - modules one after the other, by the library and by hand (D2L 6.1.2). */
#include "book/book.h"

static bool my_forward(cn_module *m, cn_io *io)
{
    cn_tensor *x = io->in[0];
    for (int i = 0; i < cn_module_children(m); i++) x = cn_forward(cn_module_child(m, i), x);
    io->out[0] = x;
    return x != NULL;
}

static const cn_module_class my_sequential = {
    .size = sizeof(cn_module_class),
    .name = "MySequential",
    .forward = my_forward,
};

static void run(Lab *lab)
{
    cn_tensor *x = cn_rand(CN_SHAPE(2, 20), CN_F32);
    cn_module *parts[] = { cn_linear_layer(256, .in = 20), cn_relu_layer(),
                           cn_linear_layer(10, .in = 256) };
    cn_module *net = cn_sequential(parts[0], parts[1], parts[2]),
              *own = cn_module_of(&my_sequential, NULL);
    for (int i = 0; i < 3; i++)
        cn_module_add(own, (const char *[]){ "0", "1", "2" }[i], cn_module_keep(parts[i]));
    lab_shape(lab, "net(X)", cn_forward(net, x), CN_SHAPE(2, 10));
    lab_same(lab, "MySequential and Sequential of the same modules", cn_forward(own, x),
             cn_forward(net, x), 1e-6);
    lab_number(lab, "its children", cn_module_children(net), 3, 0);
    lab_text(lab, "the one in the middle", cn_module_name(cn_module_child(net, 1)), "ReLU");

    /* The order counts. */
    cn_module *other =
        cn_sequential(cn_module_keep(parts[0]), cn_module_keep(parts[2]), cn_module_keep(parts[1]));
    lab_at_least(lab, "the least output with ReLU at the end",
                 cn_item(cn_amin(cn_forward(other, x))), 0);
    lab_at_most(lab, "the least output in order", cn_item(cn_amin(cn_forward(net, x))), -1e-3);
    cn_module_free(other);
    cn_module_free(own);
    cn_module_free(net);
}

const Experiment experiment_c05_seq = {
    .id = "C05-SEQ",
    .title = "The sequential block",
    .title_zh = "顺序块",
    .section = "6.1.2",
    .published = "torch.Size([2, 10])",
    .run = run,
};
