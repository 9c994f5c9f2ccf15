/* nest.c - a chimera of blocks and containers (D2L 6.1.3). */
#include "book/book.h"

#include <stdio.h>
#include <string.h>

static bool nest_build(cn_module *m, const cn_shape *input)
{
    (void)input;
    return cn_module_add(m, "net",
                         cn_sequential(cn_linear_layer(64, .in = 20), cn_relu_layer(),
                                       cn_linear_layer(32, .in = 64), cn_relu_layer())) &&
           cn_module_add(m, "linear", cn_linear_layer(16, .in = 32));
}

static bool nest_forward(cn_module *m, cn_io *io)
{
    io->out[0] =
        cn_forward(cn_module_at(m, "linear"), cn_forward(cn_module_at(m, "net"), io->in[0]));
    return io->out[0] != NULL;
}

static const cn_module_class nest_class = {
    .size = sizeof(cn_module_class),
    .name = "NestMLP",
    .build = nest_build,
    .forward = nest_forward,
};

typedef struct {
    char text[512];
} Names;

static bool collect(const cn_entry *e, void *context)
{
    Names *names = context;
    size_t used = strlen(names->text);
    snprintf(names->text + used, sizeof names->text - used, "%s%s", used ? " " : "", e->name);
    return true;
}

static void run(Lab *lab)
{
    cn_module *net = cn_sequential(cn_module_of(&nest_class, NULL), cn_linear_layer(20, .in = 16),
                                   cn_sequential(cn_relu_layer(), cn_linear_layer(4, .in = 20)));
    cn_tensor *x = cn_rand(CN_SHAPE(2, 20), CN_F32);
    lab_shape(lab, "chimera(X)", cn_forward(net, x), CN_SHAPE(2, 4));

    Names names = { .text = "" };
    cn_visit(net, collect, &names);
    lab_text(
        lab, "its parameters", names.text,
        "0.net.0.weight 0.net.0.bias 0.net.2.weight 0.net.2.bias 0.linear.weight 0.linear.bias "
        "1.weight 1.bias 2.1.weight 2.1.bias");
    lab_shape(lab, "one of them by its path",
              cn_module_slot(cn_module_at(net, "0.net.2"), "weight"), CN_SHAPE(32, 64));

    /* Step by step. */
    cn_module *nest = cn_module_at(net, "0");
    cn_tensor *h =
        cn_forward(cn_module_at(nest, "linear"), cn_forward(cn_module_at(nest, "net"), x));
    h = cn_forward(cn_module_at(net, "2"), cn_forward(cn_module_at(net, "1"), h));
    lab_same(lab, "the whole, and its parts one by one", cn_forward(net, x), h, 1e-6);
    cn_module_free(net);
}

const Experiment experiment_c05_nest = {
    .id = "C05-NEST",
    .title = "Blocks in blocks",
    .title_zh = "嵌套块",
    .section = "6.1.3",
    .published = "a scalar",
    .run = run,
};
