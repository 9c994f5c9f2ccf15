/* book_list.c - cenote book list. */
#include "app/book.h"
#include "app/table.h"

#include <stdio.h>
#include <string.h>

static const char *last_status(const json_t *past, const Experiment *e)
{
    char id[32];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(e->id, " "), e->id);
    const char *status = json_string_value(json_object_get(json_object_get(past, id), "status"));
    return status ? status : "-";
}

static json_t *as_json(const Experiment *e, const json_t *past)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:b, s:s}", "id", e->id, "title",
                     e->title, "title_zh", json_text(e->title_zh), "section", e->section,
                     "settings", json_text(e->settings), "published", json_text(e->published),
                     "data", json_text(e->data), "trains", (int)e->trains, "last",
                     last_status(past, e));
}

static int list_as_json(const Args *args, const json_t *past)
{
    json_t *list = json_array();
    for (int i = 0; experiments[i]; i++)
        if (book_chosen(args, experiments[i]))
            json_array_append_new(list, as_json(experiments[i], past));
    return print_json(args, list);
}

static int list_as_table(const Args *args, const json_t *past)
{
    Table t = { .columns = 5 };
    for (int i = 0; experiments[i]; i++) {
        const Experiment *e = experiments[i];
        if (!book_chosen(args, e)) continue;
        table_cell(&t, "%s", e->id);
        table_cell(&t, "%s", last_status(past, e));
        table_cell(&t, "D2L %s", e->section);
        table_cell(&t, "%s", e->title);
        table_cell(&t, "%s", e->title_zh ? e->title_zh : "");
    }
    return table_print(&t) ? EXIT_OK : failed_with(args, EXIT_FAILED, "out of memory");
}

int book_list(const Args *args)
{
    json_t *past = book_past();
    int status = json_wanted(args) ? list_as_json(args, past) : list_as_table(args, past);
    json_decref(past);
    return status;
}
