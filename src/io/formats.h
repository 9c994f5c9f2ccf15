/* formats.h - the file formats: what load.c chooses from. */
#ifndef CN_IO_FORMATS_H
#define CN_IO_FORMATS_H

#include <cenote/io.h>

#include "core/file.h"
#include "io/zip.h"

/* From memory; `what` names the source in messages. */
cn_dict *cn_read_npy(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_npz(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_safetensors(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_idx(const void *bytes, size_t size, const char *what);

/* What a ZIP archive may be. Tensors of PyTorch's stay in `mapping`, if the bytes are that. */
cn_dict *cn_read_npz_archive(const cn_zip *z, const char *what);
cn_dict *cn_read_torch_archive(const cn_zip *z, const char *what, cn_shared_mapping *mapping);
bool cn_is_torch_archive(const cn_zip *z);

/* PyTorch's older forms: pickles in a row; and a tar archive, which is refused. */
cn_dict *cn_read_torch_stream(const void *bytes, size_t size, const char *what);
cn_dict *cn_read_torch_tar(const void *bytes, size_t size, const char *what);

/* What the pickles in a file of PyTorch's would import and call, into `found`; false when they, or
   the file, broke off. */
bool cn_audit_pickles(const void *bytes, size_t size, const char *what, cn_dict *found);

/* To a file that the caller finishes; `path` is for messages. */
bool cn_write_npy(cn_file *f, const cn_dict *d, const char *path);
bool cn_write_npz(cn_file *f, const cn_dict *d, const char *path);
bool cn_write_safetensors(cn_file *f, const cn_dict *d, const char *path);
bool cn_write_torch(cn_file *f, const cn_dict *d, const char *path);

/* The parts .npy and .npz share: one array under `key` from the bytes of a .npy file, and the
   header that goes before a tensor's elements (its size; 0 and an error for a type NumPy does not
   have). */
#define CN_NPY_HEADER_ROOM 512
bool cn_npy_add(cn_dict *d, const char *key, const void *bytes, size_t size, const char *what);
/* NumPy's n letters for a type, as in "f4"; false for those there are not. */
bool cn_npy_dtype(const char *text, size_t n, cn_dtype *out);
size_t cn_npy_header(char header[CN_NPY_HEADER_ROOM], const cn_tensor *t, const char *what);

#endif
