/* info.c - what distributions say, and how far apart they are (D2L 22.11). */
#include "book/book.h"

#include <math.h>

static double cross_entropy(cn_tensor *p, cn_tensor *q)
{
    return -cn_item(cn_sum(cn_mul(p, cn_log(q))));
}

static double entropy(cn_tensor *p)
{
    return cross_entropy(p, p);
}

static void run(Lab *lab)
{
    lab_number(lab, "information of one of 64 cases, in bits", log2(64), 6, 0);
    cn_tensor *p4 = cn_from((const float[]){ 0.1f, 0.5f, 0.1f, 0.3f }, CN_SHAPE(4), CN_F32);
    lab_number(lab, "entropy of (0.1, 0.5, 0.1, 0.3), in bits", entropy(p4) / log(2), 1.6855, 5e-5);

    double least = HUGE_VAL, worst = 0, self = 0, library = 0;
    for (int i = 0; i < 100; i++) CN_SCOPE
        {
            cn_tensor *p = cn_softmax(cn_randn(CN_SHAPE(8), CN_F64), 0),
                      *q = cn_softmax(cn_randn(CN_SHAPE(8), CN_F64), 0);
            double kl = cn_item(cn_sum(cn_mul(p, cn_log(cn_div(p, q)))));
            least = fmin(least, kl);
            worst = fmax(worst, fabs(cross_entropy(p, q) - entropy(p) - kl));
            self = fmax(self, fabs(cross_entropy(p, p) - entropy(p)));
            library = fmax(library,
                           fabs(kl - cn_item(cn_kl_div(cn_log(q), p, .reduction = CN_REDUCE_SUM))));
        }
    lab_at_least(lab, "KL(p, q), the least of 100", least, 0);
    lab_at_most(lab, "|CE(p, q) - H(p) - KL(p, q)|", worst, 1e-12);
    lab_at_most(lab, "KL(p, p)", self, 1e-12);
    lab_at_most(lab, "KL(p, q) and the library's kl_div differ by", library, 1e-12);

    /* The loss of classification is the cross-entropy of the true labels and what was predicted. */
    cn_tensor *scores = cn_log(
        cn_from((const float[]){ 0.3f, 0.6f, 0.1f, 0.2f, 0.3f, 0.5f }, CN_SHAPE(2, 3), CN_F32));
    cn_tensor *labels = cn_from((const int64_t[]){ 0, 2 }, CN_SHAPE(2), CN_I64);
    lab_number(lab, "nll_loss of predictions 0.3 and 0.5", cn_item(cn_nll_loss(scores, labels)),
               -log(0.3 * 0.5) / 2, 1e-6);
}

const Experiment experiment_c02_info = {
    .id = "C02-INFO",
    .title = "Information, entropy, cross-entropy, divergence",
    .title_zh = "信息论",
    .section = "22.11",
    .run = run,
};
