/* literal.h - values as they are written in Python, and @FILE for the tensor in a file.

       3  -1.5  1e-3  inf  True  None  'text'  mean  float32  ...  (2, 3)  [1, [2, 3]]  2,3  @x.npy

   A word that is nothing else is a text. */
#ifndef APP_LITERAL_H
#define APP_LITERAL_H

#include <cenote/value.h>
#include <stddef.h>

/* What a value lives on; all zero before the first, then literal_clear(). Tensors belong to the
   current scope. */
typedef struct {
    void **blocks;
    size_t count, room;
} LiteralMemory;

/* False: cn_fail() says what is wrong. */
bool literal_parse(const char *text, LiteralMemory *memory, cn_value *out);
void literal_clear(LiteralMemory *memory);

char *literal_copy(LiteralMemory *memory, const char *text,
                   size_t length); /* NULL: out of memory */

/* A value that is no tensor, in a few words; what a list holds is not shown. */
void literal_format(const cn_value *value, char *buf, size_t room);

/* Numbers and nested lists of numbers become a tensor: int64, or float32 where any is a float, or
   bool where all are. False: an error is set. */
bool literal_to_tensor(cn_value *value);
bool literal_to_tensors(cn_value *list, LiteralMemory *memory); /* each item for itself */

#endif
