/* digits.c - LeNet reads handwritten digits, what it was made for (D2L 7.6). */
#include "book/book.h"

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 12800, 2000, .batch = 64, .epochs = 7, .lr = 0.45, .accuracy = 0.75 },
        .real = { .batch = 256, .epochs = 10, .lr = 0.9, .accuracy = 0.95 },
        .real_quick = { 30000, .batch = 128, .epochs = 5, .lr = 0.9, .accuracy = 0.9 },
    };
    enum { SHOWN = 18, SIDE = 28 };
    int64_t index[SHOWN];
    float pixels[SHOWN * SIDE * SIDE];
    cn_batch b = { 0 };
    lab_train_network(lab, "lenet", &plan);

    for (int i = 0; i < SHOWN; i++) index[i] = i;
    cn_dataset *images = lab_images(lab, CN_TEST, SHOWN, SHOWN);
    cn_figure *f = cn_figure_new("Handwritten digits");
    if (cn_dataset_get(images, index, SHOWN, &b) &&
        cn_read(b.x, CN_F32, pixels, SHOWN * SIDE * SIDE))
        cn_figure_images(f, SHOWN, SIDE, SIDE, .f32 = pixels);
    lab_figure(lab, f);
}

const Experiment experiment_c06_digits = {
    .id = "C06-DIGITS",
    .title = "LeNet for handwritten digits",
    .title_zh = "LeNet 识别手写数字",
    .section = "7.6",
    .settings = "as C06-LENET, on MNIST",
    .data = "mnist",
    .trains = true,
    .run = run,
};
