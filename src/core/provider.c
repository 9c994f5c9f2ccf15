/* provider.c - the choice of kernels, and the words about it. */
#include "core/provider.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROVIDERS = 8 };

static struct {
    pthread_once_t once;
    atomic_bool looked;
    unsigned present, allowed;
    bool verbose;
    char names[160];
    _Atomic int64_t uses[MAX_PROVIDERS + 1];
    void (*log)(const char *line, void *context);
    void *log_context;
} state = { .once = PTHREAD_ONCE_INIT, .allowed = ~0u };

/* Is `name` one of the words of `list`? */
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strstr(list, name); p; p = strstr(p + 1, name))
        if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ',')) return true;
    return false;
}

static void look_around(void)
{
    const char *only = getenv("CENOTE_PROVIDERS"), *verbose = getenv("CENOTE_VERBOSE");
    state.verbose = verbose && *verbose && strcmp(verbose, "0") != 0;
    size_t n = 0;
    for (int i = 0; cn_providers[i] && i < MAX_PROVIDERS; i++) {
        const cn_provider *p = cn_providers[i];
        if ((only && !listed(only, p->name)) || !p->probe()) continue;
        state.present |= 1u << i;
        n += (size_t)snprintf(state.names + n, sizeof state.names - n, "%s ", p->name);
    }
    snprintf(state.names + n, sizeof state.names - n, "reference");
    atomic_store_explicit(&state.looked, true, memory_order_release);
}

static void look_once(void)
{
    if (atomic_load_explicit(&state.looked, memory_order_acquire)) return;
    pthread_once(&state.once, look_around);
}

const char *cn_engines(void)
{
    look_once();
    return state.names;
}

void cn_restrict_providers(unsigned mask)
{
    state.allowed = mask;
}

int64_t cn_provider_uses(int place)
{
    return state.uses[place];
}

void cn_set_log(void (*log)(const char *line, void *context), void *context)
{
    state.log = log, state.log_context = context;
}

void cn_say(const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (state.log) state.log(line, state.log_context);
    else fprintf(stderr, "%s\n", line);
}

/* Each (op, provider, outcome) is said once: a training run makes the same choice a million
   times. */
static void say(const cn_call *call, const char *who, const char *outcome)
{
    static _Atomic uint64_t said[256];
    uint64_t key = 1469598103934665603u;
    const char *parts[] = { call->op->name, who, outcome };
    for (int k = 0; k < 3; k++)
        for (const char *c = parts[k]; *c; c++) key = (key ^ (uint64_t)*c) * 1099511628211u;
    _Atomic uint64_t *slot = &said[key & 255];
    if (*slot == key) return;
    *slot = key;
    cn_say("cenote: %s: %s %s", call->op->name, who, outcome);
}

/* For tests, which ask whether it moved: a lost count between threads does not matter, its price
   would. */
static void count_use(int place)
{
    int64_t n = atomic_load_explicit(&state.uses[place], memory_order_relaxed);
    atomic_store_explicit(&state.uses[place], n + 1, memory_order_relaxed);
}

typedef cn_kernel *Finder(const cn_call *call, const char **why);

static Finder *finder(const cn_provider *p, bool blocked)
{
    return blocked ? p->find_blocked : p->find;
}

static cn_kernel *ask_all(const cn_call *call, bool blocked)
{
    for (int place = 0; cn_providers[place]; place++) {
        Finder *find = finder(cn_providers[place], blocked);
        if (!find || !(state.present & state.allowed & (1u << place))) continue;
        const char *why = "not provided";
        cn_kernel *k = find(call, &why);
        if (state.verbose) say(call, cn_providers[place]->name, k ? "runs" : why);
        if (!k) continue;
        count_use(place);
        return k;
    }
    return NULL;
}

static int last_place(void)
{
    int place = 0;
    while (cn_providers[place]) place++;
    return place;
}

bool cn_provider_takes(const cn_call *call)
{
    const char *why;
    look_once();
    for (int i = 0; cn_providers[i]; i++)
        if ((state.present & state.allowed & (1u << i)) && cn_providers[i]->find(call, &why))
            return true;
    return false;
}

cn_kernel *cn_find_kernel(const cn_call *call)
{
    look_once();
    cn_kernel *k = ask_all(call, false);
    if (k) return k;
    if (state.verbose) say(call, "reference", "runs");
    count_use(last_place());
    return call->op->kernel;
}

cn_kernel *cn_find_blocked_kernel(const cn_call *call)
{
    look_once();
    cn_kernel *k = ask_all(call, true);
    if (!k && state.verbose) say(call, "core", "makes blocked inputs plain");
    return k;
}
