/* book_report.c - cenote book report: one page with every row, figures inside. */
#include "app/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- text ------------------------------------------------------------------------------------- */

static void escaped(FILE *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '<') fputs("&lt;", out);
        else if (*text == '>') fputs("&gt;", out);
        else if (*text == '&') fputs("&amp;", out);
        else if (*text == '"') fputs("&quot;", out);
        else putc(*text, out);
    }
}

static void base64(FILE *out, const char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = (const unsigned char *)bytes;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)b[i] << 16;
        if (i + 1 < n) v |= (unsigned)b[i + 1] << 8;
        if (i + 2 < n) v |= b[i + 2];
        for (int k = 0; k < 4; k++)
            putc(i + (size_t)k > n ? '=' : digits[v >> (18 - 6 * k) & 63], out);
    }
}

/* As an image with its own namespace: inline SVGs of one page would share their glyphs' names. */
static bool put_figure(FILE *out, const cn_figure *f, const char *title)
{
    char *svg = cn_figure_svg(f);
    if (!svg) {
        if (cn_error_code() != CN_EUNSUPPORTED) return false;
        cn_error_clear(); /* a build without pictures: the numbers are there */
        return true;
    }
    fputs("<img alt=\"", out);
    escaped(out, title);
    fputs("\" src=\"data:image/svg+xml;base64,", out);
    base64(out, svg, strlen(svg));
    fputs("\">\n", out);
    cn_text_free(svg);
    return true;
}

/* ---- the page --------------------------------------------------------------------------------- */

static const char *const style =
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#60666d;--line:#e0e3e7;--page:#fff;--good:#1a7f4b;"
    "--bad:#c62828;--skip:#8a6d00}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#9aa1a9;--line:#2f3439;--page:#15181b;"
    "--good:#4cc38a;--bad:#ff6b6b;--skip:#e0b93a}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:76rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:2.2rem 0 .2rem}\n"
    "p{margin:.2rem 0;color:var(--soft)}a{color:inherit}\n"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0;font-size:.9rem}\n"
    "td,th{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:break-word}th{color:var(--soft);font-weight:500}\n"
    ".PASS{color:var(--good)}.FAIL{color:var(--bad)}.SKIP,.INTERRUPTED{color:var(--skip)}\n"
    "b{font-weight:600;white-space:nowrap}img{max-width:100%;background:#fff;border-radius:6px;margin:.5rem 0}\n"
    "td:first-child{white-space:nowrap}.num{white-space:nowrap;text-align:right}\n";

static void page_begins(FILE *out, const LabOptions *o)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n"
            "<title>Cenote: the book's experiments</title>\n<style>\n%s</style></head>\n<body>\n"
            "<h1>The book's experiments</h1>\n<p>Cenote %s, %s data%s, seed %llu</p>\n",
            style, cn_version(), o->real ? "real" : "built-in", o->quick ? ", quick" : "",
            (unsigned long long)o->seed);
}

/* A line of the overview. */
static void put_summary(FILE *out, const Lab *lab)
{
    char ours[512];
    const Experiment *e = lab->experiment;
    book_ours(lab, ours, sizeof ours);
    fprintf(out, "<tr><td><a href=\"#%s\">%s</a><td class=\"%s\">%s<td>", e->id, e->id,
            lab_status_name(lab->status), lab_status_name(lab->status));
    escaped(out, e->title);
    fputs("<td>", out);
    escaped(out, e->published);
    fputs("<td>", out);
    escaped(out, ours);
    fprintf(out, "<td class=\"num\">%.1f s\n", lab->seconds);
}

static void put_findings(FILE *out, const Lab *lab)
{
    if (lab->why || !lab->n_findings) return;
    fputs("<table><tr><th>what<th>ours<th>must be<th>\n", out);
    for (size_t i = 0; i < lab->n_findings; i++) {
        const Finding *f = &lab->findings[i];
        fputs("<tr><td>", out);
        escaped(out, f->what);
        fputs("<td>", out);
        escaped(out, f->ours);
        fputs("<td>", out);
        escaped(out, f->book);
        fprintf(out, "<td class=\"%s\">%s\n", f->holds ? "PASS" : "FAIL",
                f->holds ? "ok" : "fails");
    }
    fputs("</table>\n", out);
}

static void put_line(FILE *out, const char *label, const char *text)
{
    if (!text) return;
    fprintf(out, "<p>%s: ", label);
    escaped(out, text);
    fputs("</p>\n", out);
}

static bool put_details(FILE *out, const Lab *lab)
{
    const Experiment *e = lab->experiment;
    const char *status = lab_status_name(lab->status);
    fprintf(out, "<h2 id=\"%s\">%s <span class=\"%s\">%s</span> ", e->id, e->id, status, status);
    escaped(out, e->title);
    fputs(" <span lang=\"zh\">", out);
    escaped(out, e->title_zh);
    fprintf(out, "</span></h2>\n<p>D2L %s, %.1f s</p>\n", e->section, lab->seconds);
    put_line(out, "settings", e->settings);
    put_line(out, "book", e->published);
    put_line(out, "skipped", lab->why);
    put_findings(out, lab);
    bool ok = true;
    for (size_t i = 0; ok && i < lab->n_figures; i++)
        ok = put_figure(out, lab->figures[i], e->title);
    return ok;
}

/* The overview needs all outcomes, the figures need memory: details go to a file of their own that is
   appended. */
typedef struct {
    FILE *overview, *details;
    int rows, failed;
} Page;

static bool add_experiment(const Args *args, const Experiment *e, json_t *past, Page *page)
{
    LabOptions o = book_options(args);
    if (!json_wanted(args)) fprintf(stderr, "%s %s\n", e->id, e->title);
    Lab lab = lab_run(e, &o);
    put_summary(page->overview, &lab);
    bool ok = put_details(page->details, &lab);
    page->rows++;
    page->failed += lab.status == LAB_FAIL;
    book_remember(past, &lab);
    lab_end(&lab);
    return ok;
}

static bool append_file(FILE *out, FILE *in)
{
    char block[8192];
    size_t n;
    rewind(in);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        if (fwrite(block, 1, n, out) != n) return false;
    return !ferror(in);
}

static bool write_page(const Args *args, Page *page)
{
    LabOptions o = book_options(args);
    page_begins(page->overview, &o);
    fputs("<table><tr><th>id<th>status<th>experiment<th>book<th>ours<th class=\"num\">time\n",
          page->overview);
    json_t *past = book_past();
    bool ok = true;
    for (int i = 0; ok && experiments[i] && !book_stopped(); i++)
        if (book_chosen(args, experiments[i]))
            ok = add_experiment(args, experiments[i], past, page);
    book_save_past(past);
    json_decref(past);
    fputs("</table>\n", page->overview);
    ok = ok && append_file(page->overview, page->details);
    fputs("</body></html>\n", page->overview);
    return ok && fflush(page->overview) == 0 && !ferror(page->overview);
}

static int report_to(const Args *args, const char *path, const char *fresh)
{
    Page page = { .overview = fopen(fresh, "w"), .details = tmpfile() };
    if (!page.overview || !page.details)
        cn_fail(CN_EIO, "cannot write %s: %s", path, strerror(errno));
    bool ok = cn_ok() && write_page(args, &page);
    if (page.details) (void)fclose(page.details);
    if (page.overview && fclose(page.overview) != 0) ok = false;
    if (!ok) cn_fail(CN_EIO, "cannot write %s: %s", path, strerror(errno));
    if (ok && !book_stopped() && rename(fresh, path) == 0) {
        printf("%s: %d experiments, %d failed\n", path, page.rows, page.failed);
        return page.failed ? EXIT_FAILED : EXIT_OK;
    }
    (void)remove(fresh);
    if (book_stopped()) return EXIT_INTERRUPTED;
    cn_fail(CN_EIO, "cannot write %s: %s", path, strerror(errno));
    return failed(args);
}

int book_report(const Args *args)
{
    char fresh[1200];
    const char *path = given(args, "out") ? text_of(args, "out") : "report.html";
    snprintf(fresh, sizeof fresh, "%s.%ld.part", path, (long)getpid());
    book_catch_signals();
    return report_to(args, path, fresh);
}
