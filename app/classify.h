/* classify.h - what a network of the catalogue makes of pictures: cenote predict --model. */
#ifndef APP_CLASSIFY_H
#define APP_CLASSIFY_H

#include "app/app.h"

int classify(const Args *args);

#endif
