/* anomaly.c - looks at the result of every call for NaN that its inputs do not explain. */
#include "core/anomaly.h"

#include "core/modes.h"

#include <cenote/autograd.h>

#include <math.h>
#include <stdio.h>

_Thread_local __attribute__((tls_model("initial-exec"))) bool cn_anomaly_on;

bool cn_detect_anomaly(bool on)
{
    bool was = cn_anomaly_on;
    cn_mode_count(was, on);
    cn_anomaly_on = on;
    return was;
}

/* ---- labels -------------------------------------------------------------------------------- */

static _Thread_local struct {
    size_t length;
    char text[256];
} labels;

const char *cn_labels(void)
{
    return labels.text;
}

static size_t open_label(const char *name, const char *cls)
{
    size_t was = labels.length, room = sizeof labels.text - was;
    int n = snprintf(labels.text + was, room, "%s%s%s%s%s", was ? " > " : "", name, cls ? " (" : "",
                     cls ? cls : "", cls ? ")" : "");
    if (n > 0) labels.length = (size_t)n < room ? was + (size_t)n : sizeof labels.text - 1;
    return was;
}

size_t cn_label_push(const char *label)
{
    return cn_anomaly_on && label ? open_label(label, NULL) : labels.length;
}

size_t cn_label_module(const char *name, const char *cls)
{
    return cn_anomaly_on ? open_label(name, cls) : labels.length;
}

void cn_label_pop(size_t was)
{
    if (was >= labels.length) return;
    labels.length = was;
    labels.text[was] = '\0';
}

/* ---- looking ------------------------------------------------------------------------------- */

bool cn_has_nan(cn_tensor *t)
{
    if (!cn_dtype_is_float(t->v.dtype) || !cn_plain(t)) return false;
    size_t mark = cn_mark(), size = cn_dtype_size(t->v.dtype);
    const cn_tensor *rows = cn_rows(t);
    bool found = false;
    for (int64_t i = 0; rows && i < rows->v.numel && !found; i++)
        found = isnan(cn_load_f64(rows->v.data + (size_t)i * size, rows->v.dtype));
    cn_release(mark);
    return found;
}

static bool explained(const cn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && cn_has_nan(c->in[i])) return true;
    return false;
}

/* Views show what others made, and what has no inputs makes what it was told to. */
bool cn_check_call(const cn_call *c)
{
    int n = c->op->grad_outs ? c->op->grad_outs : c->n_out; /* the others serve backward */
    if (c->op->view || c->n_in == 0) return true;
    for (int i = 0; i < n; i++) {
        if (!c->out[i] || !cn_has_nan(c->out[i]) || explained(c)) continue;
        const char *where = labels.length ? ", called in " : "";
        return cn_fail(CN_EINVALID, "%s%s%s: the result has NaN, the inputs have none", c->op->name,
                       where, labels.text);
    }
    return true;
}
