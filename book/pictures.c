/* pictures.c - images of a data set with what they are, as the book shows them (D2L 4.2, 4.4). */
#include "book/book.h"

#include <stdio.h>

enum { MOST = 18 };

static bool predictions(cn_module *net, cn_tensor *x, int64_t *out, int64_t n)
{
    bool was = cn_is_training(net), ok = false;
    cn_train_mode(net, false);
    CN_NO_GRAD
    {
        ok = cn_read(cn_argmax(cn_forward(net, x), .dim = CN_SHAPE(1)), CN_I64, out, n);
    }
    cn_train_mode(net, was);
    return ok;
}

static bool draw(cn_figure *f, const cn_dataset *images, const cn_batch *b, cn_module *net)
{
    int64_t truth[MOST], taken[MOST], h = cn_size(b->x, 2), w = cn_size(b->x, 3);
    char text[MOST][80];
    const char *captions[MOST];
    cn_image_mark marks[MOST] = { CN_IMAGE_UNMARKED };
    if (!cn_read(b->y, CN_I64, truth, b->size)) return false;
    if (net && !predictions(net, b->x, taken, b->size)) return false;
    for (int64_t i = 0; i < b->size; i++) {
        const char *name = cn_dataset_class_name(images, (int)truth[i]);
        snprintf(text[i], sizeof text[i], "%s%s%s", name, net ? "\n" : "",
                 net ? cn_dataset_class_name(images, (int)taken[i]) : "");
        captions[i] = text[i];
        if (net) marks[i] = truth[i] == taken[i] ? CN_IMAGE_GOOD : CN_IMAGE_BAD;
    }
    const float *pixels = cn_data(cn_contiguous(b->x));
    return pixels && cn_figure_images(f, (size_t)b->size, (size_t)h, (size_t)w, .f32 = pixels,
                                      .captions = captions, .marks = marks);
}

cn_figure *lab_pictures(cn_dataset *images, int64_t n, cn_module *net)
{
    int64_t index[MOST];
    bool ok = false;
    cn_figure *f = cn_figure_new(NULL);
    if (n > MOST) n = MOST;
    for (int64_t i = 0; i < n; i++) index[i] = i;
    CN_SCOPE
    {
        cn_batch b;
        ok = f && cn_dataset_get(images, index, n, &b) && draw(f, images, &b, net);
    }
    if (ok) return f;
    cn_figure_free(f);
    return NULL;
}
