/* reuse.c - the first layers of a saved network in a new one (D2L 6.6.2). */
#include "book/book.h"

#include <string.h>
#include <unistd.h>

static void run(Lab *lab)
{
    char path[LAB_PATH];
    if (!lab_new_file(path, ".safetensors")) return;
    cn_module *old =
        cn_sequential(cn_linear_layer(32, .in = 20), cn_relu_layer(), cn_linear_layer(16, .in = 32),
                      cn_relu_layer(), cn_linear_layer(10, .in = 16));
    cn_dict *state = cn_state_dict(old);
    cn_dict *saved = cn_save(path, state) ? cn_load(path) : NULL;

    /* Another head, one layer more: only what is below "4." is taken. */
    cn_module *net =
        cn_sequential(cn_linear_layer(32, .in = 20), cn_relu_layer(), cn_linear_layer(16, .in = 32),
                      cn_relu_layer(), cn_linear_layer(5, .in = 16), cn_relu_layer(),
                      cn_linear_layer(2, .in = 5));
    cn_tensor *head = cn_module_slot(cn_module_at(net, "4"), "weight"),
              *fresh = cn_clone(cn_detach(head));
    cn_dict *part = cn_dict_new();
    for (int i = 0; saved && i < cn_dict_count(saved); i++)
        if (strncmp(cn_dict_key(saved, i), "4.", 2) != 0)
            cn_dict_set(part, cn_dict_key(saved, i), *cn_dict_at(saved, i));
    lab_number(lab, "tensors taken", cn_dict_count(part), 4, 0);
    lab_true(lab, "loaded, though some are missing", cn_load_state_dict(net, part, false));

    lab_same(lab, "the first layer", cn_module_slot(cn_module_at(net, "0"), "weight"),
             cn_dict_tensor(state, "0.weight"), 0);
    lab_same(lab, "the second", cn_module_slot(cn_module_at(net, "2"), "bias"),
             cn_dict_tensor(state, "2.bias"), 0);
    lab_same(lab, "the new head stays as it was", head, fresh, 0);
    cn_tensor *x = cn_randn(CN_SHAPE(3, 20), CN_F32);
    cn_tensor *body =
        cn_forward(cn_module_at(net, "2"), cn_relu(cn_forward(cn_module_at(net, "0"), x)));
    lab_same(lab, "what the body computes", body,
             cn_forward(cn_module_at(old, "2"), cn_relu(cn_forward(cn_module_at(old, "0"), x))), 0);

    cn_load_state_dict(net, saved, false);
    lab_refused(lab, "all of it does not fit", "4.weight");
    cn_dict *const dicts[] = { part, saved, state };
    for (int i = 0; i < 3; i++) cn_dict_free(dicts[i]);
    cn_module_free(net);
    cn_module_free(old);
    unlink(path);
}

const Experiment experiment_c05_reuse = {
    .id = "C05-REUSE",
    .title = "Reusing layers in another network",
    .title_zh = "重用部分层",
    .section = "6.6.2",
    .run = run,
};
