/* table.h - rows of text in aligned columns.

       Table t = { .columns = 2 };
       table_cell(&t, "%s", "name"); table_cell(&t, "%s", "samples");
       table_cell(&t, "%s", name);   table_cell(&t, "%d", 60000);
       table_print(&t); */
#ifndef APP_TABLE_H
#define APP_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { MAX_COLUMNS = 10 };

typedef struct {
    int columns;
    unsigned right; /* bit i: column i is flush right */
    char **cells;
    size_t count, room;
    bool broken; /* memory ran out */
} Table;

/* The next cell: row by row, left to right. */
void table_cell(Table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* To stdout, and frees the cells. False: memory had run out, and nothing was printed. */
bool table_print(Table *t);

#endif
