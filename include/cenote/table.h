/* table.h - what is done to a table before a network sees it (D2L 2.2, 5.7).

   A table is a dictionary of columns of one length, as cn_csv_read() gives it: tensors of one
   dimension, in which NaN is missing, and lists of texts, in which "" and None are. Functions leave
   their table alone and return another one, NULL on failure; the caller frees it with
   cn_dict_free(). Columns that stay as they are share their memory with the first. */
#ifndef CENOTE_TABLE_H
#define CENOTE_TABLE_H

#include "io.h"

CN_BEGIN_DECLS

CN_API int64_t cn_table_rows(const cn_dict *table); /* -1: an error, no table */
CN_API int64_t cn_table_missing(const cn_dict *table, const char *column); /* how many; or -1 */

/* The rows from start to end - 1; negative ones count from the end. */
CN_API cn_dict *cn_table_slice(const cn_dict *table, int64_t start, int64_t end);
/* The rows of both, which must have the same columns: training and test data for one treatment. */
CN_API cn_dict *cn_table_concat(const cn_dict *first, const cn_dict *second);
/* Without this column; an error when there is none. */
CN_API cn_dict *cn_table_drop(const cn_dict *table, const char *column);

/* ---- what is missing: three ways ------------------------------------------------------------ */

/* Without the rows in which anything is missing. */
CN_API cn_dict *cn_table_dropna(const cn_dict *table);
/* With numbers in place of missing ones: this value, or the mean of what is there in the column
   (float64; a column of nothing but missing ones stays). Texts stay missing. */
CN_API cn_dict *cn_table_fillna(const cn_dict *table, double value);
CN_API cn_dict *cn_table_fillna_mean(const cn_dict *table);
/* With a column of bool, NAME_VALUE, for each text that a column of texts has, in ascending order,
   in place of that column, after those of numbers. dummy_na: what is missing is a category, too,
   NAME_nan. */
CN_API cn_dict *cn_table_get_dummies(const cn_dict *table, bool dummy_na);

/* ---- numbers for a network ------------------------------------------------------------------ */

/* With each column of numbers, but not of bools, as float64 of mean 0 and standard deviation 1
   (with n - 1), missing ones left out and left missing; of constant ones only the mean is taken. */
CN_API cn_dict *cn_table_standardize(const cn_dict *table);
/* (rows, columns); an error when a column holds texts. Belongs to the current scope. */
CN_API cn_tensor *cn_table_tensor(const cn_dict *table, cn_dtype dtype);

CN_END_DECLS
#endif
