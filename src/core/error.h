/* error.h (internal) - adding to an error what only the caller knows. */
#ifndef CN_CORE_ERROR_H
#define CN_CORE_ERROR_H

#include <cenote/base.h>

/* Puts text, such as the path of a module, before the message of the current error, if there is
   one. */
void cn_error_prefix(const char *fmt, ...) CN_PRINTF(1, 2);
/* The same, once for each error: of all who call it the innermost knows best. */
void cn_error_place(const char *fmt, ...) CN_PRINTF(1, 2);

#endif
