/* profile.c - taking the time of calls.

   Each thread writes to a record of its own; the list of records is all that threads share. A call
   within a call takes its time out of the outer one's, so that the rows add up. */
#include "core/profile.h"

#include "core/modes.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define FAST_TLS _Thread_local __attribute__((tls_model("initial-exec")))

enum { MOST_EVENTS = 1 << 20 };

atomic_int cn_modes;

static struct {
    pthread_mutex_t lock;
    atomic_bool on;
    atomic_uint number; /* of the profile: records of earlier ones are gone */
    int64_t began;
    cn_profile_thread *threads;
} profile = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Small: programs that load the library late have little room for it. */
static FAST_TLS struct {
    unsigned number;
    bool backward;
    cn_profile_thread *record;
} here;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool cn_profiling(void)
{
    return atomic_load_explicit(&profile.on, memory_order_relaxed);
}

const cn_profile_thread *cn_profile_threads(void)
{
    return profile.threads;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static void forget(void)
{
    while (profile.threads) {
        cn_profile_thread *t = profile.threads;
        profile.threads = t->next;
        cn_free(t->events);
        cn_free(t->rows);
        cn_free(t);
    }
}

bool cn_profile_start(void)
{
    pthread_mutex_lock(&profile.lock);
    bool free = !profile.on;
    if (free) {
        forget();
        profile.began = now();
        profile.number++;
        profile.on = true;
        cn_mode_count(false, true);
    }
    pthread_mutex_unlock(&profile.lock);
    return free || cn_fail(CN_EINVALID, "profile: one is being taken already");
}

bool cn_profile_stop(void)
{
    pthread_mutex_lock(&profile.lock);
    bool was = profile.on;
    profile.on = false;
    cn_mode_count(was, false);
    pthread_mutex_unlock(&profile.lock);
    return was || cn_fail(CN_EINVALID, "profile: none is being taken");
}

/* ---- the record of this thread ------------------------------------------------------------- */

static void begin_record(void)
{
    cn_profile_thread *t = cn_alloc_zeroed(sizeof *t);
    here.record = NULL;
    pthread_mutex_lock(&profile.lock);
    if (t && profile.on) {
        t->number = profile.threads ? profile.threads->number + 1 : 1;
        t->next = profile.threads;
        profile.threads = here.record = t, t = NULL;
    }
    here.number = profile.number;
    pthread_mutex_unlock(&profile.lock);
    cn_free(t);
}

static cn_profile_row *row_of(cn_profile_thread *t, const char *name, cn_profile_kind kind)
{
    for (int i = 0; i < t->n_rows; i++)
        if (t->rows[i].name == name && t->rows[i].kind == kind) return &t->rows[i];
    if (t->n_rows == t->rows_room) {
        int room = t->rows_room ? 2 * t->rows_room : 64;
        cn_profile_row *rows = cn_realloc(t->rows, (size_t)room * sizeof *rows);
        if (!rows) return NULL;
        t->rows = rows, t->rows_room = room;
    }
    cn_profile_row *row = &t->rows[t->n_rows++];
    *row = (cn_profile_row){ .name = name, .kind = kind };
    return row;
}

static cn_profile_event *new_event(cn_profile_thread *t)
{
    if (t->n == t->room && t->room < MOST_EVENTS) {
        size_t room = t->room ? 2 * t->room : 1024;
        cn_profile_event *events = cn_realloc(t->events, room * sizeof *events);
        if (events) t->events = events, t->room = room;
    }
    return t->n < t->room ? &t->events[t->n++] : NULL;
}

/* ---- what a call did ----------------------------------------------------------------------- */

/* A view moves nothing, and a composition leaves that to the calls that it makes. */
static double bytes_of(const cn_call *c)
{
    double n = 0;
    if (!c->op->infer) return 0;
    for (int i = 0; i < c->n_in + c->n_out; i++) {
        const cn_tensor *t = i < c->n_in ? c->in[i] : c->out[i - c->n_in];
        if (t) n += (double)t->v.numel * (double)cn_dtype_size(t->v.dtype);
    }
    return n;
}

static void describe(const cn_call *c, char *to, size_t room)
{
    static const char *const types[] = { "bool", "u8",   "i8",  "i16", "i32", "i64",
                                         "f16",  "bf16", "f32", "f64", "c64", "c128" };
    char shape[128];
    size_t at = 0;
    to[0] = 0;
    for (int i = 0; i < c->n_in && at < room; i++) {
        const cn_tensor *t = c->in[i];
        if (t)
            at += (size_t)snprintf(to + at, room - at, "%s%s%s", at ? " " : "", types[t->v.dtype],
                                   cn_shape_text(&t->v.shape, shape));
    }
}

/* Arithmetic is counted where it happens: a call that other calls make up has none of its own. */
static double flops_of(const cn_call *c)
{
    cn_op_flops *count = c->op->infer && c->out[0] ? cn_flops_of[c->op->id] : NULL;
    return count ? count(c) : 0;
}

size_t cn_profile_enter(const char *name, cn_profile_kind kind)
{
    if (here.number != profile.number || !here.record) begin_record();
    cn_profile_thread *t = here.record;
    if (!t || t->depth == CN_PROFILE_DEEPEST) return CN_PROFILE_DEEPEST;
    if (kind == CN_PROFILE_FORWARD && here.backward) kind = CN_PROFILE_BACKWARD;
    t->frames[t->depth] = (cn_profile_frame){ name, kind, now(), 0 };
    return t->depth++;
}

static void add_row(const cn_profile_frame *f, double seconds, const cn_profile_event *e)
{
    cn_profile_row *row = row_of(here.record, f->name, f->kind);
    if (!row) return;
    row->calls++;
    row->seconds += seconds;
    row->flops += e->flops, row->bytes += e->bytes;
}

static void keep(const cn_profile_frame *f, int64_t end, const cn_call *call)
{
    cn_profile_event e = { .name = f->name,
                           .kind = f->kind,
                           .begin = f->begin - profile.began,
                           .end = end - profile.began };
    if (call) e.flops = flops_of(call), e.bytes = bytes_of(call);
    if (call) describe(call, e.shapes, sizeof e.shapes);
    add_row(f, (double)(end - f->begin - f->inside) * 1e-9, &e);
    cn_profile_event *place = new_event(here.record);
    if (place) *place = e;
    else here.record->lost++;
}

void cn_profile_leave(size_t was, const cn_call *call)
{
    cn_profile_thread *t = here.number == profile.number ? here.record : NULL;
    if (!t || was >= t->depth) return;
    int64_t end = now();
    cn_profile_frame *f = &t->frames[was];
    t->depth = was;
    if (was) f[-1].inside += end - f->begin;
    if (cn_profiling()) keep(f, end, call); /* once it is stopped others read the record */
}

bool cn_profile_backward(bool on)
{
    bool was = here.backward;
    here.backward = on;
    return was;
}

size_t cn_profile_push(const char *name)
{
    return cn_profiling() && name ? cn_profile_enter(name, CN_PROFILE_RANGE) : CN_PROFILE_DEEPEST;
}

void cn_profile_pop(size_t was)
{
    cn_profile_leave(was, NULL);
}
