/* cenote.h - all of Cenote. */
#ifndef CENOTE_CENOTE_H
#define CENOTE_CENOTE_H

#include "autocast.h"
#include "autograd.h"
#include "base.h"
#include "csv.h"
#include "data.h"
#include "dlpack.h"
#include "ffi.h"
#include "functional.h"
#include "image.h"
#include "io.h"
#include "nn.h"
#include "ops.h"
#include "optim.h"
#include "plot.h"
#include "profile.h"
#include "rng.h"
#include "table.h"
#include "tensor.h"
#include "text.h"
#include "train.h"
#include "value.h"

#endif
