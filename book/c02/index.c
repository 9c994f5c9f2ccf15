/* index.c - reading and writing parts of a tensor (D2L 2.1.2). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 12, 1, CN_F32), CN_SHAPE(3, 4));
    lab_values(lab, "X[-1]", cn_select(x, 0, -1), 0, 8, 9, 10, 11);
    lab_values(lab, "X[1:3]", cn_slice(x, 0, 1, 3, 1), 0, 4, 5, 6, 7, 8, 9, 10, 11);

    cn_copy_(cn_select(cn_select(x, 0, 1), 0, 2), cn_num(9));
    lab_values(lab, "after X[1, 2] = 9", x, 0, 0, 1, 2, 3, 4, 5, 9, 7, 8, 9, 10, 11);
    cn_copy_(cn_slice(x, 0, 0, 2, 1), cn_num(12));
    lab_values(lab, "after X[0:2, :] = 12", x, 0, 12, 12, 12, 12, 12, 12, 12, 12, 8, 9, 10, 11);

    cn_select(x, 0, 3);
    lab_refused(lab, "X[3]", "3");
}

const Experiment experiment_c02_index = {
    .id = "C02-INDEX",
    .title = "Indexing and slicing",
    .title_zh = "索引和切片",
    .section = "2.1.2",
    .published = "X[-1] = [8, 9, 10, 11]; X[0:2, :] = 12 writes two rows",
    .run = run,
};
