/* counts.c - how often each tuple of so many numbers occurs. */
#include "text/counts.h"

#include <string.h>

#include "core/memory.h"

static uint64_t hash(const int64_t *key, int64_t n)
{
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (int64_t i = 0; i < n; i++) {
        h = (h ^ (uint64_t)key[i]) * 0xBF58476D1CE4E5B9u; /* SplitMix64's mixing */
        h ^= h >> 29;
    }
    return h;
}

/* The slot of this tuple, or the empty one where it belongs. */
static int64_t *slot_of(const cn_counts *c, const int64_t *key)
{
    size_t i = hash(key, c->length) & (c->n_slots - 1), bytes = (size_t)c->length * sizeof *key;
    while (c->slots[i] >= 0 && memcmp(c->keys + c->slots[i] * c->length, key, bytes) != 0)
        i = (i + 1) & (c->n_slots - 1);
    return &c->slots[i];
}

static bool grow(void **block, size_t count, size_t each)
{
    size_t bytes;
    void *b = cn_mul_size(count, each, &bytes, "counting") ? cn_realloc(*block, bytes) : NULL;
    if (b) *block = b;
    return b != NULL;
}

/* Twice the room, and four slots for each tuple that fits. */
static bool make_room(cn_counts *c)
{
    size_t room = c->room ? 2 * (size_t)c->room : 64;
    void *keys = c->keys, *count = c->count, *slots = c->slots;
    bool ok = grow(&keys, room, (size_t)c->length * sizeof *c->keys);
    c->keys = keys;
    ok = ok && grow(&count, room, sizeof *c->count);
    c->count = count;
    ok = ok && grow(&slots, 4 * room, sizeof *c->slots);
    c->slots = slots;
    if (!ok) return false;
    c->room = (int64_t)room;
    c->n_slots = 4 * room;
    memset(c->slots, 0xFF, c->n_slots * sizeof *c->slots);
    for (int64_t i = 0; i < c->used; i++) *slot_of(c, c->keys + i * c->length) = i;
    return true;
}

bool cn_counts_add(cn_counts *c, const int64_t *key, int64_t by)
{
    if (c->used == c->room && !make_room(c)) return false;
    int64_t *slot = slot_of(c, key);
    if (*slot < 0) {
        memcpy(c->keys + c->used * c->length, key, (size_t)c->length * sizeof *key);
        c->count[c->used] = 0;
        *slot = c->used++;
    }
    c->count[*slot] += by;
    return true;
}

int64_t cn_counts_find(const cn_counts *c, const int64_t *key)
{
    return c->n_slots ? *slot_of(c, key) : -1;
}

int64_t cn_counts_of(const cn_counts *c, const int64_t *key)
{
    int64_t i = cn_counts_find(c, key);
    return i < 0 ? 0 : c->count[i];
}

void cn_counts_empty(cn_counts *c)
{
    c->used = 0;
    if (c->n_slots) memset(c->slots, 0xFF, c->n_slots * sizeof *c->slots);
}

void cn_counts_free(cn_counts *c)
{
    cn_free(c->keys);
    cn_free(c->count);
    cn_free(c->slots);
    *c = (cn_counts){ .length = c->length };
}
