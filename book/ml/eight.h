/* eight.h - eight points that a line separates, with the constant feature 1, and their products. */
#ifndef EIGHT_H
#define EIGHT_H

enum { EIGHT = 8 };
extern const double eight_x[EIGHT][3], eight_y[EIGHT];
/* k[i * 8 + j] = x_i . x_j over the first `features` features. */
void eight_products(int features, double k[EIGHT * EIGHT]);

#endif
