/* catalogue.c - the table of data sets, and opening one by its name. */
#include "data/catalogue.h"

#include <string.h>

#include "data/dataset.h"
#include "data/glyphs.h"

static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
static const char *const clothes[] = { "t-shirt", "trouser", "pullover", "dress", "coat",
                                       "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot" };

const cn_entry cn_catalogue[] = {
    {
        .name = "fashion-mnist",
        .title = "Fashion-MNIST",
        .about = "grey 28 x 28 images of ten kinds of clothes",
        .licence = "MIT",
        .source = "cenote data get fashion-mnist, or apt-get install dataset-fashion-mnist",
        .samples = { 60000, 10000 },
        .classes = clothes,
        .n_classes = 10,
        .images = { { "train-images-idx3-ubyte",
                      "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
                    { "t10k-images-idx3-ubyte",
                      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" } },
        .labels = { { "train-labels-idx1-ubyte",
                      "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" },
                    { "t10k-labels-idx1-ubyte",
                      "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" } },
        .publisher = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/"
                     "fashion",
        .system_folder = "/usr/share/datasets/fashion-mnist",
    },
    {
        .name = "mnist",
        .title = "MNIST",
        .about = "grey 28 x 28 images of handwritten digits",
        .licence = "CC BY-SA 3.0",
        .source = "cenote data get mnist",
        .samples = { 60000, 10000 },
        .classes = digits,
        .n_classes = 10,
        .images = { { "train-images-idx3-ubyte",
                      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
                    { "t10k-images-idx3-ubyte",
                      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" } },
        .labels = { { "train-labels-idx1-ubyte",
                      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
                    { "t10k-labels-idx1-ubyte",
                      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" } },
        .publisher = "https://ossci-datasets.s3.amazonaws.com/mnist",
    },
    {
        .name = "glyphs",
        .title = "Glyphs",
        .about = "grey 28 x 28 drawings of ten symbols, generated from a seed",
        .licence = "Apache-2.0",
        .source = "built in",
        .samples = { 20000, 4000 },
        .classes = cn_glyph_names,
        .n_classes = CN_GLYPH_CLASSES,
    },
};

const int cn_catalogue_size = sizeof cn_catalogue / sizeof cn_catalogue[0];

/* ---- names -------------------------------------------------------------------------------- */

/* Levenshtein's distance, of the first 31 bytes of each. */
static int edits(const char *a, const char *b)
{
    enum { ROOM = 32 };
    int n = (int)strnlen(a, ROOM - 1), m = (int)strnlen(b, ROOM - 1), row[ROOM];
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

const cn_entry *cn_entry_find(const char *name)
{
    if (!name) return cn_fail(CN_EINVALID, "data set: the name is NULL"), NULL;
    const cn_entry *nearest = cn_catalogue;
    for (const cn_entry *e = cn_catalogue; e < cn_catalogue + cn_catalogue_size; e++) {
        if (strcmp(e->name, name) == 0) return e;
        if (edits(name, e->name) < edits(name, nearest->name)) nearest = e;
    }
    cn_fail(CN_ENOTFOUND, "data set: there is no '%.64s'; did you mean '%s'?", name, nearest->name);
    return NULL;
}

/* ---- the interface ------------------------------------------------------------------------ */

static cn_dataset *open_entry(const cn_entry *e, const cn_dataset_options *o)
{
    int64_t all = e->samples[o->split];
    char folder[CN_PATH_ROOM];
    if (!e->images[0].name)
        return cn_glyphs(o->seed, o->split, o->limit && o->limit < all ? o->limit : all);
    if (!cn_entry_locate(e, o->root, o->split, o->split, folder)) return NULL;
    return cn_entry_read(e, folder, o->split, o->limit);
}

cn_dataset *cn_dataset_open_with(const cn_dataset_options *options)
{
    cn_dataset_options o;
    if (!cn_options_copy(&o, sizeof o, options, "data set")) return NULL;
    const cn_entry *e = cn_entry_find(o.name);
    if (!e) return NULL;
    if (o.split != CN_TRAIN && o.split != CN_TEST)
        return cn_fail(CN_EINVALID, "data set %s: %d is no split; it has CN_TRAIN and CN_TEST",
                       e->name, (int)o.split),
               NULL;
    if (o.limit < 0)
        return cn_fail(CN_EINVALID, "data set %s: .limit is %lld; it must not be negative", e->name,
                       (long long)o.limit),
               NULL;
    return open_entry(e, &o);
}

int cn_data_count(void)
{
    return cn_catalogue_size;
}

bool cn_data_at(int i, cn_data_info *out)
{
    if (!out) return cn_fail(CN_EINVALID, "data sets: no place for the entry");
    if (i < 0 || i >= cn_catalogue_size)
        return cn_fail(CN_EINVALID, "data sets: no entry %d among %d", i, cn_catalogue_size);
    const cn_entry *e = &cn_catalogue[i];
    *out = (cn_data_info){ .name = e->name,
                           .title = e->title,
                           .about = e->about,
                           .licence = e->licence,
                           .source = e->source,
                           .built_in = !e->images[0].name,
                           .train = e->samples[CN_TRAIN],
                           .test = e->samples[CN_TEST],
                           .classes = e->n_classes };
    if (!out->built_in && !cn_entry_is_here(e, out->folder)) out->folder[0] = '\0';
    return true;
}

bool cn_data_check(const char *name)
{
    char folder[CN_PATH_ROOM];
    const cn_entry *e = cn_entry_find(name);
    if (!e || !e->images[0].name) return e != NULL;
    return cn_entry_locate(e, NULL, CN_TRAIN, CN_TEST, folder) && cn_entry_verify(e, folder);
}
