/* savet.c - tensors, lists and dictionaries through files (D2L 6.6.1). */
#include "book/book.h"

#include <unistd.h>

static void run(Lab *lab)
{
    cn_tensor *x = cn_arange(0, 4, 1, CN_F32), *y = cn_zeros(CN_SHAPE(4), CN_F32);
    static const char *const extensions[] = { ".npy", ".npz", ".safetensors", ".pt" };
    for (int i = 0; i < 4; i++) {
        char path[LAB_PATH];
        if (!lab_new_file(path, extensions[i])) return;
        cn_dict *out = cn_dict_new();
        bool ok = cn_dict_set_tensor(out, i ? "x" : "", x) &&
                  (i == 0 || cn_dict_set_tensor(out, "y", y)) && cn_save(path, out);
        cn_dict *in = ok ? cn_load(path) : NULL;
        lab_same(lab, extensions[i], cn_dict_tensor(in, i ? "x" : ""), x, 0);
        if (i) lab_same(lab, "and the second of the dictionary", cn_dict_tensor(in, "y"), y, 0);
        cn_dict_free(in);
        cn_dict_free(out);
        unlink(path);
    }

    /* A list, as torch.save([x, y], ..). */
    char path[LAB_PATH];
    if (!lab_new_file(path, ".pt")) return;
    const cn_value pair[] = { { CN_KIND_TENSOR, 0, { .t = x } },
                              { CN_KIND_TENSOR, 0, { .t = y } } };
    cn_dict *out = cn_dict_new();
    bool ok = cn_dict_set(out, "list", (cn_value){ CN_KIND_LIST, 2, { .list = pair } }) &&
              cn_save(path, out);
    cn_dict *in = ok ? cn_load(path) : NULL;
    const cn_value *list = in ? cn_dict_find(in, "list") : NULL;
    lab_number(lab, "a list of so many", list ? list->n : 0, 2, 0);
    if (list && list->n == 2) lab_same(lab, "its first", list->u.list[0].u.t, x, 0);
    cn_dict_free(in);
    cn_dict_free(out);
    unlink(path);

    /* Numbers of the other byte order, as the header declares: 1.0 and -2.5. */
    static const char big[] = "\x93NUMPY\x01\x00\x76\x00"
                              "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"
                              "                                                            \n"
                              "\x3f\x80\x00\x00\xc0\x20\x00\x00";
    in = cn_load_bytes(big, sizeof big - 1, "big.npy");
    lab_values(lab, "a file of the other byte order", cn_dict_tensor(in, ""), 0, 1, -2.5);
    cn_dict_free(in);
}

const Experiment experiment_c05_savet = {
    .id = "C05-SAVET",
    .title = "Saving and loading tensors",
    .title_zh = "加载和保存张量",
    .section = "6.6.1",
    .published = "[0, 1, 2, 3] comes back",
    .run = run,
};
