/* running.c - which modules are running, for messages that say where. */
#include "nn/running.h"

#include "core/anomaly.h"
#include "core/error.h"

#include <cenote/autograd.h>

#include <stdio.h>
#include <string.h>

static _Thread_local const cn_running *innermost;

/* Appends the path from m to `wanted`, one of those below it; false, and nothing is appended: it is not there. */
static bool path_below(const cn_module *m, const cn_module *wanted, char *text, size_t room)
{
    for (int i = 0; i < m->n_children; i++) {
        const cn_child *child = &m->children[i];
        int n = snprintf(text, room, "%s", child->name);
        if (child->module == wanted) return true;
        if (n < 0 || (size_t)n + 2 >= room) continue;
        text[n] = '.';
        if (path_below(child->module, wanted, text + n + 1, room - (size_t)n - 1)) return true;
    }
    *text = '\0';
    return false;
}

/* The path from the outermost module that runs; returns its length. Fused layers run under two names of one. */
static size_t path_to(const cn_running *r, char *text, size_t room)
{
    *text = '\0';
    if (!r->outer) return 0;
    size_t n = path_to(r->outer, text, room), dot = n > 0;
    if (r->module == r->outer->module || n + 2 >= room) return n;
    if (!path_below(r->outer->module, r->module, text + n + dot, room - n - dot)) {
        text[n] = '\0';
        return n;
    }
    if (dot) text[n] = '.';
    return n + dot + strlen(text + n + dot);
}

static size_t open_label(const cn_running *r)
{
    char name[128];
    bool inner = r->outer && r->module != r->outer->module &&
                 path_below(r->outer->module, r->module, name, sizeof name);
    return inner ? cn_label_module(name, r->module->cls->name) : cn_label_push(NULL);
}

void cn_running_begin(cn_running *r, const cn_module *m)
{
    *r = (cn_running){ .module = m, .outer = innermost, .clean = cn_ok() };
    if (cn_anomaly_on) r->label = open_label(r);
    innermost = r;
}

void cn_running_end(const cn_running *r, bool ok)
{
    char path[256];
    innermost = r->outer;
    if (cn_anomaly_on) cn_label_pop(r->label);
    if (!ok && r->clean && path_to(r, path, sizeof path))
        cn_error_place("%s (%s): ", path, r->module->cls->name);
}
