/* loader.c - every sample once an epoch, whoever prepares the batches (D2L 4.2.2). */
#include "book/book.h"

enum { SAMPLES = 1000 };

typedef struct {
    cn_tensor *first, *second; /* all samples of an epoch in the order in which they came */
    int64_t batches;
} Epochs;

static cn_tensor *read_epoch(cn_loader *loader, int64_t *batches)
{
    cn_tensor *parts[8];
    cn_batch b;
    for (*batches = 0; *batches < 8 && cn_loader_next(loader, &b); ++*batches)
        parts[*batches] = cn_flatten(b.x, 0);
    return cn_cat(parts, (int)*batches, 0);
}

static Epochs read_epochs(cn_dataset *data, int workers, bool drop_last)
{
    cn_loader *loader = cn_loader_new(data, .batch = 256, .shuffle = true, .seed = 7,
                                      .workers = workers, .drop_last = drop_last);
    Epochs e = { 0 };
    e.first = read_epoch(loader, &e.batches);
    e.second = read_epoch(loader, &e.batches);
    cn_loader_free(loader);
    return e;
}

static bool differs(cn_tensor *a, cn_tensor *b)
{
    return cn_item(cn_amax(cn_abs(cn_sub(a, b)))) > 0;
}

static void run(Lab *lab)
{
    cn_tensor *numbers = cn_arange(0, SAMPLES, 1, CN_F32);
    cn_dataset *data = cn_dataset_from_tensors(cn_reshape(numbers, CN_SHAPE(SAMPLES, 1)), NULL);
    Epochs none = read_epochs(data, 0, false), four = read_epochs(data, 4, false),
           cut = read_epochs(data, 4, true);
    double in_order[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) in_order[i] = i;
    cn_tensor *all = cn_from(in_order, CN_SHAPE(SAMPLES), CN_F64);

    lab_number(lab, "batches of 256 in 1000", (double)none.batches, 4, 0);
    lab_same(lab, "sorted, the first epoch has every sample once",
             cn_sort(none.first, 0, false).values, all, 0);
    lab_same(lab, "so has the second", cn_sort(none.second, 0, false).values, all, 0);
    lab_true(lab, "in another order", differs(none.first, none.second));
    lab_true(lab, "not that of the data", differs(none.first, all));
    lab_same(lab, "4 workers give the same batches as none", four.first, none.first, 0);
    lab_same(lab, "in the second epoch, too", four.second, none.second, 0);
    lab_number(lab, "drop_last leaves", (double)cut.batches, 3, 0);
    lab_shape(lab, "full batches", cut.first, CN_SHAPE(3 * 256));
    cn_dataset_free(data);

    cn_dataset *images = lab_images(lab, CN_TRAIN, 4096, 0);
    cn_loader *loader = cn_loader_new(images, .batch = 256, .shuffle = true, .workers = 4);
    double start = cn_seconds();
    int64_t seen = 0;
    cn_batch b;
    while (cn_loader_next(loader, &b)) seen += b.size;
    lab_number(lab, "images in one pass", (double)seen, (double)cn_dataset_samples(images), 0);
    lab_say(lab, "%.2f s for one pass", cn_seconds() - start);
    cn_loader_free(loader);
}

const Experiment experiment_c02_loader = {
    .id = "C02-LOADER",
    .title = "Reading batches: order, workers, the last one",
    .title_zh = "数据加载器",
    .section = "4.2.2",
    .settings = "batch 256, 4 workers",
    .published = "one pass over Fashion-MNIST 3.37 s",
    .run = run,
};
