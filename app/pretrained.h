/* pretrained.h - networks with weights from files, and pictures from files for them. */
#ifndef APP_PRETRAINED_H
#define APP_PRETRAINED_H

#include "app/run.h"

/* The network with the weights of a file: of PyTorch's, safetensors and so on; also where they are one
   entry "state_dict" among others, and where DataParallel put "module." before the names. */
cn_module *pretrained_network(const cn_model *model, const char *path);

/* How pictures are made ready: "model" (as the catalogue says), "none" (0 to 1), or "caffe" (blue,
   green, red, 0 to 255, minus the means of ImageNet). */
typedef enum { SCALING_MODEL, SCALING_NONE, SCALING_CAFFE, SCALING_UNKNOWN } Scaling;
Scaling scaling_named(const char *name);

/* A picture as a batch of one: its middle square, of `side` pixels (0: as the model wants). */
cn_tensor *picture_for(const cn_model *model, const char *path, Scaling scaling, int64_t side);

/* CIFAR-10 in a file of its binary records, or a folder with one folder of pictures for each class, in
   the order of their names; ready for the model. */
cn_dataset *pictures_for(const cn_model *model, const char *path, int64_t limit);

#endif
