/* find.c - the texts of the book, where they are installed. */
#include "core/memory.h"
#include "data/catalogue.h"
#include "text/tokens.h"

char *cn_text_find(const char *name)
{
    char path[CN_PATH_ROOM];
    if (!name) return NULL;
    return cn_find_file("text", name, path) ? cn_text_read(path) : NULL;
}
