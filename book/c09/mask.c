/* mask.c - a loss that leaves padding out (D2L 10.7.3). */
#include "book/book.h"
#include "models/encoder_decoder.h"

static cn_tensor *lengths_of(const int64_t *n, int64_t count)
{
    return cn_from(n, CN_SHAPE(count), CN_I64);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(1, 7, 1, CN_F32), CN_SHAPE(2, 3));
    cn_tensor *lengths = lengths_of((const int64_t[]){ 1, 2 }, 2);
    lab_values(lab, "sequence_mask(X, [1, 2])", cn_sequence_mask(x, lengths, 0), 0, 1, 0, 0, 4, 5,
               0);
    lab_values(lab, "ones (2, 3, 4), masked with -1",
               cn_sequence_mask(cn_ones(CN_SHAPE(2, 3, 4), CN_F32), lengths, -1), 0, 1, 1, 1, 1, -1,
               -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1);

    cn_tensor *scores = cn_requires_grad(cn_ones(CN_SHAPE(3, 4, 10), CN_F32), true);
    cn_tensor *target = cn_ones(CN_SHAPE(3, 4), CN_I64);
    cn_tensor *loss =
        cn_masked_cross_entropy(scores, target, lengths_of((const int64_t[]){ 4, 2, 0 }, 3));
    lab_values(lab, "loss of [4, 2, 0] words", loss, 1e-4, 2.3026, 1.1513, 0);
    cn_backward(cn_sum(loss));
    cn_tensor *used = cn_sum(cn_abs(cn_grad(scores)), .dim = CN_SHAPE(2));
    lab_values(lab, "steps that have a gradient", cn_to(cn_gt(used, cn_num(0)), CN_F32), 0, 1, 1, 1,
               1, 1, 1, 0, 0, 0, 0, 0, 0);
}

const Experiment experiment_c09_maskloss = {
    .id = "C09-MASKLOSS",
    .title = "A loss that leaves padding out",
    .title_zh = "遮蔽的损失函数",
    .section = "10.7.3",
    .published = "[2.3026, 1.1513, 0.0000]",
    .run = run,
};
