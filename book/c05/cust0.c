/* cust0.c - CenteredLayer: x - mean(x) (D2L 6.5.1). */
#include "book/book.h"

#include <math.h>

static bool centered_forward(cn_module *m, cn_io *io)
{
    (void)m;
    io->out[0] = cn_sub(io->in[0], cn_mean(io->in[0]));
    return io->out[0] != NULL;
}

static const cn_module_class centered_class = {
    .size = sizeof(cn_module_class),
    .name = "CenteredLayer",
    .forward = centered_forward,
};

static void run(Lab *lab)
{
    cn_module *layer = cn_module_of(&centered_class, NULL);
    cn_tensor *x = cn_from((const float[]){ 1, 2, 3, 4, 5 }, CN_SHAPE(5), CN_F32);
    lab_values(lab, "CenteredLayer([1, 2, 3, 4, 5])", cn_forward(layer, x), 0, -2, -1, 0, 1, 2);
    lab_number(lab, "its parameters", (double)cn_parameter_count(layer), 0, 0);

    cn_module *net = cn_sequential(cn_linear_layer(128, .in = 8), layer);
    cn_tensor *y = cn_forward(net, cn_rand(CN_SHAPE(4, 8), CN_F32));
    lab_shape(lab, "Linear, then CenteredLayer", y, CN_SHAPE(4, 128));
    lab_at_most(lab, "|mean|", fabs(cn_item(cn_mean(y))), 1e-6);
    lab_at_least(lab, "of numbers that are not all zero", cn_item(cn_std(y)), 0.1);
    cn_module_free(net);
}

const Experiment experiment_c05_cust0 = {
    .id = "C05-CUST0",
    .title = "A layer without parameters",
    .title_zh = "不带参数的层",
    .section = "6.5.1",
    .published = "[-2, -1, 0, 1, 2]; mean 7.5e-09",
    .run = run,
};
