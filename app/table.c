/* table.c - rows of text in aligned columns. */
#include "app/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void table_cell(Table *t, const char *fmt, ...)
{
    if (t->broken) return;
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        char **cells = realloc(t->cells, room * sizeof *cells);
        t->broken = !cells;
        if (!cells) return;
        t->cells = cells;
        t->room = room;
    }
    va_list list;
    va_start(list, fmt);
    if (vasprintf(&t->cells[t->count], fmt, list) < 0) t->broken = true;
    else t->count++;
    va_end(list);
}

/* Characters of UTF-8: continuation bytes do not count. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_rows(const Table *t)
{
    size_t columns = (size_t)t->columns;
    int width[MAX_COLUMNS] = { 0 };
    for (size_t i = 0; i < t->count; i++) {
        int w = width_of(t->cells[i]);
        if (w > width[i % columns]) width[i % columns] = w;
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t column = i % columns;
        bool right = t->right >> column & 1, last = column + 1 == columns;
        int blanks = width[column] - width_of(t->cells[i]);
        printf("%*s%s%*s%s", right ? blanks : 0, "", t->cells[i], right || last ? 0 : blanks, "",
               last ? "\n" : "  ");
    }
}

bool table_print(Table *t)
{
    bool good = !t->broken;
    if (good) print_rows(t);
    for (size_t i = 0; i < t->count; i++) free(t->cells[i]);
    free(t->cells);
    *t = (Table){ .columns = t->columns, .right = t->right };
    return good;
}
