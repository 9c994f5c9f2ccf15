/* book.c - cenote book: the experiments of the book, listed, run, checked and reported. */
#include "app/book.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const Option options[] = {
    { "quick", NULL, OPT_FLAG, NULL, 0, 0, "fewer epochs and examples where there is a choice" },
    { "exact", NULL, OPT_FLAG, NULL, 0, 0, "leave out what trains for more than a moment" },
    { "data", "KIND", OPT_TEXT, "built-in", 0, 0,
      "built-in, or real: the book's data sets (see 'cenote data')" },
    { "seed", "N", OPT_INT, "0", 0, 1e18, "seed of parameters, data and order" },
    { "plot", NULL, OPT_FLAG, NULL, 0, 0, "run: draw the figures on the terminal, too" },
    { "out", "PATH", OPT_TEXT, NULL, 0, 0,
      "run: folder of what is saved (default: runs/book); report: the page (default: report.html)" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* ---- choosing ------------------------------------------------------------------------------- */

enum { ID_ROOM = 32 };

void book_each_row(const Experiment *e, void (*f)(const char *id, void *context), void *context)
{
    char id[ID_ROOM];
    for (const char *p = e->id; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        snprintf(id, sizeof id, "%.*s", (int)n, p);
        f(id, context);
        p += n;
    }
}

/* "C06" is the beginning of C06-LENET, but "C06-L" and "C0" are typing errors. */
static bool names(const char *operand, const char *id)
{
    size_t n = strlen(operand);
    return strncasecmp(operand, id, n) == 0 && (!id[n] || id[n] == '-');
}

typedef struct {
    const char *operand;
    bool found;
} Search;

static void look(const char *id, void *context)
{
    Search *s = context;
    s->found = s->found || names(s->operand, id);
}

static bool fits(const char *operand, const Experiment *e)
{
    Search s = { operand, false };
    book_each_row(e, look, &s);
    return s.found;
}

bool book_chosen(const Args *args, const Experiment *e)
{
    bool any = operand_count(args) < 2;
    if (e->trains && flag(args, "exact")) return false;
    for (int i = 1; !any && i < operand_count(args); i++) any = fits(operand(args, i), e);
    return any;
}

static int unknown_row(const Args *args, const char *word)
{
    const char *ids[1024];
    int n = 0;
    for (int i = 0; experiments[i] && n < 1023; i++) ids[n++] = experiments[i]->id;
    ids[n] = NULL;
    const char *near = nearest(word, ids);
    return failed_with(args, EXIT_USAGE, "book: no experiment is called '%s'%s%s%s", word,
                       near ? "; did you mean '" : ": 'cenote book list' shows them",
                       near ? near : "", near ? "'?" : "");
}

int book_check_operands(const Args *args)
{
    for (int i = 1; i < operand_count(args); i++) {
        bool found = false;
        for (int e = 0; experiments[e]; e++)
            found = found || fits(operand(args, i), experiments[e]);
        if (!found) return unknown_row(args, operand(args, i));
    }
    return EXIT_OK;
}

/* ---- running -------------------------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

/* The first signal ends the fit; the second finds the default action again. */
static void on_signal(int number)
{
    stopped = 1;
    cn_request_stop(); /* NOLINT(bugprone-signal-handler): it sets a flag, nothing else */
    signal(number, SIG_DFL);
}

void book_catch_signals(void)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}

bool book_stopped(void)
{
    return stopped;
}

LabOptions book_options(const Args *args)
{
    return (LabOptions){ .quick = flag(args, "quick"),
                         .real = strcmp(text_of(args, "data"), "real") == 0,
                         .seed = (uint64_t)int_of(args, "seed") };
}

/* The last findings say most: what a network reached comes after what it is made of. */
void book_ours(const Lab *lab, char *text, size_t room)
{
    enum { SHOWN = 3 };
    bool failing = lab->status == LAB_FAIL;
    size_t used = 0, left = 0;
    for (size_t i = 0; i < lab->n_findings; i++) left += !(lab->findings[i].holds && failing);
    snprintf(text, room, "%s", lab->why ? lab->why : "");
    for (size_t i = 0; i < lab->n_findings && !lab->why && used < room; i++) {
        const Finding *f = &lab->findings[i];
        if ((f->holds && failing) || left-- > SHOWN) continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s %s", used ? "; " : "", f->what,
                                 f->ours);
    }
}

static json_t *finding_as_json(const Finding *f)
{
    return json_pack("{s:o, s:o, s:o, s:b}", "what", json_text(f->what), "ours", json_text(f->ours),
                     "book", json_text(f->book), "holds", (int)f->holds);
}

json_t *book_as_json(const Lab *lab, const char *id)
{
    const Experiment *e = lab->experiment;
    char ours[512];
    json_t *findings = json_array();
    for (size_t i = 0; i < lab->n_findings; i++)
        json_array_append_new(findings, finding_as_json(&lab->findings[i]));
    book_ours(lab, ours, sizeof ours);
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:f, s:I, s:o}", "schema",
                     "cenote-book", "v", 1, "id", id, "status", lab_status_name(lab->status), "why",
                     json_text(lab->why), "title", e->title, "ours", json_text(ours), "book",
                     json_text(e->published), "data",
                     json_text(lab->options.real && e->data ? e->data : "built-in"), "seconds",
                     lab->seconds, "seed", (json_int_t)lab->options.seed, "checks", findings);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int run(const Args *args)
{
    static const struct {
        const char *name;
        int (*run)(const Args *args);
    } parts[] = { { "list", book_list },
                  { "run", book_run },
                  { "check", book_check },
                  { "report", book_report } };
    const char *data = text_of(args, "data");
    if (strcmp(data, "built-in") != 0 && strcmp(data, "real") != 0)
        return failed_with(args, EXIT_USAGE, "book: --data is built-in or real, not '%s'", data);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(operand(args, 0), parts[i].name) != 0) continue;
        int bad = book_check_operands(args);
        return bad ? bad : parts[i].run(args);
    }
    return failed_with(args, EXIT_USAGE, "book: list, run, check or report, not '%s'",
                       operand(args, 0));
}

const Command command_book = {
    .name = "book",
    .operands = "list|run|check|report [ID]...",
    .least = 1,
    .most = -1,
    .about = "the experiments of the book: list, run, check, report",
    .details =
        "list shows every experiment and what the last check said. run does one as the book does and shows "
        "what came out beside the book's values; its figures are saved. check tells whether what must hold "
        "does, a line each; the exit status is 1 if something does not. report writes one page with all "
        "results and figures.\n"
        "An ID is a row, C06-LENET, or the beginning of several, C06; without one, all are meant. Experiments "
        "run offline on built-in data, where the book's own numbers cannot be expected; --data real takes the "
        "book's.",
    .examples = "cenote book list\n"
                "cenote book run C06-LENET --data real\n"
                "cenote book check --quick C06 C07\n"
                "cenote book report --out report.html",
    .options = options,
    .run = run,
};
