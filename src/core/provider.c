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
    uint8_t *knowing; /* by op: which providers know it */
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

/* Without memory for the answers everybody is asked about every call. */
static void ask_who_knows(void)
{
    state.knowing = calloc((size_t)cn_op_count, 1);
    for (int op = 0; state.knowing && op < cn_op_count; op++)
        for (int i = 0; cn_providers[i] && i < MAX_PROVIDERS; i++)
            if ((state.present & (1u << i)) && cn_providers[i]->knows(op))
                state.knowing[op] |= (uint8_t)(1u << i);
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
    ask_who_knows();
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

static cn_kernel *ask(int place, const cn_call *call, bool blocked)
{
    const cn_provider *p = cn_providers[place];
    Finder *find = finder(p, blocked);
    const char *why = "not provided";
    cn_kernel *k = find && p->knows(call->op->id) ? find(call, &why) : NULL;
    if (state.verbose) say(call, p->name, k ? "runs" : why);
    if (k) count_use(place);
    return k;
}

static cn_kernel *ask_all(const cn_call *call, bool blocked)
{
    unsigned who = state.present & state.allowed;
    if (state.knowing && !state.verbose) who &= state.knowing[call->op->id];
    for (; who; who &= who - 1) {
        cn_kernel *k = ask(__builtin_ctz(who), call, blocked);
        if (k) return k;
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
        if ((state.present & state.allowed & (1u << i)) && cn_providers[i]->knows(call->op->id) &&
            cn_providers[i]->find(call, &why))
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
