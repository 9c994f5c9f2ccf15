/* error.h (internal) - adding to an error what only the caller knows. */
#ifndef CN_CORE_ERROR_H
#define CN_CORE_ERROR_H

#include <cenote/base.h>

/* Puts text, such as the path of a module, before the message of the current error, if there is
   one. */
void cn_error_prefix(const char *fmt, ...) CN_PRINTF(1, 2);

#endif
