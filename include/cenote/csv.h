/* csv.h - tables of text: columns of numbers and of words. */
#ifndef CENOTE_CSV_H
#define CENOTE_CSV_H

#include "tensor.h"
#include "value.h"

CN_BEGIN_DECLS

typedef struct cn_csv_options {
    size_t size; /* sizeof this struct; cn_csv_read() sets it */
    const char *path;
    cn_named_only named_only_;
    char separator;          /* ',' by default; '\t', ';', '|', ... */
    bool no_header;          /* the first line is data: the columns are named "0", "1", ... */
    const char *const *text; /* columns to be kept as words, whatever is in them; ended by NULL */
    const char *const
        *numbers; /* columns in which anything but a number is an error; ended by NULL */
} cn_csv_options;

/* A table as RFC 4180 describes it: fields in double quotes may hold separators, line ends, and
   quotes written twice; lines end in LF or CR LF; a UTF-8 byte order mark is skipped. Gives one
   entry a column, in the order of the file:

     all fields whole numbers       a tensor of int64
     all fields "true" or "false"   a tensor of bool (also "True", "TRUE", and so on)
     all fields numbers or missing  a tensor of float64, NaN where missing
     anything else                  a list of texts, "" where missing

   Missing are empty fields, NA, NaN and nan, unless they are in quotes. A column of nothing but
   missing fields is float64. Errors (CN_EFORMAT) name file and line: a line with another
   number of fields, a quote that is not closed or ends within a field, text that is not UTF-8, two
   columns of one name, a file without a line, a field of more than 16 MiB. Blank lines are
   skipped. */
CN_API cn_dict *cn_csv_read_with(const cn_csv_options *o);
#define cn_csv_read(...)                                                                           \
    cn_csv_read_with(&(cn_csv_options){ .size = sizeof(cn_csv_options), __VA_ARGS__ })

/* The same from memory; o->path names it in messages. */
CN_API cn_dict *cn_csv_parse(const void *bytes, size_t size, const cn_csv_options *o);

/* Writes the entries, tensors of one dimension and lists of numbers, texts and None, as columns of
   equal length with a header. Numbers get as many digits as reading them back takes; NaN and None
   become empty fields. The file is replaced whole. */
CN_API bool cn_csv_write(const char *path, const cn_dict *columns);

CN_END_DECLS
#endif
