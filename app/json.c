/* json.c - JSON that can always be written. */
#include "app/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    if (!text) return json_null();
    json_t *string = json_string(text);
    if (string) return string;
    char *ascii = strdup(text);
    if (!ascii) return NULL;
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c > 126) *c = '?';
    string = json_string(ascii);
    free(ascii);
    return string;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_shape(const int64_t *dim, int ndim)
{
    json_t *list = json_array();
    for (int i = 0; i < ndim; i++) json_array_append_new(list, json_integer(dim[i]));
    return list;
}

int print_json(const Args *args, json_t *value)
{
    char *line = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (!line) return failed_with(args, EXIT_FAILED, "out of memory");
    puts(line);
    free(line);
    return EXIT_OK;
}
