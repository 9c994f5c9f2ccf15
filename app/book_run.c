/* book_run.c - cenote book run and cenote book check. */
#include "app/book.h"
#include "app/draw.h"
#include "app/progress.h"
#include "app/run.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- run: everything an experiment says, its findings, its figures ---------------------------- */

static void say(const char *line, void *context)
{
    (void)context;
    printf("  %s\n", line);
    fflush(stdout);
}

static void heading(const Experiment *e)
{
    printf("%s  %s", e->id, e->title);
    if (e->title_zh) printf("  %s", e->title_zh);
    printf("  (D2L %s)\n", e->section);
    if (e->settings) printf("  settings: %s\n", e->settings);
    if (e->published) printf("  book: %s\n", e->published);
}

static const char *results_folder(const Args *args)
{
    return given(args, "out") ? text_of(args, "out") : "runs/book";
}

/* "runs/book/C06-LENET.svg", "runs/book/C06-LENET-2.svg". */
static bool save_figures(const Args *args, const Lab *lab)
{
    char path[1200];
    const char *folder = results_folder(args);
    if (lab->n_figures && !make_folder(folder)) return false;
    for (size_t i = 0; i < lab->n_figures; i++) {
        int n = snprintf(path, sizeof path, "%s/%.*s", folder,
                         (int)strcspn(lab->experiment->id, " "), lab->experiment->id);
        if (i) n += snprintf(path + n, sizeof path - (size_t)n, "-%zu", i + 1);
        snprintf(path + n, sizeof path - (size_t)n, ".svg");
        if (flag(args, "plot") && !draw_on_terminal(lab->figures[i])) return false;
        if (cn_figure_save(lab->figures[i], path)) {
            if (!json_wanted(args)) printf("  figure: %s\n", path);
            continue;
        }
        if (cn_error_code() != CN_EUNSUPPORTED) return false;
        cn_error_clear(); /* a build without pictures: the numbers are there */
    }
    return true;
}

typedef struct {
    const Args *args;
    const Lab *lab;
} Row;

static void print_row_as_json(const char *id, void *context)
{
    const Row *r = context;
    print_json(r->args, book_as_json(r->lab, id));
    fflush(stdout);
}

static void print_as_json(const Args *args, const Lab *lab)
{
    Row r = { args, lab };
    book_each_row(lab->experiment, print_row_as_json, &r);
}

static void print_outcome(const Lab *lab)
{
    printf("  %s%s%s, %.1f s\n\n", lab_status_name(lab->status), lab->why ? ": " : "",
           lab->why ? lab->why : "", lab->seconds);
}

static int run_one(const Args *args, const Experiment *e, json_t *past, int status)
{
    Progress progress = progress_begin(json_wanted(args));
    LabOptions o = book_options(args);
    o.watch = progress_show;
    o.context = &progress;
    if (!json_wanted(args)) {
        o.say = say;
        heading(e);
    }
    if (make_folder(results_folder(args))) o.folder = results_folder(args);
    else cn_error_clear(); /* who has nothing to save needs none */
    Lab lab = lab_run(e, &o);
    if (json_wanted(args)) print_as_json(args, &lab);
    if (!save_figures(args, &lab)) status = failed(args);
    if (!json_wanted(args)) print_outcome(&lab);
    if (lab.status == LAB_FAIL) status = EXIT_FAILED;
    book_remember(past, &lab);
    lab_end(&lab);
    return status;
}

int book_run(const Args *args)
{
    if (operand_count(args) < 2)
        return failed_with(args, EXIT_USAGE, "book run: which one? 'cenote book list' shows all");
    int status = EXIT_OK;
    json_t *past = book_past();
    book_catch_signals();
    for (int i = 0; experiments[i] && !book_stopped(); i++)
        if (book_chosen(args, experiments[i])) status = run_one(args, experiments[i], past, status);
    book_save_past(past);
    json_decref(past);
    return book_stopped() ? EXIT_INTERRUPTED : status;
}

/* ---- check: a line for each row ---------------------------------------------------------------- */

static void print_row(const char *id, void *context)
{
    const Lab *lab = ((const Row *)context)->lab;
    char ours[512];
    book_ours(lab, ours, sizeof ours);
    printf("%-4s  %-13s %6.1f s  %s", lab_status_name(lab->status), id, lab->seconds, ours);
    if (lab->experiment->published && !lab->why) printf("  [book: %s]", lab->experiment->published);
    printf("\n");
    fflush(stdout);
}

static void print_failures(const Lab *lab)
{
    for (size_t i = 0; i < lab->n_findings; i++) {
        const Finding *f = &lab->findings[i];
        if (!f->holds) printf("      %s: %s, but must be %s\n", f->what, f->ours, f->book);
    }
}

typedef struct {
    int count[LAB_INTERRUPTED + 1];
    LabStatus status;
} Tally;

static void count_row(const char *id, void *context)
{
    Tally *t = context;
    (void)id;
    t->count[t->status]++;
}

static void check_one(const Args *args, const Experiment *e, json_t *past, Tally *tally)
{
    LabOptions o = book_options(args);
    Lab lab = lab_run(e, &o);
    Row row = { args, &lab };
    tally->status = lab.status;
    book_each_row(e, count_row, tally);
    if (json_wanted(args)) {
        print_as_json(args, &lab);
    } else if (lab.status != LAB_INTERRUPTED) {
        book_each_row(e, print_row, &row);
        print_failures(&lab);
    }
    book_remember(past, &lab);
    lab_end(&lab);
}

int book_check(const Args *args)
{
    Tally tally = { .status = LAB_PASS };
    json_t *past = book_past();
    book_catch_signals();
    for (int i = 0; experiments[i] && !book_stopped(); i++)
        if (book_chosen(args, experiments[i])) check_one(args, experiments[i], past, &tally);
    book_save_past(past);
    json_decref(past);
    const int *n = tally.count;
    if (!json_wanted(args))
        printf("%d passed, %d failed, %d skipped\n", n[LAB_PASS], n[LAB_FAIL], n[LAB_SKIP]);
    if (book_stopped()) return EXIT_INTERRUPTED;
    return n[LAB_FAIL] || !(n[LAB_PASS] + n[LAB_SKIP]) ? EXIT_FAILED : EXIT_OK;
}
