/* house.h - the table of houses: read or generated, made into features, answered. */
#ifndef BOOK_C04_HOUSE_H
#define BOOK_C04_HOUSE_H

#include "book/book.h"

typedef struct Houses {
    cn_dict *train, *test; /* with Id; the first with SalePrice, too */
    cn_tensor *price;      /* (rows, 1) float32 */
} Houses;

/* With --data real those of Kaggle from $CENOTE_DATA/house-prices; false: the row was skipped, or
   an error. */
bool house_tables(Lab *lab, Houses *h);
/* x: the rows of both tables, numbers standardised, missing ones 0, words as columns of 0 and 1.
   logs: of numbers with a long tail the logarithms are taken first. y is NULL. */
LabData house_features(const Houses *h, bool logs);
/* Writes Id and SalePrice of the test table, reads them back and compares. */
void house_submit(Lab *lab, const Houses *h, cn_tensor *price);

#endif
