/* plan.c - the plans of each thread. */
#include "backends/onednn/plan.h"

#include <pthread.h>
#include <string.h>

enum { SLOTS = 512 };

typedef struct Slot {
    cn_dnnl_plan plan;
    size_t bytes;
    unsigned char key[CN_DNNL_KEY_BYTES];
} Slot;

static _Thread_local Slot **slots;
static pthread_key_t thread_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void empty(cn_dnnl_plan *p)
{
    cn_dnnl_destroy(&p->main);
    cn_dnnl_destroy(&p->before[0]);
    cn_dnnl_destroy(&p->before[1]);
    cn_dnnl_destroy(&p->after);
    *p = (cn_dnnl_plan){ 0 };
}

static void free_slots(void *table)
{
    Slot **s = table;
    for (int i = 0; i < SLOTS; i++) {
        if (s[i]) empty(&s[i]->plan);
        cn_free(s[i]);
    }
    cn_free(s);
    slots = NULL;
    cn_dnnl_stop();
}

static void init_key(void)
{
    pthread_key_create(&thread_key, free_slots);
}

static Slot *slot_for(const void *key, size_t bytes)
{
    if (!slots) {
        pthread_once(&once, init_key);
        slots = cn_alloc_zeroed(SLOTS * sizeof *slots);
        if (!slots) return NULL;
        pthread_setspecific(thread_key, slots);
    }
    uint64_t h = 1469598103934665603u, word;
    for (size_t i = 0; i + sizeof word <= bytes; i += sizeof word) {
        memcpy(&word, (const char *)key + i, sizeof word);
        h = (h ^ word) * 1099511628211u;
        h ^= h >> 29;
    }
    Slot **s = &slots[h % SLOTS];
    if (!*s) *s = cn_alloc_zeroed(sizeof **s);
    return *s;
}

cn_dnnl_plan *cn_dnnl_plan_for(const void *key, size_t bytes,
                               bool (*make)(cn_dnnl_plan *plan, const void *key))
{
    Slot *s = slot_for(key, bytes);
    if (!s) return NULL;
    if (s->bytes == bytes && memcmp(s->key, key, bytes) == 0) return &s->plan;
    empty(&s->plan);
    memcpy(s->key, key, bytes);
    s->bytes = bytes;
    if (!make(&s->plan, key)) {
        empty(&s->plan);
        s->plan.unusable = true;
    }
    return &s->plan;
}

cn_kernel *cn_dnnl_decline(const char **why, const char *reason)
{
    *why = reason;
    return NULL;
}
