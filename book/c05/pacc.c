/* pacc.c - parameters one by one, all at once, and from nested blocks (D2L 6.2.1). */
#include "book/book.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    char text[256];
} Names;

static bool collect(const cn_entry *e, void *context)
{
    Names *names = context;
    size_t used = strlen(names->text);
    const cn_shape *s = cn_shape_of(e->tensor);
    int n =
        snprintf(names->text + used, sizeof names->text - used, "%s%s (", used ? " " : "", e->name);
    for (int i = 0; s && i < s->ndim; i++) {
        used += (size_t)n;
        n = snprintf(names->text + used, sizeof names->text - used, "%s%lld", i ? ", " : "",
                     (long long)s->dim[i]);
    }
    used += (size_t)n;
    snprintf(names->text + used, sizeof names->text - used, ")");
    return true;
}

static void run(Lab *lab)
{
    cn_module *net =
        cn_sequential(cn_linear_layer(8, .in = 4), cn_relu_layer(), cn_linear_layer(1, .in = 8));
    cn_tensor *x = cn_rand(CN_SHAPE(2, 4), CN_F32);
    lab_shape(lab, "net(X)", cn_forward(net, x), CN_SHAPE(2, 1));

    Names names = { .text = "" };
    cn_visit(net, collect, &names);
    lab_text(lab, "named_parameters()", names.text,
             "0.weight (8, 4) 0.bias (8) 2.weight (1, 8) 2.bias (1)");
    cn_tensor *bias = cn_module_slot(cn_module_child(net, 2), "bias");
    lab_shape(lab, "net[2].bias", bias, CN_SHAPE(1));
    lab_true(lab, "net[2].weight.grad before backward",
             cn_grad(cn_module_slot(cn_module_child(net, 2), "weight")) == NULL);
    cn_dict *state = cn_state_dict(net);
    lab_same(lab, "state_dict()['2.bias']", cn_dict_tensor(state, "2.bias"), bias, 0);
    lab_number(lab, "entries of the state_dict", cn_dict_count(state), 4, 0);
    cn_dict_free(state);
    cn_module_free(net);

    /* From nested blocks: rgnet[0][1][0].bias. */
    cn_module *blocks[4];
    for (int i = 0; i < 4; i++)
        blocks[i] = cn_sequential(cn_linear_layer(8, .in = 4), cn_relu_layer(),
                                  cn_linear_layer(4, .in = 8), cn_relu_layer());
    cn_module *nested = cn_sequential(cn_sequential_n(blocks, 4), cn_linear_layer(1, .in = 4));
    lab_shape(lab, "rgnet(X)", cn_forward(nested, x), CN_SHAPE(2, 1));
    cn_tensor *by_path = cn_module_slot(cn_module_at(nested, "0.1.0"), "bias");
    cn_module *by_index = cn_module_child(cn_module_child(cn_module_child(nested, 0), 1), 0);
    lab_shape(lab, "rgnet[0][1][0].bias", by_path, CN_SHAPE(8));
    lab_true(lab, "is the same by path and by index",
             by_path != NULL && by_path == cn_module_slot(by_index, "bias"));
    cn_module_free(nested);
}

const Experiment experiment_c05_pacc = {
    .id = "C05-PACC",
    .title = "Access to parameters",
    .title_zh = "参数访问",
    .section = "6.2.1",
    .published = "0.weight [8, 4], 0.bias [8], 2.weight [1, 8], 2.bias [1]",
    .run = run,
};
