/* incep.c - the Inception block: four paths side by side (D2L 8.4.1). */
#include "book/book.h"
#include "models/blocks.h"

/* With kernels and paths written out. in: x, and the kernels of the six convolutions. */
static cn_tensor *four_paths(cn_tensor *const *in, void *context)
{
    cn_tensor *x = in[0];
    (void)context;
    cn_tensor *p1 = cn_relu(cn_conv2d(x, in[1]));
    cn_tensor *p2 = cn_relu(cn_conv2d(cn_relu(cn_conv2d(x, in[2])), in[3], .padding = { 1, 1 }));
    cn_tensor *p3 = cn_relu(cn_conv2d(cn_relu(cn_conv2d(x, in[4])), in[5], .padding = { 2, 2 }));
    cn_tensor *pooled = cn_max_pool2d(x, { 3 }, .stride = { 1 }, .padding = { 1, 1 });
    cn_tensor *p4 = cn_relu(cn_conv2d(pooled, in[6]));
    return cn_cat((cn_tensor *[]){ p1, p2, p3, p4 }, 4, 1);
}

enum { KERNELS = 6 };
static const char *const names[KERNELS] = { "p1_1", "p2_1", "p2_2", "p3_1", "p3_2", "p4_2" };

static void gradients(Lab *lab)
{
    /* clang-format off */
    cn_tensor *in[] = { cn_randn(CN_SHAPE(1, 2, 5, 5), CN_F64),
                        cn_randn(CN_SHAPE(2, 2, 1, 1), CN_F64),
                        cn_randn(CN_SHAPE(2, 2, 1, 1), CN_F64), cn_randn(CN_SHAPE(3, 2, 3, 3), CN_F64),
                        cn_randn(CN_SHAPE(1, 2, 1, 1), CN_F64), cn_randn(CN_SHAPE(2, 1, 5, 5), CN_F64),
                        cn_randn(CN_SHAPE(1, 2, 1, 1), CN_F64) };
    /* clang-format on */
    lab_gradients(lab, "gradients through the concatenation", four_paths, in, KERNELS + 1, NULL);
}

static void run(Lab *lab)
{
    const cn_inception_widths widths = { 64, { 96, 128 }, { 16, 32 }, 32 };
    cn_module *block = cn_inception_block(&widths);
    cn_init(block, cn_xavier_uniform, NULL);
    cn_tensor *x = cn_randn(CN_SHAPE(2, 192, 12, 12), CN_F32), *y = cn_forward(block, x);
    lab_shape(lab, "Inception(64, (96, 128), (16, 32), 32)", y,
              CN_SHAPE(2, 64 + 128 + 32 + 32, 12, 12));
    lab_number(lab, "parameters", (double)cn_parameter_count(block), 163696, 0);

    cn_tensor *in[KERNELS + 1] = { x };
    for (int i = 0; i < KERNELS; i++) {
        cn_module *conv = cn_module_at(block, names[i]);
        in[i + 1] = cn_module_slot(conv, "weight");
        cn_mul_(cn_detach(cn_module_slot(conv, "bias")), cn_num(0));
    }
    lab_same(lab, "the four paths written out", four_paths(in, NULL), cn_forward(block, x), 1e-4);
    gradients(lab);
    cn_module_free(block);
}

const Experiment experiment_c07_incep = {
    .id = "C07-INCEP",
    .title = "Inception blocks",
    .title_zh = "Inception块",
    .section = "8.4.1",
    .settings = "64, (96, 128), (16, 32), 32",
    .published = "256 output channels: the sum",
    .run = run,
};
