/* zip.h - ZIP archives: .npz files, and whatever else is a ZIP inside.

   Reading trusts nothing: the central directory, every local header and every range are checked
   when the archive is opened, checksums when a member is read. Not accepted: encryption, several
   disks, methods other than stored and deflate, data before or after the archive, members that
   overlap. */
#ifndef CN_IO_ZIP_H
#define CN_IO_ZIP_H

#include "core/file.h"

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct cn_zip_member {
    char *name;      /* unique in its archive, without zero bytes; never use it as a path */
    uint64_t start;  /* of its local header */
    uint64_t offset; /* of its data, in the archive */
    uint64_t packed, size;
    uint32_t crc;
    uint16_t method; /* 0: stored, 8: deflate */
} cn_zip_member;

typedef struct cn_zip cn_zip;

/* `bytes` are borrowed until the archive is closed. */
cn_zip *cn_zip_open(const void *bytes, size_t size, const char *what);
void cn_zip_close(cn_zip *z); /* NULL is fine */

int cn_zip_count(const cn_zip *z);
const cn_zip_member *cn_zip_member_at(const cn_zip *z, int i);       /* in the directory's order */
const cn_zip_member *cn_zip_find(const cn_zip *z, const char *name); /* NULL: no such member */

/* The member's bytes, checksum verified: in place when stored, else in *owned, which the caller
   passes to cn_free() in any case. */
const void *cn_zip_bytes(const cn_zip *z, const cn_zip_member *m, void **owned);

/* May a program that unpacks use the name as a path? Not if it leads out of the folder. */
bool cn_zip_name_is_safe(const char *name);

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct cn_zip_writer cn_zip_writer;

typedef struct cn_span {
    const void *data;
    size_t size;
} cn_span;

cn_zip_writer *cn_zip_create(cn_file *f);
/* Stores one member, made of the spans one after the other. Its data begin at a multiple of `align`
   (a power of two up to 4096). Failures show in cn_zip_finish(), too. */
bool cn_zip_add(cn_zip_writer *w, const char *name, const cn_span *spans, int n, size_t align);
/* Writes the directory (unless !ok) and frees the writer; the file remains to be finished. */
bool cn_zip_finish(cn_zip_writer *w, bool ok);

#endif
