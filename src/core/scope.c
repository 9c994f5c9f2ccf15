/* scope.c - the stack of results of each thread. */
#include "core/tensor.h"

#include <pthread.h>

#define FAST_TLS _Thread_local __attribute__((tls_model("initial-exec")))

static FAST_TLS struct {
    cn_tensor **items;
    size_t count, room;
} stack;

size_t cn_mark(void)
{
    return stack.count;
}

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_stack(void *items)
{
    cn_release(0);
    cn_free(items);
    stack.items = NULL, stack.room = stack.count = 0;
}

static void init_key(void)
{
    pthread_key_create(&key, free_stack);
}

static bool grow(void)
{
    pthread_once(&once, init_key);
    size_t room = stack.room ? 2 * stack.room : 64;
    cn_tensor **items = cn_realloc(stack.items, room * sizeof(cn_tensor *));
    if (!items) return false;
    stack.items = items, stack.room = room;
    pthread_setspecific(key, items); /* freed when the thread ends */
    return true;
}

cn_tensor *cn_scope_add(cn_tensor *t)
{
    if (!t) return NULL;
    if (stack.count == stack.room && !grow()) {
        cn_drop(t);
        return NULL;
    }
    stack.items[stack.count++] = t;
    return t;
}

void cn_release(size_t mark)
{
    while (stack.count > mark) cn_drop(stack.items[--stack.count]);
}

cn_tensor *cn_return(size_t mark, cn_tensor *t)
{
    cn_ref(t);
    cn_release(mark);
    return cn_scope_add(t);
}

bool cn_return_all(size_t mark, cn_tensor **t, int n)
{
    bool ok = true;
    for (int i = 0; i < n; i++) ok &= cn_ref(t[i]) != NULL;
    cn_release(mark);
    for (int i = 0; i < n; i++)
        if (t[i]) ok &= (t[i] = cn_scope_add(t[i])) != NULL;
    for (int i = 0; i < n && !ok; i++) t[i] = NULL;
    return ok;
}
