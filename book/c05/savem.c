/* savem.c - the parameters of a network through a file (D2L 6.6.2). */
#include "book/book.h"

#include <unistd.h>

static cn_module *mlp(int64_t hidden)
{
    return cn_sequential(cn_linear_layer(hidden, .in = 20), cn_relu_layer(),
                         cn_linear_layer(10, .in = hidden));
}

static void run(Lab *lab)
{
    char path[LAB_PATH];
    if (!lab_new_file(path, ".safetensors")) return;
    cn_module *net = mlp(256), *clone = mlp(256), *other = mlp(128);
    cn_tensor *x = cn_randn(CN_SHAPE(2, 20), CN_F32), *y = cn_forward(net, x);
    lab_at_least(lab, "before loading the outputs differ by",
                 cn_item(cn_norm(cn_sub(cn_forward(clone, x), y))), 1e-2);

    cn_dict *state = cn_state_dict(net);
    cn_dict *loaded = cn_save(path, state) ? cn_load(path) : NULL;
    cn_load_state_dict(clone, loaded, true);
    lab_values(lab, "Y_clone == Y", cn_eq(cn_forward(clone, x), y), 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
               1, 1, 1, 1, 1, 1, 1, 1, 1, 1);

    cn_load_state_dict(other, loaded, true);
    lab_refused(lab, "into a net of other sizes", "(256, 20)");
    cn_module *deeper = cn_sequential(mlp(256), cn_linear_layer(2, .in = 10));
    cn_load_state_dict(deeper, loaded, true);
    lab_refused(lab, "into a net of other names", "0.0.weight");
    cn_module *const nets[] = { deeper, other, clone, net };
    for (int i = 0; i < 4; i++) cn_module_free(nets[i]);
    cn_dict_free(loaded);
    cn_dict_free(state);
    unlink(path);
}

const Experiment experiment_c05_savem = {
    .id = "C05-SAVEM",
    .title = "Saving and loading parameters",
    .title_zh = "加载和保存模型参数",
    .section = "6.6.2",
    .published = "Y_clone == Y: all True",
    .run = run,
};
