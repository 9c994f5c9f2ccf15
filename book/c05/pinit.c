/* pinit.c - built-in rules and rules of one's own (D2L 6.3). */
#include "book/book.h"

#include <math.h>
#include <string.h>

static bool fill(cn_tensor *p, const char *name, double weight)
{
    return cn_copy_(cn_detach(p), cn_num(strcmp(name, "weight") == 0 ? weight : 0)) != NULL;
}

static bool ones(cn_tensor *p, const char *name, void *unused)
{
    (void)unused;
    return fill(p, name, 1);
}

static bool forty_two(cn_tensor *p, const char *name, void *unused)
{
    (void)unused;
    return fill(p, name, 42);
}

/* U(-10, 10), of which what is smaller than 5 becomes 0. */
static bool own_rule(cn_tensor *p, const char *name, void *unused)
{
    (void)unused;
    if (strcmp(name, "weight") != 0) return true;
    cn_tensor *u = cn_sub(cn_mul(cn_rand(*cn_shape_of(p), CN_F32), cn_num(20)), cn_num(10));
    return cn_copy_(cn_detach(p), cn_mul(u, cn_ge(cn_abs(u), cn_num(5)))) != NULL;
}

static double share_below(cn_tensor *t, double bound)
{
    return cn_item(cn_mean(cn_to(cn_le(cn_abs(t), cn_num(bound)), CN_F64)));
}

static cn_tensor *range_of(cn_tensor *t)
{
    cn_tensor *ends[] = { cn_amin(t), cn_amax(t) };
    return cn_stack(ends, 2, 0);
}

static void run(Lab *lab)
{
    cn_module *net = cn_sequential(cn_linear_layer(200, .in = 300), cn_relu_layer(),
                                   cn_linear_layer(100, .in = 200));
    cn_module *first = cn_module_at(net, "0"), *second = cn_module_at(net, "2");
    cn_tensor *w = cn_module_slot(first, "weight"), *v = cn_module_slot(second, "weight");

    double sigma = 0.01;
    cn_init(net, cn_normal_init, &sigma);
    lab_number(lab, "N(0, 0.01): mean", cn_item(cn_mean(w)), 0, 2e-4);
    lab_number(lab, "standard deviation", cn_item(cn_std(w)), 0.01, 2e-4);
    lab_number(lab, "the share within one sigma", share_below(w, 0.01), 0.6827, 0.01);
    lab_number(lab, "the bias", cn_item(cn_norm(cn_module_slot(first, "bias"))), 0, 0);

    cn_init(net, ones, NULL);
    lab_values(lab, "a constant: the least and the greatest weight", range_of(w), 0, 1, 1);

    /* Another one for each block: Xavier for the first, 42 for the second. */
    double gain = 1;
    cn_init(first, cn_xavier_uniform, &gain);
    cn_init(second, forty_two, NULL);
    double bound = sqrt(6.0 / (300 + 200));
    lab_number(lab, "Xavier: the greatest weight, in that of its bound",
               cn_item(cn_amax(w)) / bound, 1, 1e-3);
    lab_number(lab, "standard deviation, in bound / sqrt(3)",
               cn_item(cn_std(w)) / (bound / sqrt(3)), 1, 0.01);
    lab_values(lab, "the second block", range_of(v), 0, 42, 42);

    /* The book's own rule: U(5, 10) with 1/4, 0 with 1/2, U(-10, -5) with 1/4. */
    cn_init(net, own_rule, NULL);
    cn_tensor *size = cn_abs(w);
    lab_number(lab, "own rule: the share of zeros", share_below(w, 0), 0.5, 0.01);
    lab_number(lab, "of numbers between", share_below(w, 4.999) - share_below(w, 0), 0, 0);
    lab_at_most(lab, "the greatest size", cn_item(cn_amax(size)), 10);
    lab_number(lab, "the mean, both signs being alike", cn_item(cn_mean(w)), 0, 0.1);
    lab_number(lab, "the mean size of the others", 2 * cn_item(cn_mean(size)), 7.5, 0.1);
    cn_module_free(net);
}

const Experiment experiment_c05_pinit = {
    .id = "C05-PINIT",
    .title = "Initialisation",
    .title_zh = "参数初始化",
    .section = "6.3",
    .run = run,
};
