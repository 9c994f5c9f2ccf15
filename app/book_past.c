/* book_past.c - what the last checks said, kept in $XDG_STATE_HOME/cenote/book.json. */
#include "app/book.h"
#include "app/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_ROOM = 1024 };

/* False: there is no home. */
static bool state_folder(char path[PATH_ROOM])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = state && *state ? snprintf(path, PATH_ROOM, "%s/cenote", state)
            : home && *home ? snprintf(path, PATH_ROOM, "%s/.local/state/cenote", home)
                            : 0;
    return n > 0 && n < PATH_ROOM - 32;
}

json_t *book_past(void)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 16];
    json_t *past = NULL;
    if (state_folder(folder)) {
        snprintf(path, sizeof path, "%s/book.json", folder);
        past = json_load_file(path, 0, NULL);
    }
    if (json_is_object(past)) return past;
    json_decref(past);
    return json_object();
}

typedef struct {
    json_t *past;
    const Lab *lab;
} Entry;

static void remember_row(const char *id, void *context)
{
    const Entry *e = context;
    json_object_set_new(e->past, id,
                        json_pack("{s:s, s:f, s:b, s:s}", "status", lab_status_name(e->lab->status),
                                  "seconds", e->lab->seconds, "real", (int)e->lab->options.real,
                                  "version", cn_version()));
}

void book_remember(json_t *past, const Lab *lab)
{
    Entry e = { past, lab };
    if (lab->status != LAB_INTERRUPTED) book_each_row(lab->experiment, remember_row, &e);
}

void book_save_past(const json_t *past)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 16], fresh[PATH_ROOM + 48];
    if (!state_folder(folder)) return;
    if (!make_folder(folder)) {
        cn_error_clear();
        return;
    }
    snprintf(path, sizeof path, "%s/book.json", folder);
    snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    bool written = json_dump_file(past, fresh, JSON_INDENT(1) | JSON_SORT_KEYS) == 0;
    if (!written || rename(fresh, path) != 0) (void)remove(fresh);
}
