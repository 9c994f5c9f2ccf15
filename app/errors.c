/* errors.c - what went wrong, in one line, and the exit code that says so to scripts. */
#include "app/app.h"

#include "app/json.h"

#include <cenote/base.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int code, exit_code;
} exits[] = {
    { CN_EINVALID, EXIT_USAGE },
    { CN_EIO, EXIT_IO },
    { CN_EFORMAT, EXIT_DATA },
    { CN_ENOTFOUND, EXIT_NO_INPUT },
    { CN_EINTERRUPTED, EXIT_INTERRUPTED },
    { CN_EUNSUPPORTED, EXIT_UNAVAILABLE },
};

int exit_code_for(int library_code)
{
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        if (exits[i].code == library_code) return exits[i].exit_code;
    return EXIT_FAILED;
}

static void print_json_error(const char *message, int exit_code)
{
    json_t *error = json_pack("{s:o, s:i}", "error", json_text(message), "code", exit_code);
    char *line = error ? json_dumps(error, JSON_COMPACT) : NULL;
    if (line) puts(line);
    free(line);
    json_decref(error);
}

int failed_with(const Args *args, int exit_code, const char *fmt, ...)
{
    char message[1200];
    va_list list;
    va_start(list, fmt);
    vsnprintf(message, sizeof message, fmt, list);
    va_end(list);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    fprintf(stderr, "cenote: %s\n", message);
    if (json_wanted(args)) print_json_error(message, exit_code);
    return exit_code;
}

int failed(const Args *args)
{
    return failed_with(args, exit_code_for(cn_error_code()), "%s",
                       cn_ok() ? "failed for a reason that nobody told" : cn_error());
}
