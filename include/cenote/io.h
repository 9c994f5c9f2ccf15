/* io.h - ordered dictionaries, and the files they are read from and written to. */
#ifndef CENOTE_IO_H
#define CENOTE_IO_H

#include "tensor.h"
#include "value.h"

CN_BEGIN_DECLS

/* ---- ordered dictionaries: a state_dict, an .npz, a checkpoint ------------------------------
   Keys are UTF-8 and unique, and stay in the order in which they were first set. A dictionary owns
   what it holds: strings, lists and dictionaries are copied in, a tensor is kept (not copied). What
   the getters lend lives until the entry is replaced or the dictionary is freed. */

CN_API cn_dict *cn_dict_new(void);
CN_API cn_dict *cn_dict_copy(const cn_dict *d); /* shares the tensors */
CN_API void cn_dict_free(cn_dict *d);           /* NULL is fine */

CN_API int cn_dict_count(const cn_dict *d); /* 0 of NULL */
/* NULL and an error outside 0 .. count-1. */
CN_API const char *cn_dict_key(const cn_dict *d, int i);
CN_API const cn_value *cn_dict_at(const cn_dict *d, int i);
/* A question, not a demand: NULL without an error when there is no such key. */
CN_API const cn_value *cn_dict_find(const cn_dict *d, const char *key);

/* Adds an entry or replaces its value. Lists and dictionaries nest at most 64 deep. */
CN_API bool cn_dict_set(cn_dict *d, const char *key, cn_value value);
CN_API bool cn_dict_set_bool(cn_dict *d, const char *key, bool value);
CN_API bool cn_dict_set_int(cn_dict *d, const char *key, int64_t value);
CN_API bool cn_dict_set_float(cn_dict *d, const char *key, double value);
CN_API bool cn_dict_set_str(cn_dict *d, const char *key, const char *value);
CN_API bool cn_dict_set_tensor(cn_dict *d, const char *key, cn_tensor *value);
CN_API bool cn_dict_set_dict(cn_dict *d, const char *key, const cn_dict *value);

/* What must be there: NULL and an error when the key is missing or its value of another kind. */
CN_API cn_tensor *cn_dict_tensor(const cn_dict *d, const char *key);
CN_API const cn_dict *cn_dict_dict(const cn_dict *d, const char *key);
/* What may be there: `otherwise` when the key is missing or its value of another kind. A float may
   be stored as an int. */
CN_API int64_t cn_dict_int(const cn_dict *d, const char *key, int64_t otherwise);
CN_API double cn_dict_float(const cn_dict *d, const char *key, double otherwise);
CN_API const char *cn_dict_str(const cn_dict *d, const char *key, const char *otherwise);

/* ---- files --------------------------------------------------------------------------------
   Reading goes by content, not by name: .npy and IDX (one entry, key ""), .npz, .safetensors,
   PyTorch's .pt and .pth, and any of them in gzip. Sizes, offsets and checksums are verified before
   anything is believed; a damaged file is CN_EFORMAT, a type this library does not have
   CN_EUNSUPPORTED. The metadata of a safetensors file is the entry "__metadata__", a dictionary of
   strings.

   A file of PyTorch's holds a pickle, which in Python can run any program. Here it makes plain
   values and tensors, or the file is refused (CN_EUNSUPPORTED, with the name that it wanted to
   import). What is no dictionary becomes the entry ""; integer keys their decimal text; tuples and
   sets lists; bytes a tensor of uint8. Tensors that shared memory share it again; that one required
   gradients is not kept. The tensors of an archive that is not compressed lie in the mapped file,
   checksums verified: writing to them changes memory only, and a file that is in use may be
   replaced (cn_save() does that) but not be overwritten in place or shortened. */

CN_API cn_dict *cn_load(const char *path);
/* The same from memory, which is not needed afterwards; `what` names it in messages. */
CN_API cn_dict *cn_load_bytes(const void *bytes, size_t size, const char *what);

/* What the pickle of a PyTorch file would import and call, without doing it: for every name a
   dictionary { "calls": int, "known": bool }, where those that are known are harmless. Empty for
   other files; a damaged pickle ends the list. */
CN_API cn_dict *cn_pickle_names(const char *path);

/* Writes .npy (one tensor), .npz (tensors), .safetensors (tensors and "__metadata__"), or .pt or
   .pth (everything but "__metadata__", for torch.load(weights_only=True)), as the extension says.
   The path either keeps its old contents or gets the new ones whole: data go to a
   temporary file beside it, which is synced and renamed. */
CN_API bool cn_save(const char *path, const cn_dict *d);

CN_END_DECLS
#endif
