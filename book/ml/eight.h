/* eight.h - eight points that a line separates, with the constant feature 1, and their products. */
#ifndef EIGHT_H
#define EIGHT_H

#include <stdbool.h>

enum { EIGHT = 8 };
extern const double eight_x[EIGHT][3], eight_y[EIGHT];
/* k[i * 8 + j] = x_i . x_j, with the constant feature or without it. */
void eight_products(bool constant, double k[EIGHT * EIGHT]);

#endif
