/* file.h - files of the operating system: mapped to be read, replaced whole to be written. */
#ifndef CN_CORE_FILE_H
#define CN_CORE_FILE_H

#include <cenote/base.h>
#include <stdatomic.h>

/* Records what errno says about a path, as "PATH: cannot DO: REASON". Always false. */
bool cn_fail_errno(const char *path, const char *doing);

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct cn_mapping {
    const void *bytes; /* never NULL after success */
    size_t size;
} cn_mapping;

/* Regular files only. */
bool cn_map_file(const char *path, cn_mapping *m);
void cn_unmap_file(cn_mapping *m);

/* A mapping with several owners, who may write to their copy of the contents: the file stays as it
   is. Whoever shortens the file itself takes the memory away, as with every mapping; replacing it
   by rename (as all writing here does) is harmless. */
typedef struct cn_shared_mapping {
    cn_mapping of;
    atomic_int refs;
} cn_shared_mapping;

cn_shared_mapping *cn_map_shared(const char *path);
cn_shared_mapping *cn_mapping_keep(cn_shared_mapping *m);
void cn_mapping_drop(void *m); /* takes a void, to be a release function; NULL is fine */

/* ---- writing ------------------------------------------------------------------------------
   Data go to a temporary file in the same folder. cn_file_finish() syncs and renames it, so that
   the path has either its old contents or all of the new; on any failure the temporary file is
   removed. A symbolic link is followed, and what it leads to replaced. */

typedef struct cn_file cn_file;

cn_file *cn_file_create(const char *path);
void cn_file_put(cn_file *f, const void *data, size_t size); /* failures show at the end */
uint64_t cn_file_size(const cn_file *f);                     /* bytes put so far */
/* Ends the file: keeps it if `ok` and if everything was written, else leaves no trace. */
bool cn_file_finish(cn_file *f, bool ok);

bool cn_write_file_atomic(const char *path, const void *data, size_t size);

#endif
