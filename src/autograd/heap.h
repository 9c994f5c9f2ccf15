/* heap.h - calls in the order of backward: deepest first.

   A call is deeper than every call that made one of its inputs. Whoever takes the deepest and adds
   the makers of its inputs visits each call once, after all that use its results, without a pass
   over the graph and without recursion. Inline, because every step of backward goes through it. */
#ifndef CN_AUTOGRAD_HEAP_H
#define CN_AUTOGRAD_HEAP_H

#include "autograd/node.h"

#include <string.h>

enum { CN_HEAP_FEW = 32 };

typedef struct cn_heap {
    cn_node **items; /* few, or allocated */
    cn_node *few[CN_HEAP_FEW];
    size_t count, room;
} cn_heap;

/* Field by field: clearing the whole struct would cost as much as a small backward pass. */
static inline void cn_heap_init(cn_heap *h)
{
    h->items = h->few, h->room = CN_HEAP_FEW, h->count = 0;
}

static inline bool cn_heap_grow(cn_heap *h)
{
    size_t room = 4 * h->room;
    bool first = h->items == h->few;
    cn_node **items = cn_realloc(first ? NULL : h->items, room * sizeof(cn_node *));
    if (!items) return false;
    if (first) memcpy(items, h->few, sizeof h->few);
    h->items = items, h->room = room;
    return true;
}

static inline bool cn_heap_push(cn_heap *h, cn_node *node)
{
    if (node->queued) return true;
    if (h->count == h->room && !cn_heap_grow(h)) return false;
    size_t i = h->count++;
    for (; i && h->items[(i - 1) / 2]->depth < node->depth; i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = node;
    node->queued = true;
    return true;
}

static inline cn_node *cn_heap_pop(cn_heap *h)
{
    cn_node *top = h->items[0], *last = h->items[--h->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && h->items[child + 1]->depth > h->items[child]->depth) child++;
        if (h->items[child]->depth <= last->depth) break;
        h->items[i] = h->items[child];
    }
    h->items[i] = last;
    top->queued = false;
    return top;
}

/* Also after a walk that was broken off: what is still queued is no longer so. */
static inline void cn_heap_free(cn_heap *h)
{
    while (h->count) h->items[--h->count]->queued = false;
    if (h->items != h->few) cn_free(h->items);
}

#endif
