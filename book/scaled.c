/* scaled.c - a data set of images at another size: networks of the book want larger ones. */
#include "book/lab.h"

#include <stdlib.h>

typedef struct {
    cn_dataset *of;
    int64_t side;
} Scaled;

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const Scaled *s = self;
    bool ok = false;
    CN_SCOPE CN_NO_GRAD
    {
        cn_batch b;
        if (cn_dataset_get(s->of, index, n, &b)) {
            cn_tensor *x = cn_interpolate(b.x, .output = CN_SHAPE(s->side, s->side),
                                          .mode = CN_INTERPOLATE_LINEAR);
            ok = x && cn_read(x, CN_F32, out[0], cn_numel(x)) && cn_read(b.y, CN_I64, out[1], n);
        }
    }
    return ok;
}

cn_dataset *lab_scaled(cn_dataset *of, int64_t side)
{
    const cn_field *x = cn_dataset_field(of, 0);
    Scaled *s = x ? malloc(sizeof *s) : NULL;
    if (!s) return cn_fail(CN_ENOMEM, "no memory for a data set"), NULL;
    *s = (Scaled){ of, side };
    return cn_dataset_new(&(cn_dataset_class){
        .size = sizeof(cn_dataset_class),
        .name = cn_dataset_name(of),
        .samples = cn_dataset_samples(of),
        .fields = 2,
        .field = { { CN_F32, CN_SHAPE(x->shape.dim[0], side, side) }, { .dtype = CN_I64 } },
        .self = s,
        .get = get,
        .destroy = free,
    });
}
