/* dot.c - the recorded graph as text for Graphviz. */
#include "autograd/heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A call or a leaf, and its number: the order in which the walk comes to it. */
typedef struct {
    const void *what;
    const cn_node *node; /* of a call */
    const cn_spec *spec; /* of a leaf */
    int number;
} Item;

typedef struct {
    Item *items; /* sorted by what they are, after the walk */
    int count, room;
    char *buf;
    size_t size, length;
} Dot;

/* ---- collecting ---------------------------------------------------------------------------- */

static bool add_item(Dot *d, Item item)
{
    if (d->count == d->room) {
        int room = d->room ? 2 * d->room : 64;
        Item *items = cn_realloc(d->items, (size_t)room * sizeof *items);
        if (!items) return false;
        d->items = items, d->room = room;
    }
    item.number = d->count;
    d->items[d->count++] = item;
    return true;
}

static int by_identity(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->what != y->what) return (uintptr_t)x->what < (uintptr_t)y->what ? -1 : 1;
    return x->number - y->number;
}

static int by_number(const void *a, const void *b)
{
    return ((const Item *)a)->number - ((const Item *)b)->number;
}

/* A leaf is met once for each use; only the first stays. */
static void sort_items(Dot *d)
{
    int count = 0;
    if (!d->count) return;
    qsort(d->items, (size_t)d->count, sizeof *d->items, by_identity);
    for (int i = 0; i < d->count; i++)
        if (!count || d->items[count - 1].what != d->items[i].what) d->items[count++] = d->items[i];
    d->count = count;
}

static bool walk(Dot *d, cn_heap *heap)
{
    while (heap->count) {
        const cn_node *node = cn_heap_pop(heap);
        if (!add_item(d, (Item){ .what = node, .node = node })) return false;
        for (int i = 0; i < node->n_in; i++) {
            const cn_edge *e = &node->edges[i];
            if (e->leaf && !add_item(d, (Item){ .what = e->leaf, .spec = &e->spec })) return false;
            if (e->node && !cn_heap_push(heap, e->node)) return false;
        }
    }
    return true;
}

static bool collect(Dot *d, const cn_tensor *t, const cn_spec *spec)
{
    cn_heap heap;
    cn_heap_init(&heap);
    bool ok =
        t->node ? cn_heap_push(&heap, t->node) : add_item(d, (Item){ .what = t, .spec = spec });
    ok = ok && walk(d, &heap);
    cn_heap_free(&heap);
    return ok;
}

/* ---- writing ------------------------------------------------------------------------------- */

CN_PRINTF(2, 3) static void put(Dot *d, const char *fmt, ...)
{
    va_list args;
    bool fits = d->length < d->size;
    va_start(args, fmt);
    int n = vsnprintf(fits ? d->buf + d->length : NULL, fits ? d->size - d->length : 0, fmt, args);
    va_end(args);
    if (n > 0) d->length += (size_t)n;
}

static void put_quoted(Dot *d, const char *text)
{
    for (; *text; text++) put(d, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
}

static void put_spec(Dot *d, const cn_spec *spec)
{
    char shape[128];
    put(d, "\\n%s %s", cn_shape_text(&spec->shape, shape), cn_dtype_name(spec->dtype));
}

static int number_of(const Dot *d, const void *what)
{
    const Item key = { .what = what };
    int low = 0, high = d->count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if ((uintptr_t)d->items[middle].what <= (uintptr_t)key.what) low = middle;
        else high = middle;
    }
    return d->items[low].number;
}

static void put_item(Dot *d, const Item *item)
{
    put(d, "  n%d [label=\"", item->number);
    put_quoted(d, item->node ? cn_node_name(item->node) : "leaf");
    for (int i = 0; item->node && i < item->node->n_out; i++)
        put_spec(d, &item->node->results[i].spec);
    if (!item->node) put_spec(d, item->spec);
    if (item->node && item->node->note) {
        put(d, "\\n");
        put_quoted(d, item->node->note);
    }
    put(d, "\"%s];\n", item->node ? "" : ", shape=ellipse");
}

/* Arrows point the way values went; one from a later output has its number. */
static void put_arrows(Dot *d, const cn_node *node, int number)
{
    for (int i = 0; i < node->n_in; i++) {
        const cn_edge *e = &node->edges[i];
        if (!cn_edge_wants(e)) continue;
        const void *from = e->node ? (const void *)e->node : e->leaf;
        put(d, "  n%d -> n%d", number_of(d, from), number);
        if (e->node && e->out_index) put(d, " [label=\"%d\"]", e->out_index);
        put(d, ";\n");
    }
}

static bool put_graph(Dot *d)
{
    Item *ordered = d->items ? cn_alloc((size_t)d->count * sizeof *ordered) : NULL;
    if (!ordered) return false;
    memcpy(ordered, d->items, (size_t)d->count * sizeof *ordered);
    qsort(ordered, (size_t)d->count, sizeof *ordered, by_number);
    put(d, "digraph recorded {\n  node [shape=box];\n");
    for (int i = 0; i < d->count; i++) put_item(d, &ordered[i]);
    for (int i = 0; i < d->count; i++)
        if (ordered[i].node) put_arrows(d, ordered[i].node, ordered[i].number);
    put(d, "}\n");
    cn_free(ordered);
    return true;
}

size_t cn_graph_dot(const cn_tensor *t, char *buf, size_t room)
{
    Dot d = { .buf = buf, .size = room };
    if (!t) return 0;
    cn_spec spec = { t->v.dtype, t->v.shape };
    bool ok = collect(&d, t, &spec);
    if (ok) sort_items(&d);
    ok = ok && put_graph(&d);
    cn_free(d.items);
    return ok ? d.length : 0;
}
