/* fetch.h - files from the network. */
#ifndef CN_DATA_FETCH_H
#define CN_DATA_FETCH_H

#include <cenote/data.h>

/* Downloads url to path, whole or not at all. CN_EUNSUPPORTED when built without libcurl; CN_EIO,
   with the server's answer, when it cannot be had; CN_EINTERRUPTED when `watch` says false. */
bool cn_fetch(const char *url, const char *path, const char *name, cn_data_watch *watch,
              void *context);

#endif
