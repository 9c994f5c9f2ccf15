/* layout.c - the blocked memory format of convolution stacks, made and undone. */
#include "core/tensor.h"
#include "core/threads.h"

#include <string.h>

enum { TILE = 16 }; /* pixels moved at a time: a tile of both layouts fits the first cache */

typedef struct Move {
    char *to;
    const char *from;
    int64_t pixels, block;
    size_t size; /* of an element */
    bool to_blocks;
} Move;

/* One block of channels of one image, as planes [block][pixels] and as pixels [pixels][block]. */
#define MOVE_BLOCK(T)                                                                              \
    static void move_##T(const Move *m, int64_t unit)                                              \
    {                                                                                              \
        int64_t first = unit * m->block * m->pixels;                                               \
        const T *from = (const T *)(const void *)m->from + first;                                  \
        T *to = (T *)(void *)m->to + first;                                                        \
        for (int64_t p = 0; p < m->pixels; p += TILE) {                                            \
            int64_t end = p + TILE < m->pixels ? p + TILE : m->pixels;                             \
            for (int64_t c = 0; c < m->block; c++)                                                 \
                for (int64_t i = p; i < end; i++) {                                                \
                    if (m->to_blocks) to[i * m->block + c] = from[c * m->pixels + i];              \
                    else to[c * m->pixels + i] = from[i * m->block + c];                           \
                }                                                                                  \
        }                                                                                          \
    }

MOVE_BLOCK(uint32_t)
MOVE_BLOCK(uint64_t)

static void move_blocks(int64_t first, int64_t last, void *context)
{
    const Move *m = context;
    for (int64_t u = first; u < last; u++) {
        if (m->size == 4) move_uint32_t(m, u);
        else move_uint64_t(m, u);
    }
}

void cn_reorder(char *to, const cn_view *v, int block, bool to_blocks)
{
    const cn_shape *s = &v->shape;
    Move m = { to, v->data, s->dim[2] * s->dim[3], block, cn_dtype_size(v->dtype), to_blocks };
    cn_parallel(s->dim[0] * s->dim[1] / block, m.pixels * block, move_blocks, &m);
}

bool cn_make_plain(cn_tensor *t)
{
    if (!t || !t->v.block) return t != NULL;
    cn_tensor *plain = cn_tensor_new_owned(&t->v.shape, t->v.dtype);
    if (!plain) return false;
    cn_reorder(plain->v.data, &t->v, t->v.block, false);
    cn_storage *old = t->storage;
    plain->storage->version = old->version; /* the values are the same */
    t->storage = plain->storage;
    t->v.data = plain->v.data;
    t->v.block = 0;
    plain->storage = old;
    cn_drop(plain);
    return true;
}

bool cn_can_block(const cn_shape *s, int block)
{
    return s->ndim == 4 && block > 1 && s->dim[1] > 0 && s->dim[1] % block == 0;
}
