/* eight.c - the points of the support vector machine's rows. */
#include "book/ml/eight.h"

const double eight_x[EIGHT][3] = {
    { 1, 1.5, 1 },   { 2, 0.5, 1 }, { 2.5, 2, 1 },   { 1.5, 3, 1 },
    { -1, -0.5, 1 }, { -2, 1, 1 },  { -1.5, -2, 1 }, { 0.5, -1.5, 1 }
};
const double eight_y[EIGHT] = { 1, 1, 1, 1, -1, -1, -1, -1 };

void eight_products(bool constant, double k[EIGHT * EIGHT])
{
    const int features = constant ? 3 : 2;
    for (int i = 0; i < EIGHT; i++)
        for (int j = 0; j < EIGHT; j++) {
            k[i * EIGHT + j] = 0;
            for (int f = 0; f < features; f++) k[i * EIGHT + j] += eight_x[i][f] * eight_x[j][f];
        }
}
