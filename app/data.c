/* data.c - cenote data: which data sets there are, where, and whether they are whole. */
#include "app/app.h"
#include "app/json.h"
#include "app/table.h"

#include <cenote/data.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *info_as_json(const cn_data_info *d)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:i, s:o}", "name", d->name, "title",
                     d->title, "about", d->about, "licence", d->licence, "source", d->source,
                     "built_in", d->built_in, "train", (json_int_t)d->train, "test",
                     (json_int_t)d->test, "classes", d->classes, "folder",
                     json_text(*d->folder ? d->folder : NULL));
}

static int list_as_json(const Args *args)
{
    json_t *list = json_array();
    cn_data_info info;
    for (int i = 0; i < cn_data_count(); i++) {
        if (!cn_data_at(i, &info)) {
            json_decref(list);
            return failed(args);
        }
        json_array_append_new(list, info_as_json(&info));
    }
    return print_json(args, json_pack("{s:o}", "data", list));
}

static int list(const Args *args, const char *name)
{
    (void)name;
    if (json_wanted(args)) return list_as_json(args);
    static const char *const titles[] = { "NAME", "TRAIN", "TEST", "CLASSES", "LICENCE", "WHERE" };
    Table t = { .columns = 6, .right = 1u << 1 | 1u << 2 | 1u << 3 };
    cn_data_info info;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) table_cell(&t, "%s", titles[i]);
    for (int i = 0; i < cn_data_count(); i++) {
        if (!cn_data_at(i, &info)) break;
        table_cell(&t, "%s", info.name);
        table_cell(&t, "%" PRId64, info.train);
        table_cell(&t, "%" PRId64, info.test);
        table_cell(&t, "%d", info.classes);
        table_cell(&t, "%s", info.licence);
        if (info.built_in) table_cell(&t, "built in");
        else if (*info.folder) table_cell(&t, "%s", info.folder);
        else table_cell(&t, "missing: %s", info.source);
    }
    return table_print(&t) && cn_ok() ? EXIT_OK : failed(args);
}

/* Where the data set is now. */
static int print_place(const Args *args, const char *name, const char *verdict)
{
    cn_data_info info;
    for (int i = 0; i < cn_data_count(); i++) {
        if (!cn_data_at(i, &info)) return failed(args);
        if (strcmp(info.name, name) != 0) continue;
        if (json_wanted(args)) return print_json(args, info_as_json(&info));
        printf("%s: %s%s%s\n", name, verdict, *info.folder ? ", in " : "", info.folder);
    }
    return EXIT_OK;
}

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static bool show_download(const char *file, int64_t done, int64_t total, void *context)
{
    const bool *bar = context;
    if (*bar && total > 0)
        fprintf(stderr, "\r\033[K%s  %3.0f %% of %.1f MB", file, 100 * (double)done / (double)total,
                (double)total / 1e6);
    return !stopped;
}

static int get(const Args *args, const char *name)
{
    bool bar = isatty(STDERR_FILENO), ok;
    signal(SIGINT, on_signal); /* what is half there is removed */
    ok = cn_data_get(name, .watch = show_download, .watch_context = &bar);
    if (bar) fputs("\r\033[K", stderr);
    return ok ? print_place(args, name, "ready") : failed(args);
}

static int check(const Args *args, const char *name)
{
    return cn_data_check(name) ? print_place(args, name, "whole, as published") : failed(args);
}

static int run(const Args *args)
{
    static const struct {
        const char *name;
        int (*run)(const Args *args, const char *name);
        bool named;
    } actions[] = { { "list", list, false }, { "get", get, true }, { "check", check, true } };
    static const char *const names[] = { "list", "get", "check", NULL };
    const char *action = operand(args, 0) ? operand(args, 0) : "list", *name = operand(args, 1);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, action) != 0) continue;
        if (actions[i].named && !name)
            return failed_with(args, EXIT_USAGE, "data %s: which one? 'cenote data list' shows all",
                               action);
        if (!actions[i].named && name)
            return failed_with(args, EXIT_USAGE, "data %s: '%s' is too much", action, name);
        return actions[i].run(args, name);
    }
    const char *near = nearest(action, names);
    return failed_with(args, EXIT_USAGE, "data: '%s' must be list, get or check%s%s%s", action,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

const Command command_data = {
    .name = "data",
    .operands = "[list|get|check [NAME]]",
    .most = 2,
    .about = "list, fetch and verify data sets",
    .details =
        "list: all of them, and where they are.\n\n"
        "get NAME: puts a data set into the cache: copied from where it is found, else downloaded "
        "from its publisher, or from $CENOTE_MIRROR/NAME if that is set.\n\n"
        "check NAME: compares every file with the published size and SHA-256.",
    .examples = "cenote data list\ncenote data get mnist\ncenote data check mnist",
    .run = run,
    .instant = true,
};
