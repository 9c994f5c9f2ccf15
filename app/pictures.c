/* pictures.c - pictures from files and data sets, as large and scaled as a network wants them. */
#include "app/pretrained.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sizes and scales ------------------------------------------------------------------------- */

Scaling scaling_named(const char *name)
{
    static const char *const names[] = { "model", "none", "caffe" };
    for (int i = 0; i < SCALING_UNKNOWN; i++)
        if (strcmp(names[i], name) == 0) return (Scaling)i;
    cn_fail(CN_EINVALID, "there is no scaling '%s': model, none and caffe are known", name);
    return SCALING_UNKNOWN;
}

static cn_tensor *per_channel(const float *values)
{
    cn_tensor *t = cn_empty(CN_SHAPE(1, 3, 1, 1), CN_F32);
    float *x = cn_data_mut(t);
    if (x) memcpy(x, values, 3 * sizeof *x);
    return t;
}

static cn_tensor *scaled(cn_tensor *x, const cn_scaling *s)
{
    return s ? cn_div(cn_sub(x, per_channel(s->mean)), per_channel(s->std)) : x;
}

static cn_tensor *resized(cn_tensor *x, int64_t height, int64_t width)
{
    if (!x || (cn_size(x, 2) == height && cn_size(x, 3) == width)) return x;
    return cn_interpolate(x, .output = CN_SHAPE(height, width), .mode = CN_INTERPOLATE_LINEAR,
                          .antialias = true);
}

/* ---- one picture ------------------------------------------------------------------------------- */

/* Float32 (1, channels, height, width), 0 to 255. */
static cn_tensor *read_picture(const cn_model *model, const char *path)
{
    cn_image_mode mode = model->input.dim[0] == 1 ? CN_IMAGE_GRAY : CN_IMAGE_RGB;
    return cn_unsqueeze(cn_to(cn_image_read(path, mode), CN_F32), 0);
}

static cn_tensor *middle_square(cn_tensor *x)
{
    if (!x) return NULL;
    int64_t h = cn_size(x, 2), w = cn_size(x, 3), side = h < w ? h : w;
    int64_t top = (h - side) / 2, left = (w - side) / 2;
    return cn_slice(cn_slice(x, 2, top, top + side, 1), 3, left, left + side, 1);
}

cn_tensor *picture_for(const cn_model *model, const char *path, Scaling scaling, int64_t side)
{
    static const cn_scaling caffe = { { 104, 117, 123 }, { 1, 1, 1 } };
    int64_t height = side ? side : model->input.dim[1], width = side ? side : model->input.dim[2];
    cn_tensor *x = resized(middle_square(read_picture(model, path)), height, width);
    if (scaling == SCALING_CAFFE) return scaled(cn_flip(x, CN_SHAPE(1)), &caffe);
    return scaled(cn_div(x, cn_scalar(255)), scaling == SCALING_MODEL ? model->scaling : NULL);
}

/* ---- data sets ---------------------------------------------------------------------------------- */

/* ---- pictures from files --------------------------------------------------------------------------- */

enum { SIDE = 32, CHANNELS = 3, RECORD = 1 + CHANNELS * SIDE * SIDE };

/* Records of a label and the red, green and blue planes, a byte each. */
static bool read_records(FILE *f, float *x, int64_t *y, int64_t n)
{
    unsigned char record[RECORD];
    for (int64_t i = 0; i < n; i++) {
        if (fread(record, 1, RECORD, f) != RECORD) return false;
        y[i] = record[0];
        for (int k = 1; k < RECORD; k++) *x++ = (float)record[k] / 255;
    }
    return true;
}

static cn_dataset *read_cifar(const char *path, int64_t limit)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    cn_dataset *data = NULL;
    if (size <= 0) {
        cn_fail(CN_ENOTFOUND, "%s: cannot read: %s", path, strerror(errno));
    } else if (size % RECORD) {
        cn_fail(CN_EFORMAT, "%s: no records of CIFAR-10, which have %d bytes each", path, RECORD);
    } else {
        int64_t n = size / RECORD;
        if (limit && limit < n) n = limit;
        cn_tensor *x = cn_empty(CN_SHAPE(n, CHANNELS, SIDE, SIDE), CN_F32);
        cn_tensor *y = cn_empty(CN_SHAPE(n), CN_I64);
        rewind(f);
        bool ok = x && y && read_records(f, cn_data_mut(x), cn_data_mut(y), n);
        data = ok ? cn_dataset_from_tensors(x, y) : NULL;
        if (!ok && cn_ok()) cn_fail(CN_EIO, "%s: cannot read: %s", path, strerror(errno));
    }
    if (f) fclose(f);
    return data;
}

enum { PATH_ROOM = 1024, MOST_PICTURES = 4096 };

static bool join(char out[PATH_ROOM], const char *folder, const char *name)
{
    int n = snprintf(out, PATH_ROOM, "%s/%s", folder, name);
    return (n > 0 && n < PATH_ROOM) || cn_fail(CN_EINVALID, "%.100s: the path is too long", folder);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

typedef struct {
    const cn_model *model;
    cn_tensor *x[MOST_PICTURES];
    int64_t y[MOST_PICTURES];
    int64_t n, most;
} Pictures;

static bool read_class(Pictures *p, const char *folder, int label)
{
    struct dirent **files;
    char path[PATH_ROOM];
    int n = scandir(folder, &files, visible, alphasort);
    if (n < 0) return cn_fail(CN_ENOTFOUND, "%s: cannot read: %s", folder, strerror(errno));
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok = ok && join(path, folder, files[i]->d_name);
        if (ok && p->n < p->most) {
            cn_tensor *x = picture_for(p->model, path, SCALING_NONE, 0);
            p->x[p->n] = x, p->y[p->n] = label;
            ok = x != NULL;
            p->n += ok;
        }
        free(files[i]);
    }
    free(files);
    return ok;
}

static cn_dataset *read_folders(const cn_model *model, const char *path, int64_t limit)
{
    struct dirent **folders;
    char folder[PATH_ROOM];
    int n = scandir(path, &folders, visible, alphasort);
    if (n < 0) return cn_fail(CN_ENOTFOUND, "%s: cannot read: %s", path, strerror(errno)), NULL;
    Pictures *p = calloc(1, sizeof *p);
    bool ok = p != NULL || cn_fail(CN_ENOMEM, "data: out of memory");
    if (p) p->model = model, p->most = limit && limit < MOST_PICTURES ? limit : MOST_PICTURES;
    for (int i = 0; i < n; i++) {
        ok = ok && join(folder, path, folders[i]->d_name) && read_class(p, folder, i);
        free(folders[i]);
    }
    free(folders);
    cn_tensor *y = ok ? cn_empty(CN_SHAPE(p->n), CN_I64) : NULL;
    ok = y && cn_write(y, CN_I64, p->y, p->n);
    cn_dataset *data = ok ? cn_dataset_from_tensors(cn_cat(p->x, (int)p->n, 0), y) : NULL;
    free(p);
    return data;
}

cn_dataset *pictures_for(const cn_model *model, const char *path, int64_t limit)
{
    DIR *folder = opendir(path);
    if (!folder) return fitted_to(model, &model->input, read_cifar(path, limit));
    closedir(folder);
    return fitted_to(model, &model->input, read_folders(model, path, limit));
}
