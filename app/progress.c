/* progress.c - a progress bar on terminals, a line per epoch elsewhere; both on stderr. */
#include "app/progress.h"

#include "app/app.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

Progress progress_begin(bool quiet)
{
    return (Progress){ .bar = isatty(STDERR_FILENO), .quiet = quiet };
}

static void write_time(char text[32], double seconds)
{
    long s = seconds > 0 && seconds < 1e7 ? (long)(seconds + 0.5) : 0;
    if (s >= 3600) snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
}

static void draw_bar(const cn_fit_progress *p)
{
    enum { CELLS = 24 };
    double inside = p->steps ? (double)p->step / (double)p->steps : 0;
    double whole = ((double)p->epoch + inside) / (double)p->epochs;
    char left[32], bar[CELLS * 3 + 1] = "";
    size_t n = 0;
    for (int i = 0; i < CELLS; i++)
        n += (size_t)snprintf(bar + n, sizeof bar - n, "%s", inside * CELLS > i + 0.5 ? "━" : " ");
    write_time(left, whole > 0 ? p->seconds * (1 - whole) / whole : 0);
    fprintf(stderr, "\r\033[Kepoch %lld/%lld %s loss %.4f acc %.4f  %.0f/s  data %.0f%%  %s left",
            (long long)p->epoch + 1, (long long)p->epochs, bar, p->train_loss, p->train_acc,
            p->examples_per_second, 100 * p->data_wait, left);
    fflush(stderr);
}

static void write_epoch(const cn_fit_progress *p, bool after_bar)
{
    fprintf(stderr, "%sepoch %2lld/%lld  loss %.4f  acc %.4f", after_bar ? "\r\033[K" : "",
            (long long)p->epoch, (long long)p->epochs, p->train_loss, p->train_acc);
    if (!isnan(p->test_loss))
        fprintf(stderr, "  test loss %.4f  acc %.4f", p->test_loss, p->test_acc);
    fprintf(stderr, "  lr %g  %.0f examples/s\n", p->lr, p->examples_per_second);
}

void progress_show(const cn_fit_progress *p, void *context)
{
    Progress *s = context;
    if (s->quiet) return;
    if (p->event == CN_FIT_EPOCH) write_epoch(p, s->bar);
    if (p->event != CN_FIT_STEP || !s->bar || p->seconds - s->last_drawn < 0.1) return;
    s->last_drawn = p->seconds;
    draw_bar(p);
}
