/* profile.c - what was profiled, as a table and as a Chrome trace. */
#include "core/profile.h"

#include "core/file.h"
#include "core/memory.h"

#include <cenote/functional.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const kinds[] = { "forward", "backward", "rule", "range" };

/* ---- rows ---------------------------------------------------------------------------------- */

static void add(cn_profile_row *to, const cn_profile_row *r)
{
    to->calls += r->calls;
    to->seconds += r->seconds, to->flops += r->flops, to->bytes += r->bytes;
}

/* Where `r` belongs among the first n rows: names of ranges may be equal and yet at two places. */
static int place_of(const cn_profile_row *rows, int n, const cn_profile_row *r)
{
    int i = 0;
    while (i < n && (rows[i].kind != r->kind || strcmp(rows[i].name, r->name) != 0)) i++;
    return i;
}

static int by_time(const void *a, const void *b)
{
    const cn_profile_row *x = a, *y = b;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? 1 : -1;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

/* The rows of all threads together, sorted. *n 0: there are none. NULL: out of memory. */
static cn_profile_row *all_rows(int *n)
{
    size_t room = 1;
    const cn_profile_thread *first = cn_profile_threads();
    for (const cn_profile_thread *t = first; t; t = t->next) room += (size_t)t->n_rows;
    cn_profile_row *rows = cn_alloc(room * sizeof *rows);
    *n = 0;
    for (const cn_profile_thread *t = first; rows && t; t = t->next)
        for (int i = 0; i < t->n_rows; i++) {
            int at = place_of(rows, *n, &t->rows[i]);
            if (at < *n) add(&rows[at], &t->rows[i]);
            else rows[(*n)++] = t->rows[i];
        }
    if (rows) qsort(rows, (size_t)*n, sizeof *rows, by_time);
    return rows;
}

int cn_profile_rows(cn_profile_row *out, int room)
{
    int n;
    cn_profile_row *rows = all_rows(&n);
    for (int i = 0; rows && i < n && i < room; i++) out[i] = rows[i];
    cn_free(rows);
    return n;
}

/* ---- the table ----------------------------------------------------------------------------- */

typedef struct {
    char *buf;
    size_t room, length;
} Text;

static void put(Text *t, const char *fmt, ...) CN_PRINTF(2, 3);

static void put(Text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t left = t->length < t->room ? t->room - t->length : 0;
    int n = vsnprintf(left ? t->buf + t->length : NULL, left, fmt, args);
    va_end(args);
    if (n > 0) t->length += (size_t)n;
}

/* PyTorch's qualified names without the modules they are in. */
static const char *short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot[1] ? dot + 1 : name;
}

static void put_row(Text *t, const cn_profile_row *r, double all, double peak)
{
    put(t, "%-28.28s %-8s %9lld %11.3f %6.1f%%", short_name(r->name), kinds[r->kind],
        (long long)r->calls, r->seconds * 1e3, all > 0 ? 100 * r->seconds / all : 0);
    if (r->seconds > 0 && r->flops > 0) {
        put(t, " %9.2f GF/s", r->flops / r->seconds * 1e-9);
        if (peak > 0) put(t, " %5.1f%% of peak", 100 * r->flops / r->seconds / peak);
    } else if (r->seconds > 0 && r->bytes > 0) {
        put(t, " %9.2f GB/s", r->bytes / r->seconds * 1e-9);
    }
    put(t, "\n");
}

size_t cn_profile_table(double peak, char *buf, size_t room)
{
    int n;
    cn_profile_row *rows = all_rows(&n);
    Text t = { buf, room, 0 };
    double all = 0;
    for (int i = 0; rows && i < n; i++) all += rows[i].seconds;
    if (rows && n)
        put(&t, "%-28s %-8s %9s %11s %7s %14s\n", "op", "", "calls", "total ms", "share", "speed");
    for (int i = 0; rows && i < n; i++) put_row(&t, &rows[i], all, peak);
    cn_free(rows);
    return t.length;
}

/* ---- the trace ----------------------------------------------------------------------------- */

static void put_file(cn_file *f, const char *text)
{
    cn_file_put(f, text, strlen(text));
}

/* Names of ranges are the caller's: quotes, backslashes and control characters must not get through. */
static void put_name(cn_file *f, const char *name)
{
    char safe[256];
    size_t n = 0;
    for (; *name && n < sizeof safe - 2; name++) {
        unsigned char c = (unsigned char)*name;
        if (c == '"' || c == '\\') safe[n++] = '\\';
        safe[n++] = c < 32 ? ' ' : *name;
    }
    cn_file_put(f, safe, n);
}

static void put_event(cn_file *f, const cn_profile_event *e, int thread)
{
    char text[320];
    put_file(f, ",\n{\"name\":\"");
    put_name(f, short_name(e->name));
    snprintf(text, sizeof text,
             "\",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f",
             kinds[e->kind], thread, (double)e->begin * 1e-3, (double)(e->end - e->begin) * 1e-3);
    put_file(f, text);
    if (e->kind < CN_PROFILE_RULE) {
        snprintf(text, sizeof text,
                 ",\"args\":{\"pass\":\"%s\",\"inputs\":\"%s\",\"bytes\":%.0f,\"flops\":%.0f}",
                 kinds[e->kind], e->shapes, e->bytes, e->flops);
        put_file(f, text);
    }
    put_file(f, "}");
}

static void put_thread(cn_file *f, const cn_profile_thread *t)
{
    char text[160];
    snprintf(text, sizeof text,
             ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":"
             "\"thread %d\",\"calls_left_out\":%zu}}",
             t->number, t->number, t->lost);
    put_file(f, text);
    for (size_t i = 0; i < t->n; i++) put_event(f, &t->events[i], t->number);
}

bool cn_profile_save(const char *path)
{
    if (cn_profiling()) return cn_fail(CN_EINVALID, "profile: stop it before it is saved");
    cn_file *f = path ? cn_file_create(path) : NULL;
    if (!f) return path ? false : cn_fail(CN_EINVALID, "profile: the path is NULL");
    put_file(f, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{\"name\":\"process_name\","
                "\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"cenote\"}}");
    for (const cn_profile_thread *t = cn_profile_threads(); t; t = t->next) put_thread(f, t);
    put_file(f, "\n]}\n");
    return cn_file_finish(f, true);
}

/* ---- what the machine can do --------------------------------------------------------------- */

double cn_profile_peak(void)
{
    enum { N = 1024, TIMES = 12 };
    double least = 0;
    size_t mark = cn_mark();
    cn_tensor *a = cn_ones(CN_SHAPE(N, N), CN_F32);
    for (int i = 0; i < TIMES && cn_ok(); i++) {
        size_t inner = cn_mark();
        double t = cn_seconds();
        cn_mm(a, a);
        t = cn_seconds() - t;
        if (i == 0 || t < least) least = t;
        cn_release(inner);
    }
    cn_release(mark);
    return cn_ok() && least > 0 ? 2.0 * N * N * N / least : 0;
}
