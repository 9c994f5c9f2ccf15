/* catalogue.h - the data sets that are known by name. */
#ifndef CN_DATA_CATALOGUE_H
#define CN_DATA_CATALOGUE_H

#include <cenote/data.h>

/* An IDX file as published. On disk it may end in ".gz"; the hash is of what is in it. */
typedef struct cn_idx_file {
    const char *name, *sha256;
} cn_idx_file;

typedef struct cn_entry {
    const char *name, *title, *about, *licence, *source;
    int64_t samples[2]; /* by split */
    const char *const *classes;
    int n_classes;
    cn_idx_file images[2], labels[2]; /* by split; no names: generated */
    const char *publisher;            /* the URL of the folder with NAME.gz of each file */
    const char *system_folder;        /* where a distribution installs it, or NULL */
} cn_entry;

extern const cn_entry cn_catalogue[];
extern const int cn_catalogue_size;

/* NULL, with a suggestion, when there is none of that name. */
const cn_entry *cn_entry_find(const char *name);

enum { CN_PATH_ROOM = 512 };

/* The first folder that has the files of the splits first .. last; `root` NULL: the usual places.
   CN_ENOTFOUND, with those places and how to get it, when there is none. */
bool cn_entry_locate(const cn_entry *e, const char *root, cn_part first, cn_part last,
                     char folder[CN_PATH_ROOM]);

/* A question: whether it is in one of the usual places. */
bool cn_entry_is_here(const cn_entry *e, char folder[CN_PATH_ROOM]);

/* out = folder/name; false when it is too long. */
bool cn_join_path(char out[CN_PATH_ROOM], const char *folder, const char *name);

/* The folder for it in the user's cache. */
bool cn_entry_cache(const cn_entry *e, char folder[CN_PATH_ROOM]);

/* A file that belongs to no entry: the first that can be read of folder/name in the usual places. */
bool cn_find_file(const char *folder, const char *name, char path[CN_PATH_ROOM]);

/* The file as it lies in the folder, plain or compressed. False, without an error, when absent. */
bool cn_idx_path(const char *folder, const char *name, char path[CN_PATH_ROOM]);

/* Reads a split from a folder, at most `limit` samples of it; 0: all. */
cn_dataset *cn_entry_read(const cn_entry *e, const char *folder, cn_part split, int64_t limit);

/* Compares all files in the folder with the published ones. */
bool cn_entry_verify(const cn_entry *e, const char *folder);

#endif
