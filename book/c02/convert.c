/* convert.c - tensors and the arrays of others (D2L 2.1.6). */
#include "book/book.h"

#include <stdlib.h>
#include <unistd.h>

static void run(Lab *lab)
{
    float host[4] = { 1, 2, 3, 4 };
    cn_tensor *shared = cn_wrap(host, CN_SHAPE(4), CN_F32, NULL, NULL);
    cn_tensor *copied = cn_from(host, CN_SHAPE(4), CN_F32);
    cn_tensor *deep = cn_clone(shared);
    host[0] = 42;
    lab_values(lab, "a wrapped array changes with it", shared, 0, 42, 2, 3, 4);
    lab_values(lab, "a copied one does not", copied, 0, 1, 2, 3, 4);
    lab_values(lab, "nor does a clone", deep, 0, 1, 2, 3, 4);

    cn_tensor *a = cn_full(CN_SHAPE(1), 3.5, CN_F32);
    lab_number(lab, "a.item()", cn_item(a), 3.5, 0);
    lab_number(lab, "int(a)", (double)(int)cn_item(a), 3, 0);
    cn_item(copied);
    lab_refused(lab, "item() of four elements", "4");

    /* Through a file of NumPy's, and through the memory that DLPack lends. */
    char path[LAB_PATH];
    if (!lab_new_file(path, ".npy")) return;
    cn_tensor *random = cn_randn(CN_SHAPE(3, 5), CN_F32);
    cn_dict *out = cn_dict_new();
    bool saved = cn_dict_set_tensor(out, "", random) && cn_save(path, out);
    cn_dict *in = saved ? cn_load(path) : NULL;
    lab_same(lab, "through a .npy file", cn_dict_tensor(in, ""), random, 0);
    cn_tensor *lent = cn_from_dlpack(cn_to_dlpack(random));
    lab_same(lab, "through DLPack", lent, random, 0);
    lab_true(lab, "which copies nothing", cn_data(lent) == cn_data(random));
    cn_dict_free(in);
    cn_dict_free(out);
    unlink(path);
}

const Experiment experiment_c02_convert = {
    .id = "C02-CONVERT",
    .title = "Conversion to and from other objects",
    .title_zh = "转换为其他Python对象",
    .section = "2.1.6",
    .published = "tensor([3.5000]), 3.5, 3.5, 3",
    .run = run,
};
