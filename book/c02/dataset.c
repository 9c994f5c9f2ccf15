/* dataset.c - pictures in a folder with a table of labels, read by functions of the user (D2L 4.2). */
#include "book/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pictures in a folder, and a table of their names and labels: what the user's two functions read. */
enum { PICTURES = 8, SIDE = 6, PATH = LAB_PATH + 32 };

typedef struct {
    char path[LAB_PATH];
    cn_dict *labels;
    float (*transform)(uint8_t pixel);
} Folder;

static float halve(uint8_t pixel)
{
    return (float)pixel / 510;
}

static Folder *make_folder(void)
{
    Folder *f = calloc(1, sizeof *f);
    if (f ? lab_new_folder(f->path) : cn_fail(CN_ENOMEM, "dataset: no memory")) return f;
    free(f);
    return NULL;
}

static void file_in(const Folder *f, char path[PATH], const char *name)
{
    snprintf(path, PATH, "%s/%s", f->path, name);
}

/* White on the left: label 0 .. 1 by turns; then the table. */
static bool write_pictures(Folder *f)
{
    char path[PATH], name[32], table[512] = "file,label\n";
    bool ok = true;
    for (int i = 0; ok && i < PICTURES; i++) {
        cn_tensor *image = cn_zeros(CN_SHAPE(1, SIDE, SIDE), CN_U8);
        cn_copy_(cn_narrow(image, 2, i % 2 ? 0 : SIDE / 2, SIDE / 2), cn_num(255));
        snprintf(name, sizeof name, "%d.pgm", i);
        file_in(f, path, name);
        ok = cn_image_write(path, image);
        snprintf(table + strlen(table), 48, "%s,%d\n", name, i % 2);
    }
    const cn_csv_options o = { .size = sizeof o, .path = "labels.csv" };
    f->labels = ok ? cn_csv_parse(table, strlen(table), &o) : NULL;
    return f->labels != NULL;
}

/* __getitem__ for many at once. */
static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const Folder *f = self;
    const cn_value *names = cn_dict_find(f->labels, "file");
    const int64_t *labels = cn_data(cn_dict_tensor(f->labels, "label"));
    uint8_t pixels[SIDE * SIDE];
    char path[PATH];
    for (int64_t i = 0; i < n; i++) {
        file_in(f, path, names->u.list[index[i]].u.s);
        cn_tensor *image = cn_image_read(path, CN_IMAGE_GRAY);
        if (!image || !cn_read(image, CN_U8, pixels, SIDE * SIDE)) return false;
        for (int p = 0; p < SIDE * SIDE; p++)
            ((float *)out[0])[i * SIDE * SIDE + p] = f->transform(pixels[p]);
        ((int64_t *)out[1])[i] = labels[index[i]];
    }
    return true;
}

static void destroy(void *self)
{
    Folder *f = self;
    char path[PATH], name[32];
    for (int i = 0; i < PICTURES; i++) {
        snprintf(name, sizeof name, "%d.pgm", i);
        file_in(f, path, name);
        unlink(path);
    }
    rmdir(f->path);
    cn_dict_free(f->labels);
    free(f);
}

static cn_dataset *open_folder(Folder *f, float (*transform)(uint8_t pixel))
{
    static const char *const sides[] = { "right", "left" };
    f->transform = transform;
    return cn_dataset_new(&(cn_dataset_class){
        .size = sizeof(cn_dataset_class),
        .name = "sides",
        .samples = PICTURES,
        .fields = 2,
        .field = { { CN_F32, CN_SHAPE(1, SIDE, SIDE) }, { CN_I64, cn_scalar_shape() } },
        .classes = sides,
        .n_classes = 2,
        .self = f,
        .get = get,
        .destroy = destroy });
}

static void run(Lab *lab)
{
    cn_dataset *own = NULL;
    Folder *folder = make_folder();
    if (folder && write_pictures(folder)) own = open_folder(folder, halve);
    lab_number(lab, "samples", (double)cn_dataset_samples(own), PICTURES, 0);
    lab_number(lab, "classes", cn_dataset_classes(own), 2, 0);

    const int64_t index[] = { 3, 0 };
    cn_batch b = { 0 };
    if (own && cn_dataset_get(own, index, 2, &b)) {
        lab_shape(lab, "two samples", b.x, CN_SHAPE(2, 1, SIDE, SIDE));
        lab_values(lab, "their labels", b.y, 0, 1, 0);
        lab_number(lab, "a pixel of the picture, transformed by the user",
                   cn_at(b.x, CN_SHAPE(0, 0, 0, 0)), 0.5, 1e-6);
        lab_number(lab, "and one of the other side", cn_at(b.x, CN_SHAPE(0, 0, 0, SIDE - 1)), 0, 0);
    }

    /* It goes into every trainer: a linear network tells left from right. */
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(2, .in = SIDE * SIDE));
    cn_optim *sgd = cn_sgd(net, .lr = 0.5);
    LabFit fit = lab_fit(lab, net, own, .optim = sgd, .validate = own, .batch = 4, .epochs = 10,
                         .workers = 2, .transform = { cn_transform_resize(SIDE, SIDE) });
    lab_number(lab, "accuracy after training on it", fit.best_test_acc, 1, 0);
    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(own);
}

const Experiment experiment_c02_dataset = {
    .id = "C02-DATASET",
    .title = "Data sets of one's own",
    .title_zh = "自定义数据集",
    .section = "4.2",
    .run = run,
};
