/* packed.c - copies of weights in the layout of a kernel, kept while the weights stay the same. */
#include "core/packed.h"

#include "core/tape.h"

#include <pthread.h>

enum { MOST = 4 }; /* copies of one storage: sizes of batches that come in turn */

struct cn_packed {
    cn_packed *next;
    uint64_t layout;
    uint32_t version;
    cn_tensor *copy;
};

/* Several threads may use one network: the lists are short, and looked at once for a convolution. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void drop_list(cn_packed *p)
{
    while (p) {
        cn_packed *next = p->next;
        cn_drop(p->copy);
        cn_free(p);
        p = next;
    }
}

void cn_packed_free(cn_storage *s)
{
    drop_list(s->packed);
}

bool cn_may_pack(const cn_tensor *t)
{
    const cn_storage *s = t->storage;
    bool stays = !cn_grad_enabled() || !t->requires_grad;
    return stays && !s->exposed && !s->release && t->v.contiguous && t->v.data == s->data;
}

cn_tensor *cn_packed_find(const cn_tensor *t, uint64_t layout)
{
    cn_tensor *found = NULL;
    pthread_mutex_lock(&lock);
    for (cn_packed *p = t->storage->packed; p && !found; p = p->next)
        if (p->layout == layout && p->version == t->storage->version) found = cn_ref(p->copy);
    pthread_mutex_unlock(&lock);
    return found ? cn_scope_add(found) : NULL;
}

/* Takes what is outdated or too much out of the list. */
static cn_packed *take_useless(cn_storage *s)
{
    cn_packed *useless = NULL, **at = &s->packed;
    for (int n = 1; *at;) {
        cn_packed *p = *at;
        if (p->version == s->version && n++ < MOST) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        p->next = useless, useless = p;
    }
    return useless;
}

bool cn_packed_keep(const cn_tensor *t, uint64_t layout, cn_tensor *copy)
{
    cn_packed *p = cn_alloc(sizeof *p);
    if (!p) return false;
    pthread_mutex_lock(&lock);
    cn_packed *useless = take_useless(t->storage);
    *p = (cn_packed){ t->storage->packed, layout, t->storage->version, cn_ref(copy) };
    t->storage->packed = p;
    pthread_mutex_unlock(&lock);
    drop_list(useless);
    return true;
}
