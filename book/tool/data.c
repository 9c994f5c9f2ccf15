/* data.c - files that are what was published, or an error (D2L 5.7.1). */
#include "book/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM = 512 };

static char *path_in(char path[ROOM], const char *folder, const char *name)
{
    snprintf(path, ROOM, "%s/%s", folder, name);
    return path;
}

/* A file of MNIST's format and size, in which every image is black, every label 0. */
static void write_file(const char *path, bool images)
{
    enum { SAMPLES = 60000, AREA = 28 * 28 };
    static const unsigned char head[] = { 0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28 };
    static const unsigned char label_head[] = { 0, 0, 8, 1, 0, 0, 0xea, 0x60 };
    FILE *f = fopen(path, "wb");
    bool ok = f && (images ? fwrite(head, sizeof head, 1, f)
                           : fwrite(label_head, sizeof label_head, 1, f)) == 1;
    if (f && fclose(f) != 0) ok = false;
    off_t size = images ? (off_t)sizeof head + SAMPLES * AREA : (off_t)sizeof label_head + SAMPLES;
    if (!ok || truncate(path, size) != 0) cn_fail(CN_EIO, "%s: cannot be written", path);
}

/* Another byte in the middle. */
static void damage(const char *path)
{
    FILE *f = fopen(path, "r+b");
    if (!f) return;
    fseek(f, 0, SEEK_END);
    long middle = ftell(f) / 2;
    fseek(f, middle, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, middle, SEEK_SET);
    fputc(byte ^ 0x55, f);
    fclose(f);
}

static void run(Lab *lab)
{
    char folder[LAB_PATH], kept[512];
    const char *was = getenv("CENOTE_DATA");
    bool had = was && snprintf(kept, sizeof kept, "%s", was) > 0;
    if (!lab_new_folder(folder)) return;

    /* Files of the right names and formats, and of other contents. */
    static const char *const names[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" };
    char path[ROOM], mnist[LAB_PATH + 8];
    snprintf(mnist, sizeof mnist, "%s/mnist", folder);
    if (mkdir(mnist, 0777) != 0) cn_fail(CN_EIO, "%s: no folder", mnist);
    for (int i = 0; i < 4; i++) write_file(path_in(path, mnist, names[i]), i % 2 == 0);
    setenv("CENOTE_DATA", folder, 1);
    bool passed = cn_data_check("mnist");
    lab_refused(lab, "a file that is not the published one", "its SHA-256 is");
    lab_true(lab, "does not pass", !passed);
    for (int i = 0; i < 4; i++) unlink(path_in(path, mnist, names[i]));
    rmdir(mnist);
    if (had) setenv("CENOTE_DATA", kept, 1);
    else unsetenv("CENOTE_DATA");

    cn_data_get("imagenot");
    lab_refused(lab, "a name that the catalogue lacks", "imagenot");
    lab_true(lab, "what is built in is there without a download", cn_data_get("glyphs"));

    /* Archives are read where they lie: a table in gzip, arrays in a ZIP. */
    cn_tensor *x = cn_randn(CN_SHAPE(7, 3), CN_F32);
    cn_dict *out = cn_dict_new();
    bool saved = cn_dict_set_tensor(out, "x", x) && cn_save(path_in(path, folder, "a.npz"), out);
    cn_dict *in = saved ? cn_load(path) : NULL;
    lab_same(lab, "an array out of a ZIP archive", cn_dict_tensor(in, "x"), x, 0);
    damage(path);
    cn_load(path);
    lab_refused(lab, "one whose checksum is wrong", "a.npz");
    cn_dict_free(in);
    cn_dict_free(out);
    unlink(path);
    rmdir(folder);
}

const Experiment experiment_tool_data = {
    .id = "TOOL-DATA",
    .title = "Downloads, cached and checked",
    .title_zh = "下载和缓存数据集",
    .section = "5.7.1",
    .run = run,
};
