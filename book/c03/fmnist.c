/* fmnist.c - the images that the book classifies (D2L 4.2). */
#include "book/book.h"

enum { BATCH = 256, SHOWN = 18 };

/* Two images of two by three pixels, as the files of the data set hold theirs. */
static void idx_files(Lab *lab)
{
    static const uint8_t file[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0,   0, 2, 0,  0,
                                    0, 3, 0, 1, 2, 3, 4, 5, 6, 255, 8, 9, 10, 11 };
    cn_dict *d = cn_load_bytes(file, sizeof file, "two images");
    cn_tensor *images = cn_dict_tensor(d, "");
    lab_shape(lab, "an IDX file of two images", images, CN_SHAPE(2, 2, 3));
    lab_values(lab, "its pixels", images, 0, 0, 1, 2, 3, 4, 5, 6, 255, 8, 9, 10, 11);
    cn_dict_free(d);
    cn_dict_free(cn_load_bytes(file, sizeof file - 1, "cut"));
    lab_refused(lab, "one that ends too early", "announces 12 bytes");
}

static void read_once(Lab *lab, cn_dataset *train)
{
    cn_loader *loader = cn_loader_new(train, .batch = BATCH, .shuffle = true, .workers = 1);
    double start = cn_seconds(), least = 1, largest = 0;
    int64_t samples = 0, labels[10] = { 0 }, kinds = 0;
    for (bool more = true; more;) CN_SCOPE
        {
            cn_batch b;
            int64_t y[BATCH];
            more = cn_loader_next(loader, &b) && cn_read(b.y, CN_I64, y, b.size);
            if (more) {
                double lo = cn_item(cn_amin(b.x)), hi = cn_item(cn_amax(b.x));
                if (lo < least) least = lo;
                if (hi > largest) largest = hi;
                for (int64_t i = 0; i < b.size; i++) labels[y[i]]++;
                samples += b.size;
            }
        }
    lab_say(lab, "%lld images in %.2f sec", (long long)samples, cn_seconds() - start);
    for (int i = 0; i < 10; i++) kinds += labels[i] > 0;
    lab_number(lab, "images in all batches", (double)samples, (double)cn_dataset_samples(train), 0);
    lab_number(lab, "kinds of them", (double)kinds, 10, 0);
    lab_number(lab, "darkest pixel", least, 0, 0);
    lab_number(lab, "brightest pixel", largest, 1, 0.05);
    cn_loader_free(loader);
}

static void resized(Lab *lab, cn_dataset *train)
{
    cn_loader *loader =
        cn_loader_new(train, .batch = 32, .transform = { cn_transform_resize(64, 64) });
    cn_batch b = { 0 };
    if (cn_loader_next(loader, &b)) {
        lab_shape(lab, "a batch that was resized", b.x, CN_SHAPE(32, 1, 64, 64));
        cn_batch small = { 0 };
        if (cn_dataset_get(train, (int64_t[]){ 0, 1, 2, 3 }, 4, &small))
            lab_number(lab, "brightness of an image, before and after",
                       cn_item(cn_mean(cn_narrow(b.x, 0, 0, 4))), cn_item(cn_mean(small.x)), 0.01);
    }
    cn_loader_free(loader);
}

static void run(Lab *lab)
{
    bool real = lab_options(lab)->real;
    cn_dataset *train = lab_images(lab, CN_TRAIN, 3000, 0),
               *test = lab_images(lab, CN_TEST, 1000, 0);
    if (!train || !test) return;
    lab_number(lab, "training images", (double)cn_dataset_samples(train), real ? 60000 : 3000, 0);
    lab_number(lab, "test images", (double)cn_dataset_samples(test), real ? 10000 : 1000, 0);
    lab_shape(lab, "an image", cn_zeros(cn_dataset_field(train, 0)->shape, CN_F32),
              CN_SHAPE(1, 28, 28));
    lab_number(lab, "classes", cn_dataset_classes(train), 10, 0);
    if (real) lab_text(lab, "class 9", cn_dataset_class_name(train, 9), "ankle boot");
    idx_files(lab);
    resized(lab, train);
    read_once(lab, train);
    lab_figure(lab, lab_pictures(train, SHOWN, NULL));
}

const Experiment experiment_c03_fmnist = {
    .id = "C03-FMNIST",
    .title = "The image classification data set",
    .title_zh = "图像分类数据集",
    .section = "4.2",
    .settings = "batch 256",
    .published = "60000 and 10000 images; read in 3.37 sec",
    .data = "fashion-mnist",
    .run = run,
};
