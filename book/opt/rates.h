/* rates.h - schedules of the learning rate: what they are, and a LeNet trained with each
   (D2L 12.11). */
#ifndef RATES_H
#define RATES_H

#include "book/book.h"

enum { RATES_EPOCHS = 30 };

typedef struct RateCase {
    const char *name;
    double base;
    double (*rate)(int epoch);          /* as the book defines it */
    cn_sched *(*make)(cn_optim *optim); /* the library's; NULL: the rate stays */
    double published;                   /* test accuracy on Fashion-MNIST */
    double share; /* of all rates, where fewer images in smaller batches are trained on; 0: 1 */
} RateCase;

/* The library's rates are the book's, in `epochs` steps; draws them. */
void rates_curve(Lab *lab, const RateCase *c, int epochs);
/* The book's LeNet with ReLU and maximum pooling, trained for 30 epochs with these rates. */
void rates_training(Lab *lab, const RateCase *c);

/* Half a wave from the rate to 0.01 in so many epochs, then 0.01; the rate was 0.3. */
cn_sched *rates_wave(cn_optim *optim, int64_t epochs);
/* The same as a number. */
double rates_wave_at(int epoch, int epochs);

#endif
