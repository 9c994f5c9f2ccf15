/* findings.c - what must hold, compared and written down. */
#include "book/lab.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 512, SHOWN = 24 }; /* of a tensor not more than so many elements */

/* ---- writing them down --------------------------------------------------------------------- */

static void add(Lab *lab, const char *what, const char *ours, const char *book, bool holds)
{
    Finding *more = realloc(lab->findings, (lab->n_findings + 1) * sizeof *more);
    Finding f = { strdup(what), strdup(ours), strdup(book), holds };
    if (more) lab->findings = more;
    if (!more || !f.what || !f.ours || !f.book) {
        free(f.what);
        free(f.ours);
        free(f.book);
        lab->broken = true;
        return;
    }
    lab->findings[lab->n_findings++] = f;
    lab_say(lab, "%s  %s: %s%s%s", holds ? "ok  " : "FAIL", what, ours,
            *book ? "   expected: " : "", book);
}

/* With an error set nothing that follows means anything: the message is the finding. An interruption
   is left to lab_run(). */
static bool sound(Lab *lab, const char *what, const char *book)
{
    char text[TEXT];
    if (cn_ok()) return true;
    if (cn_error_code() == CN_EINTERRUPTED) return false;
    snprintf(text, sizeof text, "error: %s", cn_error());
    cn_error_clear();
    add(lab, what, text, book, false);
    return false;
}

/* ---- text of shapes and elements ----------------------------------------------------------- */

typedef struct {
    char *to;
    size_t used;
} Text;

static void put(Text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(Text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->to + t->used, TEXT - t->used, fmt, args);
    va_end(args);
    t->used += n > 0 ? (size_t)n : 0;
    if (t->used >= TEXT) t->used = TEXT - 1;
}

static void shape_text(char text[TEXT], const cn_shape *s)
{
    Text t = { text, 0 };
    put(&t, "(");
    for (int i = 0; i < s->ndim; i++) put(&t, "%s%lld", i ? ", " : "", (long long)s->dim[i]);
    put(&t, ")");
}

/* "[[19, 25], [37, 43]]": brackets open and close where a dimension begins and ends. */
static void values_text(char text[TEXT], const double *v, const cn_shape *s, size_t n)
{
    Text t = { text, 0 };
    text[0] = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t inner = 1, at = (int64_t)i;
        int opens = 0, closes = 0;
        for (int d = s->ndim - 1; d >= 0; d--) {
            inner *= s->dim[d];
            opens += at % inner == 0;
            closes += (at + 1) % inner == 0;
        }
        if (i) put(&t, ", ");
        while (opens--) put(&t, "[");
        if (i >= SHOWN) {
            put(&t, "...");
            return;
        }
        put(&t, "%.6g", v[i] == 0 ? 0.0 : v[i]); /* no -0 */
        while (closes--) put(&t, "]");
    }
}

/* ---- comparing ----------------------------------------------------------------------------- */

/* All elements as doubles; NULL: an error, which is set. */
static double *elements(const cn_tensor *t, size_t *n)
{
    *n = (size_t)cn_numel(t);
    double *v = t ? malloc((*n + 1) * sizeof *v) : NULL;
    if (v && cn_read(t, CN_F64, v, (int64_t)*n)) return v;
    free(v);
    cn_fail(CN_EINVALID, "there is no tensor");
    return NULL;
}

static bool all_near(const double *a, const double *b, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= tolerance) && a[i] != b[i]) return false;
    return true;
}

void lab_values_n(Lab *lab, const char *what, const cn_tensor *ours, double tolerance,
                  const double *book, size_t n)
{
    char mine[TEXT], theirs[TEXT];
    size_t count = 0;
    double *v = cn_ok() ? elements(ours, &count) : NULL;
    cn_shape flat = CN_SHAPE((int64_t)n);
    values_text(theirs, book, count == n && ours ? cn_shape_of(ours) : &flat, n);
    if (sound(lab, what, theirs) && v) {
        values_text(mine, v, cn_shape_of(ours), count);
        add(lab, what, mine, theirs, count == n && all_near(v, book, n, tolerance));
    }
    free(v);
}

void lab_shape(Lab *lab, const char *what, const cn_tensor *ours, cn_shape book)
{
    char mine[TEXT], theirs[TEXT];
    const cn_shape *s = cn_shape_of(ours);
    shape_text(theirs, &book);
    if (!s) cn_fail(CN_EINVALID, "there is no tensor");
    if (!sound(lab, what, theirs) || !s) return;
    shape_text(mine, s);
    bool same = s->ndim == book.ndim;
    for (int i = 0; same && i < book.ndim; i++) same = s->dim[i] == book.dim[i];
    add(lab, what, mine, theirs, same);
}

void lab_same(Lab *lab, const char *what, const cn_tensor *one, const cn_tensor *other,
              double tolerance)
{
    char mine[TEXT], bound[64];
    size_t n = 0, m = 0;
    double *a = cn_ok() ? elements(one, &n) : NULL, *b = a ? elements(other, &m) : NULL, worst = 0;
    snprintf(bound, sizeof bound, tolerance > 0 ? "differ by <= %g" : "equal", tolerance);
    if (sound(lab, what, bound) && a && b) {
        for (size_t i = 0; i < n && n == m; i++)
            if (a[i] != b[i])
                worst = fmax(worst, isnan(a[i] - b[i]) ? HUGE_VAL : fabs(a[i] - b[i]));
        if (n != m) snprintf(mine, sizeof mine, "%zu and %zu elements", n, m);
        else snprintf(mine, sizeof mine, worst > 0 ? "differ by %.3g" : "equal", worst);
        add(lab, what, mine, bound, n == m && worst <= tolerance);
    }
    free(a);
    free(b);
}

static void number(Lab *lab, const char *what, double ours, const char *book, bool holds)
{
    char mine[64];
    if (!sound(lab, what, book)) return;
    snprintf(mine, sizeof mine, "%.6g", ours);
    add(lab, what, mine, book, holds);
}

void lab_number(Lab *lab, const char *what, double ours, double book, double tolerance)
{
    char text[96];
    snprintf(text, sizeof text, "%.6g", book);
    number(lab, what, ours, text, fabs(ours - book) <= tolerance);
}

void lab_at_least(Lab *lab, const char *what, double ours, double bound)
{
    char text[64];
    snprintf(text, sizeof text, ">= %.6g", bound);
    number(lab, what, ours, text, ours >= bound);
}

void lab_at_most(Lab *lab, const char *what, double ours, double bound)
{
    char text[64];
    snprintf(text, sizeof text, "<= %.6g", bound);
    number(lab, what, ours, text, ours <= bound);
}

void lab_text(Lab *lab, const char *what, const char *ours, const char *book)
{
    if (sound(lab, what, book)) add(lab, what, ours, book, strcmp(ours, book) == 0);
}

void lab_true(Lab *lab, const char *what, bool holds)
{
    if (sound(lab, what, "")) add(lab, what, holds ? "yes" : "no", "", holds);
}

void lab_refused(Lab *lab, const char *what, const char *part)
{
    char text[TEXT];
    if (cn_error_code() == CN_EINTERRUPTED) return;
    snprintf(text, sizeof text, "%s", cn_ok() ? "it was accepted" : cn_error());
    cn_error_clear();
    add(lab, what, text, part, strstr(text, part) != NULL);
}
