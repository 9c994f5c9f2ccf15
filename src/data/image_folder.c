/* image_folder.c - a folder for each class, pictures in it: read and scaled when they are asked for. */
#include <cenote/autograd.h>
#include <cenote/data.h>
#include <cenote/functional.h>
#include <cenote/image.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "data/dataset.h"

typedef struct {
    char *path;
    int64_t label;
} Picture;

typedef struct {
    int64_t side, channels, n, limit;
    Picture *picture;
    char **name; /* of the classes */
    int n_classes;
} Folder;

/* ---- listing ------------------------------------------------------------------------------- */

static bool is_picture(const char *name)
{
    static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".ppm", ".pgm" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, int64_t n)
{
    for (int64_t i = 0; names && i < n; i++) cn_free(names[i]);
    cn_free(names);
}

static char *joined(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = cn_alloc(room);
    if (path) snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* One more at the end of a list, which doubles where it is full. Takes `name` over. */
static bool append(char ***names, int64_t *n, char *name)
{
    bool full = *n >= 16 ? (*n & (*n - 1)) == 0 : *n == 0;
    char **more = !name   ? NULL
                  : !full ? *names
                          : cn_realloc(*names, (size_t)(*n ? 2 * *n : 16) * sizeof *more);
    if (!more) return cn_free(name), false;
    *names = more;
    more[(*n)++] = name;
    return true;
}

static bool is_folder(const char *folder, const char *name, bool *answer)
{
    struct stat s;
    char *path = joined(folder, name);
    bool ok = path != NULL;
    *answer = ok && stat(path, &s) == 0 && S_ISDIR(s.st_mode);
    cn_free(path);
    return ok;
}

/* Folders, or pictures, of a folder by name: the order of the classes and of the samples. */
static bool list(const char *path, bool folders, char ***names, int64_t *n)
{
    *names = NULL;
    *n = 0;
    DIR *d = opendir(path);
    if (!d) return cn_fail_errno(path, "be opened as a folder");
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d));) {
        bool folder = false;
        if (e->d_name[0] == '.' || !(ok = is_folder(path, e->d_name, &folder))) continue;
        if (folders ? folder : !folder && is_picture(e->d_name))
            ok = append(names, n, cn_strdup(e->d_name));
    }
    (void)closedir(d);
    if (*n) qsort(*names, (size_t)*n, sizeof **names, by_name);
    return ok;
}

/* ---- the data set -------------------------------------------------------------------------- */

static void destroy(void *self)
{
    Folder *f = self;
    for (int64_t i = 0; i < f->n; i++) cn_free(f->picture[i].path);
    cn_free(f->picture);
    free_names(f->name, f->n_classes);
    cn_free(f);
}

static bool add_class(Folder *f, const char *root, int label)
{
    char **names = NULL, *folder = joined(root, f->name[label]);
    int64_t n = 0;
    bool ok = folder && list(folder, false, &names, &n);
    if (f->limit && n > f->limit) {
        for (int64_t i = f->limit; i < n; i++) cn_free(names[i]);
        n = f->limit;
    }
    Picture *more = ok ? cn_realloc(f->picture, (size_t)(f->n + n + 1) * sizeof *more) : NULL;
    if (more) f->picture = more;
    for (int64_t i = 0; more && ok && i < n; i++) {
        char *path = joined(folder, names[i]);
        ok = path != NULL;
        if (ok) more[f->n++] = (Picture){ path, label };
    }
    free_names(names, n);
    cn_free(folder);
    return more && ok;
}

/* The shorter side becomes `side`, what is longer of the other one is cut off on both ends. */
static cn_tensor *square(const Folder *f, cn_tensor *picture)
{
    int64_t h = cn_size(picture, 1), w = cn_size(picture, 2), shorter = h < w ? h : w;
    if (shorter < 1) return NULL;
    cn_shape size = CN_SHAPE(h * f->side / shorter, w * f->side / shorter);
    cn_tensor *x = cn_unsqueeze(cn_div(cn_to(picture, CN_F32), cn_num(255)), 0);
    x = cn_interpolate(x, .output = size, .mode = CN_INTERPOLATE_LINEAR, .antialias = true);
    x = cn_narrow(x, 2, (size.dim[0] - f->side) / 2, f->side);
    return cn_narrow(x, 3, (size.dim[1] - f->side) / 2, f->side);
}

static bool read_picture(const Folder *f, const char *path, float *out)
{
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(false);
    cn_tensor *picture = cn_image_read(path, f->channels == 1 ? CN_IMAGE_GRAY : CN_IMAGE_RGB);
    cn_tensor *x = picture ? square(f, picture) : NULL;
    bool ok = x && cn_read(x, CN_F32, out, cn_numel(x));
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const Folder *f = self;
    float *x = out[0];
    int64_t *y = out[1];
    for (int64_t i = 0; i < n; i++) {
        const Picture *p = &f->picture[index[i]];
        if (!read_picture(f, p->path, x + i * f->channels * f->side * f->side)) return false;
        y[i] = p->label;
    }
    return true;
}

static bool fill(Folder *f, const char *path)
{
    int64_t n = 0;
    if (!list(path, true, &f->name, &n)) return free_names(f->name, n), f->name = NULL, false;
    f->n_classes = (int)n;
    for (int i = 0; i < f->n_classes; i++)
        if (!add_class(f, path, i)) return false;
    return f->n || cn_fail(CN_EFORMAT,
                           "%s: no pictures: it must have a folder for each class, with .jpg, "
                           ".png, .ppm or .pgm files",
                           path);
}

cn_dataset *cn_dataset_image_folder_with(const cn_image_folder_options *options)
{
    cn_image_folder_options o;
    if (!cn_options_copy(&o, sizeof o, options, "image folder")) return NULL;
    if (!o.path || o.side < 0 || o.limit < 0 || o.side > 65535)
        return cn_fail(CN_EINVALID, "image folder: it needs a path, and a side of 1 to 65535"),
               NULL;
    Folder *f = cn_alloc_zeroed(sizeof *f);
    if (!f) return NULL;
    f->side = o.side ? o.side : 224;
    f->channels = o.gray ? 1 : 3;
    f->limit = o.limit;
    if (!fill(f, o.path)) return destroy(f), NULL;
    return cn_dataset_new(&(cn_dataset_class){
        .size = sizeof(cn_dataset_class),
        .name = o.path,
        .samples = f->n,
        .fields = 2,
        .field = { { CN_F32, CN_SHAPE(f->channels, f->side, f->side) }, { .dtype = CN_I64 } },
        .classes = (const char *const *)f->name,
        .n_classes = f->n_classes,
        .self = f,
        .get = get,
        .destroy = destroy,
    });
}
