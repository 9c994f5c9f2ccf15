/* xavier.c - variances that stay as they are, forward and backward (D2L 5.4.2). */
#include "book/book.h"

#include <math.h>

enum { IN = 300, OUT = 500, WIDTH = 256, LAYERS = 10, BATCH = 128 };

static double variance(const char *slot, cn_module *layer)
{
    return cn_item(cn_var(cn_detach(cn_module_slot(layer, slot))));
}

static void weights(Lab *lab)
{
    cn_module *layer = cn_linear_layer(OUT, .in = IN);
    double book = 2. / (IN + OUT);
    cn_init(layer, cn_xavier_normal, NULL);
    lab_number(lab, "normal: variance, in 2 / (in + out)", variance("weight", layer) / book, 1,
               0.03);
    cn_init(layer, cn_xavier_uniform, NULL);
    lab_number(lab, "uniform: variance, in 2 / (in + out)", variance("weight", layer) / book, 1,
               0.03);
    double largest = cn_item(cn_amax(cn_abs(cn_detach(cn_module_slot(layer, "weight")))));
    lab_number(lab, "uniform: the largest weight, in sqrt(6 / (in + out))",
               largest / sqrt(6. / (IN + OUT)), 0.9999, 1e-4);
    cn_module_free(layer);
}

/* Variances of what layers make, and of the gradients by it; the first is the input's. */
typedef struct {
    double forward[LAYERS + 1], backward[LAYERS + 1];
} Variances;

static Variances measure(cn_initialiser *init, double *context)
{
    Variances v;
    cn_tensor *h[LAYERS + 1];
    h[0] = cn_requires_grad(cn_mul(cn_randn(CN_SHAPE(BATCH, WIDTH), CN_F32), cn_num(0.2)), true);
    for (int i = 0; i < LAYERS; i++) {
        cn_module *layer = cn_linear_layer(WIDTH, .in = WIDTH, .no_bias = true);
        cn_init(layer, init, context);
        h[i + 1] = cn_tanh(cn_forward(layer, h[i]));
        cn_retain_grad(h[i + 1]);
        cn_module_free(layer);
    }
    cn_backward(cn_sum(cn_mul(h[LAYERS], cn_randn(CN_SHAPE(BATCH, WIDTH), CN_F32))));
    for (int i = 0; i <= LAYERS; i++) {
        v.forward[i] = cn_item(cn_var(cn_detach(h[i])));
        v.backward[i] = cn_item(cn_var(cn_grad(h[i])));
    }
    return v;
}

static void draw(cn_figure *f, const char *title, const Variances *v)
{
    cn_figure_panel(f, title);
    cn_figure_line(f, "values", NULL, v->forward, LAYERS + 1);
    cn_figure_line(f, "gradients", NULL, v->backward, LAYERS + 1);
    cn_figure_axes(f, .xlabel = "layer", .ylabel = "variance", .ylog = true, .width = 320,
                   .height = 240);
}

static void run(Lab *lab)
{
    weights(lab);
    Variances xavier = measure(cn_xavier_normal, NULL);
    Variances small = measure(cn_normal_init, &(double){ 0.01 });
    lab_number(lab, "Xavier: log2 of the variance after 10 tanh layers, against the input's",
               log2(xavier.forward[LAYERS] / xavier.forward[0]), 0, 1);
    lab_number(lab, "Xavier: the same of gradients, from the last layer to the first",
               log2(xavier.backward[0] / xavier.backward[LAYERS]), 0, 1);
    lab_at_most(lab, "N(0, 0.01): variance after 10 layers, against the input's",
                small.forward[LAYERS] / small.forward[0], 1e-10);
    lab_at_most(lab, "N(0, 0.01): the same of gradients",
                small.backward[0] / small.backward[LAYERS], 1e-10);
    cn_figure *f = cn_figure_new(NULL);
    draw(f, "Xavier", &xavier);
    draw(f, "N(0, 0.01)", &small);
    lab_figure(lab, f);
}

const Experiment experiment_c04_xavier = {
    .id = "C04-XAVIER",
    .title = "Xavier initialisation",
    .title_zh = "Xavier 初始化",
    .section = "5.4.2",
    .run = run,
};
