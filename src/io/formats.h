/* formats.h - the file formats: what load.c chooses from. */
#ifndef CN_IO_FORMATS_H
#define CN_IO_FORMATS_H

#include <cenote/io.h>

#include "core/file.h"

/* From memory; `what` names the source in messages. */
cn_dict *cn_read_npy(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_npz(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_safetensors(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_idx(const void *bytes, size_t size, const char *what);

/* To a file that the caller finishes; `path` is for messages. */
bool cn_write_npy(cn_file *f, const cn_dict *d, const char *path);
bool cn_write_npz(cn_file *f, const cn_dict *d, const char *path);
bool cn_write_safetensors(cn_file *f, const cn_dict *d, const char *path);

/* The parts .npy and .npz share: one array under `key` from the bytes of a .npy file, and the
   header that goes before a tensor's elements (its size; 0 and an error for a type NumPy does not
   have). */
#define CN_NPY_HEADER_ROOM 512
bool cn_npy_add(cn_dict *d, const char *key, const void *bytes, size_t size, const char *what);
size_t cn_npy_header(char header[CN_NPY_HEADER_ROOM], const cn_tensor *t, const char *what);

#endif
