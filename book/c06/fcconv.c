/* fcconv.c - what sharing weights saves: parameters and operations (D2L 7.1.3). */
#include "book/book.h"

#include <string.h>

static void run(Lab *lab)
{
    enum { SIDE = 28, CHANNELS = 6, KERNEL = 5 };
    const double pixels = SIDE * SIDE, outputs = CHANNELS * pixels;
    cn_shape image = CN_SHAPE(1, 1, SIDE, SIDE);
    cn_module *conv = cn_conv2d_layer(CHANNELS, .in = 1, .kernel = KERNEL, .padding = 2);
    cn_module *full = cn_sequential(cn_flatten_layer(), cn_linear_layer(CHANNELS * SIDE * SIDE));
    cn_build(full, image);
    double few = (double)cn_parameter_count(conv), many = (double)cn_parameter_count(full);
    lab_number(lab, "parameters of LeNet's first convolution", few,
               CHANNELS * (KERNEL * KERNEL + 1), 0);
    lab_number(lab, "of a fully connected layer in its place", many, pixels * outputs + outputs, 0);
    lab_at_least(lab, "so many times fewer", many / few, 20000);

    /* A training step multiplies and adds twice: forward, and backward for the weights. The picture
       itself wants no gradient. */
    lab_number(lab, "operations of a step, fully connected", cn_step_flops(full, image),
               2 * 2 * pixels * outputs, 0);
    lab_number(lab, "operations of a step, convolution", cn_step_flops(conv, image),
               2 * 2 * KERNEL * KERNEL * outputs, 0);

    cn_module *lenet = lab_network("lenet", SIDE, 0);
    lab_number(lab, "parameters of LeNet", (double)cn_parameter_count(lenet), 61706, 0);
    char text[4096];
    size_t n = cn_summary(lenet, image, text, sizeof text);
    lab_true(lab, "the summary counts them", n > 0 && n < sizeof text && strstr(text, "61706"));
    for (char *line = text, *end; n && (end = strchr(line, '\n')); line = end + 1)
        lab_say(lab, "%.*s", (int)(end - line), line);
    cn_module_free(conv);
    cn_module_free(full);
    cn_module_free(lenet);
}

const Experiment experiment_c06_fcconv = {
    .id = "C06-FCCONV",
    .title = "Convolutions against fully connected layers",
    .title_zh = "卷积层与全连接层：权重共享",
    .section = "7.1.3",
    .published = "LeNet has 61,706 parameters (from its layers)",
    .run = run,
};
