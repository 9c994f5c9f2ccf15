/* imagenet.c - a tree of folders with pictures of 1000 classes, and the top-5 error (D2L 8.1; Krizhevsky,
   Sutskever and Hinton, 2012). The tree is made for the occasion: ImageNet itself needs an account. */
#include "book/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLASSES = 1000, WIDTH = 10, HEIGHT = 8, SIDE = 8, PATH = LAB_PATH + 32 };

/* ---- the tree ---------------------------------------------------------------------------------- */

/* Each class has a colour of its own. */
static void colour_of(int label, unsigned char rgb[3])
{
    rgb[0] = (unsigned char)(25 * (label % 10));
    rgb[1] = (unsigned char)(25 * (label / 10 % 10));
    rgb[2] = (unsigned char)(25 * (label / 100));
}

static void path_of(char path[PATH], const char *root, int label, bool picture)
{
    snprintf(path, PATH, "%s/n%08d%s", root, label, picture ? "/0.ppm" : "");
}

static bool add_picture(const char *root, int label)
{
    char path[PATH];
    unsigned char rgb[3];
    path_of(path, root, label, false);
    if (mkdir(path, 0700) != 0) return cn_fail(CN_EIO, "%s: %s", path, strerror(errno));
    path_of(path, root, label, true);
    FILE *f = fopen(path, "wb");
    if (!f) return cn_fail(CN_EIO, "%s: %s", path, strerror(errno));
    colour_of(label, rgb);
    fprintf(f, "P6\n%d %d\n255\n", WIDTH, HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++) fwrite(rgb, 1, 3, f);
    return fclose(f) == 0 || cn_fail(CN_EIO, "%s: %s", path, strerror(errno));
}

static void remove_tree(const char *root)
{
    char path[PATH];
    for (int label = 0; label < CLASSES; label++) {
        path_of(path, root, label, true);
        (void)unlink(path);
        path_of(path, root, label, false);
        (void)rmdir(path);
    }
    (void)rmdir(root);
}

/* ---- reading it -------------------------------------------------------------------------------- */

/* How many pictures of a shuffled epoch, decoded by two threads, do not have the colour of their label;
   -1 for what was not seen exactly once. */
static int wrong_pictures(cn_dataset *d)
{
    static bool seen[CLASSES];
    int wrong = 0, count = 0;
    cn_batch b;
    cn_loader *loader = cn_loader_new(d, .batch = 64, .shuffle = true, .workers = 2);
    memset(seen, 0, sizeof seen);
    for (size_t mark = cn_mark(); cn_loader_next(loader, &b); cn_release(mark), mark = cn_mark()) {
        for (int64_t i = 0; i < b.size; i++) {
            unsigned char rgb[3];
            int label = (int)cn_at(b.y, CN_SHAPE(i));
            colour_of(label, rgb);
            for (int64_t c = 0; c < 3; c++) {
                double mean = cn_item(cn_mean(cn_select(cn_select(b.x, 0, i), 0, c)));
                wrong += !(mean > rgb[c] / 255.0 - 1e-5 && mean < rgb[c] / 255.0 + 1e-5);
            }
            count += !seen[label];
            seen[label] = true;
        }
    }
    cn_loader_free(loader);
    return count == CLASSES ? wrong : -1;
}

/* The share of rows whose label is not among the five largest scores. */
static double top_error(cn_tensor *scores, cn_tensor *labels, int64_t k)
{
    cn_tensor *best = cn_topk(scores, k, 1).indices;
    cn_tensor *hit =
        cn_amax(cn_to(cn_eq(best, cn_unsqueeze(labels, 1)), CN_F32), .dim = CN_SHAPE(1));
    return 1 - cn_item(cn_mean(hit));
}

/* Scores that put the label of row i at rank i % 10: a tenth is right at once, half among five. */
static void top_five(Lab *lab)
{
    enum { ROWS = 200 };
    cn_tensor *labels = cn_randint(0, CLASSES, CN_SHAPE(ROWS));
    cn_tensor *scores = cn_rand(CN_SHAPE(ROWS, CLASSES), CN_F32);
    float *s = cn_data_mut(scores);
    for (int i = 0; s && i < ROWS; i++) {
        int64_t label = (int64_t)cn_at(labels, CN_SHAPE(i));
        s[i * CLASSES + label] = 2;
        for (int k = 1; k <= i % 10; k++) s[i * CLASSES + (label + k) % CLASSES] = 3;
    }
    lab_number(lab, "top-1 error of made-up scores", top_error(scores, labels, 1), 0.9, 1e-6);
    lab_number(lab, "top-5 error of made-up scores", top_error(scores, labels, 5), 0.5, 1e-6);
}

/* A linear classifier of the mean colour, on the tree: better than 5 of 1000 by chance. */
static void classify(Lab *lab, cn_dataset *d)
{
    static int64_t index[CLASSES];
    cn_batch b = { 0 };
    for (int i = 0; i < CLASSES; i++) index[i] = i;
    if (!cn_dataset_get(d, index, CLASSES, &b)) return;
    cn_tensor *colour = cn_mean(b.x, .dim = CN_SHAPE(2, 3));
    cn_module *net = cn_sequential(cn_linear_layer(32), cn_relu_layer(), cn_linear_layer(CLASSES));
    cn_build(net, CN_SHAPE(1, 3));
    cn_optim *adam = cn_adam(net, .lr = 1e-2);
    cn_tensor *x = cn_mul(cn_sub(colour, cn_num(0.44)), cn_num(4));
    for (int i = 0; i < 40 && cn_ok(); i++) CN_SCOPE
        {
            cn_zero_grad(net);
            if (cn_backward(cn_cross_entropy(cn_forward(net, x), b.y))) cn_step(adam);
        }
    cn_tensor *scores = cn_detach(cn_forward(net, x));
    double top1 = top_error(scores, b.y, 1), top5 = top_error(scores, b.y, 5);
    lab_say(lab, "after 40 steps: top-1 error %.3f, top-5 error %.3f", top1, top5);
    lab_at_most(lab, "top-5 error of a small network", top5, 0.8);
    lab_at_most(lab, "which is below its top-1 error, by", top5 - top1, 0);
    cn_optim_free(adam);
    cn_module_free(net);
}

static void run(Lab *lab)
{
    char root[LAB_PATH];
    if (!lab_new_folder(root)) {
        lab_skip(lab, "%s", cn_error());
        cn_error_clear();
        return;
    }
    for (int label = 0; label < CLASSES && cn_ok(); label++) add_picture(root, label);
    cn_dataset *d = cn_dataset_image_folder(root, .side = SIDE);
    lab_number(lab, "classes", cn_dataset_classes(d), CLASSES, 0);
    lab_number(lab, "pictures", (double)cn_dataset_samples(d), CLASSES, 0);
    lab_text(lab, "name of the last class", cn_dataset_class_name(d, CLASSES - 1), "n00000999");
    lab_number(lab, "pictures of another class than their label's", wrong_pictures(d), 0, 0);
    top_five(lab);
    if (d) classify(lab, d);
    cn_dataset_free(d);
    remove_tree(root);
}

const Experiment experiment_c07_imagenet = {
    .id = "C07-IMAGENET",
    .title = "ImageNet: 1000 folders of pictures, top-5 error",
    .title_zh = "ImageNet 数据集与 top-5 错误率",
    .section = "8.1",
    .published = "AlexNet 2012: top-5 error 15.3 %",
    .run = run,
};
