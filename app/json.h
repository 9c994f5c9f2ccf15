/* json.h - JSON that can always be written, even of text that is no UTF-8 and of NaN. */
#ifndef APP_JSON_H
#define APP_JSON_H

#include "app/app.h"

#include <jansson.h>

json_t *json_text(const char *text); /* '?' for what is not UTF-8; null for NULL */
json_t *json_number(double value);   /* null for NaN and infinities */
json_t *json_shape(const int64_t *dim, int ndim);

/* Prints the value as one line and gives it back to jansson; NULL means that memory ran out. */
int print_json(const Args *args, json_t *value);

#endif
