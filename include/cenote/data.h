/* data.h - data sets, and loaders that turn them into batches.

       cn_dataset *train = cn_dataset_open("fashion-mnist");
       cn_loader *loader = cn_loader_new(train, .batch = 256, .shuffle = true, .workers = 1);
       cn_batch b;
       while (cn_loader_next(loader, &b)) ...      b.x (256, 1, 28, 28), b.y (256)
       cn_loader_free(loader);
       cn_dataset_free(train);

   What a batch holds depends on the data set, the seed and the epoch only, never on the number of
   workers. */
#ifndef CENOTE_DATA_H
#define CENOTE_DATA_H

#include "tensor.h"

CN_BEGIN_DECLS

/* ---- data sets ---------------------------------------------------------------------------- */

typedef struct cn_dataset cn_dataset;

/* A sample has up to so many fields: x, y, and what else belongs to it (lengths, masks). */
#define CN_MAX_FIELDS 4

typedef struct cn_field {
    cn_dtype dtype;
    cn_shape shape; /* of one sample: (1, 28, 28) for a grey image, no dimensions for a label */
} cn_field;

/* Samples side by side: every tensor has the batch as its first dimension. They belong to the
   current scope. */
typedef struct cn_batch {
    cn_tensor *x, *y; /* NULL where the data set has no such field */
    cn_tensor *extra[CN_MAX_FIELDS - 2];
    int64_t size; /* samples in it */
} cn_batch;

/* A data set of the user's own, or of another part of the library. */
typedef struct cn_dataset_class {
    size_t size;      /* of this struct in the caller's headers */
    const char *name; /* copied */
    int64_t samples;
    int fields; /* how many of `field` are used */
    cn_field field[CN_MAX_FIELDS];
    /* NULL, or n_classes names that live as long as `self`. */
    const char *const *classes;
    int n_classes;
    void *self; /* what the two functions below work on */
    /* Writes the samples index[0 .. n-1], one after the other, to out[field]. Called from several
       threads at once. False, with cn_fail(), when it cannot. */
    bool (*get)(void *self, const int64_t *index, int64_t n, void *const out[]);
    void (*destroy)(void *self); /* NULL: nothing to do */
} cn_dataset_class;

/* Takes `self` over, even when it fails. */
CN_API cn_dataset *cn_dataset_new(const cn_dataset_class *c);

/* The first dimension of both tensors counts the samples; y may be NULL. Shares their memory: do
   not change them while a loader runs. */
CN_API cn_dataset *cn_dataset_from_tensors(cn_tensor *x, cn_tensor *y);

/* Loaders hold on to their data set: this may be called before cn_loader_free(). NULL is fine. */
CN_API void cn_dataset_free(cn_dataset *d);

CN_API const char *cn_dataset_name(const cn_dataset *d); /* NULL of NULL */
CN_API int64_t cn_dataset_samples(const cn_dataset *d);  /* -1 of NULL */
CN_API int cn_dataset_fields(const cn_dataset *d);       /* -1 of NULL */
CN_API const cn_field *cn_dataset_field(const cn_dataset *d, int i);
CN_API int cn_dataset_classes(const cn_dataset *d); /* 0 where there are none; -1 of NULL */
CN_API const char *cn_dataset_class_name(const cn_dataset *d, int i); /* "ankle boot" */

/* Samples by index, in this thread. */
CN_API bool cn_dataset_get(const cn_dataset *d, const int64_t *index, int64_t n, cn_batch *out);

/* cn_dataset_image_folder("hotdog/train", .side = 96). A folder for each class, named by it, with
   pictures (JPEG, PNG, PPM or PGM); classes and pictures are in the order of their names. Pictures
   are read when they are asked for, in the loader's threads: the shorter side is scaled to `side`,
   the middle cut out. Samples are (channels, side, side) float32 in [0, 1], and int64. Errors:
   CN_EIO, or CN_EFORMAT when there are no such folders or a picture is damaged. */
typedef struct cn_image_folder_options {
    size_t size;
    const char *path;
    cn_named_only named_only_;
    int64_t side;  /* 224 */
    bool gray;     /* one channel instead of three */
    int64_t limit; /* only the first so many pictures of each class; 0: all */
} cn_image_folder_options;

CN_API cn_dataset *cn_dataset_image_folder_with(const cn_image_folder_options *o);

/* ---- the catalogue: data sets by name ------------------------------------------------------ */

typedef enum cn_part { CN_TRAIN = 0, CN_TEST = 1 } cn_part;

/* cn_dataset_open("mnist", .split = CN_TEST, .limit = 1000). Images are (1, 28, 28) float32 in
   [0, 1], labels int64. "glyphs" is made on the spot from the seed; the others are read from files,
   which are looked for in `root` if it is given, otherwise in $CENOTE_DATA, in the cache
   ($XDG_CACHE_HOME/cenote or ~/.cache/cenote) and where Debian installs them. */
typedef struct cn_dataset_options {
    size_t size;
    const char *name;
    cn_named_only named_only_;
    cn_part split;
    const char *root; /* a folder that holds the files, or a folder NAME with them */
    int64_t limit;    /* only the first so many samples; 0: all */
    uint64_t seed;    /* of what is generated */
} cn_dataset_options;

CN_API cn_dataset *cn_dataset_open_with(const cn_dataset_options *o);

typedef struct cn_data_info {
    const char *name, *title, *about, *licence;
    const char *source; /* how to get it */
    bool built_in;      /* generated: always there */
    int64_t train, test;
    int classes;
    char folder[512]; /* where it was found; "" when it was not, or is built in */
} cn_data_info;

CN_API int cn_data_count(void);
/* The i-th entry; looks for its files, too. */
CN_API bool cn_data_at(int i, cn_data_info *out);
/* Reads all files of a data set and compares sizes and SHA-256 with the published ones. */
CN_API bool cn_data_check(const char *name);
/* How far a download is; total is 0 while it is not known. False stops it: CN_EINTERRUPTED. */
typedef bool cn_data_watch(const char *file, int64_t done, int64_t total, void *context);

/* cn_data_get("mnist"). Puts a data set into the cache: copied from where it is found, else
   downloaded from its publisher, or from $CENOTE_MIRROR/NAME/FILE if that is set. Checked against
   the published SHA-256; each file is there whole or not at all. Errors: CN_EIO says what the server
   answered; CN_EUNSUPPORTED, in a build without libcurl, how to get it by hand. */
typedef struct cn_data_get_options {
    size_t size;
    const char *name;
    cn_named_only named_only_;
    cn_data_watch *watch;
    void *watch_context;
} cn_data_get_options;

CN_API bool cn_data_get_with(const cn_data_get_options *o);
#define cn_data_get(...)                                                                           \
    cn_data_get_with(&(cn_data_get_options){ .size = sizeof(cn_data_get_options), __VA_ARGS__ })

/* ---- transforms: what happens to x on its way into a batch ----------------------------------
   They work on float32 images (C, H, W); only cn_transform_to_float() accepts uint8. The random
   ones depend on (seed, epoch, index of the sample) only. */

typedef enum cn_transform_kind {
    CN_TRANSFORM_NONE = 0, /* ends a list */
    CN_TRANSFORM_TO_FLOAT = 1,
    CN_TRANSFORM_NORMALIZE = 2,
    CN_TRANSFORM_RESIZE = 3,
    CN_TRANSFORM_RANDOM_FLIP = 4,
    CN_TRANSFORM_RANDOM_CROP = 5,
    CN_TRANSFORM_CENTER_CROP = 6,
    CN_TRANSFORM_CHANNELS = 7
} cn_transform_kind;

#define CN_MAX_TRANSFORMS 8
#define CN_MAX_CHANNELS 4

/* A description: made by the functions below, checked when a loader is made. */
typedef struct cn_transform {
    cn_transform_kind kind;
    int channels;
    int64_t height, width, padding;
    double probability;
    float mean[CN_MAX_CHANNELS], std[CN_MAX_CHANNELS];
} cn_transform;

CN_API cn_transform cn_transform_to_float(void); /* uint8 0 .. 255 to float32 0 .. 1 */
/* (x - mean) / std, channel by channel. */
CN_API cn_transform cn_transform_normalize(int channels, const float *mean, const float *std);
/* Bilinear, as PyTorch's interpolate without align_corners and antialias. */
CN_API cn_transform cn_transform_resize(int64_t height, int64_t width);
CN_API cn_transform cn_transform_random_flip(double probability); /* left and right change places */
/* A random window of the image with `padding` zeros on every side. */
CN_API cn_transform cn_transform_random_crop(int64_t height, int64_t width, int64_t padding);
/* The middle of the image; zeros around it where it is smaller. As torchvision's CenterCrop. */
CN_API cn_transform cn_transform_center_crop(int64_t height, int64_t width);
/* Grey to RGB (three times the same), or RGB to grey (0.2989 R + 0.587 G + 0.114 B); an image that
   has so many channels stays as it is. */
CN_API cn_transform cn_transform_channels(int channels);

/* The samples of `d` after the transforms, which end with the first of kind CN_TRANSFORM_NONE; not
   the random ones. Who reads it does the work: the threads of a loader. Holds on to d. */
CN_API cn_dataset *cn_dataset_transformed(cn_dataset *d,
                                          const cn_transform transform[CN_MAX_TRANSFORMS]);

/* ---- loaders ------------------------------------------------------------------------------ */

typedef struct cn_loader cn_loader;

typedef struct cn_loader_options {
    size_t size;
    cn_dataset *dataset;
    cn_named_only named_only_;
    int64_t batch;  /* samples per batch; must be given */
    bool shuffle;   /* a new order every epoch, from the seed */
    bool drop_last; /* no batch smaller than `batch` */
    uint64_t seed;
    int workers;  /* threads that prepare batches; 0: they are made in cn_loader_next() */
    int prefetch; /* batches prepared ahead; 0: 4 */
    cn_transform transform[CN_MAX_TRANSFORMS]; /* .transform = { cn_transform_resize(96, 96) } */
} cn_loader_options;

CN_API cn_loader *cn_loader_new_with(const cn_loader_options *o);
CN_API void cn_loader_free(cn_loader *l); /* at any time; NULL is fine */

/* The next batch. False at the end of an epoch, where cn_ok() holds and the next call begins
   another one, and on errors; at once while this thread has an error. */
CN_API bool cn_loader_next(cn_loader *l, cn_batch *out) CN_MUST_CHECK;
CN_API int64_t cn_loader_batches(const cn_loader *l); /* in an epoch; -1 of NULL */
CN_API int64_t cn_loader_epoch(const cn_loader *l);   /* which one it is in, from 0; -1 of NULL */
CN_API cn_dataset *cn_loader_dataset(const cn_loader *l); /* lent */

/* Where a loader is. Batches after cn_loader_restore() are, bit for bit, those that followed
   cn_loader_state(); the loader must have the same options and data. */
typedef struct cn_loader_cursor {
    uint64_t seed;
    int64_t epoch, position; /* batches of this epoch that were handed out */
    int64_t samples, batch;  /* of the loader it was taken from */
} cn_loader_cursor;

CN_API bool cn_loader_state(const cn_loader *l, cn_loader_cursor *out);
CN_API bool cn_loader_restore(cn_loader *l, const cn_loader_cursor *cursor);

#ifndef __cplusplus
#define cn_dataset_open(...)                                                                       \
    cn_dataset_open_with(&(cn_dataset_options){ .size = sizeof(cn_dataset_options), __VA_ARGS__ })
#define cn_dataset_image_folder(...)                                                               \
    cn_dataset_image_folder_with(                                                                  \
        &(cn_image_folder_options){ .size = sizeof(cn_image_folder_options), __VA_ARGS__ })
#define cn_loader_new(...)                                                                         \
    cn_loader_new_with(&(cn_loader_options){ .size = sizeof(cn_loader_options), __VA_ARGS__ })
#endif

CN_END_DECLS
#endif
