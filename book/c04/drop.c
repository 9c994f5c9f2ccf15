/* drop.c - dropout: what it does to numbers (D2L 5.6.3). */
#include "book/book.h"

#include <math.h>

enum { DRAWS = 4000 };

/* The book's dropout_layer(): a mask, and what survives is scaled by 1 / (1 - p). */
static cn_tensor *dropout_layer(cn_tensor *x, double p)
{
    if (p == 1) return cn_mul(x, cn_num(0));
    cn_tensor *mask = cn_gt(cn_rand(*cn_shape_of(x), CN_F32), cn_num(p));
    return cn_div(cn_mul(cn_to(mask, CN_F32), x), cn_num(1 - p));
}

static cn_tensor *library(cn_tensor *x, double p)
{
    return cn_dropout(x, p, cn_default_rng());
}

typedef cn_tensor *Dropout(cn_tensor *x, double p);

static void check(Lab *lab, const char *who, Dropout *drop)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 16, 1, CN_F32), CN_SHAPE(2, 8));
    cn_tensor *zero = cn_num(0), *half = drop(x, 0.5), *twice = cn_mul(x, cn_num(2));
    lab_say(lab, "%s", who);
    lab_same(lab, "p = 0 leaves X as it is", drop(x, 0), x, 0);
    lab_same(lab, "p = 1 leaves nothing", drop(x, 1), cn_mul(x, zero), 0);
    cn_tensor *survived = cn_ne(half, zero);
    lab_same(lab, "p = 0.5: what survives is doubled", half, cn_mul(twice, cn_to(survived, CN_F32)),
             0);
    double n = cn_item(cn_sum(survived));
    lab_true(lab, "some survive, some do not", n > 0 && n < 15);

    cn_tensor *sum = cn_zeros(CN_SHAPE(2, 8), CN_F32);
    for (int i = 0; i < DRAWS; i++) CN_SCOPE
        {
            cn_add_(sum, drop(x, 0.3));
        }
    lab_same(lab, "p = 0.3: the mean of 4000 draws and X", cn_div(sum, cn_num(DRAWS)), x,
             5 * 15 * sqrt(0.3 / 0.7 / DRAWS));
}

/* As a layer: only while it trains, and after the activation. */
static void as_a_layer(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(40, 50), CN_F32);
    cn_module *layer = cn_dropout_layer(0.5);
    cn_tensor *y = cn_forward(layer, x);
    double zeros = cn_item(cn_mean(cn_to(cn_eq(y, cn_num(0)), CN_F32)));
    lab_number(lab, "in training the layer drops", zeros, 0.5, 0.06);
    cn_train_mode(layer, false);
    lab_same(lab, "in evaluation it is the identity", cn_forward(layer, x), x, 0);
    cn_module_free(layer);

    cn_module *net = cn_sequential(cn_linear_layer(30, .in = 50), cn_relu_layer(),
                                   cn_dropout_layer(0.5), cn_linear_layer(10, .in = 30));
    cn_manual_seed(lab_options(lab)->seed);
    cn_tensor *one = cn_detach(cn_forward(net, x)), *two = cn_detach(cn_forward(net, x));
    lab_at_least(lab, "two passes in training differ by",
                 cn_item(cn_amax(cn_abs(cn_sub(one, two)))), 0.01);
    cn_train_mode(net, false);
    lab_same(lab, "in evaluation they agree", cn_detach(cn_forward(net, x)),
             cn_detach(cn_forward(net, x)), 0);
    cn_module_free(net);
}

static void run(Lab *lab)
{
    check(lab, "from scratch", dropout_layer);
    check(lab, "the library's", library);
    as_a_layer(lab);
}

const Experiment experiment_c04_drop = {
    .id = "C04-DROP",
    .title = "Dropout",
    .title_zh = "暂退法（Dropout）",
    .section = "5.6.3",
    .published = "X, zeros, and 2 X where it survives",
    .run = run,
};
