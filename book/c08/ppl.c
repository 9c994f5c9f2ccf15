/* ppl.c - perplexity: how many tokens a model hesitates between (D2L 9.4.4). */
#include "book/book.h"

#include <math.h>

static double perplexity(cn_tensor *scores, cn_tensor *target)
{
    return exp(cn_item(cn_cross_entropy(scores, target)));
}

static void run(Lab *lab)
{
    enum { N = 200, V = 28 };
    cn_tensor *target = cn_randint(0, V, CN_SHAPE(N));
    cn_tensor *truth = cn_to(cn_one_hot(target, V), CN_F32);
    cn_tensor *wrong = cn_sub(cn_num(1), truth);
    lab_number(lab, "a uniform model of 28 tokens",
               perplexity(cn_zeros(CN_SHAPE(N, V), CN_F32), target), 28, 1e-3);
    lab_number(lab, "a perfect model", perplexity(cn_mul(truth, cn_num(100)), target), 1, 1e-6);
    lab_at_least(lab, "one that is always sure and wrong",
                 perplexity(cn_mul(wrong, cn_num(30)), target), 1e6);
    /* Half of the probability on the truth, the rest spread: the geometric mean of 1 / p is 2. */
    cn_tensor *half =
        cn_log(cn_add(cn_mul(truth, cn_num(0.5)), cn_mul(wrong, cn_num(0.5 / (V - 1)))));
    lab_number(lab, "half on the truth", perplexity(half, target), 2, 1e-4);
}

const Experiment experiment_c08_ppl = {
    .id = "C08-PPL",
    .title = "Perplexity",
    .title_zh = "困惑度",
    .section = "9.4.4",
    .run = run,
};
